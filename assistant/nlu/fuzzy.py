"""How alike words and phrases are, and which known word another was meant to be.

The one user of rapidfuzz, compiled or in pure Python.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from assistant.nlu.intents import Intents
from assistant.nlu.thresholds import (
    REPAIR_WORDS_TRIED,
    SPELLING_CUTOFF,
    SPELLING_MARGIN,
    SPELLING_MIN_LETTERS,
)

_KEPT = 10_000
"""Corrections remembered; a paste of nonsense must not fill the memory."""


class Corrector:
    """Corrects unknown words to known ones."""

    def __init__(self, intents: Intents) -> None:
        self._decoys = intents.language.decoys
        self._known = _by_letter(vocabulary(intents))
        self._corrected: dict[str, str] = {}

    def corrected(self, word: str) -> str:
        """Return the known word that an unknown one is meant to be, or the word itself."""
        known = self._known.get(word[0], ())
        if len(word) < SPELLING_MIN_LETTERS or word in known or word in self._decoys:
            return word
        if word not in self._corrected:
            if len(self._corrected) > _KEPT:
                self._corrected.clear()
            self._corrected[word] = _closest(word, known)
        return self._corrected[word]


def similarity(one: str, other: str) -> float:
    """Return how alike two texts are, letter by letter, 0 to 100."""
    return fuzz.ratio(one, other)


def similar_words(word: str, known: Iterable[str], cutoff: float) -> tuple[str, ...]:
    """Return the known words that are like another one, the most alike first."""
    found = process.extract(
        word, known, scorer=fuzz.ratio, score_cutoff=cutoff, limit=REPAIR_WORDS_TRIED
    )
    return tuple(near for near, score, _ in found if score < 100.0)


def vocabulary(intents: Intents) -> set[str]:
    """Return every word that some template or list knows."""
    found = intents.automaton.words() | intents.skip_words
    for values in intents.lists.values():
        for value in values:
            found.update(value.words)
    return found


def _by_letter(words: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return words by their first letter; a typing mistake seldom touches it."""
    groups: dict[str, set[str]] = {}
    for word in words:
        groups.setdefault(word[0], set()).add(word)
    return {letter: frozenset(group) for letter, group in groups.items()}


def _closest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like an unknown one, if it is alike enough and alone."""
    found = process.extract(
        word, sorted(known), scorer=fuzz.ratio, score_cutoff=SPELLING_CUTOFF, limit=2
    )
    if not found or (len(found) == 2 and found[0][1] - found[1][1] < SPELLING_MARGIN):
        return word
    return str(found[0][0])
