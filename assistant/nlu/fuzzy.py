"""How alike words and phrases are, and which known word another was meant to be.

The one user of rapidfuzz.
"""

from __future__ import annotations

from collections.abc import Iterable

from rapidfuzz import fuzz, process

from assistant.nlu.intents import Intents

WORD_CUTOFF = 82.0
"""How alike an unknown word and a known one must be, 0 to 100."""

WORD_MARGIN = 4.0
"""How much more alike than the next known word; "car" must not become one of two."""

_SHORTEST_TYPO = 5
"""Letters a word needs to be corrected; shorter ones are one letter from half the language."""

_LIKE = 12
"""Words looked at that are like another."""

_KEPT = 10_000
"""Corrections remembered; a paste of nonsense must not fill the memory."""


class Corrections:
    """Corrects unknown words to known ones."""

    def __init__(self, intents: Intents) -> None:
        self._decoys = intents.language.decoys
        self._known = _by_letter(vocabulary(intents))
        self._corrected: dict[str, str] = {}

    def word(self, word: str) -> str:
        """Return the known word that an unknown one is meant to be, or the word itself."""
        known = self._known.get(word[0], ())
        if len(word) < _SHORTEST_TYPO or word in known or word in self._decoys:
            return word
        if word not in self._corrected:
            if len(self._corrected) > _KEPT:
                self._corrected.clear()
            self._corrected[word] = _closest(word, known)
        return self._corrected[word]


def alike(one: str, other: str) -> float:
    """Return how alike two texts are, letter by letter, 0 to 100."""
    return fuzz.ratio(one, other)


def like(word: str, known: Iterable[str], cutoff: float) -> tuple[str, ...]:
    """Return the known words that are like one, the nearest first."""
    found = process.extract(word, known, scorer=fuzz.ratio, score_cutoff=cutoff, limit=_LIKE)
    return tuple(near for near, score, _ in found if score < 100.0)


def vocabulary(intents: Intents) -> set[str]:
    """Return every word that some template or list knows."""
    found = intents.network.words() | intents.skip_words
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
        word, sorted(known), scorer=fuzz.ratio, score_cutoff=WORD_CUTOFF, limit=2
    )
    if not found or (len(found) == 2 and found[0][1] - found[1][1] < WORD_MARGIN):
        return word
    return str(found[0][0])
