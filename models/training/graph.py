"""Build the decoding graph of a model folder: lexicon to `HCLr.fst`, words to `Gr.fst`.

`python -m models.training.graph MODEL intents/en` keeps the words that MODEL has and adds those of
`intents/en`. Only the training needs it, for the costs; `charley models build` adds words to a
finished model.
"""

from __future__ import annotations

import argparse
from dataclasses import dataclass
from pathlib import Path

from assistant.asr.hypothesis import UNKNOWN
from assistant.asr.openfst import Arc, Graph
from assistant.speech_models import vocabulary
from assistant.speech_models.decoding_graph import (
    LEXICON,
    WORDS,
    WordGraph,
    read_words,
    write_words,
)
from assistant.speech_models.phones import PHONES, SILENCE, forward_id, loop_id
from models.training.data import word_list


@dataclass(frozen=True)
class Costs:
    """Negative logarithms that the graph adds to the network's scores."""

    stay: float = 0.1
    silence_stay: float = 0.05
    silence: float = 0.7
    no_silence: float = 0.3
    unknown: float = 4.0
    unknown_phone: float = 1.2


def empty(costs: Costs) -> WordGraph:
    """A graph without words: silence before the first word and after each, and `[unk]`."""
    graph = Graph()
    start, loop, word_end, silence = (graph.state() for _ in range(4))
    graph.final[loop] = 0.0
    for source in (start, word_end):
        graph.states[source] = [
            Arc(0, 0, costs.no_silence, loop),
            Arc(forward_id(SILENCE), 0, costs.silence, silence),
        ]
    graph.states[silence] = [
        Arc(loop_id(SILENCE), 0, costs.silence_stay, silence),
        Arc(0, 0, 0.0, loop),
    ]
    _add_unknown(graph, loop, word_end, costs)
    return WordGraph(graph, loop, word_end, costs.stay)


def _add_unknown(graph: Graph, loop: int, word_end: int, costs: Costs) -> None:
    """Word 1, anything at all: a loop over the phones, with a price for each."""
    hub = graph.state()
    for phone in PHONES:
        if phone != SILENCE:
            inside, price = graph.state(), costs.unknown_phone
            graph.states[loop].append(Arc(forward_id(phone), 1, costs.unknown + price, inside))
            graph.states[hub].append(Arc(forward_id(phone), 0, price, inside))
            graph.states[inside] = [
                Arc(loop_id(phone), 0, costs.stay, inside),
                Arc(0, 0, 0.0, hub),
            ]
    graph.states[hub].append(Arc(0, 0, 0.0, word_end))


def present_words(model: Path) -> list[str]:
    """The words that a model folder has already."""
    table = model / "graph" / WORDS
    return list(read_words(table))[2:] if table.exists() else []


def build(words: list[str], out: Path, costs: Costs) -> None:
    """Write the `graph` folder of a model."""
    graph = out / "graph"
    graph.mkdir(parents=True, exist_ok=True)
    made = empty(costs)
    for number, word in enumerate(words, 2):
        for phones in word_list.pronunciations(word):
            made.add(number, phones)
    made.write(graph / LEXICON)
    write_words(graph, [UNKNOWN, *words])
    (graph / "disambig_tid.int").write_text("")


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("model", type=Path, help="model folder, whose graph is replaced")
    parser.add_argument("sources", type=Path, nargs="*", help="YAML or text files, or folders")
    parser.add_argument("--frequent", type=int, default=0, help="add so many frequent words")
    parser.add_argument("--unknown", type=float, default=Costs.unknown, help="cost of [unk]")
    parser.add_argument("--unknown-phone", type=float, default=Costs.unknown_phone)
    options = parser.parse_args()
    own = vocabulary.words(options.sources)
    for word in own:
        if word not in word_list.lexicon():
            print(f"{word}: guessed; correct it in models/extra.dict")
    frequent = word_list.frequent_words(options.frequent) if options.frequent else []
    words = {*present_words(options.model), *own, *word_list.NUMBER_WORDS, *frequent}
    costs = Costs(unknown=options.unknown, unknown_phone=options.unknown_phone)
    build(sorted(filter(word_list.pronunciations, words)), options.model, costs)
    print(f"{len(words)} words")


if __name__ == "__main__":
    main()
