"""All sentence templates as one automaton, through which an utterance is walked word by word."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

EPSILON = ""
"""The symbol of an arc that consumes no word."""

Arcs = list[list[tuple[str, int]]]
"""Of each state its arcs: a symbol, which is a word or a {list}, and the state behind it."""

START = 0
"""The state before the first word."""


@dataclass(slots=True)
class Automaton:
    """The automaton as it is compiled: nondeterministic, with epsilon arcs."""

    arcs: Arcs = field(default_factory=lambda: [[]])
    final: dict[int, int] = field(default_factory=dict)
    """A state to the template that is complete there."""

    def words(self) -> set[str]:
        """Return every word that leads anywhere."""
        return {symbol for row in self.arcs for symbol, _ in row if symbol and symbol[0] != "{"}


class LazyDfa:
    """The automaton made deterministic, state by state, as utterances need it."""

    def __init__(self, automaton: Automaton) -> None:
        self._automaton = automaton
        self._known: dict[frozenset[int], int] = {}
        self._targets: list[dict[str, list[int]]] = []
        self._steps: list[dict[str, int]] = []
        self.complete: list[tuple[int, ...]] = []
        """Of each state the templates that are complete there."""
        self._state([START])

    def step(self, state: int, symbol: str) -> int:
        """Return the state behind a word or a {list}, or -1."""
        steps = self._steps[state]
        if symbol not in steps:
            targets = self._targets[state].get(symbol)
            if targets is None:
                return -1  # not kept, so that nonsense cannot fill the memory
            steps[symbol] = self._state(targets)
        return steps[symbol]

    def _state(self, states: Iterable[int]) -> int:
        """Return the state for a set of states of the automaton."""
        closure, targets = self._closure(states)
        if closure not in self._known:
            self._known[closure] = len(self._steps)
            self._steps.append({})
            self._targets.append(targets)
            final = self._automaton.final
            self.complete.append(tuple(sorted({final[at] for at in closure if at in final})))
        return self._known[closure]

    def _closure(self, states: Iterable[int]) -> tuple[frozenset[int], dict[str, list[int]]]:
        """Return what epsilon arcs reach, and where each symbol leads from there."""
        targets: dict[str, list[int]] = {}
        found, queue = set(states), list(states)
        for state in queue:  # it grows while it is walked
            for symbol, target in self._automaton.arcs[state]:
                if symbol != EPSILON:
                    targets.setdefault(symbol, []).append(target)
                elif target not in found:
                    found.add(target)
                    queue.append(target)
        return frozenset(found), targets
