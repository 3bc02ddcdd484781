"""The sound of the last half minute: its power, and whether people talked in the background.

It is kept in memory alone, in frames of 10 ms that are counted from the beginning of the stream.
"""

from __future__ import annotations

from typing import Generic, TypeVar

import numpy as np
import numpy.typing as npt

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Samples

FRAME_SAMPLES = RATE // 100
LOUD_FRAMES = 15
"""A word is at its loudest for 0.15 s in all; a slamming door is not."""
_KEPT_FRAMES = 3000
"""30 s."""
_AROUND_FRAMES = 1000
"""The background is measured over the last 10 s."""
_LEAST_AROUND_FRAMES = 300
"""With less than 3 s, one's own words are most of what was heard."""
_SMOOTH_FRAMES = 30
_STANDS_OUT = 2.0
"""Times the background's power; louder is more than the background alone."""
_ENDING_FRAMES = 80
"""How long a recogniser waits for the end of what was said: 0.8 s."""
_LEAST_QUIET_FRAMES = 30
"""With less than 0.3 s of background alone, nothing is known of talk in it."""

_Value = TypeVar("_Value", bound=np.generic)


class Loudness:
    """What was heard in the last 30 s, by its power (the mean square of a frame)."""

    def __init__(self) -> None:
        self._rest: Samples = np.zeros(0, np.int16)
        self._sound = _Tail(np.zeros(_KEPT_FRAMES * FRAME_SAMPLES, np.int16))
        self._powers = _Tail(np.zeros(_KEPT_FRAMES))
        self._worded = _Tail(np.zeros(_AROUND_FRAMES, np.bool_))

    @property
    def frames(self) -> int:
        """Whole frames since the stream began."""
        return self._powers.count

    def add(self, samples: Samples) -> None:
        """Take the next sound, int16 at 16 kHz."""
        sound = np.concatenate([self._rest, samples])
        whole = len(sound) // FRAME_SAMPLES * FRAME_SAMPLES
        self._rest = sound[whole:]
        frames = sound[:whole].reshape(-1, FRAME_SAMPLES).astype(np.float64)
        self._powers.add(np.mean(frames**2, axis=1))
        self._sound.add(sound[:whole])

    def note(self, *, has_words: bool) -> None:
        """Note whether an utterance with words is in progress at the end of what was added."""
        self._worded.add(np.full(self.frames - self._worded.count, has_words))

    def powers(self, first: int, last: int) -> npt.NDArray[np.float64]:
        """Return the powers of frames, as far as they are kept."""
        return self._powers.between(first, last)

    def sound(self, first: int, last: int) -> Samples:
        """Return the sound of frames, as far as it is kept."""
        return self._sound.between(first * FRAME_SAMPLES, last * FRAME_SAMPLES)

    def around(self) -> float:
        """Return the power of the background; 0 until enough was heard."""
        return _steady(self._smooth())

    def talk_behind(self) -> float:
        """Return the share of background time, when nobody stood out, in which words were heard.

        It is near 0 in rain or traffic, and about a half where many people talk at once.
        """
        smooth = self._smooth()
        loud = smooth > _STANDS_OUT * _steady(smooth)
        ending = np.convolve(loud, np.ones(_ENDING_FRAMES), "full")[: len(loud)] > 0
        ending[:_ENDING_FRAMES] = True
        quiet = np.flatnonzero(~ending)
        if len(quiet) < _LEAST_QUIET_FRAMES:
            return 0.0
        worded = self._worded.between(self.frames - len(loud), self.frames)
        return float(np.mean(worded[quiet]))

    def _smooth(self) -> npt.NDArray[np.float64]:
        return smoothed(self.powers(self.frames - _AROUND_FRAMES, self.frames), _SMOOTH_FRAMES)


def smoothed(powers: npt.NDArray[np.float64], frames: int) -> npt.NDArray[np.float64]:
    """Return the running mean over so many frames, as long as the powers."""
    if len(powers) < frames:
        return np.full(len(powers), powers.mean() if len(powers) else 0.0)
    return np.convolve(powers, np.full(frames, 1 / frames), "same")


def _steady(smooth: npt.NDArray[np.float64]) -> float:
    return float(np.percentile(smooth, 25)) if len(smooth) >= _LEAST_AROUND_FRAMES else 0.0


def loudest(powers: npt.NDArray[np.float64]) -> float:
    """Return the power that the loudest talker held for a word; 0 if there is too little."""
    return float(np.sort(powers)[-LOUD_FRAMES]) if len(powers) >= LOUD_FRAMES else 0.0


def decibels(power: float, over: float) -> float:
    """Return by how many decibels one power is above another."""
    return float(10 * np.log10((power + 1.0) / (over + 1.0)))


class _Tail(Generic[_Value]):
    """The last values of a stream, as many as the array that it is made with, kept twice."""

    def __init__(self, kept: npt.NDArray[_Value]) -> None:
        self._kept = len(kept)
        self._values = np.concatenate([kept, kept])
        self._end = 0
        self.count = 0

    def add(self, new: npt.NDArray[_Value]) -> None:
        self.count += len(new)
        new = new[-self._kept :]
        if self._end + len(new) > len(self._values):
            # Moved to the front seldom, not with every block.
            held = self._values[max(0, self._end - self._kept + len(new)) : self._end].copy()
            self._values[: len(held)] = held
            self._end = len(held)
        self._values[self._end : self._end + len(new)] = new
        self._end += len(new)

    def between(self, first: int, last: int) -> npt.NDArray[_Value]:
        oldest = self.count - self._end
        return self._values[max(0, first - oldest) : max(0, last - oldest)].copy()
