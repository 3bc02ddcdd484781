"""What an utterance means: the one place where words become an intent with slots.

1. The words are read as they came (`chart` finds the templates in them, `reading` chooses).
2. Unknown words are corrected to known ones (`likeness`), and they are read once more; a subset
   scorer on whole phrases would hear "stop" in "please do not stop".
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from assistant.nlu.fuzzy import Corrections
from assistant.nlu.intents import Intents
from assistant.nlu.interpreter import Reading
from assistant.nlu.normalise import normalise
from assistant.nlu.parser import Chart, Segment
from assistant.nlu.repair import RED_FLAG, Slips
from assistant.nlu.result import Candidate, Match, NoMatch
from assistant.nlu.templates import content

__all__ = ["Candidate", "Match", "Matcher", "NoMatch"]

_CORRECTED = 0.95
"""What a score is worth that rests on a corrected word."""


class Matcher:
    """Matches utterances against the sentences of one language."""

    def __init__(self, intents: Intents) -> None:
        self._language = intents.language
        self._chart = Chart(intents)
        self._corrections = Corrections(intents)
        self._slips = Slips(intents, self._chart)

    def match(self, text: str, context: frozenset[str] | None = None) -> Match | NoMatch:
        """Return the meaning of an utterance in a context; None is every context at once."""
        words = content(normalise(text, self._language.spelling), self._language)
        if not words:
            return NoMatch(text, "no words")

        def read(words: tuple[str, ...], worth: float) -> Match | NoMatch:
            return Reading(self._chart, text, words, context, worth).result()

        found = read(words, 1.0)
        if isinstance(found, Match) and found.score >= 100.0:
            return found
        corrected = tuple(self._corrections.word(word) for word in words)
        if corrected != words:
            second = _nearly(read(corrected, _CORRECTED))
            found = second if self._better(second, found) else found
        if isinstance(found, NoMatch):
            return self._slips.match(words, context, read) or found
        return found

    def _better(self, second: Match | NoMatch, first: Match | NoMatch) -> bool:
        """Return True if the corrected reading is the one to believe."""
        if isinstance(second, NoMatch) or isinstance(first, NoMatch):
            return isinstance(second, Match)
        rank = self._chart.rank
        return rank(second.intent) <= rank(first.intent) and second.score > first.score

    def segments(self, words: tuple[str, ...]) -> Iterator[Segment]:
        """Yield every stretch of the words that is one whole template."""
        return self._chart.segments(words)


def _nearly(found: Match | NoMatch) -> Match | NoMatch:
    """Return a meaning that rests on a corrected word; a red flag is then worth one question."""
    if isinstance(found, Match) and found.intent.startswith(RED_FLAG):
        return replace(found, barge_in=False, slots={**found.slots, "certain": "no"})
    return found
