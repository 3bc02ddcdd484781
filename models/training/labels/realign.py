"""Frame labels from our own model: more reliable than PocketSphinx's, for every transcript.

`python -m models.training.labels.realign MODEL SOURCES... --out FILE` reads folders with a manifest
or files that `labels.align` wrote, and aligns every recording with its phones again.
"""

from __future__ import annotations

import argparse
import json
from collections.abc import Iterator
from concurrent.futures import ProcessPoolExecutor
from functools import cache, partial
from itertools import chain as joined
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from assistant.speech_models.phones import INDEX, PHONES, SILENCE
from models.training.data import word_list
from models.training.data.features import filter_bank, load
from models.training.data.manifest import Entry, batched, read_manifest
from models.training.exported_network import ExportedNetwork

Scores = NDArray[np.float32]
LEAST = 3  # frames of 10 ms in a phone
POOR = -2.6  # mean log probability of a frame below which an alignment is dropped
# Accents that the labelling network has not heard match worse, though the words are right.
POOR_IN_ACCENT = -3.6
ACCENTED = ("speechocean762", "alphanumeric_accents")


def phone_scores(network: ExportedNetwork, features: Scores) -> Scores:
    """How well each phone explains each frame of 10 ms."""
    scores = network.scores(features)
    peak = scores.max(1, keepdims=True)
    scores -= peak + np.log(np.exp(scores - peak).sum(1, keepdims=True))
    return np.stack([scores[:, outputs].max(1) for outputs in _outputs()], axis=1)


def _outputs() -> list[list[int]]:
    return [sorted({max(0, 2 * index - 1), 2 * index}) for index in range(len(PHONES))]


class Chain:
    """All pronunciations of a sentence: states with their phones and predecessors."""

    def __init__(self, words: list[str]) -> None:
        self.phones: list[int] = []
        self.unit: list[int] = []  # states of one phone share a number
        self.word: list[int] = []  # which word a state belongs to, and -1 in silence
        self.before: list[list[int]] = []
        ends = [self._silence([])]
        for number, word in enumerate(words):
            entries = ends if number else [*ends, -1]
            variants = word_list.pronunciations(word)
            ends = [self._say(phones, entries, number) for phones in variants if phones]
            ends.append(self._silence(ends))
        self.final = ends

    def _state(self, phone: str, before: list[int], *, stays: bool, unit: int, word: int) -> int:
        state = len(self.phones)
        self.phones.append(INDEX[phone])
        self.before.append([*before, state] if stays else before)
        self.unit.append(unit)
        self.word.append(word)
        return state

    def _silence(self, before: list[int]) -> int:
        return self._state(SILENCE, before or [-1], stays=True, unit=len(self.phones), word=-1)

    def _say(self, phones: tuple[str, ...], before: list[int], word: int) -> int:
        """The last state of a word; a phone is a sequence of states, of which the last may loop."""
        for phone in phones:
            unit = len(self.phones)
            for left in reversed(range(LEAST)):
                before = [self._state(phone, before, stays=not left, unit=unit, word=word)]
        return before[0]

    def best(self, scores: Scores) -> tuple[list[int], float]:
        """The best state of each frame, and the mean score."""
        emitted = scores[:, self.phones]
        begin = len(self.phones)  # stands for the start, which no arc enters
        sources = np.array([source % (begin + 1) for before in self.before for source in before])
        firsts = np.cumsum([0, *map(len, self.before[:-1])])
        values = np.full((len(emitted) + 1, begin + 1), -1e9, dtype=np.float32)
        values[0, begin] = 0
        for frame, row in enumerate(emitted):
            reached = np.maximum.reduceat(values[frame].take(sources), firsts)
            np.add(reached, row, out=values[frame + 1, :begin])
        path = [max(self.final, key=lambda end: float(values[-1, end]))]
        mean = float(values[-1, path[0]]) / len(emitted)
        for frame in range(len(emitted) - 1, 0, -1):
            path.append(max(self.before[path[-1]], key=values[frame].__getitem__))
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


def word_starts(chain: Chain, path: list[int]) -> list[int]:
    """The first frame of each word."""
    words = [chain.word[state] for state in path]
    return [words.index(word) for word in range(max(words) + 1) if word in words]


def realigned(network: ExportedNetwork, entries: Iterator[Entry]) -> Iterator[Entry]:
    """The entries with phones, without those that match poorly."""
    for entry in entries:
        features = filter_bank(load(Path(entry["audio"])))
        chain = Chain(entry["text"].split())
        if len(features) > 2 * LEAST:
            path, mean = chain.best(phone_scores(network, features))
            if mean > (POOR_IN_ACCENT if entry["source"] in ACCENTED else POOR):
                said = {"phones": aligned(chain, path), "words": word_starts(chain, path)}
                yield entry | said | {"score": round(mean, 2)}


def _realigned_batch(network: Path, entries: list[Entry]) -> list[Entry]:
    return list(realigned(_network(network), iter(entries)))


@cache
def _network(path: Path) -> ExportedNetwork:
    return ExportedNetwork(path)


def _entries(source: Path) -> Iterator[Entry]:
    if source.is_dir():
        yield from (entry for entry in read_manifest(source) if entry["text"])
        return
    with source.open() as lines:
        yield from map(json.loads, lines)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="model folder")
    parser.add_argument("sources", type=Path, nargs="+", help="folders or files of alignments")
    parser.add_argument("--out", type=Path, required=True)
    parser.add_argument("--jobs", type=int, default=2)
    options = parser.parse_args()
    entries = joined.from_iterable(map(_entries, options.sources))
    work = partial(_realigned_batch, options.model / "am" / "final.mdl")
    with ProcessPoolExecutor(options.jobs) as pool, options.out.open("w") as out:
        for batch in pool.map(work, batched(entries)):
            out.writelines(json.dumps(entry) + "\n" for entry in batch)


if __name__ == "__main__":
    main()
