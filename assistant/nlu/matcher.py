"""What an utterance means: the one place where words become an intent with slots.

1. The words are interpreted as they came: `parser` finds templates, `interpreter` chooses.
2. Unknown words are corrected to known ones (`fuzzy`), and the words are interpreted once more.
3. If that means nothing, one word may have been misheard (`repair`).

Templates match whole words in their order; a scorer of loose words would hear "stop" in "please do
not stop". A longer text is interpreted in windows, so that a red flag is found anywhere in it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace

from assistant.nlu.fuzzy import Corrector
from assistant.nlu.intents import Intents
from assistant.nlu.interpreter import Interpretation
from assistant.nlu.normalise import normalise
from assistant.nlu.parser import Segment, TemplateParser, Words
from assistant.nlu.repair import Interpret, Repair
from assistant.nlu.result import Candidate, Match, NoMatch
from assistant.nlu.templates import Context, content_words
from assistant.nlu.thresholds import SPELLING_WORTH, WINDOW_OVERLAP_WORDS, WINDOW_WORDS

__all__ = ["Candidate", "Match", "Matcher", "NoMatch"]


def windows(words: Words) -> tuple[Words, ...]:
    """Return the words in overlapping parts, each short enough to be one utterance."""
    step = WINDOW_WORDS - WINDOW_OVERLAP_WORDS
    starts = range(0, max(1, len(words) - WINDOW_OVERLAP_WORDS), step)
    return tuple(dict.fromkeys(words[at : at + WINDOW_WORDS] for at in starts))


class Matcher:
    """Matches utterances against the sentences of one language."""

    def __init__(self, intents: Intents) -> None:
        self._rules = intents.language
        self._parser = TemplateParser(intents)
        self._corrector = Corrector(intents)
        self._repair = Repair(intents, self._parser)

    def match(self, text: str, context: Context = None) -> Match | NoMatch:
        """Return the meaning of an utterance in a context; None is every context at once."""
        words = content_words(normalise(text, self._rules.spelling), self._rules)
        if not words:
            return NoMatch(text, "no words")
        return self._strongest(self._meaning(text, part, context) for part in windows(words))

    def _strongest(self, found: Iterable[Match | NoMatch]) -> Match | NoMatch:
        """Return the strongest meaning of the parts of a text, a red flag before all others."""
        parts = list(found)
        meanings = (part for part in parts if isinstance(part, Match))
        return min(meanings, key=lambda part: self._parser.rank(part.intent), default=parts[0])

    def _meaning(self, text: str, words: Words, context: Context) -> Match | NoMatch:
        """Return the meaning of some words of a text."""

        def interpret(words: Words, worth: float) -> Match | NoMatch:
            return Interpretation(self._parser, text, words, context, worth).result()

        found = interpret(words, 1.0)
        if isinstance(found, Match) and found.score >= 100.0:
            return found
        found = self._corrected(words, found, interpret)
        if isinstance(found, NoMatch):
            return self._repair.match(words, context, interpret) or found
        return found

    def _corrected(
        self, words: Words, found: Match | NoMatch, interpret: Interpret
    ) -> Match | NoMatch:
        """Return what the words mean with their spelling corrected, if that is better."""
        corrected = tuple(self._corrector.corrected(word) for word in words)
        if corrected == words:
            return found
        second = _doubted(interpret(corrected, SPELLING_WORTH))
        return second if self._is_better(second, found) else found

    def _is_better(self, second: Match | NoMatch, first: Match | NoMatch) -> bool:
        """Return True if the meaning of the corrected words is the one to believe."""
        if isinstance(second, NoMatch) or isinstance(first, NoMatch):
            return isinstance(second, Match)
        rank = self._parser.rank
        return rank(second.intent) <= rank(first.intent) and second.score > first.score

    def segments(self, words: Words) -> Iterator[Segment]:
        """Yield every stretch of the words that is one whole template."""
        return self._parser.segments(words)


def _doubted(found: Match | NoMatch) -> Match | NoMatch:
    """Return a meaning that rests on a corrected word; a red flag is then worth one question."""
    if isinstance(found, Match) and found.is_red_flag:
        return replace(found, barge_in=False, slots={**found.slots, "certain": "no"})
    return found
