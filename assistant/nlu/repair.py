"""Which phrase an utterance was meant to be when one word of it was misheard: "turn it town".

A recogniser mishears small words. With that one word exchanged or left out, the whole utterance
must be one phrase of a template, with cutoffs for the word and for the phrase, and a margin over
the next other meaning. A muscle is never guessed, a guard never overheard, and what counts only as
the whole utterance, such as stop and pause, is never taken from here.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace

from assistant.nlu.fuzzy import similar_words, similarity
from assistant.nlu.intents import Intents
from assistant.nlu.parser import Edit, TemplateParser, Words
from assistant.nlu.result import Match, NoMatch
from assistant.nlu.scoring import CRAMP
from assistant.nlu.templates import GUARD, SESSION, Context
from assistant.nlu.thresholds import (
    REPAIR_MARGIN,
    REPAIR_MAX_WORDS,
    REPAIR_MIN_WORDS,
    REPAIR_PHRASE_CUTOFF,
    REPAIR_SMALL_CUTOFF,
    REPAIR_WORD_CUTOFF,
)

_KEPT = 5_000
"""Words remembered with those that are like them."""

Interpret = Callable[[Words, float], Match | NoMatch]
"""Interprets words as an utterance; the number, 0 to 1, is what its score is worth."""


class Repair:
    """Repairs one misheard word of an utterance."""

    def __init__(self, intents: Intents, parser: TemplateParser) -> None:
        self._rules = intents.language
        self._parser = parser
        self._light = intents.language.small | intents.language.ignored | intents.skip_words
        self._exact = {t.text for t in intents.templates if t.block.exact}
        self._muscles = _muscle_words(intents)
        self._fixed = self._muscles | intents.language.decoys
        known = intents.automaton.words() - self._muscles
        self._known = sorted(known | set(intents.language.ignored))
        self._similar: dict[str, Words] = {}

    def match(self, words: Words, context: Context, interpret: Interpret) -> Match | None:
        """Return the meaning of the phrase that the words were meant to be, or None."""
        if not 1 < len(words) <= REPAIR_MAX_WORDS:
            return None
        ranked = self._ranked(words)
        if not ranked or ranked[0][0] < REPAIR_PHRASE_CUTOFF:
            return None
        found = _agreed(ranked, interpret)
        if found is None or not self._is_believed(found, words, ranked[0][1], context):
            return None
        if found.is_red_flag:
            # Heard so, or nearly so: that is worth one safety question, not a warning.
            return replace(found, barge_in=False, slots={**found.slots, "certain": "no"})
        return replace(found, barge_in=False)

    def _ranked(self, words: Words) -> list[tuple[float, Words]]:
        """Return the phrases that may have been meant, the most alike first, with how alike."""
        said, guards = " ".join(words), self._guards(words)
        meant = self._parser.one_edit_away(words, lambda at: self._edits(words, at, guards))
        phrases = [phrase for phrase in dict.fromkeys(meant) if phrase]
        return sorted(((similarity(said, " ".join(p)), p) for p in phrases), reverse=True)

    def _edits(self, words: Words, at: int, guards: set[str]) -> Iterator[Edit]:
        """Yield what may have been meant by the words at a position."""
        word = words[at]
        similar = self._similar_to(word)
        if self._parser.asks(word, at):
            return  # "is that right" is no "that is right"
        if at and not self._rules.ignored.isdisjoint((word, *similar)):
            yield at + 1, ""  # "my calf his cramping" has an "is" in it, "his calf" has none
        if word in guards or word in self._fixed:
            return
        if word in self._rules.small:
            yield at + 1, ""
        yield from ((at + 1, other) for other in similar)
        if at + 1 < len(words):
            joined = self._similar_to(word + words[at + 1])
            yield from ((at + 2, other) for other in joined)

    def _similar_to(self, word: str) -> Words:
        """Return the words that one may have been meant to be."""
        if word not in self._similar:
            if len(self._similar) > _KEPT:
                self._similar.clear()
            self._similar[word] = similar_words(word, self._known, REPAIR_WORD_CUTOFF)
        return self._similar[word]

    def _guards(self, words: Words) -> set[str]:
        """Return the words that are in guards."""
        segments = self._parser.segments(words)
        found = (s for s in segments if self._parser.block(s).intent == GUARD)
        return {word for s in found for word in words[s.start : s.end]}

    def _is_believed(self, found: Match, words: Words, meant: Words, context: Context) -> bool:
        """Return True if enough was heard as it was meant, for what it would do."""
        if found.phrase in self._exact:
            return False
        kept = (set(words) & set(meant)) - self._light
        if found.intent == CRAMP and len(words) < REPAIR_MIN_WORDS:
            return False
        if context and SESSION in context:
            return bool(kept) or found.score >= REPAIR_SMALL_CUTOFF
        return found.intent == CRAMP and "muscle" in found.slots and bool(kept - self._muscles)


def _muscle_words(intents: Intents) -> set[str]:
    values = (value for row in intents.lists.values() for value in row)
    return {word for value in values if "muscle" in value.slots for word in value.words}


def _agreed(ranked: Sequence[tuple[float, Words]], interpret: Interpret) -> Match | None:
    """Return what the most alike phrase means, unless one nearly as alike means something else."""
    best = ranked[0][0]
    near = [interpret(p, score / 100.0) for score, p in ranked if best - score < REPAIR_MARGIN]
    first = near[0]
    if not isinstance(first, Match) or any(_differ(first, other) for other in near):
        return None
    return first


def _differ(one: Match, other: Match | NoMatch) -> bool:
    return not isinstance(other, Match) or (one.intent, one.slots) != (other.intent, other.slots)
