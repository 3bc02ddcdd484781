"""A new front end is one call of the factory, one output and one loop."""

from __future__ import annotations

import inspect

from assistant.clock import VirtualClock
from assistant.dialogue.actions import Action, Count, Say
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished
from assistant.dialogue.state import State
from assistant.session import factory
from assistant.session.scripted_user import ScriptedUser
from assistant.settings import Settings


class Telegraph:
    """A front end of its own: a line takes a second on the wire, a hold its counts."""

    lines_left = 0
    hold_position_seconds = None

    def __init__(self) -> None:
        self.sent: list[str] = []
        self._ends: list[tuple[float, bool]] = []
        """When each message is over, and whether it is a hold."""
        self._clock = VirtualClock()
        language = factory.language(Settings())
        self.talk = factory.text_session(language, Settings(), self, self._clock)
        self.talk.start(first_time=False)

    def perform(self, action: Action) -> None:
        """Send what is spoken and counted."""
        if isinstance(action, Say):
            self._send(action.text, 1.0)
        elif isinstance(action, Count):
            self._send("counting", action.hold.seconds * action.hold.beat, is_hold=True)

    def _send(self, text: str, seconds: float, *, is_hold: bool = False) -> None:
        began = max(self._clock.now(), *(at for at, _ in self._ends), 0.0)
        self.sent.append(text)
        self._ends += [(began + seconds, is_hold), (began + seconds, False)]

    @property
    def next_at(self) -> float | None:
        """When the next message is over."""
        return self._ends[0][0] if self._ends else None

    def advance(self, to: float) -> Event | None:
        """Report the end of a hold, and of all that was sent."""
        while self._ends and self._ends[0][0] <= to:
            at, is_hold = self._ends.pop(0)
            if is_hold or not self._ends:
                return HoldFinished(at) if is_hold else SpeechFinished(at)
        return None


def test_a_new_front_end_holds_a_whole_conversation() -> None:
    telegraph = Telegraph()
    lines = ("my left calf is cramping", "still there", "it's gone")
    telegraph.talk.play(ScriptedUser(lines, telegraph.talk.session.meaning))
    assert telegraph.sent.count("counting") == 2
    assert telegraph.talk.session.now.state is State.IDLE
    assert telegraph.talk.session.now.routine == "calf"


def test_it_takes_forty_lines_at_most() -> None:
    written = [line for line in inspect.getsource(Telegraph).splitlines() if line.strip()]
    assert len(written) <= 40
