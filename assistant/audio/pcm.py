"""Mono 16-bit sound in memory."""

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

Samples = npt.NDArray[np.int16]

DEFAULT_RATE = 22050
"""Hertz of what Charley says, where the sound card takes it; espeak-ng speaks at it."""
FULL_SCALE = 32767


@dataclass(frozen=True, slots=True, eq=False)
class Pcm:
    """Mono sound; equal to another if rate and every sample are."""

    samples: Samples
    """int16, one channel."""
    rate: int
    """Hertz."""

    def __post_init__(self) -> None:
        if self.samples.dtype != np.int16 or self.samples.ndim != 1:
            raise TypeError("Pcm takes a flat int16 array")

    def __len__(self) -> int:
        return len(self.samples)

    def __eq__(self, other: object) -> bool:
        if not isinstance(other, Pcm):
            return NotImplemented
        return self.rate == other.rate and bool(np.array_equal(self.samples, other.samples))

    __hash__ = None  # type: ignore[assignment]

    @property
    def seconds(self) -> float:
        """Length in seconds."""
        return len(self.samples) / self.rate


def silence(samples: int, rate: int) -> Pcm:
    """Return so many samples of silence."""
    return Pcm(np.zeros(samples, np.int16), rate)


def concatenate(parts: list[Pcm]) -> Pcm:
    """Return the parts, one after the other; all must have one rate."""
    rates = {part.rate for part in parts}
    if len(rates) != 1:
        raise ValueError(f"parts of one rate are needed, not {sorted(rates)}")
    return Pcm(np.concatenate([part.samples for part in parts]), rates.pop())


def to_int16(signal: npt.NDArray[np.floating]) -> Samples:
    """Return a signal of -1 to 1 as int16, rounded and saturated; not-a-number becomes 0."""
    clean = np.nan_to_num(signal, nan=0.0, posinf=1.0, neginf=-1.0)
    samples: Samples = np.rint(np.clip(clean, -1.0, 1.0) * FULL_SCALE).astype(np.int16)
    return samples


def from_int16(samples: Samples) -> npt.NDArray[np.float64]:
    """Return int16 samples as -1 to 1."""
    return samples.astype(np.float64) / FULL_SCALE


def blocks(pcm: Pcm, block_samples: int) -> Iterator[Pcm]:
    """Yield the sound in blocks; the last one may be shorter."""
    for at in range(0, len(pcm), block_samples):
        yield Pcm(pcm.samples[at : at + block_samples], pcm.rate)
