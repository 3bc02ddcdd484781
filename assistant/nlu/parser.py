"""Which stretches of an utterance are whole sentence templates, from every position on.

The words are walked through the network; list values become slots on the way and skip words may
be stepped over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.nlu.automaton import FREE, Network
from assistant.nlu.intents import Intents
from assistant.nlu.templates import Block, Template

SIDE = "{side}"
"""The list whose values may stand inside those of another."""

Slots = tuple[tuple[str, str], ...]

Slip = tuple[int, str]
"""Where a slip ends, and the word that was meant; "" if nothing was."""

_Span = tuple[int, str, Slots]
"""A list value in an utterance: where it ends, its {list}, its slots."""


class Segment(NamedTuple):
    """A stretch of the utterance that is one whole template."""

    start: int
    end: int
    template: int
    slots: Slots

    def covers(self, other: Segment) -> bool:
        """Return True if another stretch lies inside this one."""
        return self.start <= other.start and other.end <= self.end

    def apart(self, other: Segment) -> bool:
        """Return True if it shares no word with another."""
        return self.end <= other.start or other.end <= self.start


class Chart:
    """Finds the templates of one language in utterances."""

    def __init__(self, intents: Intents) -> None:
        self._templates = intents.templates
        self._skip_words = intents.skip_words
        self._language = intents.language
        self._automaton = _Automaton(intents.network)
        self._rank = {name: at for at, name in enumerate(intents.language.precedence)}
        self._values = _Trie()
        for name, values in intents.lists.items():
            for value in values:
                self._values.add(value.words, name, value.slots)

    def rank(self, intent: str) -> int:
        """Return the place of an intent in the order of precedence, 0 the strongest."""
        return self._rank.get(intent, 0)

    def template(self, segment: Segment) -> Template:
        """Return the template that a segment is."""
        return self._templates[segment.template]

    def block(self, segment: Segment) -> Block:
        """Return what a segment means."""
        return self._templates[segment.template].block

    def skips(self, word: str) -> bool:
        """Return True if a word may stand anywhere."""
        return word in self._skip_words

    def small(self, word: str) -> bool:
        """Return True if a word carries little."""
        return word in self._language.small

    def asks(self, word: str, at: int) -> bool:
        """Return True for a verb in front, which makes a question."""
        return at == 0 and word in self._language.asking

    def segments(self, words: tuple[str, ...]) -> Iterator[Segment]:
        """Yield every stretch of the words that is one whole template."""
        spans = [list(self._spans(words, at)) for at in range(len(words))]
        for start in range(len(words)):
            yield from self._walk(words, spans, start)

    def nearly(
        self, words: tuple[str, ...], slips: Callable[[int], Iterable[Slip]]
    ) -> Iterator[tuple[str, ...]]:
        """Yield the words of every template that they all are but for one slip.

        `slips` tells what may have been said at a position. A list value is never a slip.
        """
        automaton = self._automaton
        spans = [list(self._spans(words, at)) for at in range(len(words))]
        stack: list[tuple[int, int, bool, tuple[str, ...]]] = [(0, 0, False, ())]
        while stack:
            at, state, slipped, meant = stack.pop()
            if at == len(words):
                if slipped and automaton.ends[state]:
                    yield meant
                continue
            steps = [(at + 1, words[at], words[at : at + 1], slipped)]
            steps += [(end, name, words[at:end], slipped) for end, name, _ in spans[at]]
            if not slipped:
                steps += [(end, word, (word,), True) for end, word in slips(at) if word]
                stack += [(end, state, True, meant) for end, word in slips(at) if not word]
            for end, symbol, said, wrong in steps:
                following = automaton.step(state, symbol)
                if following >= 0:
                    stack.append((end, following, wrong, meant + said))
            if at and words[at] in self._skip_words:
                stack.append((at + 1, state, slipped, meant))

    def _spans(self, words: tuple[str, ...], at: int) -> Iterator[_Span]:
        """Yield the list values that begin at a position.

        A side may stand inside a place, as in "inside of my left thigh".
        """
        place = self._values
        ridden: Slots = ()
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

    def _side(self, word: str) -> Slots:
        """Return the slot of a word that names a side by itself."""
        place = self._values.words.get(word)
        return next((slots for name, slots in place.values if name == SIDE), ()) if place else ()

    def _walk(
        self, words: tuple[str, ...], spans: list[list[_Span]], start: int
    ) -> Iterator[Segment]:
        """Yield the templates that begin at a position."""
        automaton, skip = self._automaton, self._skip_words
        stack: list[tuple[int, int, Slots]] = [(start, 0, ())]
        seen: set[tuple[int, int, Slots]] = set()
        while stack:
            here = stack.pop()
            at, state, slots = here
            if at == len(words) or here in seen:
                continue
            seen.add(here)
            moves = [(at + 1, words[at], slots)]
            moves += [(end, name, slots + more) for end, name, more in spans[at]]
            for end, symbol, filled in moves:
                following = automaton.step(state, symbol)
                if following >= 0:
                    stack.append((end, following, filled))
                    for template in automaton.ends[following]:
                        yield Segment(start, end, template, filled)
            if at > start and words[at] in skip:
                stack.append((at + 1, state, slots))


class _Automaton:
    """The network made deterministic, state by state, as utterances need it; 0 is its start."""

    def __init__(self, network: Network) -> None:
        self._network = network
        self._known: dict[frozenset[int], int] = {}
        self._moves: list[dict[str, list[int]]] = []
        self._steps: list[dict[str, int]] = []
        self.ends: list[tuple[int, ...]] = []
        self._state([0])

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
        moves: dict[str, list[int]] = {}
        found, queue = set(nodes), list(nodes)
        for node in queue:  # it grows while it is walked
            for symbol, target in self._network.moves[node]:
                if symbol != FREE:
                    moves.setdefault(symbol, []).append(target)
                elif target not in found:
                    found.add(target)
                    queue.append(target)
        closure = frozenset(found)
        if closure not in self._known:
            self._known[closure] = len(self._steps)
            self._steps.append({})
            self._moves.append(moves)
            ends = self._network.ends
            self.ends.append(tuple(sorted({ends[node] for node in closure if node in ends})))
        return self._known[closure]


@dataclass(slots=True)
class _Trie:
    """The values of all lists by their words."""

    words: dict[str, _Trie] = field(default_factory=dict)
    values: list[tuple[str, Slots]] = field(default_factory=list)

    def add(self, words: Iterable[str], name: str, slots: Mapping[str, str]) -> None:
        """Put a value of a list in its place."""
        place = self
        for word in words:
            place = place.words.setdefault(word, _Trie())
        place.values.append((f"{{{name}}}", tuple(slots.items())))
