"""Charley's own language as text: sentences drawn at random from the templates of `intents`.

`python -m models.training.data.sentences intents/en/sentences OUT.txt` writes one a line, no two
alike.
"""

from __future__ import annotations

import argparse
import random
from pathlib import Path

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from assistant.nlu.expressions import is_plain, tree
from assistant.nlu.intents import Intents, load
from assistant.nlu.normalise import surface


def drawn(intents: Intents, count: int, chooser: random.Random) -> list[str]:
    """That many different sentences; every template is equally likely at each draw."""
    templates, words = list(intents.blocks()), set(intents.words())
    found = dict.fromkeys(surface(t.text) for t in templates if is_plain(t.text))
    grown = [tree(t.text) for t in templates if not is_plain(t.text)]
    for _ in range(20 * count):
        if len(found) >= count:
            break
        text = surface(_draw(chooser.choice(grown), intents, chooser))
        if words.issuperset(text.split()):  # not "calves's"
            found[text] = None
    return list(found)


def _draw(expression: Expression, intents: Intents, chooser: random.Random) -> str:
    """One of the texts that an expression stands for."""
    if isinstance(expression, TextChunk):
        return str(expression.original_text)
    if isinstance(expression, ListReference):
        return chooser.choice(intents.lists[expression.list_name]).text
    if isinstance(expression, RuleReference):
        return _draw(tree(intents.rules[expression.rule_name]), intents, chooser)
    if isinstance(expression, Alternative):
        return _draw(chooser.choice(expression.items), intents, chooser)
    items = list(expression.items) if isinstance(expression, Group) else []
    if isinstance(expression, Permutation):
        chooser.shuffle(items)
    return "".join(_draw(item, intents, chooser) for item in items)


def main() -> None:
    """Command line."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("intents", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--count", type=int, default=8000)
    options = parser.parse_args()
    sentences = drawn(load(options.intents), options.count, random.Random(1))
    options.out.write_text("\n".join([*sentences, ""]), encoding="utf-8")


if __name__ == "__main__":
    main()
