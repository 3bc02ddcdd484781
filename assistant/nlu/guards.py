"""What in an utterance speaks against a meaning: denials, other people, other times and senses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.nlu.parser import Segment, TemplateParser
from assistant.nlu.scoring import CRAMP, Scorer
from assistant.nlu.templates import ASIDE, Block


class Guards:
    """The guards of one utterance."""

    def __init__(self, parser: TemplateParser, scorer: Scorer, found: Iterable[Segment]) -> None:
        self._parser = parser
        self._scorer = scorer
        self._found = [(guard, parser.block(guard).slots["kind"]) for guard in found]

    def blocking(self, chosen: Sequence[Segment], block: Block) -> Segment | None:
        """Return the guard that keeps the chosen segments from meaning this; None for none."""
        is_answer = bool(block.requires) and block.intent != CRAMP
        known = self._understood(chosen, block.intent)
        for guard, kind in self._found:
            if is_answer and kind in ("person", "time"):
                continue  # a question in a conversation may say "we" and "when"
            if not known.issuperset(range(guard.start, guard.end)):
                return guard
            if kind == "sense" and not _is_inside(guard, chosen):
                return guard
        return None

    def _understood(self, chosen: Iterable[Segment], intent: str) -> set[int]:
        """Return the positions of words that a meaning, or what is said around it, explains.

        A complaint next to it is no denial: "it won't let go, it's been ages".
        """
        return {
            at
            for s in chosen
            if self._parser.block(s).intent == ASIDE
            or self._scorer.supports(s, intent)
            or self._scorer.complains(s)
            for at in range(s.start, s.end)
        }

    def make_idiom(self, chosen: Sequence[Segment]) -> bool:
        """Return True if the words together mean something else, as in "left right left"."""
        senses = (guard for guard, kind in self._found if kind == "sense")
        return any(not _is_inside(guard, chosen) for guard in senses)

    def deny(self, segment: Segment) -> bool:
        """Return True if a negation comes right before a red flag, or it is part of an idiom."""
        return any(_denies(guard, kind, segment) for guard, kind in self._found)

    def cast_doubt_on(self, segment: Segment) -> bool:
        """Return True if another time or another sense is named around a red flag."""
        return any(
            kind in ("time", "sense") and guard.is_apart(segment) for guard, kind in self._found
        )


def _is_inside(guard: Segment, chosen: Iterable[Segment]) -> bool:
    return any(segment.contains(guard) for segment in chosen)


def _denies(guard: Segment, kind: str, segment: Segment) -> bool:
    if kind == "negation":
        is_before = segment.start - 1 <= guard.end <= segment.start
        is_around = guard.start < segment.start and guard.contains(segment)
        return is_before or is_around
    return kind == "sense" and not guard.is_apart(segment) and not segment.contains(guard)
