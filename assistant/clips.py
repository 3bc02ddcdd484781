"""Stretches of sound that the player queues: words at their places on silence."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
import numpy.typing as npt

from assistant.hold import Hold
from assistant.pcm import Samples

CLEARANCE_SECONDS = 0.03
"""Least silence between two words of a hold."""


@dataclass(frozen=True, slots=True, eq=False)
class Word:
    """Sound at its place in a clip."""

    at: int
    """Sample of the clip with which it begins."""
    samples: Samples
    text: str
    """What is said; empty for a chime."""
    count: bool = False
    """True for a number of a hold."""
    fixed: bool = False
    """True if it must be heard: an interjection, the last count, the end chime."""

    @property
    def end(self) -> int:
        """The first sample after it."""
        return self.at + len(self.samples)


@dataclass(slots=True, eq=False)
class Clip:
    """One entry of the queue: words on a stretch of silence."""

    length: int
    """Samples."""
    words: list[Word] = field(default_factory=list)
    is_line: bool = False
    """True for a spoken line: two of them need a breath between."""
    hold: Hold | None = None
    hold_samples: int = 0
    """Where the hold ends; what follows is the last word and the chime."""
    counts: bool = True
    """False for technical silence, whose end nobody waits for."""
    at: int = 0
    """Samples already played."""

    @property
    def left(self) -> int:
        """Samples still to be played."""
        return self.length - self.at

    @property
    def counting(self) -> bool:
        """True while its hold lasts."""
        return self.hold is not None and self.at < self.hold_samples

    def mix(self, at: int, count: int) -> npt.NDArray[np.float64]:
        """Return samples from `at` on; they are not marked as played."""
        out = np.zeros(count)
        for word in self.words:
            first, last = max(word.at, at), min(word.end, at + count)
            if first < last:
                out[first - at : last - at] += word.samples[first - word.at : last - word.at]
        return out


def line(text: str, samples: Samples) -> Clip:
    """Return a spoken line."""
    return Clip(len(samples), [Word(0, samples, text)], is_line=True)


def interjected(
    words: list[Word], takes: Sequence[Samples], text: str, earliest: int, clearance: int
) -> list[Word]:
    """Return a hold's words with an interjection in the next gap.

    `takes` are the same words at several paces; `earliest` is a sample of the clip and `clearance`
    a length in samples. The first take that fits before the next word is used; if none does, the
    first one that covers no fixed word, and the counts under it are dropped. Words are never late
    and never overlap; what would cover the last count is not said at all.
    """
    start = max([earliest, *(w.end + clearance for w in words if w.fixed and w.at < earliest)])
    for word in words:
        begun = word.at < earliest or not word.text
        if (begun or word.fixed) and word.at < start + clearance and word.end + clearance > start:
            start = word.end + clearance
    for may_cover in (False, True):
        for samples in takes:
            end = start + len(samples) + clearance
            under = [w for w in words if w.at < end and w.end + clearance > start]
            if not under or (may_cover and not any(w.fixed for w in under)):
                kept = [w for w in words if w not in under]
                return sorted([*kept, Word(start, samples, text, fixed=True)], key=lambda w: w.at)
    return words
