"""Words that sound alike, such as "quads" and "quad's": their neighbours decide which was said."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from assistant.content.yaml_source import Node


@dataclass(frozen=True, slots=True)
class Homophones:
    """Which of two words that sound alike was said."""

    usual: Mapping[str, str] = field(default_factory=dict)
    """A word to the one that was more likely said."""
    neighbours: frozenset[str] = frozenset()
    """Words before or after it that show that it was meant after all."""

    def settled(self, words: Sequence[str]) -> list[str]:
        """Return the words that were most likely said."""
        around = ["", *words, ""]
        return [
            word if {around[at], around[at + 2]} & self.neighbours else self.usual.get(word, word)
            for at, word in enumerate(words)
        ]


def parse(root: Node) -> Homophones:
    """Return those of speech.yaml, which may have none; IntentDataError names file and line."""
    entries = root.mapping()
    if "homophones" not in entries:
        return Homophones()
    table = entries["homophones"]
    table.mapping(frozenset({"usual", "neighbours"}))
    usual = {word: node.text() for word, node in table.need("usual").mapping().items()}
    return Homophones(usual, frozenset(table.need("neighbours").texts()))
