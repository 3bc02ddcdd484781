"""All sentence templates as one automaton, through which an utterance is walked word by word.

A rule is woven once and then copied wherever a template refers to it: the rules hold most of the
words, and most templates hold a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from itertools import permutations
from typing import cast

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from assistant.datafile import Node
from assistant.errors import IntentDataError

FREE = ""
"""The symbol of a move that consumes nothing."""

Moves = list[list[tuple[str, int]]]
"""Of each state the symbols, a word or a {list}, and where they lead."""


@dataclass(slots=True)
class Network:
    """The automaton: state 0 is the start of every template."""

    moves: Moves = field(default_factory=lambda: [[]])
    ends: dict[int, int] = field(default_factory=dict)
    """The template that is complete in a state."""

    def words(self) -> set[str]:
        """Return every word that leads anywhere."""
        return {symbol for row in self.moves for symbol, _ in row if symbol and symbol[0] != "{"}


@dataclass(frozen=True, slots=True)
class Rule:
    """An expansion rule and where it stands."""

    expression: Expression
    node: Node


class Weaver:
    """Makes moves of expressions."""

    def __init__(
        self,
        rules: Mapping[str, Rule],
        lists: Collection[str],
        chunk: Callable[[str, bool], tuple[str, ...]],
    ) -> None:
        """Weave with these rules and lists; `chunk` makes words of a text, or of one in front."""
        self._rules = rules
        self._lists = lists
        self._chunk = chunk
        self._woven: dict[tuple[str, bool], Moves] = {}
        self._open: list[str] = []

    def template(self, network: Network, expression: Expression, node: Node) -> int:
        """Add a template to the network and return the state in which it is complete."""
        return _Weave(self, network.moves, node, opening=True).grow(expression, 0, None)

    def words(self, text: str, *, opening: bool) -> tuple[str, ...]:
        """Return the words of a piece of text; in front of a template more of them count."""
        return self._chunk(text, opening)

    def knows(self, name: str, node: Node) -> None:
        """Raise an IntentDataError if there is no such list."""
        if name not in self._lists:
            raise _unknown("list", name, self._lists, node)

    def rule(self, name: str, node: Node, *, opening: bool) -> Moves:
        """Return the moves of a rule: it leads from state 0 to state 1."""
        if name not in self._rules:
            raise _unknown("expansion rule", name, self._rules, node)
        if name in self._open:
            raise node.error(f"expansion rule “{name}” refers to itself.")
        key = (name, opening)
        if key not in self._woven:
            rule = self._rules[name]
            self._open.append(name)
            moves: Moves = [[], []]
            _Weave(self, moves, rule.node, opening=opening).grow(rule.expression, 0, 1)
            self._woven[key] = moves
            self._open.pop()
        return self._woven[key]


class _Weave:
    """One expression being woven into a table of moves."""

    def __init__(self, weaver: Weaver, moves: Moves, node: Node, *, opening: bool) -> None:
        self._weaver = weaver
        self._moves = moves
        self._node = node
        self._opening = opening

    def grow(self, part: Expression, state: int, end: int | None) -> int:
        """Append an expression to a state; return the state after it, which is `end` if given."""
        if isinstance(part, TextChunk):
            words = self._weaver.words(part.original_text, opening=self._in_front(state))
            return lay(self._moves, words, state, end)
        if isinstance(part, ListReference):
            self._weaver.knows(part.list_name, self._node)
            return lay(self._moves, (f"{{{part.list_name}}}",), state, end)
        if isinstance(part, RuleReference):
            return self._splice(part.rule_name, state, end)
        if isinstance(part, Alternative):
            return self._choose([[item] for item in part.items], state, end)
        if isinstance(part, Permutation):
            return self._choose(list(permutations(part.items)), state, end)
        return self._row(cast(Group, part).items, state, end)

    def _in_front(self, state: int) -> bool:
        return self._opening and state == 0

    def _row(self, items: Sequence[Expression], state: int, end: int | None) -> int:
        if not items:
            return lay(self._moves, (), state, end)
        for item in items[:-1]:
            state = self.grow(item, state, None)
        return self.grow(items[-1], state, end)

    def _choose(self, rows: Sequence[Sequence[Expression]], state: int, end: int | None) -> int:
        meeting = _new(self._moves) if end is None else end
        for row in rows:
            self._row(row, state, meeting)
        return meeting

    def _splice(self, name: str, state: int, end: int | None) -> int:
        """Copy the moves of a rule between two states."""
        woven = self._weaver.rule(name, self._node, opening=self._in_front(state))
        meeting = _new(self._moves) if end is None else end
        base = len(self._moves) - 2
        self._moves[state] += [(s, meeting if to == 1 else base + to) for s, to in woven[0]]
        self._moves += [
            [(s, meeting if to == 1 else base + to) for s, to in row] for row in woven[2:]
        ]
        return meeting


def lay(moves: Moves, words: Sequence[str], state: int, end: int | None) -> int:
    """Lead from a state over words to `end`, or to a new state, and return it."""
    if not words:
        if end is None or end == state:
            return state
        moves[state].append((FREE, end))
        return end
    for word in words[:-1]:
        following = _new(moves)
        moves[state].append((word, following))
        state = following
    following = _new(moves) if end is None else end
    moves[state].append((words[-1], following))
    return following


def _unknown(what: str, name: str, known: Iterable[str], node: Node) -> IntentDataError:
    from difflib import get_close_matches  # slow to import, and only mistakes need it

    hint = get_close_matches(name, list(known), 1)
    expected = f"expected “{hint[0]}”" if hint else "and nothing has a name like it"
    return node.error(f"unknown {what} “{name}”, {expected}.")


def _new(moves: Moves) -> int:
    """Return a new state without moves."""
    moves.append([])
    return len(moves) - 1
