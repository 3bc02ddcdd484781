"""Tones to try sound with, and how alike two sounds are."""

import numpy as np

from assistant.audio.pcm import Pcm, to_int16


def tone(seconds: float = 0.5, rate: int = 16000, hertz: float = 440.0, loud: float = 0.5) -> Pcm:
    time = np.arange(round(seconds * rate)) / rate
    return Pcm(to_int16(loud * np.sin(2 * np.pi * hertz * time)), rate)


def likeness(one: Pcm, other: Pcm) -> float:
    """Return the correlation of two sounds of one rate, whatever their lengths."""
    length = min(len(one), len(other))
    return float(np.corrcoef(one.samples[:length], other.samples[:length])[0, 1])
