"""Which segments explain most of an utterance together, and what share of it a meaning explains."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.nlu.parser import Chart, Segment
from assistant.nlu.templates import SKIP, Block, allows

CRAMP = "cramp"
"""The intent whose slots may ride on every other one."""

OTHER_WEIGHT = 0.35
"""What a word counts that belongs to another meaning than the one taken, 0 to 1."""

COMPLAINT_WEIGHT = 0.7
"""The same for a complaint or a question beside another: "it won't let go, it's been ages"."""

SMALL_WEIGHT = 0.3
"""What a small word counts that nothing explains, 0 to 1."""

LONG_PHRASE = 3
"""Words that a meaning must explain to be believed among more that it does not."""

LONG_RELIEF = 6.0
"""By how much the cutoff of so long a phrase is lower."""

LONE_EXTRA = 15.0
"""By how much the cutoff is higher where one word is all of a meaning: "stitch this on for me"."""

_SKIP_WEIGHT = 0.3
"""What a skip word adds when a template takes it, so that "come on" beats "come"."""

_SEGMENT_COST = 0.15
"""What each segment costs, so that one long template beats two short ones."""

_ASIDE_COST = 0.05
"""What an aside costs beyond that: a command with the same words beats it."""


class Cover:
    """Weighs the segments of one utterance."""

    def __init__(
        self, chart: Chart, words: tuple[str, ...], context: frozenset[str] | None
    ) -> None:
        self._chart = chart
        self._words = words
        self._context = context
        # A verb in front asks ("is that right"), so there it is no small word.
        self._light = [
            chart.skips(word) and not chart.asks(word, at) for at, word in enumerate(words)
        ]

    def best(self, pool: Iterable[Segment]) -> list[Segment]:
        """Return the segments, one after another, that explain the most words."""
        by_end: dict[int, list[Segment]] = {}
        for segment in pool:
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
        block = self._chart.block(segment)
        words = sum(
            _SKIP_WEIGHT if self._light[at] else 1.0 for at in range(segment.start, segment.end)
        )
        rank = self._chart.rank(block.intent) if block.said else 99
        needs = 0 if allows(block, self._context) else 1
        ties = 1e-4 * rank + 1e-2 * needs + 1e-7 * segment.template
        return words - _SEGMENT_COST - ties - (_ASIDE_COST if block.intent == SKIP else 0.0)

    def share(
        self, chosen: Sequence[Segment], intent: str, asides: Iterable[Segment] = ()
    ) -> float:
        """Return the share of the words that carry something which an intent explains."""
        beside = {(s.start, s.end) for s in asides}
        worth: dict[int, float] = {}
        for segment in chosen:
            kin = self._beats_cramp(intent) and self.complains(segment)
            other = COMPLAINT_WEIGHT if kin else OTHER_WEIGHT
            own = 1.0 if self.serves(segment, intent) else other
            if own < 1.0 and (segment.start, segment.end) in beside:
                own = 0.0  # "no" before a complaint is no part of it
            worth.update(dict.fromkeys(range(segment.start, segment.end), own))
        heavy = [
            at for at in range(len(self._words)) if not self._light[at] and worth.get(at) != 0.0
        ]
        if not heavy:
            return max(worth.values(), default=0.0)
        total = sum(1.0 if at in worth else self._matter(at) for at in heavy)
        return sum(worth.get(at, 0.0) for at in heavy) / total

    def serves(self, segment: Segment, intent: str) -> bool:
        """Return True if a segment speaks for an intent; a cramp does for all that beat it."""
        name = self._chart.block(segment).intent
        return name == intent or (name == CRAMP and self._beats_cramp(intent))

    def complains(self, segment: Segment) -> bool:
        """Return True for what beats a cramp: a danger, a complaint or a question."""
        block = self._chart.block(segment)
        return block.said and self._beats_cramp(block.intent)

    def _beats_cramp(self, intent: str) -> bool:
        return self._chart.rank(intent) < self._chart.rank(CRAMP)

    def _matter(self, at: int) -> float:
        """Return how much a word matters that nothing explains."""
        return SMALL_WEIGHT if self._chart.small(self._words[at]) else 1.0

    def cutoff(self, chosen: Iterable[Segment], block: Block) -> float:
        """Return the share that a meaning needs here.

        A long phrase is seldom an accident, a lone word often.
        """
        own = {
            at
            for at in self._explained(chosen, block.intent)
            if not self._light[at] and not self._chart.small(self._words[at])
        }
        if len(own) >= LONG_PHRASE:
            return block.cutoff - LONG_RELIEF
        lone = len(own) <= 1 and not block.requires
        return block.cutoff + (LONE_EXTRA if lone else 0.0)

    def complete(
        self, chosen: Iterable[Segment], intent: str, asides: Iterable[Segment] = ()
    ) -> bool:
        """Return True if every word is of the same meaning, or is said around one."""
        explained = self._explained(chosen, intent)
        explained.update(at for s in self.best(asides) for at in range(s.start, s.end))
        return all(self._light[at] or at in explained for at in range(len(self._words)))

    def _explained(self, chosen: Iterable[Segment], intent: str) -> set[int]:
        """Return the places of the words that are an intent's own."""
        same = (s for s in chosen if self._chart.block(s).intent == intent)
        return {at for s in same for at in range(s.start, s.end)}
