"""Which phrase an utterance was meant to be when one word of it slipped: "turn it town".

A recogniser slips in small words. The whole utterance must then be one phrase that a template
knows, with a cutoff for the slip and for the phrase, and a margin over the next other meaning. A
muscle is never guessed, a veto never unheard, and what counts only exactly, such as stop and pause,
is never taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace

from assistant.nlu.fuzzy import alike, like
from assistant.nlu.intents import Intents
from assistant.nlu.parser import Chart, Slip
from assistant.nlu.result import Match, NoMatch
from assistant.nlu.scoring import CRAMP
from assistant.nlu.templates import GUARD

RED_FLAG = "redflag_"
"""How the names of the signs begin at which Charley must not coach."""

WORD_CUTOFF = 75.0
"""How alike the slip and the word that was meant must be, letter by letter, 0 to 100."""

PHRASE_CUTOFF = 80.0
"""How alike the whole utterance and the phrase must be, 0 to 100."""

SMALL_CUTOFF = 93.0
"""The same where only small words were heard as they were meant: "it still hurt"."""

PHRASE_MARGIN = 3.0
"""How much more alike than the next phrase that means something else."""

SESSION = "session"
"""The context flag of a conversation; without it a phrase would start one."""

_FEWEST_WORDS = 3
"""Words of a complaint that may rest on a slip: "tummy tuck" is none."""

_MOST_WORDS = 8
"""Words beyond which an utterance is talk and not a slip."""

_KEPT = 5_000
"""Words remembered with those that are like them."""

Words = tuple[str, ...]
Read = Callable[[Words, float], Match | NoMatch]
"""Reads words as an utterance; the number is what its score is worth."""


class Slips:
    """Mends one slip in an utterance."""

    def __init__(self, intents: Intents, chart: Chart) -> None:
        self._language = intents.language
        self._chart = chart
        self._light = intents.language.small | intents.language.ignored | intents.skip_words
        self._exact = {t.text for t in intents.templates if t.block.exact}
        self._places = {
            w
            for values in intents.lists.values()
            for v in values
            if "muscle" in v.slots
            for w in v.words
        }
        known = intents.network.words() - self._places
        self._known = sorted(known | set(intents.language.ignored))
        self._like: dict[str, Words] = {}

    def match(self, words: Words, context: frozenset[str] | None, read: Read) -> Match | None:
        """Return the meaning of the phrase that the words were meant to be, or None."""
        if not 1 < len(words) <= _MOST_WORDS:
            return None
        said = " ".join(words)
        guards = self._guards(words)
        meant = dict.fromkeys(self._chart.nearly(words, lambda at: self._slips(words, at, guards)))
        ranked = sorted(((alike(said, " ".join(m)), m) for m in meant if m), reverse=True)
        if not ranked or ranked[0][0] < PHRASE_CUTOFF:
            return None
        best = ranked[0][0]
        near = [read(m, score / 100.0) for score, m in ranked if best - score < PHRASE_MARGIN]
        found = near[0]
        if not isinstance(found, Match) or any(_differ(found, other) for other in near):
            return None
        if not self._counts(found, words, ranked[0][1], context):
            return None
        if found.intent.startswith(RED_FLAG):
            # Heard so, or nearly so: that is worth one safety question, not a warning.
            return replace(found, barge_in=False, slots={**found.slots, "certain": "no"})
        return replace(found, barge_in=False)

    def _slips(self, words: Words, at: int, guards: set[str]) -> Iterator[Slip]:
        """Yield what may have been meant by the words at a position."""
        word = words[at]
        near = self._near(word)
        if self._chart.asks(word, at):
            return  # "is that right" is no "that is right"
        if at and any(other in self._language.ignored for other in (word, *near)):
            yield at + 1, ""  # "my calf his cramping" has an "is" in it, "his calf" has none
        if word in guards or word in self._places or word in self._language.decoys:
            return
        if word in self._language.small:
            yield at + 1, ""
        for other in near:
            yield at + 1, other
        if at + 1 < len(words):
            for other in self._near(word + words[at + 1]):
                yield at + 2, other

    def _near(self, word: str) -> Words:
        """Return the words that one may have been meant to be."""
        if word not in self._like:
            if len(self._like) > _KEPT:
                self._like.clear()
            self._like[word] = like(word, self._known, WORD_CUTOFF)
        return self._like[word]

    def _guards(self, words: Words) -> set[str]:
        """Return the words that veto."""
        segments = self._chart.segments(words)
        found = (s for s in segments if self._chart.block(s).intent == GUARD)
        return {word for s in found for word in words[s.start : s.end]}

    def _counts(
        self, found: Match, words: Words, meant: Words, context: frozenset[str] | None
    ) -> bool:
        """Return True if enough was heard as it was meant, for what it would do."""
        if found.phrase in self._exact:
            return False
        kept = (set(words) & set(meant)) - self._light
        if found.intent == CRAMP and len(words) < _FEWEST_WORDS:
            return False
        if context and SESSION in context:
            return bool(kept) or found.score >= SMALL_CUTOFF
        return found.intent == CRAMP and "muscle" in found.slots and bool(kept - self._places)


def _differ(one: Match, other: Match | NoMatch) -> bool:
    return not isinstance(other, Match) or (one.intent, one.slots) != (other.intent, other.slots)
