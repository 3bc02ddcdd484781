"""Training batches: clips one after another, their sound changed differently each time."""

from __future__ import annotations

import json
import math
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from models.training.data.features import BINS
from models.training.network import LEFT, RIGHT

BATCH = 24  # spans in a batch
SPAN = 400  # frames of 10 ms in a span that are learned from, without what the network sees around
UNKNOWN = 255  # the label of a frame that nothing is learned from
SHARES = {  # share of the training time, for each group of clips
    "recorded": 0.18,
    "accented": 0.26,
    "single": 0.14,
    "common": 0.03,
    "spelled": 0.02,
    "wake": 0.04,
    "synthetic": 0.15,
    "neural": 0.15,
    "noise": 0.03,
}
DECIBEL = math.log(10) / 10  # as a difference of log energies
PACES = (0.87, 1.16)  # a clip is slowed down or sped up by a factor between these
RATIOS = ((0, 15), (-3, 30))  # decibels of speech over noise: one range or the other, half each
PAUSES = (20, 120)  # mean frames between two clips; one pause in ten is of the longer kind
CLEAN, CROWDED, BOTH = (
    0.12,
    0.4,
    0.12,
)  # shares of spans: no noise, talkers, talkers and noise
TALKERS, FEW = 8, 2  # talkers behind the speaker at most; this few are intelligible on their own
CROWD_RATIOS = ((0, 25), (6, 25))  # decibels of the speaker over many others, over a few
SEEN = (40, 15)  # frames before and after: a louder speaker in them shows who is in the background


@dataclass(frozen=True)
class Clips:
    """The training array on disk."""

    features: NDArray[np.float16]
    labels: NDArray[np.uint8]
    groups: dict[str, NDArray[np.int64]]

    @staticmethod
    def open(folders: list[Path]) -> Clips:
        """Read them whole into memory."""
        features = [np.fromfile(folder / "features.raw", dtype=np.float16) for folder in folders]
        labels = [np.fromfile(folder / "labels.raw", dtype=np.uint8) for folder in folders]
        groups: dict[str, list[tuple[int, int]]] = {}
        for index, folder in enumerate(folders):
            before = sum(len(part) for part in labels[:index])
            for group, start, length in json.loads((folder / "clips.json").read_text()):
                groups.setdefault(group, []).append((before + start, length))
        table = {name: np.array(rows) for name, rows in groups.items()}
        return Clips(np.concatenate(features).reshape(-1, BINS), np.concatenate(labels), table)


class Stream:
    """Clips one after the other with pauses between, cut into spans of equal length."""

    def __init__(self, clips: Clips, chooser: np.random.Generator) -> None:
        self._clips, self._chooser = clips, chooser
        self._names = [name for name in SHARES if name in clips.groups]
        # Shares are of time; clips of a group are drawn in inverse proportion to their length.
        wanted = np.array([SHARES[name] / clips.groups[name][:, 1].mean() for name in self._names])
        self._odds = wanted / wanted.sum()
        self._features = np.zeros((0, BINS), dtype=np.float32)
        self._labels = np.zeros(0, dtype=np.uint8)

    def _clip(self) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        rows = self._clips.groups[self._chooser.choice(self._names, p=self._odds)]
        start, length = rows[self._chooser.integers(len(rows))]
        length = min(length, 4 * SPAN)
        times = start + np.arange(0, length - 1, self._chooser.uniform(*PACES))
        early, later = times.astype(np.int64), (times % 1).astype(np.float32)[:, None]
        features = self._clips.features[early] * (1 - later)
        features += self._clips.features[early + 1] * later
        features += np.float32(self._chooser.normal(0, 3) * DECIBEL)
        return features, self._clips.labels[early]

    def span(self, length: int) -> tuple[NDArray[np.float32], NDArray[np.uint8]]:
        """The next frames and their labels."""
        features, labels = [self._features], [self._labels]
        total = len(self._labels)
        while total < length:
            frames, marks = self._clip()
            pause = int(self._chooser.exponential(PAUSES[self._chooser.random() < 0.1]))
            quiet = np.full((pause, BINS), self._chooser.uniform(-15.9, 5), dtype=np.float32)
            features += [frames, quiet]
            labels += [marks, np.zeros(pause, dtype=np.uint8)]
            total += len(frames) + pause
        whole, marks = np.concatenate(features), np.concatenate(labels)
        self._features, self._labels = whole[length:], marks[length:]
        return whole[:length], marks[:length]


def _warps(count: int = 21, strength: float = 0.15) -> Tensor:
    """Matrices that stretch or compress the mel axis, like a longer or shorter vocal tract."""
    matrices = torch.zeros(count, BINS, BINS)
    for index, factor in enumerate(np.linspace(1 - strength, 1 + strength, count)):
        for bin_ in range(BINS):
            source = min(bin_ * factor, BINS - 1.0)
            low = min(int(source), BINS - 2)
            matrices[index, bin_, low] = 1 - (source - low)
            matrices[index, bin_, low + 1] = source - low
    return matrices


def _loudness(speech: Tensor, voiced: Tensor) -> Tensor:
    """The mean energy of a bin in each span, where someone speaks; 1e9 if nobody does."""
    total = (speech.exp().mean(2) * voiced).sum(1)
    return torch.where(voiced.any(1), total / voiced.sum(1).clamp_min(1), 1e9).clamp_min(1e-3)


def _below(noise: Tensor, loudness: Tensor, decibels: NDArray[np.float64]) -> Tensor:
    """The log energies of noise, scaled to a level below the speaker of each span, in decibels."""
    ratio = torch.from_numpy(decibels.astype(np.float32)) * DECIBEL
    own = noise.exp().mean((1, 2)).clamp_min(1e-3)
    return noise + (loudness.log() - own.log() - ratio)[:, None, None]


def _around(voiced: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Frames that have someone speaking a little before or after them."""
    before, after = SEEN
    counts = np.pad(voiced, ((0, 0), (before + 1, after))).cumsum(1)
    return np.asarray(counts[:, before + after + 1 :] > counts[:, : -before - after - 1])


class Batches:
    """Spans with changed spectrum, noise and level."""

    def __init__(self, clips: Clips, seed: int) -> None:
        self._chooser = np.random.default_rng(seed)
        self._streams = [Stream(clips, self._chooser) for _ in range(BATCH)]
        self._clips, self._warps = clips, _warps()
        self._slopes = torch.cos(
            math.pi * torch.arange(BINS)[None] * torch.arange(1, 4)[:, None] / BINS
        )

    def _noise(self, length: int) -> NDArray[np.float32]:
        rows = self._clips.groups["noise"]
        pieces: list[NDArray[np.float16]] = []
        total = 0
        while total < length:
            start, count = rows[self._chooser.integers(len(rows))]
            offset = int(self._chooser.integers(max(1, count - length)))
            pieces.append(self._clips.features[start + offset : start + count])
            total += count - offset
        return np.concatenate(pieces)[:length].astype(np.float32)

    def draw(self) -> tuple[Tensor, Tensor]:
        """Features (batch, bins, frames) and labels (batch, output frames)."""
        length = LEFT + SPAN + RIGHT
        spans = [stream.span(length) for stream in self._streams]
        speech = torch.from_numpy(np.stack([features for features, _ in spans]))
        labels = np.stack([marks for _, marks in spans])
        voiced = (labels > 1) & (labels != UNKNOWN)
        speech = self._tilt(self._stretch(speech))
        loudness = _loudness(speech, torch.from_numpy(voiced))
        mixed, few = self._mix(speech, loudness)
        labels[few[:, None] & (labels < 2) & ~_around(voiced)] = UNKNOWN
        level = torch.from_numpy(self._chooser.uniform(-28, 10, BATCH).astype(np.float32))
        mixed = (mixed + level[:, None, None] * DECIBEL).clamp_min_(-15.9)
        return self._mask(mixed).transpose(1, 2), targets(labels)

    def _stretch(self, speech: Tensor) -> Tensor:
        choice = torch.from_numpy(self._chooser.integers(len(self._warps), size=BATCH))
        return torch.bmm(speech, self._warps[choice].transpose(1, 2))

    def _tilt(self, speech: Tensor) -> Tensor:
        amounts = self._chooser.normal(0, 1, (BATCH, 3)) * [0.8, 0.4, 0.3]
        return speech + (torch.from_numpy(amounts.astype(np.float32)) @ self._slopes)[:, None]

    def _mix(self, speech: Tensor, loudness: Tensor) -> tuple[Tensor, NDArray[np.bool_]]:
        """Add noise and other talkers; energies add, so logarithms add by `logaddexp`.

        Also returns in which spans only a few others talk: a quieter talker, alone, may be the one
        to hear, so no label is right there.
        """
        kind = self._chooser.random(BATCH)
        crowded = kind < CROWDED
        talkers = np.where(crowded, self._chooser.integers(1, TALKERS + 1, BATCH), 0)
        few = crowded & (talkers <= FEW)
        above = np.where(few, *(self._chooser.uniform(*ends, BATCH) for ends in CROWD_RATIOS[::-1]))
        above[~crowded] = np.inf
        crowd = _below(self._crowd(speech, loudness, talkers), loudness, above)
        noise = torch.from_numpy(np.stack([self._noise(speech.shape[1]) for _ in range(BATCH)]))
        loud = self._chooser.random(BATCH) < 0.5
        above = np.where(loud, *(self._chooser.uniform(*ends, BATCH) for ends in RATIOS))
        above[(kind > 1 - CLEAN) | (kind < CROWDED - BOTH)] = np.inf
        noise = _below(noise, loudness, above)
        return torch.logaddexp(torch.logaddexp(speech, crowd), noise), few

    def _crowd(self, speech: Tensor, loudness: Tensor, talkers: NDArray[np.int64]) -> Tensor:
        """Several other spans mixed, each shifted in time and varied in level."""
        power = speech.exp() / loudness[:, None, None]
        crowd = torch.full_like(power, 1e-6)
        for row, count in enumerate(talkers):
            for other in self._chooser.choice(BATCH - 1, count, replace=False):
                gain = 10 ** self._chooser.uniform(-0.8, 0)
                later = int(self._chooser.integers(speech.shape[1]))
                crowd[row] += gain * power[(row + 1 + other) % BATCH].roll(later, 0)
        return crowd.log()

    def _mask(self, speech: Tensor) -> Tensor:
        """Hide a few bins and a few short stretches of time behind the mean."""
        filler = speech.mean((1, 2))
        for row in range(BATCH):
            width = int(self._chooser.integers(0, 7))
            start = int(self._chooser.integers(BINS - width))
            speech[row, :, start : start + width] = filler[row]
            for _ in range(2):
                width = int(self._chooser.integers(0, 12))
                start = int(self._chooser.integers(speech.shape[1] - width))
                speech[row, start : start + width] = filler[row]
        return speech


def targets(labels: NDArray[np.uint8]) -> Tensor:
    """Outputs at every third frame: *begin* where the segment differs from 30 ms before."""
    now = labels[:, LEFT : LEFT + SPAN : 3]
    before = labels[:, LEFT - 3 : LEFT + SPAN - 3 : 3]
    return torch.from_numpy(np.where(now == UNKNOWN, -100, outputs(now, before)))


def outputs(now: NDArray[np.uint8], before: NDArray[np.uint8]) -> NDArray[np.int64]:
    """Return the output of each label, given the labels of the output frames before them."""
    phone = now.astype(np.int64) // 2
    return np.where(now == before, 2 * phone, np.maximum(0, 2 * phone - 1))
