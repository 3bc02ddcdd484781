"""Who speaks near the microphone, told from the talk behind: by loudness.

A crowd, a television or other runners are heard as words too, before and after those of the person
with the microphone. Words far quieter than the loudest beside them are dropped, and the utterance
ends when only the talk behind goes on; the recogniser itself would wait for silence.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace

import numpy as np
import numpy.typing as npt

from assistant.pcm import Samples
from assistant.recogniser import RATE, Alternative, Hypothesis, Recogniser, Word

_BEHIND_DB = 16.0
"""So much quieter is behind. Of 74 lines in a babble at 20 dB 47 were right without, 63 at 16, 65
at 14, 64 at 12; clean 71, 71, 71 and 70. Nearer, one's own weak words go too ("my calf")."""
_QUIET = 1.0
"""How much less likely (see `Alternative.behind`) an utterance is with its far quieter ends."""
_PAUSE_SECONDS = 0.6
"""A little more than the recogniser waits for silence after a phrase (rule 3 of model.conf)."""
_PAUSE_DB = 12.0
"""So much quieter than the loudest speech is a pause. Of 265 lines one was cut short so (at 8 dB
13, at 10 one). In a babble at 10 dB there was never a pause of 16 dB in 173 of them, at 12 in 40;
at 10 in 9, but readers' talk falls to pieces then, and more of it makes sense by chance."""
_FRAME = RATE // 100
_LOUD_FRAMES = 15
"""A word holds its loudness so long in all; a door that slams does not."""
_SMOOTH_FRAMES = 30
_KEPT_FRAMES = 3000
"""Half a minute; an utterance ends before."""


class Foreground:
    """A recogniser that hears the nearest of several talkers."""

    def __init__(self, recogniser: Recogniser) -> None:
        self._recogniser = recogniser
        self._rest: Samples = np.zeros(0, np.int16)
        self._powers: npt.NDArray[np.float64] = np.zeros(0)
        """Mean square of the last frames of 10 ms."""
        self._frames = 0
        """Frames since the stream began."""
        self._begun = 0
        """Frame at which the last utterance had ended."""
        self._is_heard = False
        """True while an utterance has words and has not ended."""

    def listen(self, phrases: Iterable[str]) -> None:
        """Say what may be heard from now on."""
        self._recogniser.listen(phrases)

    def feed(self, samples: Samples) -> list[Hypothesis]:
        """Take the next sound, int16 at 16 kHz; return what is new."""
        self._measure(samples)
        found = self._noted(self._recogniser.feed(samples))
        if self._is_heard and self._is_over():
            found += self.finish()
        return found

    def finish(self) -> list[Hypothesis]:
        """Close the utterance in progress; the stream may go on."""
        self._is_heard = False
        return self._noted(self._recogniser.finish())

    def _measure(self, samples: Samples) -> None:
        sound = np.concatenate([self._rest, samples])
        count = len(sound) // _FRAME
        self._rest = sound[count * _FRAME :]
        frames = sound[: count * _FRAME].reshape(count, _FRAME).astype(np.float64)
        powers = np.concatenate([self._powers, np.mean(frames**2, axis=1)])
        self._powers = powers[-_KEPT_FRAMES:]
        self._frames += count

    def _noted(self, found: list[Hypothesis]) -> list[Hypothesis]:
        near = [self._near(h) if h.final else h for h in found]
        if near:
            self._is_heard = not near[-1].final
            self._begun = self._frames if near[-1].final else self._begun
        return near

    def _is_over(self) -> bool:
        """Tell whether the loudest talker of this utterance has been silent for a pause."""
        said = self._between(self._begun, self._frames)
        pause = round(_PAUSE_SECONDS * RATE / _FRAME)
        if len(said) < pause + _LOUD_FRAMES:
            return False
        # The mean, for the talk behind has its own loud moments.
        return bool(np.mean(said[-pause:]) < _quietest(said[:-pause]))

    def _near(self, hypothesis: Hypothesis) -> Hypothesis:
        """Return a final hypothesis without the quiet words at its ends; with them is less likely.

        Less likely, but not out of the question: one's own last word may be a weak one.
        """
        found: dict[str, Alternative] = {}
        span = self._span()
        for whole in hypothesis.alternatives:
            near = replace(whole, words=self._loud(whole.words, span))
            found.setdefault(near.text, near)
            found.setdefault(whole.text, replace(whole, behind=whole.behind + _QUIET))
        ranked = sorted(found.values(), key=lambda alternative: alternative.behind)
        return Hypothesis.ended(tuple(ranked), hypothesis.at_seconds)

    def _span(self) -> tuple[float, float]:
        """Return from when to when the loudest talker of this utterance spoke, in seconds."""
        said = self._between(self._begun, self._frames)
        everything = self._begun * _FRAME / RATE, self._frames * _FRAME / RATE
        if len(said) < _SMOOTH_FRAMES:
            return everything
        smooth = np.convolve(said, np.full(_SMOOTH_FRAMES, 1 / _SMOOTH_FRAMES), "same")
        near = np.flatnonzero(smooth >= _quietest(said)) + self._frames - len(said)
        if not len(near):  # clicks that stand alone are loud, and nobody's speech
            return everything
        return float(near[0]) * _FRAME / RATE, float(near[-1]) * _FRAME / RATE

    def _loud(self, words: tuple[Word, ...], span: tuple[float, float]) -> tuple[Word, ...]:
        if len(words) < 2:
            return words
        levels = [self._level_db(word) for word in words]
        near = [
            n
            for n, (word, level) in enumerate(zip(words, levels, strict=True))
            if level > max(levels) - _BEHIND_DB
            and word.start_seconds <= span[1]
            and word.end_seconds >= span[0]
        ]
        return words[near[0] : near[-1] + 1] if near else words

    def _level_db(self, word: Word) -> float:
        """Return how loud a word is where it is loudest, a third of it."""
        first, last = (round(s * RATE / _FRAME) for s in (word.start_seconds, word.end_seconds))
        powers = np.sort(self._between(first, max(last, first + 10)))
        loudest = powers[-max(1, len(powers) // 3) :]
        return float(10 * np.log10(np.mean(loudest) + 1.0)) if len(loudest) else 0.0

    def _between(self, first: int, last: int) -> npt.NDArray[np.float64]:
        oldest = self._frames - len(self._powers)
        return self._powers[max(0, first - oldest) : max(0, last - oldest)]


def _quietest(said: npt.NDArray[np.float64]) -> float:
    """Return the power of a frame below which the loudest talker is not speaking."""
    return float(np.sort(said)[-_LOUD_FRAMES]) / 10 ** (_PAUSE_DB / 10)
