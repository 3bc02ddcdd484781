"""The decoding graph of Charley's own models: words as phone sequences with shared endings.

A graph starts in front of silence, comes to the one final state before each word, and to `word_end`
after it. A phone is a state with a loop; an arc into it emits its first frame. A word's label
stands on its first arc, so that Vosk can join a grammar to the graph quickly.
"""

from __future__ import annotations

import math
from pathlib import Path

from assistant.asr import openfst
from assistant.asr.openfst import Arc, Graph
from assistant.speech_models.g2p import Pronunciation
from assistant.speech_models.phones import PHONES, forward_id, loop_id

WORDS, PHONE_NAMES = "words.txt", "phones.txt"
LEXICON, GRAMMAR = "HCLr.fst", "Gr.fst"
_PHONE_OF = {loop_id(phone): phone for phone in PHONES}


class WordGraph:
    """A lexicon as a graph over transition-ids, to which words can be added."""

    def __init__(self, graph: Graph, loop: int, word_end: int, stay: float) -> None:
        """`stay` is the cost of one more frame in a phone."""
        self.graph = graph
        self._loop, self._word_end, self._stay = loop, word_end, stay
        self._endings: dict[Pronunciation, int] = {(): word_end}
        """The phones that remain, to the state inside the first of them."""
        self._entries = {(arc.output, arc.input, arc.to) for arc in graph.states[loop]}

    @classmethod
    def read(cls, path: Path) -> WordGraph:
        """Read a graph that this class wrote; ValueError if it is another kind of graph."""
        graph = openfst.read(path)
        if len(graph.final) != 1:
            raise ValueError("not one final state")
        (loop,) = graph.final
        ends = [state for state in range(1, len(graph.states)) if _is_end(graph, state, loop)]
        if len(ends) != 1:
            raise ValueError("not one end of words")
        found = cls(graph, loop, ends[0], 0.0)
        found._find_endings()
        return found

    def _find_endings(self) -> None:
        """Record which states lead through a single sequence of phones to the end of a word."""
        rests: dict[int, Pronunciation] = {self._word_end: ()}
        for first in range(len(self.graph.states)):
            row, state = [], first
            while state not in rests and (step := self._chained(state)):
                row.append((state, step[0]))
                state = step[1]
            for inside, phone in reversed(row):
                if state in rests:
                    rests[inside] = (phone, *rests[state])
                    state = inside
        self._endings = {rest: state for state, rest in rests.items()}

    def _chained(self, state: int) -> tuple[str, int] | None:
        """Return a state's phone and its only successor; None if it has several."""
        arcs = self.graph.states[state]
        loops = [arc for arc in arcs if arc.to == state]
        if len(arcs) != 2 or len(loops) != 1 or loops[0].input not in _PHONE_OF:
            return None
        self._stay = loops[0].cost
        onward = arcs[0] if arcs[1] is loops[0] else arcs[1]
        return (_PHONE_OF[loops[0].input], onward.to) if not onward.output else None

    def add(self, word: int, phones: Pronunciation) -> None:
        """Add a pronunciation of a word, by its number; adding it twice has no effect."""
        entry, inside = forward_id(phones[0]), self._rest(phones)
        if (word, entry, inside) not in self._entries:
            self._entries.add((word, entry, inside))
            self.graph.states[self._loop].append(Arc(entry, word, 0.0, inside))

    def _rest(self, phones: Pronunciation) -> int:
        """Return the state inside the first of these phones, which leads through the others."""
        if phones not in self._endings:
            self._endings[phones] = state = self.graph.state()
            following = phones[1:]
            entry = forward_id(following[0]) if following else 0
            self.graph.states[state] = [
                Arc(loop_id(phones[0]), 0, self._stay, state),
                Arc(entry, 0, 0.0, self._rest(following)),
            ]
        return self._endings[phones]

    def write(self, path: Path) -> None:
        """Write the graph, sorted as a grammar needs it. Raises OSError."""
        self.graph.states = [sorted(arcs, key=lambda arc: arc[1::-1]) for arcs in self.graph.states]
        openfst.write(self.graph, path)


def _is_end(graph: Graph, state: int, loop: int) -> bool:
    arcs = graph.states[state]
    silent = any(arc.to == loop and not (arc.input or arc.output) for arc in arcs)
    return silent and all(arc.to != state for arc in arcs)


def read_words(path: Path) -> dict[str, int]:
    """Read a model's words with their numbers. Raises OSError; ValueError for another format."""
    rows = (line.split() for line in path.read_text(encoding="utf-8").splitlines())
    return {word: int(number) for word, number in rows}


def numbered(names: list[str]) -> str:
    """Return a table of names as Vosk reads it; number 0 is epsilon."""
    return "".join(f"{name} {number}\n" for number, name in enumerate(["<eps>", *names]))


def write_words(folder: Path, words: list[str]) -> None:
    """Write the tables of a `graph` folder, and a grammar of any words in any order. OSError."""
    cost = math.log(len(words))
    anything = Graph([[Arc(number, number, cost, 0) for number in range(1, len(words) + 1)]])
    anything.final[0] = 0.0
    openfst.write(anything, folder / GRAMMAR)
    (folder / WORDS).write_text(numbered(words), encoding="utf-8")
    (folder / PHONE_NAMES).write_text(numbered(list(PHONES)), encoding="utf-8")


def is_extensible(model: Path) -> bool:
    """Return whether a folder is one of Charley's own models, to which words can be added."""
    try:
        names = (model / "graph" / PHONE_NAMES).read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError):
        return False
    return names == numbered(list(PHONES))
