"""The decoding graph of a model folder: lexicon to `HCLr.fst`, word grammar to `Gr.fst`.

`python -m models.graph MODEL intents/en` adds the words of `intents/en` to those that it has.
Only this module is needed to add words to a finished model; nothing is trained.
Do not import it beside `vosk`: both carry a copy of Kaldi's FST library.
"""

from __future__ import annotations

import argparse
import math
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import kaldifst

from . import lexicon
from .phones import PHONES, SILENCE, forward_id, loop_id
from .spelling import guess

UNKNOWN = "[unk]"


@dataclass(frozen=True)
class Costs:
    """Negative logarithms that the graph adds to the network's scores."""

    stay: float = 0.1
    silence_stay: float = 0.05
    silence: float = 0.7
    no_silence: float = 0.3
    unknown: float = 4.0
    unknown_phone: float = 1.4


Arc = tuple[int, int, int, int, float]  # from, to, transition-id, word, cost


class Lexicon:
    """The words as a graph over transition-ids; words share their endings."""

    def __init__(self, costs: Costs) -> None:
        self.costs = costs
        self.arcs: list[Arc] = []
        self._states = 0
        self._endings: dict[tuple[str, ...], int] = {}
        self.start, self.loop, self.word_end = self._state(), self._state(), self._state()
        self._endings[()] = self.word_end
        self._silences()

    def _state(self) -> int:
        self._states += 1
        return self._states - 1

    def _silences(self) -> None:
        """Silence may stand before the first word and after each."""
        costs = self.costs
        silence = self._state()
        for source in (self.start, self.word_end):
            self.arcs.append((source, self.loop, 0, 0, costs.no_silence))
            self.arcs.append((source, silence, forward_id(SILENCE), 0, costs.silence))
        self.arcs.append((silence, silence, loop_id(SILENCE), 0, costs.silence_stay))
        self.arcs.append((silence, self.loop, 0, 0, 0.0))

    def _rest(self, phones: tuple[str, ...]) -> int:
        """The state inside the first of these phones, from where the others follow."""
        if phones not in self._endings:
            following = phones[1:]
            state = self._state()
            self._endings[phones] = state
            self.arcs.append((state, state, loop_id(phones[0]), 0, self.costs.stay))
            if following:
                entry = forward_id(following[0])
                self.arcs.append((state, self._rest(following), entry, 0, 0.0))
            else:
                self.arcs.append((state, self.word_end, 0, 0, 0.0))
        return self._endings[phones]

    def add(self, word: int, pronunciations: tuple[tuple[str, ...], ...]) -> None:
        """A word: its label stands on the first arc, so that a grammar composes quickly."""
        for phones in pronunciations:
            entry = forward_id(phones[0])
            self.arcs.append((self.loop, self._rest(phones), entry, word, 0.0))

    def add_unknown(self, word: int) -> None:
        """Anything at all: a loop over the phones, with a price for each."""
        costs = self.costs
        hub = self._state()
        for phone in PHONES:
            if phone != SILENCE:
                inside = self._state()
                price = costs.unknown_phone
                self.arcs += [
                    (self.loop, inside, forward_id(phone), word, costs.unknown + price),
                    (hub, inside, forward_id(phone), 0, price),
                    (inside, inside, loop_id(phone), 0, costs.stay),
                    (inside, hub, 0, 0, 0.0),
                ]
        self.arcs.append((hub, self.word_end, 0, 0, 0.0))

    def compile(self) -> kaldifst.StdVectorFst:
        """The graph, sorted for composition with a word grammar."""
        order = sorted(self.arcs, key=lambda arc: (arc[0], arc[1:]))
        lines = [f"{a} {b} {tid} {word} {cost:.3f}" for a, b, tid, word, cost in order]
        fst = kaldifst.compile("\n".join([*lines, str(self.loop), ""]), acceptor=False)
        kaldifst.arcsort(fst, sort_type="olabel")
        return fst


def present_words(model: Path) -> list[str]:
    """The words that a model folder has already."""
    table = model / "graph" / "words.txt"
    lines = table.read_text(encoding="utf-8").splitlines() if table.exists() else []
    return [word for word in (line.split()[0] for line in lines) if word.isascii()][2:]


def spoken(word: str) -> tuple[tuple[str, ...], ...]:
    """How a word is said, guessed from its letters where nobody knows."""
    return lexicon.pronunciations(word) or (guess(word),)


def _word_loop(words: list[str]) -> kaldifst.StdVectorFst:
    """The grammar used where the caller gives none: any words in any order."""
    cost = math.log(len(words))
    lines = [f"0 0 {index} {index} {cost:.2f}" for index, _ in enumerate(words, 1)]
    fst = kaldifst.compile("\n".join([*lines, "0", ""]), acceptor=False)
    kaldifst.arcsort(fst, sort_type="ilabel")
    return fst


def build(words: list[str], out: Path, costs: Costs) -> None:
    """Write the `graph` folder of a model."""
    graph = out / "graph"
    (graph / "phones").mkdir(parents=True, exist_ok=True)
    table = [UNKNOWN, *words]
    lexicon_graph = Lexicon(costs)
    lexicon_graph.add_unknown(1)
    for number, word in enumerate(words, 2):
        lexicon_graph.add(number, spoken(word))
    lexicon_graph.compile().write(str(graph / "HCLr.fst"))
    _word_loop(table).write(str(graph / "Gr.fst"))
    (graph / "words.txt").write_text("".join(_numbered(["<eps>", *table])), encoding="utf-8")
    (graph / "phones.txt").write_text("".join(_numbered(["<eps>", *PHONES])), encoding="utf-8")
    (graph / "disambig_tid.int").write_text("")


def _numbered(names: list[str]) -> Iterator[str]:
    for number, name in enumerate(names):
        yield f"{name} {number}\n"


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="model folder; its graph is written anew")
    parser.add_argument("sources", type=Path, nargs="*", help="YAML or text files, or folders")
    parser.add_argument("--frequent", type=int, default=0, help="add so many frequent words")
    parser.add_argument("--unknown", type=float, default=Costs.unknown, help="cost of [unk]")
    parser.add_argument("--unknown-phone", type=float, default=Costs.unknown_phone)
    options = parser.parse_args()
    own = lexicon.words_in_files(options.sources)
    for word in own:
        if not lexicon.pronunciations(word):
            print(f"{word}: guessed as {' '.join(guess(word))}; correct it in models/extra.dict")
    frequent = lexicon.frequent_words(options.frequent) if options.frequent else []
    words = {*present_words(options.model), *own, *lexicon.NUMBER_WORDS, *frequent}
    costs = Costs(unknown=options.unknown, unknown_phone=options.unknown_phone)
    build(sorted(word for word in words if spoken(word)), options.model, costs)
    print(f"{len(words)} words")


if __name__ == "__main__":
    main()
