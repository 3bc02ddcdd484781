"""Sounds put together: loudness that changes without a click, endings that die away, sums."""

from typing import Any

import numpy as np
import numpy.typing as npt

from assistant.audio.pcm import FULL_SCALE, Samples

FADE_SECONDS = 0.005
"""Ramp of a cut and of a change of volume: short enough to be at once, too long to click."""

Signal = npt.NDArray[np.float64]
"""Samples in the scale of int16 that are still to be rounded."""


def as_samples(signal: Signal) -> Samples:
    """Return a signal as int16, rounded and saturated."""
    samples: Samples = np.clip(np.rint(signal), -FULL_SCALE, FULL_SCALE).astype(np.int16)
    return samples


def silent(samples: int) -> Signal:
    """Return so many samples of silence."""
    return np.zeros(samples)


def joined(parts: list[Signal]) -> Signal:
    """Return signals one after the other."""
    return np.concatenate([silent(0), *parts])


def added(one: npt.NDArray[Any], other: npt.NDArray[Any]) -> Signal:
    """Return two sounds at once, as long as the longer one."""
    both = np.zeros(max(len(one), len(other)))
    both[: len(one)] += one
    both[: len(other)] += other
    return both


def dying(sound: Signal, ramp_samples: int) -> Signal:
    """Return the beginning of a sound, at most as long as the ramp on which it dies away."""
    ending = sound[:ramp_samples]
    return ending * (np.arange(ramp_samples, 0, -1) / ramp_samples)[: len(ending)]


def ended(sound: Signal, ramp_samples: int) -> Samples:
    """Return a whole sound whose end dies away."""
    ramp = min(ramp_samples, len(sound))
    rest, ending = sound[: len(sound) - ramp], sound[len(sound) - ramp :]
    samples: Samples = np.rint(np.concatenate([rest, dying(ending, ramp)])).astype(np.int16)
    return samples


class Gain:
    """Loudness from 0 to 1 that changes on a ramp.

    It is a function of the position alone, so that the size of blocks cannot change a sample.
    """

    def __init__(self, ramp_samples: int) -> None:
        self._ramp_samples = ramp_samples
        self._before = 1.0
        self.target = 1.0
        """Loudness after the ramp."""
        self._began = 0
        """Position of the ramp's first sample."""

    def change(self, target: float, position: int) -> None:
        """Begin a ramp from what is heard at a position to another loudness, within 0 and 1."""
        self._before = float(self.over(position, 1)[0])
        self.target = min(1.0, max(0.0, target))
        self._began = position

    def over(self, position: int, frames: int) -> Signal:
        """Return the factors of so many samples from a position on."""
        passed = np.arange(position - self._began, position - self._began + frames)
        return self._before + (self.target - self._before) * np.clip(
            passed / self._ramp_samples, 0.0, 1.0
        )


class Overlay:
    """What sounds on top of the queue: earcons, and the endings of sounds that were cut."""

    def __init__(self, ramp_samples: int) -> None:
        self._ramp_samples = ramp_samples
        self.left = silent(0)
        """What is still to be played."""

    def __len__(self) -> int:
        return len(self.left)

    def replace(self, sound: Samples) -> None:
        """Play a sound instead of what is left: two at once could distort."""
        self.left = added(dying(self.left, self._ramp_samples), sound)

    def cut(self, sound: Signal) -> None:
        """Let what is left, and the next samples of the queue, die away on one ramp."""
        ending = added(silent(self._ramp_samples), sound)
        self.left = dying(added(ending, self.left), self._ramp_samples)

    def mix_into(self, out: Signal) -> None:
        """Add the next samples to others; they are played with that."""
        count = min(len(out), len(self.left))
        out[:count] += self.left[:count]
        self.left = self.left[count:]
