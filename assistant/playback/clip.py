"""Clips, which the timeline queues: words at their positions on silence."""

from __future__ import annotations

from dataclasses import dataclass, field
from itertools import accumulate

import numpy as np
import numpy.typing as npt

from assistant.audio.pcm import Samples
from assistant.dialogue.hold import Hold

CLEARANCE_SECONDS = 0.03
"""Least silence between two words of a hold."""
SEARCH_SECONDS = 0.2
"""How far around its estimated position the end of a word within a line is searched."""
SOFT_SECONDS = 0.01
"""Length of the window that finds the softest moment."""


@dataclass(frozen=True, slots=True, eq=False)
class ClipWord:
    """Sound at its position in a clip."""

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
    words: list[ClipWord] = field(default_factory=list)
    is_line: bool = False
    """True for a spoken line; two of them need a breath between them."""
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

    @property
    def word_now(self) -> ClipWord | None:
        """The word that sounds, or that begins now; None in a silence."""
        return next((word for word in self.words if word.at <= self.at < word.end), None)

    def mix(self, at: int, count: int) -> npt.NDArray[np.float64]:
        """Return samples from `at` on; they are not marked as played."""
        out = np.zeros(count)
        for word in self.words:
            first, last = max(word.at, at), min(word.end, at + count)
            if first < last:
                out[first - at : last - at] += word.samples[first - word.at : last - word.at]
        return out


def word_bounds(text: str, begins: float, ends: float) -> list[float]:
    """Return where the words of a line begin and the last one ends, by their share of letters."""
    letters = [0, *accumulate(len(word) + 1 for word in text.split())]
    return [begins + at * (ends - begins) / max(1, letters[-1]) for at in letters]


def end_of_word(word: ClipWord, at: int, rate: int) -> int:
    """Return the sample of the clip at which the word that sounds at `at` is over.

    A line is cut in the softest moment near the estimated begin of its next word.
    """
    if word.count:
        return word.end
    bounds = word_bounds(word.text, word.at, word.end)
    about = round(next((bound for bound in bounds if bound > at), word.end)) - word.at
    reach, window = round(SEARCH_SECONDS * rate), max(1, round(SOFT_SECONDS * rate))
    first = max(at - word.at, about - reach // 2)
    stretch = np.abs(word.samples[first : about + reach].astype(np.int64))
    if len(stretch) <= window:
        return word.end
    softness = np.convolve(stretch, np.ones(window, np.int64), "valid")
    return word.at + first + int(np.argmin(softness)) + window


def line(text: str, samples: Samples) -> Clip:
    """Return a spoken line."""
    return Clip(len(samples), [ClipWord(0, samples, text)], is_line=True)
