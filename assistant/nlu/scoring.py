"""Which segments explain most of an utterance together, and what share of it a meaning explains."""

from __future__ import annotations

from collections.abc import Iterable

from assistant.nlu.parser import Segment, TemplateParser, Words
from assistant.nlu.templates import ASIDE, Block, Context
from assistant.nlu.thresholds import (
    ASIDE_COST,
    COMPLAINT_WEIGHT,
    LONE_WORD_EXTRA,
    LONG_PHRASE_RELIEF,
    LONG_PHRASE_WORDS,
    OTHER_WEIGHT,
    SEGMENT_COST,
    SKIP_WORD_WEIGHT,
    SMALL_WEIGHT,
)

CRAMP = "cramp"
"""The intent whose slots may come with every other one."""

_RANK_TIE, _CONTEXT_TIE, _ORDER_TIE = 1e-4, 1e-2, 1e-7
"""What decides between segments that explain the same: precedence, context, order in the files."""
_LAST_RANK = 99


class Scorer:
    """Scores the segments of one utterance."""

    def __init__(self, parser: TemplateParser, words: Words, context: Context) -> None:
        self._parser = parser
        self._words = words
        self._context = context
        # A verb in front asks ("is that right"), so there it is no skip word.
        self._light = [
            parser.is_skip_word(word) and not parser.asks(word, at) for at, word in enumerate(words)
        ]

    def best(self, eligible: Iterable[Segment]) -> list[Segment]:
        """Return the segments, one after another, that explain the most words."""
        by_end: dict[int, list[Segment]] = {}
        for segment in eligible:
            by_end.setdefault(segment.end, []).append(segment)
        best: list[tuple[float, tuple[Segment, ...]]] = [(0.0, ())]
        for end in range(1, len(self._words) + 1):
            choice = best[end - 1]
            for segment in by_end.get(end, ()):
                value = best[segment.start][0] + self._value(segment)
                if value > choice[0] + 1e-9:
                    choice = (value, (*best[segment.start][1], segment))
            best.append(choice)
        return list(best[-1][1])

    def _value(self, segment: Segment) -> float:
        """Return what a segment explains; between equals the stronger and earlier one wins."""
        block = self._parser.block(segment)
        light = self._light[segment.start : segment.end]
        words = sum(SKIP_WORD_WEIGHT if is_light else 1.0 for is_light in light)
        rank = self._parser.rank(block.intent) if block.has_meaning else _LAST_RANK
        elsewhere = 0 if block.counts_in(self._context) else 1
        ties = _RANK_TIE * rank + _CONTEXT_TIE * elsewhere + _ORDER_TIE * segment.template
        return words - SEGMENT_COST - ties - (ASIDE_COST if block.intent == ASIDE else 0.0)

    def share(
        self, chosen: Iterable[Segment], intent: str, asides: Iterable[Segment] = ()
    ) -> float:
        """Return the share of the words that carry something which an intent explains, 0 to 1."""
        credit = self._credits(chosen, intent, asides)
        telling = [
            at for at, is_light in enumerate(self._light) if not is_light and credit.get(at) != 0.0
        ]
        if not telling:
            return max(credit.values(), default=0.0)
        total = sum(1.0 if at in credit else self._weight(at) for at in telling)
        return sum(credit.get(at, 0.0) for at in telling) / total

    def _credits(
        self, chosen: Iterable[Segment], intent: str, asides: Iterable[Segment]
    ) -> dict[int, float]:
        """Return what each word in a segment counts for an intent, by its position."""
        around = {(s.start, s.end) for s in asides}
        by_word: dict[int, float] = {}
        for segment in chosen:
            credit = self._credit(segment, intent)
            if credit < 1.0 and (segment.start, segment.end) in around:
                credit = 0.0  # "no" before a complaint is no part of it
            by_word.update(dict.fromkeys(range(segment.start, segment.end), credit))
        return by_word

    def _credit(self, segment: Segment, intent: str) -> float:
        if self.supports(segment, intent):
            return 1.0
        is_kin = self._outranks_cramp(intent) and self.complains(segment)
        return COMPLAINT_WEIGHT if is_kin else OTHER_WEIGHT

    def _weight(self, at: int) -> float:
        """Return what a word counts that nothing explains."""
        return SMALL_WEIGHT if self._parser.is_small(self._words[at]) else 1.0

    def supports(self, segment: Segment, intent: str) -> bool:
        """Return True if a segment speaks for an intent; a cramp does for all that outrank it."""
        name = self._parser.block(segment).intent
        return name == intent or (name == CRAMP and self._outranks_cramp(intent))

    def complains(self, segment: Segment) -> bool:
        """Return True for what outranks a cramp: a danger, a complaint or a question."""
        block = self._parser.block(segment)
        return block.has_meaning and self._outranks_cramp(block.intent)

    def _outranks_cramp(self, intent: str) -> bool:
        return self._parser.rank(intent) < self._parser.rank(CRAMP)

    def cutoff(self, chosen: Iterable[Segment], block: Block) -> float:
        """Return the share, 0 to 100, that a meaning needs here.

        A long phrase is seldom an accident, a lone word often.
        """
        own = {
            at
            for at in self._explained(chosen, block.intent)
            if not self._light[at] and not self._parser.is_small(self._words[at])
        }
        if len(own) >= LONG_PHRASE_WORDS:
            return block.cutoff - LONG_PHRASE_RELIEF
        is_lone = len(own) <= 1 and not block.requires
        return block.cutoff + (LONE_WORD_EXTRA if is_lone else 0.0)

    def is_complete(
        self, chosen: Iterable[Segment], intent: str, asides: Iterable[Segment] = ()
    ) -> bool:
        """Return True if every word is of the same meaning, or is said around one."""
        explained = self._explained(chosen, intent)
        explained.update(at for s in self.best(asides) for at in range(s.start, s.end))
        return all(is_light or at in explained for at, is_light in enumerate(self._light))

    def _explained(self, chosen: Iterable[Segment], intent: str) -> set[int]:
        """Return the positions of the words that are an intent's own."""
        same = (s for s in chosen if self._parser.block(s).intent == intent)
        return {at for s in same for at in range(s.start, s.end)}
