"""Frame labels from a model of our own: surer than PocketSphinx's, and for every transcript.

`python -m models.realign CHECKPOINT MANIFESTS... --out FILE` reads what `models.align` writes (or
a folder's manifest) and gives each recording its phones anew.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray

from assistant.phones import INDEX, OUTPUTS, PHONES, SILENCE

from . import lexicon
from .export import log_priors
from .features import filter_bank, load
from .manifest import Entry, read_manifest
from .train import LEFT, RIGHT, Network

Scores = NDArray[np.float32]
LEAST = 3  # frames of 10 ms in a phone
POOR = 0.5  # mean score of a frame below which an alignment is dropped


def phone_scores(network: Network, priors: Scores, features: Scores) -> Scores:
    """How well each phone explains each frame of 10 ms."""
    padded = np.pad(features, ((LEFT, RIGHT), (0, 0)), "edge")
    scores = np.zeros((len(features), OUTPUTS), dtype=np.float32)
    with torch.no_grad():
        for phase in range(min(3, len(features))):
            shifted = torch.from_numpy(np.ascontiguousarray(padded[phase:].T))[None]
            found = network(shifted)[0].log_softmax(0).T.numpy() - priors
            scores[phase::3] = found[: len(scores[phase::3])]
    return np.stack([scores[:, outputs].max(1) for outputs in _outputs()], axis=1)


def _outputs() -> list[list[int]]:
    return [sorted({max(0, 2 * index - 1), 2 * index}) for index in range(len(PHONES))]


class Chain:
    """All ways to say a sentence: states with their phones and what may come before each."""

    def __init__(self, words: list[str]) -> None:
        self.phones: list[int] = []
        self.unit: list[int] = []  # states of one phone share a number
        self.before: list[list[int]] = []
        ends = [self._silence([])]
        starting = True
        for word in words:
            entries, starting = ([*ends, -1] if starting else ends), False
            variants = lexicon.pronunciations(word)
            ends = [self._say(phones, entries) for phones in variants if phones]
            ends.append(self._silence(ends))
        self.final = ends

    def _state(self, phone: str, before: list[int], *, stays: bool, unit: int) -> int:
        state = len(self.phones)
        self.phones.append(INDEX[phone])
        self.before.append([*before, state] if stays else before)
        self.unit.append(unit)
        return state

    def _silence(self, before: list[int]) -> int:
        return self._state(SILENCE, before or [-1], stays=True, unit=len(self.phones))

    def _say(self, phones: tuple[str, ...], before: list[int]) -> int:
        """The last state of a word; a phone is a row of states, of which the last may stay."""
        for phone in phones:
            unit = len(self.phones)
            for left in reversed(range(LEAST)):
                before = [self._state(phone, before, stays=not left, unit=unit)]
        return before[0]

    def best(self, scores: Scores) -> tuple[list[int], float]:
        """The best state of each frame, and the mean score."""
        width = max(len(before) for before in self.before)
        table = np.array([before + [before[-1]] * (width - len(before)) for before in self.before])
        emitted = scores[:, self.phones]
        starts = (table == -1).any(1)
        value = np.where(starts, emitted[0], -1e9).astype(np.float32)
        came = np.zeros(emitted.shape, dtype=np.int32)
        table = np.where(table == -1, len(self.phones), table)
        for frame in range(1, len(emitted)):
            choices = np.append(value, np.float32(-1e9))[table]
            pick = choices.argmax(1)
            came[frame] = table[np.arange(len(table)), pick]
            value = choices[np.arange(len(table)), pick] + emitted[frame]
        state = max(self.final, key=lambda end: value[end])
        mean = float(value[state]) / len(emitted)
        path = [state]
        for frame in range(len(emitted) - 1, 0, -1):
            path.append(int(came[frame, path[-1]]))
        return path[::-1], mean


def aligned(chain: Chain, path: list[int]) -> list[tuple[str, int, int]]:
    """Phones with their start and length, from the state of each frame."""
    phones: list[tuple[str, int, int]] = []
    last = -1
    for frame, state in enumerate(path):
        if chain.unit[state] == last:
            name, start, length = phones[-1]
            phones[-1] = (name, start, length + 1)
        else:
            phones.append((PHONES[chain.phones[state]], frame, 1))
        last = chain.unit[state]
    return phones


def realigned(network: Network, priors: Scores, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries with phones; without those that the model finds a poor match."""
    for entry in entries:
        features = filter_bank(load(Path(entry["audio"])))
        chain = Chain(entry["text"].split())
        if len(features) > 2 * LEAST:
            path, mean = chain.best(phone_scores(network, priors, features))
            if mean > POOR:
                yield entry | {"phones": aligned(chain, path), "score": round(mean, 2)}


def _entries(source: Path) -> Iterator[Entry]:
    if source.is_dir():
        yield from (entry for entry in read_manifest(source) if entry["text"])
        return
    with source.open() as lines:
        yield from map(json.loads, lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("checkpoint", type=Path)
    parser.add_argument("sources", type=Path, nargs="+", help="folders or files of alignments")
    parser.add_argument("--out", type=Path, required=True)
    options = parser.parse_args()
    torch.set_num_threads(1)
    state = torch.load(options.checkpoint, weights_only=True)
    network = Network()
    network.load_state_dict(state["average"])
    network.eval()
    priors = log_priors(state["counts"].numpy(), 0.8)
    with options.out.open("w") as out:
        for source in options.sources:
            for entry in realigned(network, priors, _entries(source)):
                out.write(json.dumps(entry) + "\n")


if __name__ == "__main__":
    main()
