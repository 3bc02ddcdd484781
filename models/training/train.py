"""Train the network; it stops at a set time and resumes from its checkpoint.

First on frame labels (cross-entropy), then, with `--after CHECKPOINT`, on whole sequences; or
directly on whole sequences from a finished model, with `--from MODEL`. Two trainings on a core
each, both `--beside` the other's folder, average their weights every 50 steps.
"""

from __future__ import annotations

import argparse
import math
import time
from pathlib import Path
from typing import Any

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor, nn
from torch.nn import functional

from assistant.speech_models.phones import OUTPUTS
from models.training.batches import UNKNOWN, Batches, Clips
from models.training.data.features import DEVELOPMENT
from models.training.network import LEFT, RIGHT, Network
from models.training.sequence_loss import AllSequences, SequenceLoss, phone_bigrams
from models.training.warm_start import read

SAVE_STEPS = 50
WARM_STEPS = (300, 80)  # until the full rate, of a new network and of a finished one
SHARE_STEPS = 50  # between two exchanges with the other of two trainings side by side
PRIOR_POWER = 0.8  # of the outputs' frequencies, folded into the last layer before sequences
FRAME_SHARE = 0.1  # weight of the frames' cross-entropy in a training on sequences


def development_scores(network: Network, clips: Clips) -> dict[str, float]:
    """The share of phones right in each group of development recordings."""
    network.eval()
    with torch.no_grad():
        found = {
            name.removeprefix(DEVELOPMENT): _share_right(network, clips, rows)
            for name, rows in sorted(clips.groups.items())
            if name.startswith(DEVELOPMENT)
        }
    network.train()
    return found


def _share_right(network: Network, clips: Clips, rows: NDArray[np.int64]) -> float:
    right, total = 0, 0
    for start, length in rows:
        stop = start + length
        padding = ((LEFT, RIGHT), (0, 0))
        padded = np.pad(clips.features[start:stop].astype(np.float32), padding, "edge")
        guess = network(torch.from_numpy(padded.T[None]))[0].argmax(0).numpy()
        marks = clips.labels[start:stop:3]
        count = min(len(guess), len(marks))
        known = (marks[:count] != UNKNOWN) & (marks[:count] > 1)
        right += int(((guess[:count] + 1) // 2 == marks[:count] // 2)[known].sum())
        total += int(known.sum())
    return right / max(1, total)


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
        self.warm = WARM_STEPS[options.model is not None]
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
        """Resume from the checkpoint."""
        state = torch.load(self.folder / "checkpoint.pt", weights_only=True)
        self.network.load_state_dict(state["network"])
        self.average.load_state_dict(state["average"])
        self.optimiser.load_state_dict(state["optimiser"])
        self.spent, self.step, self.counts = state["spent"], state["step"], state["counts"]

    def save(self) -> None:
        """Write the checkpoint to a new file, then replace the old one."""
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
        warm = min(1.0, (self.step + 1) / self.warm)
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
        """Save the weights and go halfway towards those of the other training.

        Each save is used once, so that old weights do not hold this training back repeatedly.
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
            if self.step % SAVE_STEPS == 0:
                self.save()
            if self.step % 200 == 0:
                scores = development_scores(self.average, self.clips)
                right = ", ".join(f"{name} {score:.1%}" for name, score in scores.items())
                spent = self.spent / 60
                print(f"{self.step} {spent:.1f} min: loss {np.mean(recent):.3f}", end="; ")
                print(f"phones right: {right}", flush=True)
                recent.clear()
        self.save()


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("clips", type=Path, nargs="+", help="folders that data.features wrote")
    parser.add_argument("--out", type=Path, required=True, help="folder of the checkpoint")
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--rate", type=float, default=2e-3)
    parser.add_argument("--after", type=Path, help="frame-trained checkpoint to go on from")
    parser.add_argument("--from", dest="model", type=Path, help="model folder to go on from")
    parser.add_argument(
        "--beside",
        type=Path,
        help="folder of the other of two trainings that average their weights",
    )
    parser.add_argument("--seed", type=int, default=0)
    parser.add_argument("--threads", type=int, default=1)
    options = parser.parse_args()
    torch.set_num_threads(options.threads)
    torch.manual_seed(1)
    options.out.mkdir(parents=True, exist_ok=True)
    Trainer(Clips.open(options.clips), options).run()


if __name__ == "__main__":
    main()
