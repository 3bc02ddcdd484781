"""How an unknown word is pronounced, guessed from its letters.

A joint n-gram model (Bisani and Ney 2008): each letter is written together with the phones that it
stands for, none to two of them, as one unit, and an n-gram over the units ranks sequences of
them. `models/training/g2p.py` learns it from CMUdict and compares it with others.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from heapq import nlargest
from pathlib import Path

import numpy as np

from assistant.nlu.normalise import fold
from assistant.paths import models_file

Pronunciation = tuple[str, ...]

START, END = "^", "$"
FIRST_UNIT = 0x100
"""Code point of the first unit: a sequence of units is stored as a string."""
STEPS = 8
"""Steps of a stored logarithm per unit of natural logarithm."""
ORDER = 6
"""Order of the n-gram."""
_BEAM = 30
_FLOOR = -16.0
_ALTERNATIVE = 0.1
"""A second guess is returned if at least this likely relative to the best."""


@dataclass(frozen=True, slots=True)
class Letters:
    """The n-gram model; natural logarithms."""

    units: dict[str, tuple[tuple[str, Pronunciation], ...]]
    """A letter to its units: the unit's character and the phones."""
    scores: dict[str, float]
    """A sequence of units to the log probability of its last one after the others."""
    retreats: dict[str, float]
    """A sequence of units to its back-off weight."""

    @classmethod
    def load(cls, path: Path) -> Letters:
        """Read what `save` wrote; sequences come depth first, each by its last unit."""
        with np.load(path) as data:
            names = str(data["units"]).split(" ")
            marks = data["marks"].tobytes().decode("utf-8")
            scores, retreats = (-data[key].astype(float) / STEPS for key in ("scores", "retreats"))
            depths = data["depths"].tolist()
        units: dict[str, list[tuple[str, Pronunciation]]] = {}
        for number, name in enumerate(names):
            letter, _, phones = name.partition(":")
            pair = (chr(FIRST_UNIT + number), tuple(filter(None, phones.split("+"))))
            units.setdefault(letter, []).append(pair)
        rows, row = [], ""
        for mark, depth in zip(marks, depths, strict=True):
            row = row[:depth] + mark
            rows.append(row)
        return cls(
            {letter: tuple(pairs) for letter, pairs in units.items()},
            dict(zip(rows, scores.tolist(), strict=True)),
            dict(zip(rows, retreats.tolist(), strict=True)),
        )

    def score(self, before: str, unit: str) -> float:
        """Return the log probability of a unit after others."""
        total = 0.0
        while before:
            found = self.scores.get(before + unit)
            if found is not None:
                return total + found
            total += self.retreats.get(before, 0.0)
            before = before[1:]
        return total + self.scores.get(unit, _FLOOR)

    def guesses(self, word: str, most: int = 2) -> tuple[Pronunciation, ...]:
        """Return the likeliest pronunciations, best first; none for a word without letters."""
        rows: dict[tuple[str, Pronunciation], float] = {(START, ()): 0.0}
        for letter in filter(self.units.__contains__, fold(word)):
            rows = dict(nlargest(_BEAM, self._longer(rows, letter).items(), key=_worth))
        ends: dict[Pronunciation, float] = {}
        for (before, phones), score in rows.items():
            ended = score + self.score(before, END)
            ends[phones] = max(ended, ends.get(phones, ended))
        best = nlargest(most, ((p, s) for p, s in ends.items() if p), key=_worth)
        least = best[0][1] + float(np.log(_ALTERNATIVE)) if best else 0.0
        return tuple(phones for phones, score in best if score >= least)

    def _longer(
        self, rows: dict[tuple[str, Pronunciation], float], letter: str
    ) -> dict[tuple[str, Pronunciation], float]:
        """Return the sequences extended by each unit of one more letter."""
        longer: dict[tuple[str, Pronunciation], float] = {}
        for (before, phones), score in rows.items():
            for unit, more in self.units[letter]:
                key = ((before + unit)[1 - ORDER :], phones + more)
                total = score + self.score(before, unit)
                if total > longer.get(key, -np.inf):
                    longer[key] = total
        return longer


def _worth(pair: tuple[object, float]) -> float:
    return pair[1]


@cache
def letters() -> Letters:
    """Return the model that comes with Charley."""
    return Letters.load(models_file("g2p-en.npz"))


def guesses(word: str) -> tuple[Pronunciation, ...]:
    """Return one or two likely pronunciations of a word, best first; none without letters."""
    return letters().guesses(word)
