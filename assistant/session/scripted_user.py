"""A user as data: what is said, and when.

One utterance a line. A plain line is said when Charley waits for it (how it feels only when that
was asked); `#4 how long` at the fourth count of a hold; `+2.5 stop` two and a half seconds after
the line before it.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from assistant.dialogue.state import QUESTIONS, DialogueState, State

_TIMED = re.compile(r"^(?:#(?P<count>\d{1,2})|\+(?P<seconds>\d{1,4}(?:\.\d+)?))\s+(?P<text>.*)$")
_FEELINGS = frozenset({"relief_gone", "still_hurts", "worse", "came_back"})
"""Answers to "gone, still there, or worse?", which nobody gives to a step."""
_OPEN_STATES = QUESTIONS | {State.IDLE, State.GUIDING, State.WARNED}


@dataclass(frozen=True, slots=True)
class ScriptedLine:
    """One utterance with its moment."""

    text: str
    count: int | None = None
    """Said at this count of a hold."""
    after_seconds: float | None = None
    """Said so long after the utterance before."""


def parse(line: str) -> ScriptedLine:
    """Return what one line of a script says, and when."""
    found = _TIMED.match(line.strip())
    if not found:
        return ScriptedLine(line.strip())
    if found["count"]:
        return ScriptedLine(found["text"], count=int(found["count"]))
    return ScriptedLine(found["text"], after_seconds=float(found["seconds"]))


def awaits_user(now: DialogueState) -> bool:
    """True if Charley has finished speaking and it is the user's turn."""
    return not now.speaking and now.state in _OPEN_STATES


class ScriptedUser:
    """Says one line after the other, each at its moment."""

    def __init__(
        self, lines: Iterable[str], meaning: Callable[[str], str] = lambda _text: ""
    ) -> None:
        """Empty lines and lines that begin with `//` are passed over; the rest is read lazily.

        `meaning` returns the intent of an utterance, or nothing.
        """
        self._meaning = meaning
        self._lines = (s for s in map(str.strip, lines) if s and not s.startswith("//"))
        self.line: str | None = None
        """The line that comes next, as it is written; None if nothing is left to say."""
        self._next: ScriptedLine | None = None
        self._said_at = 0.0
        self._advance()

    def _advance(self) -> None:
        self.line = next(self._lines, None)
        self._next = None if self.line is None else parse(self.line)

    @property
    def next_at(self) -> float | None:
        """When the next line is due, if that is a matter of time alone."""
        if self._next is None or self._next.after_seconds is None:
            return None
        return self._said_at + self._next.after_seconds

    def speak(
        self, now: DialogueState, at: float, hold_position_seconds: float | None
    ) -> str | None:
        """Return what is said at this moment; None for nothing."""
        if self._next is None or not self._is_due(self._next, now, at, hold_position_seconds):
            return None
        return self.speak_anyway(at)

    def speak_anyway(self, at: float) -> str:
        """Return the next line, whether or not its moment has come; empty if there is none."""
        text, self._said_at = self._next.text if self._next else "", at
        self._advance()
        return text

    def _is_due(
        self, line: ScriptedLine, now: DialogueState, at: float, hold_position_seconds: float | None
    ) -> bool:
        if line.after_seconds is not None:
            return at >= self._said_at + line.after_seconds - 1e-9
        if line.count is not None:
            reached = hold_position_seconds is not None and now.state is State.HOLDING
            return (
                reached
                and now.counts_done + (hold_position_seconds or 0.0) / now.beat >= line.count - 1e-9
            )
        if now.state is State.GUIDING and self._meaning(line.text) in _FEELINGS:
            return False
        return awaits_user(now)
