"""One device's conversation, as the skill drives it."""

from __future__ import annotations

from dataclasses import dataclass

from assistant.dialogue.state import State
from assistant.frontends.ovos.output import Order, OvosOutput
from assistant.session.session import Session
from assistant.session.timed import TimedConversation


@dataclass(slots=True)
class DeviceTalk:
    """One device's conversation."""

    conversation: TimedConversation
    output: OvosOutput
    at: float
    """When it last did anything."""
    stop_at: float | None = None
    """When to answer a "stop" at which the sound was cut already."""
    was_speaking: bool = False

    @property
    def session(self) -> Session:
        """What it knows."""
        return self.conversation.session

    @property
    def is_live(self) -> bool:
        """True while Charley coaches, asks, warns or speaks."""
        return self.session.now.state is not State.IDLE or self.session.now.speaking

    @property
    def next_at(self) -> float | None:
        """When it must go on by itself; None for never."""
        return self.conversation.next_at if self.stop_at is None else self.stop_at

    def settle(self) -> None:
        """Answer a "stop" that is still waiting for its answer."""
        if self.stop_at is not None:
            self.stop_at = None
            self.conversation.command("control_stop")

    def carry_on(self, now: float) -> list[Order]:
        """Do what is due by now; return what the audio service must do, in its order."""
        while self.conversation.run_next(now):
            pass
        self.at = now
        return self.output.take(now)
