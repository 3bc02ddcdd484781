"""The sounds of `bench/hearing/accuracy.py`: people, voices and noises that no training heard."""

from __future__ import annotations

import json
import os
import random
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import soxr
from numpy.typing import NDArray

from assistant.audio.pcm import Samples as Pcm
from assistant.audio.pcm import to_int16
from models.training.data.features import is_test_noise, load, part_of
from models.training.data.synthesise import Line, speak
from models.training.data.voices import TEST_VOICES

Samples = NDArray[np.float32]
RATE = 16_000
LEVELS = (20, 10, 5)
BABBLERS = 6
EDGE = np.zeros(RATE // 2, dtype=np.float32)
AFTER = np.zeros(2 * RATE, dtype=np.float32)
"""Long enough that an utterance must be ended while the noise goes on."""


@dataclass(frozen=True)
class Condition:
    """What is done to clean speech."""

    name: str
    noise: str = ""
    level: int = 0
    """Decibels of the speech over the noise."""
    is_narrow: bool = False
    """True for 8 kHz sampling, as over a telephone or a Bluetooth headset."""


CLEAN = Condition("clean")
NARROW = Condition("8 kHz sampling", is_narrow=True)


@dataclass(frozen=True)
class Clip:
    """One recording."""

    path: Path
    text: str
    seconds: float


class Corpus:
    """Recorded and synthetic speech, and noise."""

    def __init__(
        self, speech: Path, utterances: Path, cache: Path, every: int, kokoro: Path | None = None
    ) -> None:
        """`every` takes every nth clip and line only, for a quick look; `kokoro` is a folder."""
        self._speech, self.utterances, self._cache, self.every = speech, utterances, cache, every
        self.kokoro = kokoro
        lines = (speech / "manifest.jsonl").read_text(encoding="utf-8").splitlines()
        self._entries: list[dict[str, Any]] = [json.loads(line) for line in lines]
        self.noises = self._noises()

    def clips(self, source: str, *, tested: bool = False, every: int = 0) -> list[Clip]:
        """Return the clips below a folder; `tested` keeps to speakers of the test part."""
        found = [
            Clip(self._speech / entry["audio"], entry["text"], entry["seconds"])
            for entry in self._entries
            if entry["audio"].startswith(f"{source}/")
            and (not tested or part_of(entry["speaker"]) == "test")
        ]
        return found[:: every or self.every]

    def spoken(self, text: str, number: int, voices: Sequence[str] = TEST_VOICES) -> Samples:
        """Return a line said by a test voice, each number by the next; made once and kept."""
        line = Line(text, voices[number % len(voices)])
        path = self._cache / f"{zlib.crc32(repr(line).encode()):08x}.flac"
        if not path.exists():
            self._cache.mkdir(parents=True, exist_ok=True)
            # Moved into place complete: another run may read it at the same time.
            half = path.with_suffix(f".{os.getpid()}")
            soundfile.write(half, speak(line, self.kokoro), RATE, subtype="PCM_16", format="FLAC")
            half.replace(path)
        return np.concatenate([EDGE, load(path), AFTER])

    def under(self, samples: Samples, condition: Condition, seed: int) -> Samples:
        """Return speech as a condition makes it."""
        if condition.noise:
            piece = random.Random(seed).choice(self.noises[condition.noise])
            samples = with_noise(samples, np.roll(piece, -seed * RATE), condition.level)
        if condition.is_narrow:
            narrow = soxr.resample(samples, RATE, RATE // 2)
            samples = np.asarray(soxr.resample(narrow, RATE // 2, RATE), dtype=np.float32)
        return samples

    def conditions(self) -> tuple[Condition, ...]:
        """Return clean, every noise at every level, and the narrow band."""
        noisy = (
            Condition(f"{noise}, {level} dB", noise, level)
            for level in LEVELS
            for noise in self.noises
        )
        return (CLEAN, *noisy, NARROW)

    def condition(self, name: str) -> Condition:
        """Return the condition of this name."""
        return next(condition for condition in self.conditions() if condition.name == name)

    def _noises(self) -> dict[str, list[Samples]]:
        """Return the noises by name: recorded ones kept from the training, babble, and hiss."""
        folders = {"home and weather (ESC-10)": "esc10", "street and rooms": "speech_commands"}
        found = {name: self._recorded_noise(folder) for name, folder in folders.items()}
        readers = self.clips("librispeech", tested=True, every=7)[: 4 * BABBLERS]
        found["babble of six readers"] = [babble([load(clip.path) for clip in readers])]
        found["hiss (pink)"] = [pink(20 * RATE)]
        return found

    def _recorded_noise(self, folder: str) -> list[Samples]:
        paths = sorted((self._speech / "noise" / folder).iterdir())
        return [load(path) for path in paths if is_test_noise(path)]


def padded(samples: Samples) -> Samples:
    """Return speech with half a second of silence around it."""
    return np.concatenate([EDGE, samples, EDGE])


def blocks(samples: Samples, size: int = 1600) -> Iterator[Pcm]:
    """Yield sound as a microphone gives it."""
    whole = to_int16(samples)
    for start in range(0, len(whole), size):
        yield whole[start : start + size]


def with_noise(samples: Samples, noise: Samples, decibels: float) -> Samples:
    """Return the sound with noise throughout, `decibels` below its loud parts."""
    noise = np.resize(noise, len(samples))
    loud = np.abs(samples) > 0.05 * np.abs(samples).max()
    speech_power = float(np.mean(samples[loud] ** 2))
    gain = np.sqrt(speech_power / (float(np.mean(noise**2)) + 1e-9) / 10 ** (decibels / 10))
    mixed = samples + np.float32(gain) * noise
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), dtype=np.float32)


def babble(readers: list[Samples]) -> Samples:
    """Return several people reading at the same time, equally loud."""
    rows = [np.concatenate(readers[n::BABBLERS]) for n in range(min(BABBLERS, len(readers)))]
    length = max(map(len, rows))
    equal = [np.resize(row, length) / (np.sqrt(np.mean(row**2)) + 1e-9) for row in rows]
    return np.asarray(0.05 * np.sum(equal, axis=0), dtype=np.float32)


def pink(length: int) -> Samples:
    """Return noise with as much power in each octave."""
    white = np.fft.rfft(np.random.default_rng(1).normal(size=length))
    shaped = np.fft.irfft(white / np.sqrt(np.maximum(1, np.arange(len(white)))), length)
    return np.asarray(0.1 * shaped / np.abs(shaped).max(), dtype=np.float32)
