"""Computed noise of running: wind at the microphone, footfall, panting, and babble.

`python -m models.training.data.running_noise SPEECH OUT` writes files of half a minute. Babble is
mixed from readers of the training part.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Callable
from pathlib import Path

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import butter, sosfilt  # type: ignore[import-untyped, unused-ignore]

from models.training.data.features import load, part_of
from models.training.data.labelled_sound import RATE

Samples = NDArray[np.float64]
LENGTH = 30 * RATE


def _band(samples: Samples, low: float, high: float) -> Samples:
    passed = sosfilt(butter(2, (low, high), "bandpass", fs=RATE, output="sos"), samples)
    return np.asarray(passed / (passed.std() + 1e-9))


def _slow(chooser: np.random.Generator, seconds: float) -> Samples:
    """A smooth random curve between 0 and 1 that turns about as often as given."""
    points = chooser.random(int(LENGTH / RATE / seconds) + 2)
    return np.interp(np.linspace(0, len(points) - 1, LENGTH), np.arange(len(points)), points)


def wind(chooser: np.random.Generator) -> Samples:
    """Rumble in gusts, with a little hiss."""
    hiss = chooser.normal(size=LENGTH)
    rumble = _band(hiss, 30, chooser.uniform(150, 900))
    gusts = _slow(chooser, 1.5) ** 2 * (0.3 + 0.7 * _slow(chooser, 0.15))
    return (rumble + chooser.uniform(0, 0.3) * _band(hiss, 500, 5000)) * (0.1 + gusts)


def footfall(chooser: np.random.Generator) -> Samples:
    """A thud and a scuff for each step, 150 to 190 a minute."""
    sound = np.zeros(LENGTH + RATE)
    step, at = RATE * 60 / chooser.uniform(150, 190), 0.0
    scuff, low = chooser.uniform(0.05, 0.6), chooser.uniform(60, 160)
    decay = np.exp(-np.arange(RATE // 4) / RATE * chooser.uniform(25, 60))
    while at < LENGTH:
        noise = chooser.normal(size=RATE // 4)
        thud = _band(noise, low, 3 * low) + scuff * _band(noise, 1200, 6500)
        start = int(at + chooser.normal(0, 0.01 * RATE))
        sound[max(0, start) :][: RATE // 4] += thud * decay * chooser.uniform(0.6, 1.2)
        at += step
    return sound[:LENGTH]


def panting(chooser: np.random.Generator) -> Samples:
    """Breath in and out, some 40 to 70 times a minute."""
    phase = np.cumsum(np.full(LENGTH, chooser.uniform(40, 70) / 60 / RATE))
    phase += 0.2 * _slow(chooser, 2.0)
    noise = chooser.normal(size=LENGTH)
    inward = _band(noise, 1500, 6000) * np.maximum(0, np.sin(2 * np.pi * phase))
    outward = _band(noise, chooser.uniform(300, 700), 2500) * np.maximum(
        0, -np.sin(2 * np.pi * phase)
    )
    return np.asarray(chooser.uniform(0.3, 0.8) * inward + outward * (0.5 + _slow(chooser, 1.0)))


def running(chooser: np.random.Generator) -> Samples:
    """All three at once."""
    parts = [kind(chooser) for kind in (wind, footfall, panting)]
    scaled = [part / part.std() * chooser.uniform(0.1, 1) for part in parts]
    return np.asarray(np.sum(scaled, axis=0))


def babble(chooser: np.random.Generator, readers: list[Path]) -> Samples:
    """Three to eight people talking at the same time."""
    sound = np.zeros(LENGTH)
    for _ in range(chooser.integers(3, 9)):
        said = [load(readers[chooser.integers(len(readers))]) for _ in range(4)]
        sound += np.resize(np.concatenate(said), LENGTH) * chooser.uniform(0.4, 1)
    return sound


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("speech", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=14, help="files of each kind")
    options = parser.parse_args()
    entries = map(json.loads, (options.speech / "manifest.jsonl").read_text().splitlines())
    readers = [
        options.speech / entry["audio"]
        for entry in entries
        if entry["source"] == "librispeech" and part_of(entry["speaker"]) == "training"
    ]

    def crowd(chooser: np.random.Generator) -> Samples:
        return babble(chooser, readers)

    kinds: list[Callable[[np.random.Generator], Samples]] = [
        wind,
        footfall,
        panting,
        running,
        crowd,
    ]
    options.out.mkdir(parents=True, exist_ok=True)
    for number, kind in enumerate(kinds * options.count):
        sound = kind(np.random.default_rng(number))
        name = f"{kind.__name__}-{number:03d}.flac"
        soundfile.write(options.out / name, 0.3 * sound / np.abs(sound).max(), RATE)


if __name__ == "__main__":
    main()
