"""Train the network; it stops at a set time and resumes from its checkpoint.

First on frame labels (cross-entropy), then, with `--after CHECKPOINT`, on whole sequences; or at
once on whole sequences from a finished model, with `--from MODEL`. Two of these side by side on
their own cores, each `--beside` the other's folder, share what they learn now and then.

The network is a factorised time-delay network with residual links. It reads 40 log mel energies
every 10 ms and scores the outputs of `phones.py` every 30 ms.
"""

from __future__ import annotations

import argparse
import json
import math
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.speech_models.phones import OUTPUTS

from .features import BINS
from .sequence import AllSequences, SequenceLoss, phone_bigrams

CHANNELS, BOTTLENECK = 448, 144
# One block after the other: its step in output frames, and whether it looks ahead too.
AHEAD, BEHIND, FAR_BEHIND = (1, True), (1, False), (2, False)
BLOCKS = (AHEAD, BEHIND, AHEAD, FAR_BEHIND, AHEAD, FAR_BEHIND, AHEAD, FAR_BEHIND, AHEAD)
LEFT = 2 + 1 + 3 * sum(step if ahead else 2 * step for step, ahead in BLOCKS)
RIGHT = 2 + 1 + 3 * sum(step for step, ahead in BLOCKS if ahead)
BATCH, SPAN = 24, 400
UNKNOWN = 255
SHARES = {
    "recorded": 0.27,
    "single": 0.16,
    "wake": 0.05,
    "synthetic": 0.24,
    "neural": 0.25,
    "noise": 0.03,
}
SHARE_STEPS = 50  # between two exchanges with a training beside this one
PRIOR_POWER, FRAME_SHARE = 0.8, 0.1
DECIBEL = math.log(10) / 10
PACES = (0.87, 1.16)  # a clip is said so much slower or faster
RATIOS = ((0, 15), (-3, 30))  # decibels of speech over noise, one or the other
PAUSES = (20, 120)  # mean frames between two clips; one in ten is of the longer kind
CLEAN, CROWDED, BOTH = 0.12, 0.4, 0.12  # shares of spans: no noise, other talkers, these and noise
TALKERS, FEW = 8, 2  # others who talk at most; so few can be understood when they talk alone
CROWD_RATIOS = ((0, 25), (6, 25))  # decibels over many others; over a few
SEEN = (40, 15)  # frames before and after within which the nearest speaker tells what is quieter


class Block(nn.Module):  # type: ignore[misc, unused-ignore]
    """Three frames, `step` apart, through a bottleneck; added to the (cropped) input."""

    def __init__(self, step: int, ahead: bool, channels: int, bottleneck: int) -> None:
        super().__init__()
        self.step, self.ahead = step, ahead
        self.narrow = nn.Conv1d(channels, bottleneck, 3, dilation=step, bias=False)
        self.widen = nn.Conv1d(bottleneck, channels, 1, bias=False)
        self.norm = nn.BatchNorm1d(channels)

    def forward(self, x: Tensor) -> Tensor:
        """Shorter by two steps."""
        residue = x[..., self.step : -self.step] if self.ahead else x[..., 2 * self.step :]
        return residue + functional.relu(self.norm(self.widen(self.narrow(x))))


class Network(nn.Module):  # type: ignore[misc, unused-ignore]
    """Log mel energies (batch, bins, LEFT + 3n + RIGHT - 2) to scores (batch, outputs, n)."""

    def __init__(self, channels: int = CHANNELS, bottleneck: int = BOTTLENECK) -> None:
        super().__init__()
        self.register_buffer("mean", torch.zeros(BINS, 1))
        self.register_buffer("scale", torch.ones(BINS, 1))
        self.first = nn.Conv1d(BINS, channels, 5, bias=False)
        self.first_norm = nn.BatchNorm1d(channels)
        self.second = nn.Conv1d(channels, channels, 3, stride=3, bias=False)
        self.second_norm = nn.BatchNorm1d(channels)
        blocks = (Block(step, ahead, channels, bottleneck) for step, ahead in BLOCKS)
        self.blocks = nn.ModuleList(blocks)
        self.last = nn.Conv1d(channels, OUTPUTS, 1)

    @staticmethod
    def of(state: dict[str, Tensor]) -> Network:
        """A network of the size that a checkpoint's weights have, with these weights."""
        bottleneck, channels, _ = state["blocks.0.narrow.weight"].shape
        network = Network(channels, bottleneck)
        network.load_state_dict(state)
        return network

    def forward(self, x: Tensor) -> Tensor:
        """Unnormalised scores."""
        x = (x - self.mean) * self.scale
        x = functional.relu(self.first_norm(self.first(x)))
        x = functional.relu(self.second_norm(self.second(x)))
        for block in self.blocks:
            x = block(x)
        scores: Tensor = self.last(x)
        return scores

    def ordered_blocks(self) -> list[Block]:
        """The blocks, first to last."""
        return [block for block in self.blocks if isinstance(block, Block)]

    def bias(self) -> Tensor:
        """The bias of the last layer."""
        bias: Tensor = self.last.bias  # type: ignore[assignment, unused-ignore]
        return bias


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


def _warps(count: int = 21, strength: float = 0.12) -> Tensor:
    """Matrices that stretch or squeeze the mel axis, as a longer or shorter throat does."""
    matrices = torch.zeros(count, BINS, BINS)
    for index, factor in enumerate(np.linspace(1 - strength, 1 + strength, count)):
        for bin_ in range(BINS):
            source = min(bin_ * factor, BINS - 1.0)
            low = min(int(source), BINS - 2)
            matrices[index, bin_, low] = 1 - (source - low)
            matrices[index, bin_, low + 1] = source - low
    return matrices


def _loudness(speech: Tensor, voiced: Tensor) -> Tensor:
    """The mean energy of a bin where someone speaks, a span; very great where nobody does."""
    total = (speech.exp().mean(2) * voiced).sum(1)
    return torch.where(voiced.any(1), total / voiced.sum(1).clamp_min(1), 1e9).clamp_min(1e-3)


def _below(noise: Tensor, loudness: Tensor, decibels: NDArray[np.float64]) -> Tensor:
    """The log energies of noise, moved to so many decibels below the speaker of each span."""
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

        Also tells where only a few others talk: alone, a quieter talker may be the one to hear, so
        no label is right there.
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
        """So many other spans at once, each from another time on, a little louder or quieter."""
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
    now = labels[:, LEFT : LEFT + SPAN : 3].astype(np.int64)
    before = labels[:, LEFT - 3 : LEFT + SPAN - 3 : 3]
    phone = now // 2
    outputs = np.where(now == before, 2 * phone, np.maximum(0, 2 * phone - 1))
    return torch.from_numpy(np.where(now == UNKNOWN, -100, outputs))


def development_score(network: Network, clips: Clips) -> tuple[float, float]:
    """Cross-entropy and share of phones right on development recordings."""
    network.eval()
    losses, right, total = 0.0, 0, 0
    with torch.no_grad():
        for start, length in clips.groups["development"]:
            stop = start + length
            padding = ((LEFT, RIGHT), (0, 0))
            padded = np.pad(clips.features[start:stop].astype(np.float32), padding, "edge")
            scores = network(torch.from_numpy(padded.T[None]))[0].T
            marks = np.pad(clips.labels[start:stop], (3, 0), "edge")
            now, before = marks[3::3], marks[:-3:3]
            phone = now.astype(np.int64) // 2
            output = np.where(now == before, 2 * phone, np.maximum(0, 2 * phone - 1))
            known = torch.from_numpy((now != UNKNOWN) & (now > 1))
            count = min(len(scores), len(now))
            target = torch.from_numpy(output)[:count][known[:count]]
            guess = scores[:count][known[:count]]
            losses += float(functional.cross_entropy(guess, target, reduction="sum"))
            right += int(((guess.argmax(1) + 1) // 2 == (target + 1) // 2).sum())
            total += len(target)
    network.train()
    return losses / total, right / total


def _normalise(network: Network, clips: Clips) -> None:
    """Set the mean and scale of the input from the training array."""
    sample = clips.features[:: max(1, len(clips.features) // 200_000)].astype(np.float32)
    sample = sample[sample.mean(1) > -10]
    network.mean.copy_(torch.from_numpy(sample.mean(0))[:, None])
    network.scale.copy_(torch.from_numpy(1 / sample.std(0))[:, None])


class Trainer:
    """Training state: network, its running average, optimiser, time spent, output counts."""

    def __init__(self, clips: Clips, options: argparse.Namespace) -> None:
        self.clips, self.folder, self.beside = clips, options.out, options.beside
        self.minutes, self.rate, self.seed = options.minutes, options.rate, options.seed
        self.network, self.average = Network(), Network()
        _normalise(self.network, clips)
        parameters = self.network.parameters()
        self.optimiser = torch.optim.AdamW(parameters, lr=self.rate, weight_decay=0.02)
        self.spent, self.step, self.taken = 0.0, 0, 0.0
        self.counts = torch.ones(OUTPUTS, dtype=torch.float64)
        whole = options.after or options.model
        self.everything = AllSequences(phone_bigrams(clips.labels)) if whole else None
        if (self.folder / "checkpoint.pt").exists():
            self.restore()
        elif options.after:
            self.follow(options.after)
        elif options.model:
            self.take_up(options.model)
        if not self.step:
            self.average.load_state_dict(self.network.state_dict())

    def take_up(self, model: Path) -> None:
        """Begin with the network of a finished model."""
        from .imported import read

        batches = Batches(self.clips, seed=0)
        features = torch.cat([batches.draw()[0] for _ in range(4)])
        read(model / "am" / "final.mdl", self.network, features)

    def follow(self, before: Path) -> None:
        """Begin with a network trained on frames, its priors taken into its last layer."""
        state = torch.load(before, weights_only=True)
        share = state["counts"] / state["counts"].sum()
        self.network.load_state_dict(state["average"])
        self.network.bias().data -= PRIOR_POWER * share.clamp_min(1e-4).log().float()

    def restore(self) -> None:
        """Take up where the checkpoint stopped."""
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.spent, self.step, self.counts = state["spent"], state["step"], state["counts"]

    def save(self) -> None:
        """Write the checkpoint whole, then put it in place of the old one."""
        state: dict[str, Any] = {
            "network": self.network.state_dict(),
            "average": self.average.state_dict(),
            "optimiser": self.optimiser.state_dict(),
            "spent": self.spent,
            "step": self.step,
            "counts": self.counts,
        }
        torch.save(state, self.folder / "new.pt")
        (self.folder / "new.pt").replace(self.folder / "checkpoint.pt")

    def loss(self, scores: Tensor, labels: Tensor) -> Tensor:
        """Cross-entropy of the frames, or that of whole sequences with a little of the former."""
        frames = functional.cross_entropy(scores, labels, label_smoothing=0.02)
        if self.everything is None:
            return frames
        whole: Tensor = SequenceLoss.apply(scores.transpose(1, 2), labels, self.everything)
        return whole + FRAME_SHARE * frames

    def learn(self, features: Tensor, labels: Tensor) -> float:
        """One step of the optimiser; the loss."""
        share = min(1.0, self.spent / (60 * self.minutes))
        warm = min(1.0, (self.step + 1) / 300)
        for group in self.optimiser.param_groups:
            group["lr"] = self.rate * warm * (0.01 + 0.99 * 0.5 * (1 + math.cos(math.pi * share)))
        loss = self.loss(self.network(features), labels)
        self.optimiser.zero_grad()
        loss.backward()
        nn.utils.clip_grad_norm_(self.network.parameters(), 5.0)
        self.optimiser.step()
        self.step += 1
        keep = min(0.998, self.step / (self.step + 20))
        with torch.no_grad():
            new = self.network.state_dict()
            for name, value in self.average.state_dict().items():
                value.lerp_(new[name], 1 - keep) if value.is_floating_point() else None
        known = labels[labels >= 0]
        self.counts += torch.bincount(known, minlength=OUTPUTS)
        return float(loss.detach())

    def share(self) -> None:
        """Write the weights down and go halfway towards those of the training beside this one.

        Each is taken once: a slower one's old weights would hold this one back again and again.
        """
        torch.save(self.network.state_dict(), self.folder / "new.pt")
        (self.folder / "new.pt").replace(self.folder / "weights.pt")
        other = self.beside / "weights.pt"
        written = other.stat().st_mtime if other.exists() else self.taken
        if written <= self.taken:
            return
        self.taken = written
        theirs = torch.load(other, weights_only=True)
        for name, value in self.network.state_dict().items():
            value.lerp_(theirs[name], 0.5) if value.is_floating_point() else None

    def run(self) -> None:
        """Train until the time is up."""
        batches = Batches(self.clips, seed=self.step + self.seed)
        recent: list[float] = []
        while self.spent < 60 * self.minutes:
            begun = time.monotonic()
            recent.append(self.learn(*batches.draw()))
            if self.beside and self.step % SHARE_STEPS == 0:
                self.share()
            self.spent += time.monotonic() - begun
            if self.step % 200 == 0:
                loss, right = development_score(self.average, self.clips)
                spent = self.spent / 60
                print(f"{self.step} {spent:.1f} min: loss {np.mean(recent):.3f}", end=", ")
                print(f"development {loss:.3f}, {right:.1%} of phones", flush=True)
                recent.clear()
                self.save()
        self.save()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", help="folders written by models.features")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--after", type=Path, help="frame-trained checkpoint to go on from")
    parser.add_argument("--from", dest="model", type=Path, help="model folder to go on from")
    parser.add_argument("--beside", type=Path, help="folder of a training to share with")
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.out.mkdir(parents=True, exist_ok=True)
    Trainer(Clips.open(options.clips), options).run()


if __name__ == "__main__":
    main()
