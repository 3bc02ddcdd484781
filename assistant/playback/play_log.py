"""What was played: captions that began, ends that were reached, and words that may echo."""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from itertools import pairwise
from typing import Literal

from assistant.playback.clip import ClipWord, word_bounds

_LATEST = 64
"""Words and lines kept for echoes: far more than sound in a second."""


@dataclass(frozen=True, slots=True)
class Finished:
    """Something came to its end on the timeline."""

    kind: Literal["speech", "hold"]
    """"speech": all that was queued is played; "hold": the last count begins."""
    at_samples: int
    """Position on the timeline; for "speech" the first sample after the end."""


@dataclass(frozen=True, slots=True)
class Begun:
    """A line or a count that began to sound, for captions."""

    text: str
    at_samples: int
    """Position of its first sample on the timeline."""
    counted: bool
    """True for the words of a hold."""


@dataclass(frozen=True, slots=True)
class _Span:
    """A line or a count, and the stretch of the timeline on which it sounds."""

    first: int
    last: int
    text: str

    def between(self, first: int, last: int) -> list[str]:
        """Return the words that sound in a stretch, placed by their share of letters."""
        bounds = pairwise(word_bounds(self.text, self.first, self.last))
        words = zip(self.text.split(), bounds, strict=True)
        return [word for word, (begins, ends) in words if begins <= last and ends >= first]

    def cut(self, at: int) -> _Span:
        """Return the part that was said before it was cut at a position."""
        if self.last <= at:
            return self
        return _Span(self.first, at, " ".join(self.between(self.first, at)))


class PlayLog:
    """Keeps what began and finished until it is taken, and the latest words."""

    def __init__(self) -> None:
        self._begun: list[Begun] = []
        self._finished: list[Finished] = []
        self._spans: deque[_Span] = deque(maxlen=_LATEST)

    def begin(self, word: ClipWord, at: int) -> None:
        """Note that a line or a count begins at a position; an earcon has no words."""
        if word.text:
            self._spans.append(_Span(at, at + len(word.samples), word.text))
            self._begun.append(Begun(word.text, at, counted=word.count))

    def finish(self, kind: Literal["speech", "hold"], at: int) -> None:
        """Note an end."""
        self._finished.append(Finished(kind, at))

    def take_begun(self) -> list[Begun]:
        """Return what began since the last call, earliest first."""
        begun, self._begun = self._begun, []
        return begun

    def take_finished(self) -> list[Finished]:
        """Return what finished since the last call, earliest first."""
        finished, self._finished = self._finished, []
        return finished

    def words_between(self, first: int, last: int) -> str:
        """Return the words that sound in a stretch of the timeline."""
        return " ".join(word for span in self._spans for word in span.between(first, last))

    def cut(self, at: int) -> None:
        """Note that nothing of what was begun sounds after a position."""
        self._spans = deque((span.cut(at) for span in self._spans), maxlen=_LATEST)
