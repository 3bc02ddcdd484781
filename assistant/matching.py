"""What an utterance means: the one place where words become an intent with slots.

1. The words are walked through the network of templates from every position; list values become
   slots on the way and skip words may be stepped over. That yields segments.
2. A red flag anywhere wins, unless it is denied right there or part of an idiom.
3. Stop, pause and a bare side count only as the whole utterance.
4. Of the others those are chosen that explain most of the utterance together. The share of words
   explained is the score, each meaning has its cutoff, and a guard outside them vetoes.
5. Unknown words are corrected to known ones (rapidfuzz, with a cutoff and a margin) and it is read
   once more; a subset scorer on whole phrases would hear "stop" in "please do not stop".

A margin of 0 is no doubt by itself: "my calf's gone again" also contains a whole cramp, and the
order of precedence in language.yaml decides.
"""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from rapidfuzz import fuzz, process

from assistant.intents import GUARD, SKIP, Block, Intents, Network, Template, allows, content
from assistant.text import normalise

CRAMP = "cramp"
"""The intent whose slots may ride on every other one."""

OTHER_WEIGHT = 0.35
"""What a word counts that belongs to another meaning than the one taken, 0 to 1."""

SIDE = "{side}"
"""The list whose values may stand inside those of another."""

SMALL_WEIGHT = 0.4
"""What a small word counts that nothing explains, 0 to 1."""

LONG_PHRASE = 3
"""Words that a meaning must explain to be believed among more that it does not."""

LONG_RELIEF = 6.0
"""By how much the cutoff of so long a phrase is lower."""

WORD_CUTOFF = 82.0
"""How alike an unknown word and a known one must be, 0 to 100."""

WORD_MARGIN = 4.0
"""How much more alike than the next known word; "car" must not become one of two."""

_SHORTEST_TYPO = 5
"""Letters a word needs to be corrected; shorter ones are one letter from half the language."""

_CORRECTED = 0.95
"""What a score is worth that rests on a corrected word."""

_SKIP_WEIGHT = 0.3
"""What a skip word adds when a template takes it, so that "come on" beats "come"."""

_SEGMENT_COST = 0.15
"""What each segment costs, so that one long template beats two short ones."""


@dataclass(frozen=True, slots=True)
class Candidate:
    """A meaning that was considered and not taken."""

    intent: str
    slots: Mapping[str, str]
    phrase: str
    score: float
    why: str


@dataclass(frozen=True, slots=True)
class Match:
    """What an utterance means."""

    text: str
    """The utterance as it came."""
    intent: str
    slots: Mapping[str, str]
    score: float
    """Share of the utterance that is understood, 0 to 100."""
    margin: float
    """Lead over the best other intent, 0 to 100."""
    phrase: str
    """The sentence template that it matched."""
    barge_in: bool = False
    """True if it may cut Charley short before the utterance has ended."""
    rejected: tuple[Candidate, ...] = ()


@dataclass(frozen=True, slots=True)
class NoMatch:
    """An utterance that means nothing here."""

    text: str
    reason: str
    rejected: tuple[Candidate, ...] = ()


class _Segment(NamedTuple):
    """A stretch of the utterance that is one whole template."""

    start: int
    end: int
    template: int
    slots: tuple[tuple[str, str], ...]


class _Automaton:
    """The network made deterministic, state by state, as utterances need it."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: dict[frozenset[int], int] = {}
        self._moves: list[dict[str, set[int]]] = []
        self._steps: list[dict[str, int]] = []
        self.ends: list[tuple[int, ...]] = []
        self.start = self._state({0})

    def step(self, state: int, symbol: str) -> int:
        """Return the state after a word or a {list}, or -1."""
        steps = self._steps[state]
        if symbol not in steps:
            targets = self._moves[state].get(symbol)
            if targets is None:
                return -1  # not kept, so that nonsense cannot fill the memory
            steps[symbol] = self._state(targets)
        return steps[symbol]

    def _state(self, nodes: Iterable[int]) -> int:
        closure = frozenset(self._close(nodes))
        if closure not in self._known:
            self._known[closure] = len(self._steps)
            self._steps.append({})
            self._moves.append(self._gather(closure))
            ends = self._network.ends
            self.ends.append(tuple(sorted({ends[node] for node in closure if node in ends})))
        return self._known[closure]

    def _close(self, nodes: Iterable[int]) -> set[int]:
        found, queue = set(nodes), list(nodes)
        while queue:
            for node in self._network.free.get(queue.pop(), ()):
                if node not in found:
                    found.add(node)
                    queue.append(node)
        return found

    def _gather(self, nodes: Iterable[int]) -> dict[str, set[int]]:
        moves: dict[str, set[int]] = {}
        for node in nodes:
            for word, targets in self._network.words.get(node, {}).items():
                moves.setdefault(word, set()).update(targets)
            for name, targets in self._network.lists.get(node, {}).items():
                moves.setdefault(f"{{{name}}}", set()).update(targets)
        return moves


@dataclass(slots=True)
class _Trie:
    """The values of all lists by their words."""

    words: dict[str, "_Trie"] = field(default_factory=dict)
    values: list[tuple[str, tuple[tuple[str, str], ...]]] = field(default_factory=list)

    def add(self, words: Iterable[str], name: str, slots: Mapping[str, str]) -> None:
        """Put a value of a list in its place."""
        place = self
        for word in words:
            place = place.words.setdefault(word, _Trie())
        place.values.append((f"{{{name}}}", tuple(slots.items())))


class Matcher:
    """Matches utterances against the sentences of one language."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._language = intents.language
        self._templates = intents.templates
        self._automaton = _Automaton(intents.network)
        self._rank = {name: i for i, name in enumerate(intents.language.precedence)}
        self._values = _Trie()
        for name, values in intents.lists.items():
            for value in values:
                self._values.add(value.words, name, value.slots)
        self._vocabulary = _by_letter(_vocabulary(intents))
        self._corrections: dict[str, str] = {}

    def match(self, text: str, context: frozenset[str] | None = None) -> Match | NoMatch:
        """Return the meaning of an utterance in a context; None is every context at once."""
        words = content(normalise(text, self._language.spelling), self._language)
        if not words:
            return NoMatch(text, "no words")
        first = self._read(text, words, context, 1.0)
        if isinstance(first, Match) and first.score >= 100.0:
            return first
        corrected = tuple(self._correct(word) for word in words)
        if corrected == words:
            return first
        second = self._read(text, corrected, context, _CORRECTED)
        return second if self._better(second, first) else first

    def _read(
        self, text: str, words: tuple[str, ...], context: frozenset[str] | None, worth: float
    ) -> Match | NoMatch:
        return _Reading(self, text, words, context, worth).result()

    def _better(self, second: Match | NoMatch, first: Match | NoMatch) -> bool:
        """Return True if the corrected reading is the one to believe."""
        if isinstance(second, NoMatch) or isinstance(first, NoMatch):
            return isinstance(second, Match)
        return self.rank(second.intent) <= self.rank(first.intent) and second.score > first.score

    def rank(self, intent: str) -> int:
        """Return the place of an intent in the order of precedence, 0 the strongest."""
        return self._rank[intent]

    def template(self, index: int) -> Template:
        """Return a template by its place in the network."""
        return self._templates[index]

    def skips(self, word: str) -> bool:
        """Return True if a word may stand anywhere."""
        return word in self._intents.skip_words

    def small(self, word: str) -> bool:
        """Return True if a word carries little."""
        return word in self._language.small

    def asks(self, word: str, at: int) -> bool:
        """Return True for a verb in front, which makes a question."""
        return at == 0 and word in self._language.asking

    def segments(self, words: tuple[str, ...]) -> Iterator[_Segment]:
        """Yield every stretch of the words that is one whole template."""
        spans = [list(self._spans(words, at)) for at in range(len(words))]
        for start in range(len(words)):
            yield from self._walk(words, spans, start)

    def _spans(
        self, words: tuple[str, ...], at: int
    ) -> Iterator[tuple[int, str, tuple[tuple[str, str], ...]]]:
        """Yield the list values that begin at a position: where they end, list, slots.

        A side may stand inside a place, as in "inside of my left thigh".
        """
        place = self._values
        ridden: tuple[tuple[str, str], ...] = ()
        for end in range(at, len(words)):
            following = place.words.get(words[end])
            if following is None:
                side = self._side(words[end]) if end > at and not place.values else ()
                if not side:
                    return
                ridden = side
                continue
            place = following
            for name, slots in place.values:
                yield end + 1, name, slots + ridden

    def _side(self, word: str) -> tuple[tuple[str, str], ...]:
        """Return the slot of a word that names a side by itself."""
        place = self._values.words.get(word)
        return next((slots for name, slots in place.values if name == SIDE), ()) if place else ()

    def _walk(
        self,
        words: tuple[str, ...],
        spans: list[list[tuple[int, str, tuple[tuple[str, str], ...]]]],
        start: int,
    ) -> Iterator[_Segment]:
        """Yield the templates that begin at a position."""
        automaton, skip = self._automaton, self._intents.skip_words
        stack: list[tuple[int, int, tuple[tuple[str, str], ...]]]
        stack, seen = [(start, automaton.start, ())], set()
        while stack:
            here = stack.pop()
            if here in seen:
                continue
            seen.add(here)
            at, state, slots = here
            if at == len(words):
                continue
            moves = [(at + 1, words[at], slots)]
            moves += [(end, name, slots + more) for end, name, more in spans[at]]
            for end, symbol, filled in moves:
                following = automaton.step(state, symbol)
                if following >= 0:
                    stack.append((end, following, filled))
                    for template in automaton.ends[following]:
                        yield _Segment(start, end, template, filled)
            if at > start and words[at] in skip:
                stack.append((at + 1, state, slots))

    def _correct(self, word: str) -> str:
        """Return the known word that an unknown one is meant to be, or the word itself."""
        known = self._vocabulary.get(word[0], ())
        if len(word) < _SHORTEST_TYPO or word in known or word in self._language.decoys:
            return word
        if word not in self._corrections:
            if len(self._corrections) > 10_000:
                self._corrections.clear()
            self._corrections[word] = _closest(word, known)
        return self._corrections[word]


class _Reading:
    """One utterance being read in one context."""

    def __init__(
        self,
        matcher: Matcher,
        text: str,
        words: tuple[str, ...],
        context: frozenset[str] | None,
        worth: float,
    ) -> None:
        self._matcher = matcher
        self._text = text
        self._words = words
        self._context = context
        self._worth = worth
        # A verb in front asks ("is that right"), so there it is no small word.
        self._light = [
            matcher.skips(word) and not matcher.asks(word, at) for at, word in enumerate(words)
        ]
        found = list(matcher.segments(words))
        self._guards = [s for s in found if self._block(s).intent == GUARD]
        self._asides = [s for s in found if self._block(s).intent == SKIP]
        self._said = [s for s in found if self._block(s).intent not in (GUARD, SKIP)]
        self._allowed = [s for s in self._said if allows(self._block(s), context)]
        self._rejected: list[Candidate] = []

    def result(self) -> Match | NoMatch:
        """Return what the utterance means, or why it means nothing."""
        return self._alarm() or self._command() or self._sentence() or self._nothing()

    # --- the three ways to mean something ---

    def _alarm(self) -> Match | None:
        """Return the red flag that stands anywhere in the utterance."""
        alarms = [s for s in self._allowed if self._block(s).cutoff == 0.0]
        for segment in sorted(alarms, key=self._alarm_order):
            inside = [s for s in alarms if _covers(s, segment) and s != segment]
            if any(dict(self._block(s).slots).get("certain") for s in inside):
                continue  # an idiom that contains the words of the red flag
            if self._denied(segment):
                self._reject(segment, "denied, or part of an idiom")
                continue
            chosen = [segment, *(s for s in self._cover(self._pool()) if _apart(s, segment))]
            slots = self._slots(chosen, self._block(segment).intent)
            if self._doubted(segment):
                slots["certain"] = "no"
            return self._match(segment, slots, chosen)
        return None

    def _command(self) -> Match | None:
        """Return a command that counts only as the whole utterance."""
        exact = [s for s in self._allowed if self._block(s).exact]
        chosen = self._cover(exact)
        first = min(chosen, key=self._strength, default=None)
        if first is None or not self._complete(chosen, first) or self._idiom(chosen):
            for segment in exact:
                self._reject(segment, "counts only as the whole utterance")
            return None
        return self._match(first, self._slots(chosen, self._block(first).intent), chosen)

    def _sentence(self) -> Match | None:
        """Return the strongest meaning among the segments that explain the most."""
        chosen = self._cover(self._pool())
        for segment in sorted(chosen, key=self._strength):
            block = self._block(segment)
            if not allows(block, self._context) or block.intent in (SKIP, GUARD):
                continue
            if veto := self._veto(chosen, block):
                self._reject(segment, f"vetoed by '{' '.join(self._words[veto[0] : veto[1]])}'")
                return None  # what is left over after a denial is no answer either
            share = self._share(chosen, block.intent)
            if share * 100.0 * self._worth < self._cutoff(chosen, block):
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

    # --- choosing segments ---

    def _pool(self) -> list[_Segment]:
        """Return what may explain the utterance: what is allowed, and what may ride on it.

        Beside a cramp that may be named at any time, its side and position may be named as well.
        """
        free = [s for s in self._allowed if not self._block(s).exact and self._block(s).cutoff]
        riders = [s for s in self._said if bool(free) and self._block(s).intent == CRAMP]
        riders = [s for s in riders if not self._block(s).exact]
        return list(dict.fromkeys(free + riders)) + self._asides

    def _cover(self, pool: list[_Segment]) -> list[_Segment]:
        """Return the segments, one after another, that explain the most words."""
        by_end: dict[int, list[_Segment]] = {}
        for segment in pool:
            by_end.setdefault(segment.end, []).append(segment)
        best: list[tuple[float, tuple[_Segment, ...]]] = [(0.0, ())]
        for end in range(1, len(self._words) + 1):
            choice = best[end - 1]
            for segment in by_end.get(end, ()):
                value = best[segment.start][0] + self._value(segment)
                if value > choice[0] + 1e-9:
                    choice = (value, (*best[segment.start][1], segment))
            best.append(choice)
        return list(best[-1][1])

    def _value(self, segment: _Segment) -> float:
        """Return what a segment explains; between equals the stronger and earlier one wins."""
        block = self._block(segment)
        words = sum(self._weight(at) for at in range(segment.start, segment.end))
        rank = 99 if block.intent in (SKIP, GUARD) else self._matcher.rank(block.intent)
        needs = 0 if allows(block, self._context) else 1
        ties = 1e-4 * rank + 1e-2 * needs + 1e-7 * segment.template
        return words - _SEGMENT_COST - ties - (0.05 if block.intent == SKIP else 0.0)

    def _weight(self, at: int) -> float:
        return _SKIP_WEIGHT if self._light[at] else 1.0

    def _share(self, chosen: list[_Segment], intent: str) -> float:
        """Return the share of the words that carry something which an intent explains."""
        beside = {(s.start, s.end) for s in self._asides}
        worth: dict[int, float] = {}
        for segment in chosen:
            own = 1.0 if self._serves(segment, intent) else OTHER_WEIGHT
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

    def _serves(self, segment: _Segment, intent: str) -> bool:
        """Return True if a segment speaks for an intent; a cramp does for all that beat it."""
        name, rank = self._block(segment).intent, self._matcher.rank
        return name == intent or (name == CRAMP and rank(intent) < rank(CRAMP))

    def _matter(self, at: int) -> float:
        """Return how much a word matters that nothing explains."""
        return SMALL_WEIGHT if self._matcher.small(self._words[at]) else 1.0

    def _cutoff(self, chosen: list[_Segment], block: Block) -> float:
        """Return the share that a meaning needs here; a long phrase is seldom an accident."""
        own = {
            at
            for s in chosen
            if self._block(s).intent == block.intent
            for at in range(s.start, s.end)
            if not self._light[at] and not self._matcher.small(self._words[at])
        }
        return block.cutoff - (LONG_RELIEF if len(own) >= LONG_PHRASE else 0.0)

    def _complete(self, chosen: list[_Segment], first: _Segment) -> bool:
        """Return True if every word is a skip word or part of the same meaning."""
        same = [s for s in chosen if self._block(s).intent == self._block(first).intent]
        explained = {at for s in same for at in range(s.start, s.end)}
        return all(self._light[at] or at in explained for at in range(len(self._words)))

    # --- vetoes ---

    def _veto(self, chosen: list[_Segment], block: Block) -> tuple[int, int] | None:
        """Return the guard that stands outside everything understood."""
        answer = bool(block.requires) and block.intent != CRAMP
        known = {
            at
            for s in chosen
            if self._block(s).intent == SKIP or self._serves(s, block.intent)
            for at in range(s.start, s.end)
        }
        for guard in self._guards:
            kind = self._block(guard).slots["kind"]
            inside = any(_covers(s, guard) for s in chosen)
            if kind in ("person", "time") and answer:
                continue  # a question in a conversation may say "we" and "when"
            if not known.issuperset(range(guard.start, guard.end)) or (
                kind == "sense" and not inside
            ):
                return guard.start, guard.end
        return None

    def _idiom(self, chosen: list[_Segment]) -> bool:
        """Return True if the words together mean something else, as in "left right left"."""
        senses = [g for g in self._guards if self._block(g).slots["kind"] == "sense"]
        return any(not any(_covers(s, guard) for s in chosen) for guard in senses)

    def _denied(self, segment: _Segment) -> bool:
        """Return True if a negation stands right before a red flag, or it is part of an idiom."""
        for guard in self._guards:
            kind = self._block(guard).slots["kind"]
            before = segment.start - 1 <= guard.end <= segment.start
            around = guard.start < segment.start and _covers(guard, segment)
            if kind == "negation" and (before or around):
                return True
            if kind == "sense" and not _apart(guard, segment) and not _covers(segment, guard):
                return True
        return False

    def _doubted(self, segment: _Segment) -> bool:
        """Return True if another time or another sense is named around a red flag."""
        return any(
            self._block(guard).slots["kind"] in ("time", "sense") and _apart(guard, segment)
            for guard in self._guards
        )

    # --- results ---

    def _match(self, segment: _Segment, slots: dict[str, str], chosen: list[_Segment]) -> Match:
        intent = self._block(segment).intent
        score = round(100.0 * self._share(chosen, intent) * self._worth, 1)
        taken = set(chosen)
        for other in self._allowed:
            if other not in taken and self._block(other).intent != intent:
                self._reject(other, f"weaker than {intent}")
        rejected = self._ranked()
        lead = score - max((c.score for c in rejected if c.intent != intent), default=0.0)
        phrase, cuts = self._matcher.template(segment.template).text, self._block(segment).barge_in
        return Match(self._text, intent, slots, score, max(lead, 0.0), phrase, cuts, rejected)

    def _slots(self, chosen: list[_Segment], intent: str) -> dict[str, str]:
        """Return the slots of a meaning and of the cramp that is named with it."""
        slots: dict[str, str] = {}
        for wanted in (CRAMP, intent):
            for segment in sorted(chosen):
                block = self._block(segment)
                if block.intent == wanted:
                    slots.update(block.slots)
                    slots.update(segment.slots)
        return slots

    def _reject(self, segment: _Segment, why: str) -> None:
        block, template = self._block(segment), self._matcher.template(segment.template)
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

    def _block(self, segment: _Segment) -> Block:
        return self._matcher.template(segment.template).block

    def _strength(self, segment: _Segment) -> tuple[int, int]:
        block = self._block(segment)
        if block.intent in (SKIP, GUARD):
            return 10_000, segment.start
        return self._matcher.rank(block.intent), segment.start

    def _alarm_order(self, segment: _Segment) -> tuple[int, int, int]:
        """Order alarms: certain before uncertain, then the strongest, then the longest."""
        doubtful = int("certain" in self._block(segment).slots)
        return doubtful, self._strength(segment)[0], segment.start - segment.end


def _covers(outer: _Segment, inner: _Segment) -> bool:
    return outer.start <= inner.start and inner.end <= outer.end


def _apart(one: _Segment, other: _Segment) -> bool:
    return one.end <= other.start or other.end <= one.start


def _vocabulary(intents: Intents) -> set[str]:
    """Return every word that some template or list knows."""
    found = set(intents.skip_words)
    for moves in intents.network.words.values():
        found.update(moves)
    for values in intents.lists.values():
        for value in values:
            found.update(value.words)
    return found


def _by_letter(words: Iterable[str]) -> dict[str, frozenset[str]]:
    """Return words by their first letter; a typing mistake seldom touches it."""
    groups: dict[str, set[str]] = {}
    for word in words:
        groups.setdefault(word[0], set()).add(word)
    return {letter: frozenset(group) for letter, group in groups.items()}


def _closest(word: str, known: Iterable[str]) -> str:
    """Return the known word most like an unknown one, if it is alike enough and alone."""
    found = process.extract(
        word, sorted(known), scorer=fuzz.ratio, score_cutoff=WORD_CUTOFF, limit=2
    )
    if not found or (len(found) == 2 and found[0][1] - found[1][1] < WORD_MARGIN):
        return word
    return str(found[0][0])
