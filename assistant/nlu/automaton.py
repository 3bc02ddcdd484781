"""All sentence templates as one automaton, through which an utterance is walked word by word."""

from __future__ import annotations

from dataclasses import dataclass, field

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
