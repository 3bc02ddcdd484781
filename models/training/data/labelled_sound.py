"""Sound whose phones are known, and how it is said with a pause or a stutter inside."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from assistant.speech_models.phones import SILENCE

Samples = NDArray[np.float32]
Phone = tuple[str, int, int]  # its name, and its first frame and length in frames of 10 ms

RATE = 16_000
SHIFT = 160  # samples from one frame to the next
PAUSE = (0.15, 1.3)  # seconds of a pause inside a sentence
STUTTERS = 0.4  # share of pauses after which the next word begins twice
GAP = (0.03, 0.3)  # seconds from there to the whole word
CUT = (2, 12)  # frames of the second phone that belong to the beginning


@dataclass(frozen=True)
class LabelledSound:
    """Samples between -1 and 1, their phones, and the first frame of each word."""

    samples: Samples
    phones: list[Phone]
    words: list[int]

    def halting(self, chooser: np.random.Generator) -> LabelledSound:
        """The same with a pause before one of its words, which may begin twice."""
        if len(self.words) < 2:
            return self
        at = self.words[chooser.integers(1, len(self.words))]
        pause = self._quiet(chooser.uniform(*PAUSE))
        halted = self._with(at, pause, [(SILENCE, at, len(pause) // SHIFT)])
        if chooser.random() < STUTTERS:
            return halted._stuttering(at + len(pause) // SHIFT, chooser)
        return halted

    def _stuttering(self, at: int, chooser: np.random.Generator) -> LabelledSound:
        """The same with the beginning of the word at a frame said twice."""
        first, *others = [phone for phone in self.phones if phone[1] >= at][:2]
        end = min(first[1] + first[2] + int(chooser.integers(*CUT)), len(self.samples) // SHIFT)
        gap = self._quiet(chooser.uniform(*GAP))
        begun = self.samples[at * SHIFT : end * SHIFT]
        rest = [(name, start, end - start) for name, start, _ in others if start < end]
        phones = [first, *rest, (SILENCE, end, len(gap) // SHIFT)]
        return self._with(at, np.concatenate([begun, gap]), phones)

    def _with(self, at: int, samples: Samples, phones: list[Phone]) -> LabelledSound:
        """The same with something put in before a frame at which a phone begins."""
        length, cut = len(samples) // SHIFT, at * SHIFT
        whole = np.concatenate([self.samples[:cut], samples, self.samples[cut:]])
        before = [phone for phone in self.phones if phone[1] < at]
        later = [
            (name, start + length, frames) for name, start, frames in self.phones[len(before) :]
        ]
        words = [word if word < at else word + length for word in self.words]
        return LabelledSound(whole, [*before, *phones, *later], words)

    def _quiet(self, seconds: float) -> Samples:
        """That many samples of background, like the quietest part of the sound."""
        pieces = np.array_split(self.samples, max(1, len(self.samples) // (RATE // 10)))
        quietest = min(pieces, key=lambda piece: float(np.mean(piece**2)))
        there_and_back = np.concatenate([quietest, quietest[::-1]])
        return np.resize(there_and_back, int(seconds * RATE / SHIFT) * SHIFT)
