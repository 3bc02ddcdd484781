"""What in an utterance speaks against what was understood: denials, other people, other senses."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.nlu.parser import Chart, Segment
from assistant.nlu.scoring import CRAMP, Cover
from assistant.nlu.templates import SKIP, Block


class Vetoes:
    """The guards of one utterance."""

    def __init__(self, chart: Chart, cover: Cover, guards: Iterable[Segment]) -> None:
        self._chart = chart
        self._cover = cover
        self._guards = tuple(guards)

    def _kind(self, guard: Segment) -> str:
        return self._chart.block(guard).slots["kind"]

    def against(self, chosen: Sequence[Segment], block: Block) -> Segment | None:
        """Return the guard that stands outside everything understood."""
        answer = bool(block.requires) and block.intent != CRAMP
        known = self._understood(chosen, block.intent)
        for guard in self._guards:
            kind = self._kind(guard)
            if kind in ("person", "time") and answer:
                continue  # a question in a conversation may say "we" and "when"
            inside = any(segment.covers(guard) for segment in chosen)
            if not known.issuperset(range(guard.start, guard.end)) or (
                kind == "sense" and not inside
            ):
                return guard
        return None

    def _understood(self, chosen: Iterable[Segment], intent: str) -> set[int]:
        """Return the places of words that a meaning, or what is said around it, explains.

        A complaint beside it is no denial: "it won't let go, it's been ages".
        """
        return {
            at
            for s in chosen
            if self._chart.block(s).intent == SKIP
            or self._cover.serves(s, intent)
            or self._cover.complains(s)
            for at in range(s.start, s.end)
        }

    def idiom(self, chosen: Sequence[Segment]) -> bool:
        """Return True if the words together mean something else, as in "left right left"."""
        senses = [guard for guard in self._guards if self._kind(guard) == "sense"]
        return any(not any(s.covers(guard) for s in chosen) for guard in senses)

    def denied(self, segment: Segment) -> bool:
        """Return True if a negation stands right before a red flag, or it is part of an idiom."""
        for guard in self._guards:
            kind = self._kind(guard)
            before = segment.start - 1 <= guard.end <= segment.start
            around = guard.start < segment.start and guard.covers(segment)
            if kind == "negation" and (before or around):
                return True
            if kind == "sense" and not guard.apart(segment) and not segment.covers(guard):
                return True
        return False

    def doubted(self, segment: Segment) -> bool:
        """Return True if another time or another sense is named around a red flag."""
        return any(
            self._kind(guard) in ("time", "sense") and guard.apart(segment)
            for guard in self._guards
        )
