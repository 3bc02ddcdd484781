"""Kaldi's log mel filter bank, and the training array made of augmented copies of all recordings.

    python -m models.training.data.features ALIGNMENTS... --noise FOLDER --rooms FOLDER --out FOLDER

writes `features.raw` (frames x bins, half floats), `labels.raw` (a frame's phone and the parity of
its segment) and `clips.json` (each clip's group, first frame and number of frames).
"""

from __future__ import annotations

import argparse
import io
import json
import zlib
from collections.abc import Iterable, Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache
from itertools import islice
from pathlib import Path
from typing import Any

import numpy as np
import soundfile
from numpy.typing import NDArray
from scipy.signal import fftconvolve, resample_poly  # type: ignore[import-untyped, unused-ignore]

from assistant.speech_models.phones import INDEX
from models.training.data.labelled_sound import RATE, SHIFT, LabelledSound, Samples

Frames = NDArray[np.float32]
Labels = NDArray[np.uint8]
Clip = tuple[str, NDArray[np.float16], Labels]

BINS = 40
LOWEST, HIGHEST = 20.0, 7_600.0
WINDOW, FFT = 400, 512
FBANK_CONF = (
    f"--sample-frequency={RATE}\n--num-mel-bins={BINS}\n--low-freq={LOWEST:.0f}\n"
    f"--high-freq={HIGHEST:.0f}\n--dither=0\n--use-energy=false\n"
)
SPEEDS = ((1, 1), (17, 20), (9, 10), (19, 20), (21, 20), (11, 10), (23, 20), (6, 5))
ROOMS = (
    *("kitchen", "dining", "living", "cinema-room", "cinema-hallway"),
    *("omni", "cardiod-7", "cardiod-15", "bipolar-8"),
    *("openrir", "openair_genesis", "openair_arthur", "openair_jack"),
)
TEST_SPEAKERS = frozenset({"ls-84", "ls-777", "ls-652"})
DEVELOPMENT_SPEAKERS = frozenset({"ls-422"})
# Of 20 buckets of speakers: how many are for tests, and how many of the next for development.
HELD_OUT = {"sc-": (4, 1), "sc": (2, 1), "so": (2, 2), "R_": (3, 2)}
DEVELOPMENT = "development "  # before the group of a development recording
GROUPS = {
    "librispeech": "recorded",
    "librispeech_tc100": "recorded",
    "kathleen_arctic": "recorded",
    "misc_spontaneous": "recorded",
    "speech_commands": "single",
    "speech_commands_v1": "common",  # nine words, which would crowd out the other single ones
    "speechocean762": "accented",
    "alphanumeric_accents": "spelled",
    "synthetic": "synthetic",
    "neural": "neural",
}
COPIES = {"recorded": 2, "single": 2, "common": 1, "accented": 2, "spelled": 1, "wake": 1}
COPIES |= {"synthetic": 1, "neural": 3}
HALTING = ("recorded", "accented", "synthetic", "neural")
HALTING_SHARE = 0.2  # of their copies
CODECS = ("GSM610", "ULAW", "MS_ADPCM")  # of telephones and headsets


def part_of(speaker: str) -> str:
    """Whether a speaker is for "test", "development" or "training"."""
    if speaker in TEST_SPEAKERS:
        return "test"
    if speaker in DEVELOPMENT_SPEAKERS:
        return "development"
    prefix = next((prefix for prefix in HELD_OUT if speaker.startswith(prefix)), None)
    if prefix is None:
        return "training"
    tests, others = HELD_OUT[prefix]
    bucket = zlib.crc32(speaker.encode()) % 20
    return "test" if bucket < tests else "development" if bucket < tests + others else "training"


def is_test_noise(path: Path) -> bool:
    """Whether a noise is kept for tests."""
    return zlib.crc32(path.name.encode()) % 6 == 0


def _mel(frequency: NDArray[np.float64] | float) -> Any:
    return 1127.0 * np.log(1.0 + np.asarray(frequency) / 700.0)


@cache
def _filters() -> Frames:
    """Kaldi's triangular filters over the power spectrum, one column a bin."""
    edges = np.linspace(_mel(LOWEST), _mel(HIGHEST), BINS + 2)
    points = _mel(np.arange(FFT // 2 + 1) * RATE / FFT)[:, None]
    left, centre, right = edges[:-2], edges[1:-1], edges[2:]
    rising, falling = (points - left) / (centre - left), (right - points) / (right - centre)
    weights = np.maximum(0.0, np.minimum(rising, falling))
    weights[-1] = 0.0
    return np.asarray(weights, dtype=np.float32)


@cache
def _window() -> Frames:
    hann = 0.5 - 0.5 * np.cos(2 * np.pi * np.arange(WINDOW) / (WINDOW - 1))
    return np.asarray(hann**0.85, dtype=np.float32)


def filter_bank(samples: Samples) -> Frames:
    """Log mel energies of samples between -1 and 1: one row every 10 ms."""
    count = 1 + (len(samples) - WINDOW) // SHIFT
    if count < 1:
        return np.zeros((0, BINS), dtype=np.float32)
    view = np.lib.stride_tricks.sliding_window_view(samples * np.float32(32768), WINDOW)
    frames = view[::SHIFT][:count]
    frames = frames - frames.mean(axis=1, keepdims=True)
    previous = np.concatenate([frames[:, :1], frames[:, :-1]], axis=1)
    frames = (frames - np.float32(0.97) * previous) * _window()
    spectrum = np.fft.rfft(frames, FFT)
    power = (spectrum.real**2 + spectrum.imag**2).astype(np.float32)
    return np.asarray(np.log(np.maximum(power @ _filters(), np.finfo(np.float32).eps)))


def frame_labels(phones: Iterable[tuple[str, int, int]], speed: float, count: int) -> Labels:
    """Each frame's phone times two, plus the parity of its segment; 255 where unknown."""
    labels = np.full(count, 255, dtype=np.uint8)
    for number, (phone, start, length) in enumerate(phones):
        begin, end = (max(0, round(frame / speed)) for frame in (start, start + length))
        labels[begin:end] = 2 * INDEX[phone] + number % 2
    return labels


def load(path: Path) -> Samples:
    """A recording's first channel."""
    samples, rate = soundfile.read(path, dtype="float32", always_2d=True)
    if rate != RATE:
        return np.asarray(resample_poly(samples[:, 0], RATE, rate), dtype=np.float32)
    return np.asarray(samples[:, 0])


def _over_telephone(samples: Samples, codec: str) -> Samples:
    """The sound at half the sample rate and through a codec."""
    narrow = resample_poly(samples, 1, 2)
    peak = float(np.abs(narrow).max()) + 1e-6
    file = io.BytesIO()
    soundfile.write(file, narrow / peak * 0.9, RATE // 2, format="WAV", subtype=codec)
    file.seek(0)
    heard, _ = soundfile.read(file, dtype="float32")
    wide = resample_poly(heard * (peak / 0.9), 2, 1)[: len(samples)]
    return np.asarray(np.pad(wide, (0, len(samples) - len(wide))), dtype=np.float32)


class Augmenter:
    """Changes to the sound itself; noise, level and spectrum are changed while training."""

    def __init__(self, rooms: Path) -> None:
        names = sorted(path for path in rooms.iterdir() if path.name.startswith(ROOMS))
        self._rooms = [self._room(load(path)) for path in names]

    @staticmethod
    def _room(response: Samples) -> Samples:
        """An impulse response from its strongest sample on, of unit energy."""
        response = response[int(np.argmax(np.abs(response))) :][:RATE]
        return np.asarray(response / np.sqrt(np.sum(response**2) + 1e-9), dtype=np.float32)

    def change(self, samples: Samples, chooser: np.random.Generator) -> Samples:
        """The sound in a room, over a telephone, or too loud, each at random."""
        if chooser.random() < 0.3:
            room = self._rooms[chooser.integers(len(self._rooms))]
            direct, wet = np.float32(chooser.uniform(0.05, 1.0)), len(samples)
            samples = direct * samples + fftconvolve(samples, room)[:wet].astype(np.float32)
        if chooser.random() < 0.12:
            samples = _over_telephone(samples, CODECS[chooser.integers(len(CODECS))])
        if chooser.random() < 0.08:
            peak = np.float32(np.abs(samples).max() * chooser.uniform(0.2, 0.6) + 1e-6)
            samples = np.clip(samples, -peak, peak)
        return samples


def _group(entry: dict[str, Any]) -> str:
    return GROUPS.get(entry["source"], "wake")


def clips_of(entry: dict[str, Any], augmenter: Augmenter) -> Iterator[Clip]:
    """The copies of one recording; a development recording is kept as it is."""
    part, group = part_of(entry["speaker"]), _group(entry)
    if part == "test":
        return
    samples = load(Path(entry["audio"]))
    chooser = np.random.default_rng(zlib.crc32(entry["audio"].encode()))
    copies = 1 if part == "development" else COPIES[group]
    speeds = [0, *(1 + chooser.permutation(len(SPEEDS) - 1))][:copies]
    for copy, index in enumerate(speeds):
        up, down = SPEEDS[index]
        said = LabelledSound(samples, entry["phones"], entry.get("words", []))
        if part == "training" and group in HALTING and chooser.random() < HALTING_SHARE:
            said = said.halting(chooser)
        changed = np.asarray(resample_poly(said.samples, down, up), dtype=np.float32)
        if part == "training" and (copy or group == "synthetic"):
            changed = augmenter.change(changed, chooser)
        features = filter_bank(changed)
        labels = frame_labels(said.phones, up / down, len(features))
        name = f"{DEVELOPMENT}{group}" if part == "development" else group
        yield name, features.astype(np.float16), labels


def _batch(task: tuple[Path, list[str]]) -> list[Clip]:
    rooms, lines = task
    augmenter = Augmenter(rooms)
    return [clip for line in lines for clip in clips_of(json.loads(line), augmenter)]


def _tasks(alignments: list[Path], rooms: Path) -> Iterator[tuple[Path, list[str]]]:
    for path in alignments:
        with path.open() as lines:
            while batch := list(islice(lines, 100)):
                yield rooms, batch


def noise_clips(folder: Path) -> Iterator[Clip]:
    """Noise alone: every frame is silence."""
    for path in sorted(folder.rglob("*.*")):
        if path.suffix in {".ogg", ".flac", ".mp3", ".wav"} and not is_test_noise(path):
            features = filter_bank(load(path)).astype(np.float16)
            yield "noise", features, np.zeros(len(features), dtype=np.uint8)


def write(clips: Iterable[Clip], out: Path) -> None:
    """Store clips one after the other."""
    out.mkdir(parents=True, exist_ok=True)
    table: list[tuple[str, int, int]] = []
    position = 0
    with (out / "features.raw").open("wb") as features, (out / "labels.raw").open("wb") as labels:
        for group, frames, marks in clips:
            if len(frames):
                features.write(frames.tobytes())
                labels.write(marks.tobytes())
                table.append((group, position, len(frames)))
                position += len(frames)
    (out / "clips.json").write_text(json.dumps(table))


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("alignments", type=Path, nargs="+")
    parser.add_argument("--noise", type=Path, nargs="*", default=[], help="folders of noises")
    parser.add_argument("--rooms", type=Path, required=True)
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()

    def clips() -> Iterator[Clip]:
        for folder in options.noise:
            yield from noise_clips(folder)
        with ProcessPoolExecutor(options.jobs) as pool:
            for batch in pool.map(_batch, _tasks(options.alignments, options.rooms)):
                yield from batch

    write(clips(), options.out)


if __name__ == "__main__":
    main()
