"""Which stretches of an utterance are whole sentence templates, from every position on.

The words are walked through the automaton; list values become slots on the way, and skip words may
be stepped over.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import NamedTuple

from assistant.nlu.automaton import EPSILON, START, LazyDfa
from assistant.nlu.intents import Intents
from assistant.nlu.templates import Block, Template

SIDE = "{side}"
"""The list whose values may come inside those of another."""

Words = tuple[str, ...]
Slots = tuple[tuple[str, str], ...]

Edit = tuple[int, str]
"""Where a misheard stretch ends, and the word that was meant; "" if none was."""

_Span = tuple[int, str, Slots]
"""A list value in an utterance: where it ends, its {list}, its slots."""

_Partial = tuple[int, int, bool, Words]
"""A template begun: the position, the state, whether a word was edited, the words meant so far."""


class Segment(NamedTuple):
    """A stretch of the utterance that is one whole template."""

    start: int
    end: int
    template: int
    slots: Slots

    def contains(self, other: Segment) -> bool:
        """Return True if another stretch lies inside this one."""
        return self.start <= other.start and other.end <= self.end

    def is_apart(self, other: Segment) -> bool:
        """Return True if it shares no word with another."""
        return self.end <= other.start or other.end <= self.start


class TemplateParser:
    """Finds the templates of one language in utterances."""

    def __init__(self, intents: Intents) -> None:
        self._templates = intents.templates
        self._skip_words = intents.skip_words
        self._rules = intents.language
        self._dfa = LazyDfa(intents.automaton)
        self._rank = {name: at for at, name in enumerate(intents.language.precedence)}
        self._values = _Trie()
        for name, values in intents.lists.items():
            for value in values:
                self._values.add(value.words, name, value.slots)

    def rank(self, intent: str) -> int:
        """Return the position of an intent in the order of precedence, 0 the strongest."""
        return self._rank.get(intent, 0)

    def template(self, segment: Segment) -> Template:
        """Return the template that a segment is."""
        return self._templates[segment.template]

    def block(self, segment: Segment) -> Block:
        """Return what a segment means."""
        return self._templates[segment.template].block

    def is_skip_word(self, word: str) -> bool:
        """Return True if a word may come anywhere."""
        return word in self._skip_words

    def is_small(self, word: str) -> bool:
        """Return True if a word carries little."""
        return word in self._rules.small

    def asks(self, word: str, at: int) -> bool:
        """Return True for a verb in front, which makes a question."""
        return at == 0 and word in self._rules.asking

    def segments(self, words: Words) -> Iterator[Segment]:
        """Yield every stretch of the words that is one whole template."""
        spans = self._spans(words)
        for start in range(len(words)):
            yield from self._segments_from(start, words, spans)

    def one_edit_away(
        self, words: Words, edits: Callable[[int], Iterable[Edit]]
    ) -> Iterator[Words]:
        """Yield the words of every template that the whole utterance is but for one edit.

        `edits` returns what may have been meant at a position. A list value is never edited.
        """
        spans = self._spans(words)
        stack: list[_Partial] = [(0, START, False, ())]
        while stack:
            partial = at, state, edited, meant = stack.pop()
            if at < len(words):
                stack += self._continued(partial, words, spans, edits)
            elif edited and self._dfa.complete[state]:
                yield meant

    def _continued(
        self,
        partial: _Partial,
        words: Words,
        spans: list[list[_Span]],
        edits: Callable[[int], Iterable[Edit]],
    ) -> Iterator[_Partial]:
        """Yield a template begun with what may come next: as it was heard, or edited."""
        at, state, edited, meant = partial
        steps = [(at + 1, words[at], words[at : at + 1], edited)]
        steps += [(end, name, words[at:end], edited) for end, name, _ in spans[at]]
        if at and words[at] in self._skip_words:
            steps.append((at + 1, EPSILON, (), edited))
        if not edited:
            steps += [(end, word, (word,) if word else (), True) for end, word in edits(at)]
        for end, symbol, said, is_edited in steps:
            following = self._dfa.step(state, symbol) if symbol else state
            if following >= 0:
                yield end, following, is_edited, meant + said

    def _spans(self, words: Words) -> list[list[_Span]]:
        """Return the list values that begin at each position."""
        return [list(self._spans_from(at, words)) for at in range(len(words))]

    def _spans_from(self, at: int, words: Words) -> Iterator[_Span]:
        """Yield the list values that begin at a position.

        A side may come inside another value, as in "inside of my left thigh".
        """
        node = self._values
        side: Slots = ()
        for end in range(at, len(words)):
            following = node.children.get(words[end])
            if following is None:
                inside = self._side(words[end]) if end > at and not node.values else ()
                if not inside:
                    return
                side = inside
                continue
            node = following
            for name, slots in node.values:
                yield end + 1, name, slots + side

    def _side(self, word: str) -> Slots:
        """Return the slot of a word that names a side by itself."""
        node = self._values.children.get(word)
        return next((slots for name, slots in node.values if name == SIDE), ()) if node else ()

    def _segments_from(
        self, start: int, words: Words, spans: list[list[_Span]]
    ) -> Iterator[Segment]:
        """Yield the templates that begin at a position."""
        dfa, skip = self._dfa, self._skip_words
        stack: list[tuple[int, int, Slots]] = [(start, START, ())]
        seen: set[tuple[int, int, Slots]] = set()
        while stack:
            here = stack.pop()
            at, state, slots = here
            if at == len(words) or here in seen:
                continue
            seen.add(here)
            steps = [(at + 1, words[at], slots)]
            steps += [(end, name, slots + more) for end, name, more in spans[at]]
            for end, symbol, filled in steps:
                following = dfa.step(state, symbol)
                if following >= 0:
                    stack.append((end, following, filled))
                    for template in dfa.complete[following]:
                        yield Segment(start, end, template, filled)
            if at > start and words[at] in skip:
                stack.append((at + 1, state, slots))


@dataclass(slots=True)
class _Trie:
    """The values of all lists by their words."""

    children: dict[str, _Trie] = field(default_factory=dict)
    values: list[tuple[str, Slots]] = field(default_factory=list)

    def add(self, words: Iterable[str], name: str, slots: Mapping[str, str]) -> None:
        """Add a value of a list under its words."""
        node = self
        for word in words:
            node = node.children.setdefault(word, _Trie())
        node.values.append((f"{{{name}}}", tuple(slots.items())))
