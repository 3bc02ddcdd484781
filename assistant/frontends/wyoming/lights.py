"""What a satellite is told so that its lights are right and it waits for its wake word again."""

from __future__ import annotations

from wyoming.asr import Transcript
from wyoming.event import Event
from wyoming.pipeline import PipelineStage
from wyoming.wake import Detection

_AFTERMATH_SECONDS = 12.0
"""How long a satellite with a wake word goes on listening after the last word."""


class SatelliteLights:
    """Follows the conversation, and says which message is due.

    Never a word of what was said: `transcript` comes empty.
    """

    def __init__(self) -> None:
        self._wakes_here = False
        """True if the satellite streams all the time and asks for a wake word to be found."""
        self._is_lit = False
        self._busy_at = 0.0

    def woken(self, event: Event, at: float) -> None:
        """The satellite began to stream: by its own wake word, or for good."""
        self._wakes_here = event.data.get("start_stage") == PipelineStage.WAKE.value
        self._is_lit, self._busy_at = not self._wakes_here, at

    def shown(self, at: float, *, is_coaching: bool) -> list[Event]:
        """Return the messages that are due now."""
        if is_coaching:
            self._busy_at = at
            if self._wakes_here and not self._is_lit:
                self._is_lit = True
                return [Detection("charley").event()]
        elif at - self._busy_at > _AFTERMATH_SECONDS:
            return self.out()
        return []

    def out(self) -> list[Event]:
        """Return the messages that switch them off."""
        was_lit, self._is_lit = self._is_lit, False
        return [Transcript("").event()] if was_lit else []
