"""Find words of a known voice in a recording, to the sample."""

from __future__ import annotations

import contextlib
import time

import numpy as np
import numpy.typing as npt

from assistant.audio.pcm import Pcm
from assistant.audio.shaping import resample
from tests.support.pulse import SoundCard

PATIENCE_SECONDS = 90.0
"""Long enough for a loaded machine with two cores."""


def place(recording: Pcm, word: Pcm, first_seconds: float, last_seconds: float) -> float:
    """Return where a word begins, in seconds, if it begins within a stretch of a recording.

    Raises AssertionError if nothing there is like it.
    """
    word = resample(word, recording.rate)
    assert len(word), "a word of silence is like nothing"
    first = max(0, round(first_seconds * recording.rate))
    last = min(len(recording), round(last_seconds * recording.rate) + len(word))
    sound = recording.samples[first:last].astype(np.float64)
    likeness = _likeness(sound, word.samples.astype(np.float64))
    best = int(np.argmax(likeness))
    assert likeness[best] > 0.5, f"not heard between {first_seconds} and {last_seconds} s"
    return (first + best) / recording.rate


def _likeness(
    sound: npt.NDArray[np.float64], word: npt.NDArray[np.float64]
) -> npt.NDArray[np.float64]:
    """Return the normalised correlation of a word with every place of a sound, -1 to 1."""
    size = 1 << (len(sound) + len(word)).bit_length()
    spectrum = np.fft.rfft(sound, size) * np.conj(np.fft.rfft(word, size))
    products = np.fft.irfft(spectrum, size)[: len(sound) - len(word) + 1]
    sums = np.cumsum(np.concatenate([[0.0], sound**2]))
    energy = np.maximum(sums[len(word) :] - sums[: -len(word)], 1.0)
    return np.asarray(products / np.sqrt(energy * np.sum(word**2)))


def counts(recording: Pcm, words: list[Pcm], after_seconds: float = 0.0) -> list[float]:
    """Return where the counts of one hold begin, in seconds; they are a second apart or nearly."""
    first = place(recording, words[0], after_seconds, recording.seconds)
    found = [first]
    for number, word in enumerate(words[1:], start=1):
        found.append(place(recording, word, first + number - 0.2, first + number + 0.2))
    return found


def await_line(card: SoundCard, line: Pcm) -> None:
    """Wait until a card has played a line to its end; the speaker may run dry within it."""
    end = time.monotonic() + PATIENCE_SECONDS
    while time.monotonic() < end:
        latest = card.last(line.seconds + 4.0)
        with contextlib.suppress(AssertionError):
            place(latest, line, 0.0, latest.seconds - line.seconds)
            return
        time.sleep(0.5)
    raise AssertionError(f"a line of {line.seconds:.1f} s was never heard")
