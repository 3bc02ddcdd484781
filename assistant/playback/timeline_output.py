"""The timeline as an output of a session; its own time is the samples that were pulled from it."""

from __future__ import annotations

from assistant.dialogue.actions import Action
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished
from assistant.playback.play_log import Finished
from assistant.playback.timeline import Timeline


class TimelineOutput:
    """Performs actions on a timeline and reports what has finished playing."""

    next_at: float | None = None
    """Whoever pulls the samples sets the time."""

    def __init__(self, timeline: Timeline) -> None:
        self._timeline = timeline
        self._finished: list[Finished] = []

    def perform(self, action: Action) -> None:
        """Queue, lay in or drop sound as the action asks."""
        self._timeline.perform(action)

    @property
    def hold_position_seconds(self) -> float | None:
        """Position in the running hold in seconds; None outside a count."""
        return self._timeline.hold_position_seconds

    @property
    def lines_left(self) -> int:
        """How many spoken lines were not heard to their end."""
        return self._timeline.lines_left

    def advance(self, to: float) -> Event | None:
        """Return the next thing that finished playing; None if there is none."""
        self._finished += self._timeline.take_finished()
        if not self._finished:
            return None
        kind = self._finished.pop(0).kind
        return HoldFinished(to) if kind == "hold" else SpeechFinished(to)
