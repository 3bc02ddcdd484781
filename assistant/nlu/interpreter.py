"""One utterance interpreted in one context: from the templates found in it to one meaning.

1. A red flag anywhere wins, unless it is denied right there or part of an idiom.
2. Stop, pause and a bare side count only as the whole utterance.
3. Of the others those are chosen that explain most of the utterance together. The share of words
   explained is the score, each meaning has its cutoff, and a guard outside them blocks it.

A margin of 0 is no doubt by itself: "my calf's gone again" also contains a whole cramp, and the
order of precedence in language.yaml decides.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from assistant.nlu.guards import Guards
from assistant.nlu.parser import Segment, TemplateParser, Words
from assistant.nlu.result import Candidate, Match, NoMatch
from assistant.nlu.scoring import CRAMP, Scorer
from assistant.nlu.templates import ASIDE, GUARD, Block, Context

_LAST_RANK = 10_000


class Interpretation:
    """One utterance being interpreted in one context."""

    def __init__(
        self, parser: TemplateParser, text: str, words: Words, context: Context, worth: float
    ) -> None:
        """`worth`, 0 to 1, is what its score is worth: less than 1 if the words were corrected."""
        self._parser = parser
        self._text = text
        self._words = words
        self._context = context
        self._worth = worth
        self._scorer = Scorer(parser, words, context)
        found = list(parser.segments(words))
        self._asides = [s for s in found if self._block(s).intent == ASIDE]
        self._meaningful = [s for s in found if self._block(s).has_meaning]
        self._allowed = [s for s in self._meaningful if self._block(s).counts_in(context)]
        self._guards = Guards(parser, self._scorer, self._guards_in(found))
        self._rejected: list[Candidate] = []

    def result(self) -> Match | NoMatch:
        """Return what the utterance means, or why it means nothing."""
        return self._red_flag() or self._command() or self._sentence() or self._nothing()

    # --- The three ways to mean something ---

    def _red_flag(self) -> Match | None:
        """Return the red flag that is anywhere in the utterance."""
        flags = [s for s in self._allowed if self._block(s).cutoff == 0.0]
        for segment in sorted(flags, key=self._red_flag_order):
            if self._is_in_idiom(segment, flags):
                continue
            if self._guards.deny(segment):
                self._reject(segment, "denied, or part of an idiom")
                continue
            others = [s for s in self._scorer.best(self._eligible()) if s.is_apart(segment)]
            chosen = [segment, *others]
            slots = self._slots(chosen, self._block(segment).intent)
            if self._guards.cast_doubt_on(segment):
                slots["certain"] = "no"
            return self._match(segment, slots, chosen)
        return None

    def _command(self) -> Match | None:
        """Return a command that counts only as the whole utterance."""
        exact = [s for s in self._allowed if self._block(s).exact]
        chosen = self._scorer.best(exact)
        first = min(chosen, key=self._strength, default=None)
        if first is not None and self._is_whole(chosen, self._block(first).intent):
            return self._match(first, self._slots(chosen, self._block(first).intent), chosen)
        for segment in exact:
            self._reject(segment, "counts only as the whole utterance")
        return None

    def _sentence(self) -> Match | None:
        """Return the strongest meaning among the segments that explain the most."""
        chosen = self._scorer.best(self._eligible())
        for segment in sorted(chosen, key=self._strength):
            block = self._block(segment)
            if not block.counts_in(self._context) or not block.has_meaning:
                continue
            if guard := self._guards.blocking(chosen, block):
                words = " ".join(self._words[guard.start : guard.end])
                self._reject(segment, f"blocked by '{words}'")
                return None  # what is left over after a denial is no answer either
            share = self._share(chosen, block.intent)
            if share * 100.0 * self._worth >= self._scorer.cutoff(chosen, block):
                return self._match(segment, self._slots(chosen, block.intent), chosen)
            self._reject(segment, f"only {share:.0%} of the utterance is understood")
        return None

    def _nothing(self) -> NoMatch:
        for segment in self._meaningful:
            if not self._block(segment).counts_in(self._context):
                self._reject(segment, "means nothing in this state")
        rejected = self._ranked()
        reason = rejected[0].why if rejected else "no sentence has these words"
        return NoMatch(self._text, reason, rejected)

    # --- Which segments count ---

    def _guards_in(self, found: Iterable[Segment]) -> list[Segment]:
        """Return the guards that are no part of an aside."""
        guards = (s for s in found if self._block(s).intent == GUARD)
        return [s for s in guards if not any(a.contains(s) for a in self._asides)]

    def _is_in_idiom(self, segment: Segment, flags: Iterable[Segment]) -> bool:
        """Return True if an uncertain sign contains the words of this one."""
        around = (s for s in flags if s.contains(segment) and s != segment)
        return any("certain" in self._block(s).slots for s in around)

    def _is_whole(self, chosen: Sequence[Segment], intent: str) -> bool:
        """Return True if a command and what may be said around it are the whole utterance."""
        # "No" may be said around a command, but "not yet, no" is an answer.
        meant = {(s.start, s.end) for s in self._allowed}
        around = [s for s in self._asides if (s.start, s.end) not in meant]
        return self._scorer.is_complete(chosen, intent, around) and not self._guards.make_idiom(
            chosen
        )

    def _eligible(self) -> list[Segment]:
        """Return what may explain the utterance: what is allowed, and what may come with it.

        With a cramp that may be named at any time, its side and position may be named as well.
        """
        free = [s for s in self._allowed if not self._block(s).exact and self._block(s).cutoff]
        cramps = [s for s in self._meaningful if bool(free) and self._block(s).intent == CRAMP]
        cramps = [s for s in cramps if not self._block(s).exact]
        return list(dict.fromkeys(free + cramps)) + self._asides

    def _strength(self, segment: Segment) -> tuple[int, int]:
        block = self._block(segment)
        rank = self._parser.rank(block.intent) if block.has_meaning else _LAST_RANK
        return rank, segment.start

    def _red_flag_order(self, segment: Segment) -> tuple[int, int, int]:
        """Order red flags: certain before uncertain, then the strongest, then the longest."""
        is_uncertain = int("certain" in self._block(segment).slots)
        return is_uncertain, self._strength(segment)[0], segment.start - segment.end

    # --- Results ---

    def _match(self, segment: Segment, slots: dict[str, str], chosen: Sequence[Segment]) -> Match:
        block, template = self._block(segment), self._parser.template(segment)
        score = self._score(chosen, block.intent)
        taken = set(chosen)
        for other in self._allowed:
            if other not in taken and self._block(other).intent != block.intent:
                self._reject(other, f"weaker than {block.intent}")
        rejected = self._ranked()
        rivals = (c.score for c in rejected if c.intent != block.intent)
        margin = max(score - max(rivals, default=0.0), 0.0)
        return Match(
            self._text,
            block.intent,
            slots,
            score,
            margin,
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
        block, template = self._block(segment), self._parser.template(segment)
        slots = {**block.slots, **dict(segment.slots)}
        score = self._score([segment], block.intent)
        self._rejected.append(Candidate(block.intent, slots, template.text, score, why))

    def _ranked(self) -> tuple[Candidate, ...]:
        """Return the best rejected candidate of each intent, the best first."""
        best: dict[str, Candidate] = {}
        for candidate in self._rejected:
            known = best.get(candidate.intent)
            if known is None or candidate.score > known.score:
                best[candidate.intent] = candidate
        return tuple(sorted(best.values(), key=lambda c: -c.score))

    def _score(self, chosen: Iterable[Segment], intent: str) -> float:
        return round(100.0 * self._share(chosen, intent) * self._worth, 1)

    def _share(self, chosen: Iterable[Segment], intent: str) -> float:
        return self._scorer.share(chosen, intent, self._asides)

    def _block(self, segment: Segment) -> Block:
        return self._parser.block(segment)
