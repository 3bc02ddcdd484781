"""One utterance read in one context: from the segments of its chart to one meaning.

1. A red flag anywhere wins, unless it is denied right there or part of an idiom.
2. Stop, pause and a bare side count only as the whole utterance.
3. Of the others those are chosen that explain most of the utterance together. The share of words
   explained is the score, each meaning has its cutoff, and a guard outside them vetoes.

A margin of 0 is no doubt by itself: "my calf's gone again" also contains a whole cramp, and the
order of precedence in language.yaml decides.
"""

from __future__ import annotations

from collections.abc import Sequence

from assistant.nlu.guards import Vetoes
from assistant.nlu.parser import Chart, Segment
from assistant.nlu.result import Candidate, Match, NoMatch
from assistant.nlu.scoring import CRAMP, Cover
from assistant.nlu.templates import GUARD, SKIP, Block, allows


class Reading:
    """One utterance being read in one context."""

    def __init__(
        self,
        chart: Chart,
        text: str,
        words: tuple[str, ...],
        context: frozenset[str] | None,
        worth: float,
    ) -> None:
        self._chart = chart
        self._text = text
        self._words = words
        self._context = context
        self._worth = worth
        self._cover = Cover(chart, words, context)
        found = list(chart.segments(words))
        self._asides = [s for s in found if self._block(s).intent == SKIP]
        self._said = [s for s in found if self._block(s).said]
        self._allowed = [s for s in self._said if allows(self._block(s), context)]
        guards = (
            s
            for s in found
            if self._block(s).intent == GUARD and not any(a.covers(s) for a in self._asides)
        )
        self._vetoes = Vetoes(chart, self._cover, guards)
        self._rejected: list[Candidate] = []

    def result(self) -> Match | NoMatch:
        """Return what the utterance means, or why it means nothing."""
        return self._alarm() or self._command() or self._sentence() or self._nothing()

    # --- the three ways to mean something ---

    def _alarm(self) -> Match | None:
        """Return the red flag that stands anywhere in the utterance."""
        alarms = [s for s in self._allowed if self._block(s).cutoff == 0.0]
        for segment in sorted(alarms, key=self._alarm_order):
            inside = [s for s in alarms if s.covers(segment) and s != segment]
            if any("certain" in self._block(s).slots for s in inside):
                continue  # an idiom that contains the words of the red flag
            if self._vetoes.denied(segment):
                self._reject(segment, "denied, or part of an idiom")
                continue
            beside = [s for s in self._cover.best(self._pool()) if s.apart(segment)]
            slots = self._slots([segment, *beside], self._block(segment).intent)
            if self._vetoes.doubted(segment):
                slots["certain"] = "no"
            return self._match(segment, slots, [segment, *beside])
        return None

    def _command(self) -> Match | None:
        """Return a command that counts only as the whole utterance."""
        exact = [s for s in self._allowed if self._block(s).exact]
        chosen = self._cover.best(exact)
        # "No" may be said around a command, but "not yet, no" is an answer.
        meant = {(s.start, s.end) for s in self._allowed}
        around = [s for s in self._asides if (s.start, s.end) not in meant]
        first = min(chosen, key=self._strength, default=None)
        if first is not None:
            intent = self._block(first).intent
            if self._cover.complete(chosen, intent, around) and not self._vetoes.idiom(chosen):
                return self._match(first, self._slots(chosen, intent), chosen)
        for segment in exact:
            self._reject(segment, "counts only as the whole utterance")
        return None

    def _sentence(self) -> Match | None:
        """Return the strongest meaning among the segments that explain the most."""
        chosen = self._cover.best(self._pool())
        for segment in sorted(chosen, key=self._strength):
            block = self._block(segment)
            if not allows(block, self._context) or not block.said:
                continue
            if veto := self._vetoes.against(chosen, block):
                self._reject(segment, f"vetoed by '{' '.join(self._words[veto.start : veto.end])}'")
                return None  # what is left over after a denial is no answer either
            share = self._share(chosen, block.intent)
            if share * 100.0 * self._worth < self._cover.cutoff(chosen, block):
                self._reject(segment, f"only {share:.0%} of the utterance is understood")
            else:
                return self._match(segment, self._slots(chosen, block.intent), chosen)
        return None

    def _nothing(self) -> NoMatch:
        for segment in self._said:
            if not allows(self._block(segment), self._context):
                self._reject(segment, "means nothing in this state")
        rejected = self._ranked()
        reason = rejected[0].why if rejected else "no sentence has these words"
        return NoMatch(self._text, reason, rejected)

    def _pool(self) -> list[Segment]:
        """Return what may explain the utterance: what is allowed, and what may ride on it.

        Beside a cramp that may be named at any time, its side and position may be named as well.
        """
        free = [s for s in self._allowed if not self._block(s).exact and self._block(s).cutoff]
        riders = [s for s in self._said if bool(free) and self._block(s).intent == CRAMP]
        riders = [s for s in riders if not self._block(s).exact]
        return list(dict.fromkeys(free + riders)) + self._asides

    # --- results ---

    def _match(self, segment: Segment, slots: dict[str, str], chosen: Sequence[Segment]) -> Match:
        block, template = self._block(segment), self._chart.template(segment)
        score = round(100.0 * self._share(chosen, block.intent) * self._worth, 1)
        taken = set(chosen)
        for other in self._allowed:
            if other not in taken and self._block(other).intent != block.intent:
                self._reject(other, f"weaker than {block.intent}")
        rejected = self._ranked()
        rivals = (c.score for c in rejected if c.intent != block.intent)
        lead = max(score - max(rivals, default=0.0), 0.0)
        return Match(
            self._text,
            block.intent,
            slots,
            score,
            lead,
            template.text,
            block.barge_in,
            rejected,
        )

    def _slots(self, chosen: Sequence[Segment], intent: str) -> dict[str, str]:
        """Return the slots of a meaning and of the cramp that is named with it."""
        slots: dict[str, str] = {}
        for wanted in (CRAMP, intent):
            for segment in sorted(chosen):
                block = self._block(segment)
                if block.intent == wanted:
                    slots.update(block.slots)
                    slots.update(segment.slots)
        return slots

    def _reject(self, segment: Segment, why: str) -> None:
        block, template = self._block(segment), self._chart.template(segment)
        score = round(100.0 * self._share([segment], block.intent) * self._worth, 1)
        slots = {**block.slots, **dict(segment.slots)}
        self._rejected.append(Candidate(block.intent, slots, template.text, score, why))

    def _ranked(self) -> tuple[Candidate, ...]:
        """Return the best rejected candidate of each intent, the best first."""
        best: dict[str, Candidate] = {}
        for candidate in self._rejected:
            kept = best.get(candidate.intent)
            if kept is None or candidate.score > kept.score:
                best[candidate.intent] = candidate
        return tuple(sorted(best.values(), key=lambda c: -c.score))

    def _share(self, chosen: Sequence[Segment], intent: str) -> float:
        return self._cover.share(chosen, intent, self._asides)

    def _block(self, segment: Segment) -> Block:
        return self._chart.block(segment)

    def _strength(self, segment: Segment) -> tuple[int, int]:
        block = self._block(segment)
        return self._chart.rank(block.intent) if block.said else 10_000, segment.start

    def _alarm_order(self, segment: Segment) -> tuple[int, int, int]:
        """Order alarms: certain before uncertain, then the strongest, then the longest."""
        doubtful = int("certain" in self._block(segment).slots)
        return doubtful, self._strength(segment)[0], segment.start - segment.end
