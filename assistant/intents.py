"""What people may say, loaded from the sentence templates under intents/<language>/sentences.

The files are in Home Assistant's format (hassil parses them). One `Intents` feeds the matcher, the
recogniser's grammar, the tests and the help, so a word is written down once.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from hassil.expression import Expression

from assistant.datafile import Node
from assistant.errors import IntentDataError
from assistant.expressions import is_plain, parse, texts
from assistant.network import Network, Rule, Weaver, lay
from assistant.sampling import sample
from assistant.sentence_files import LANGUAGE_FILE, SentenceFiles, read_files, read_folder
from assistant.sentences import (
    MEANT_FOR_ANYONE,
    SKIP,
    Block,
    Language,
    Template,
    Value,
    allows,
    content,
)
from assistant.text import normalise

_Context = frozenset[str] | None


@dataclass(frozen=True, slots=True)
class Intents:
    """The loaded sentence templates of one language."""

    language: Language
    templates: tuple[Template, ...]
    lists: Mapping[str, tuple[Value, ...]]
    rules: Mapping[str, Expression]
    network: Network
    skip_words: frozenset[str]
    """Single words that may stand anywhere, inside a template too."""
    _sampled: dict[tuple[_Context, frozenset[str] | None], tuple[str, ...]] = field(
        default_factory=dict, repr=False, compare=False
    )

    def blocks(self, context: frozenset[str] | None = None) -> Iterator[Template]:
        """Yield the templates that may count in `context` (None: all), in file order."""
        for template in self.templates:
            if template.block.said and allows(template.block, context):
                yield template

    def openings(self) -> Iterator[Template]:
        """Yield the templates that wake Charley where a device listens for other things too."""
        for template in self.blocks(frozenset()):
            if template.block.intent not in MEANT_FOR_ANYONE:
                yield template

    def phrases(
        self, context: frozenset[str] | None = None, among: frozenset[str] | None = None
    ) -> tuple[str, ...]:
        """Return phrases that hold every pair of neighbours of every template and every value.

        Not every sentence: the recogniser makes a bigram model of them, so pairs suffice. `among`
        keeps to some intents; None is all of them.
        """
        key = (context, among)
        if key not in self._sampled:
            blocks = self.blocks(context)
            wanted = (t for t in blocks if among is None or t.block.intent in among)
            self._sampled[key] = sample(wanted, self.lists, self.rules)
        return self._sampled[key]

    def words(self) -> tuple[str, ...]:
        """Return every word that anyone may say to Charley, sorted."""
        return tuple(sorted({word for phrase in self.phrases() for word in phrase.split()}))


def load(folder: Path) -> Intents:
    """Return the sentences of one language, or raise an error that names file and line."""
    files = read_folder(folder)
    _check_doubles(files)
    _check_precedence(files, folder)
    return _Builder(files).build()


def load_files(paths: Iterable[Path]) -> Intents:
    """Return the sentences of some files, without what a language adds; raises as `load`."""
    return _Builder(read_files(paths)).build()


class _Builder:
    """Joins what was read into one network."""

    def __init__(self, files: SentenceFiles) -> None:
        self._files = files
        self._language = files.language
        self._chunks: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._rules = {
            name: Rule(parse(node.text(), node), node) for name, node in files.rules.items()
        }
        self._network = Network()
        self._weaver = Weaver(self._rules, files.lists, self._chunk)

    def build(self) -> Intents:
        """Return the intents, or raise for the first mistake in them."""
        singles = {node.text() for node in self._files.skip if _is_word(node.text())}
        spoken = [(_SKIPPED, node) for node in self._files.skip if node.text() not in singles]
        rows = [*self._files.around, *self._files.sentences, *spoken]
        templates = tuple(self._template(at, block, node) for at, (block, node) in enumerate(rows))
        rules = {name: rule.expression for name, rule in self._rules.items()}
        return Intents(
            language=self._language,
            templates=templates,
            lists={name: tuple(self._values(name, rules)) for name in self._files.lists},
            rules=rules,
            network=self._network,
            skip_words=frozenset(word for text in singles for word in self._chunk(text)),
        )

    def _template(self, at: int, block: Block, node: Node) -> Template:
        """Lay a template into the network."""
        text, expression = node.text(), None
        if is_plain(text):
            words = content(normalise(text, self._language.spelling), self._language)
            if not words:
                raise node.error(f"the sentence “{text}” has no words.")
            end = lay(self._network.moves, words, 0, None)
        else:
            expression = parse(text, node)
            end = self._weaver.template(self._network, expression, node)
        self._network.ends[end] = at
        return Template(text, block, node.path.name, node.line, expression)

    def _chunk(self, text: str, opening: bool = False) -> tuple[str, ...]:
        """Return the words of a piece of text; a verb that begins a template asks, and stays."""
        key = (text, opening)
        if key not in self._chunks:
            words = normalise(text, self._language.spelling)
            kept = tuple(word for word in words if word not in self._language.ignored)
            asks = opening and words and words[0] in self._language.asking
            self._chunks[key] = (words[0], *kept) if asks else kept
        return self._chunks[key]

    def _values(self, name: str, rules: Mapping[str, Expression]) -> Iterator[Value]:
        for row in self._files.lists[name]:
            for text in texts(row.node.text(), row.node, rules):
                yield Value(text, self._chunk(text), row.slots)


_SKIPPED = Block(SKIP, {}, frozenset(), barge_in=False, exact=False, cutoff=0.0)


def _is_word(text: str) -> bool:
    return is_plain(text) and " " not in text


def _check_doubles(files: SentenceFiles) -> None:
    """Refuse a template that means two things in the same context."""
    known: dict[tuple[str, frozenset[str]], tuple[str, Node]] = {}
    for block, node in files.sentences:
        text = " ".join(node.text().split())
        intent, other = known.setdefault((text, block.requires), (block.intent, node))
        if intent != block.intent:
            raise node.error(
                f"“{text}” means {block.intent} here but {intent} in {other.path.name},"
                f" line {other.line}; keep it in one of them."
            )


def _check_precedence(files: SentenceFiles, folder: Path) -> None:
    """Refuse an intent without a place in the order, and a place without an intent."""
    known = {block.intent for block, _ in files.sentences}
    listed: Iterable[str] = files.language.precedence
    for name in sorted(known.symmetric_difference(listed)):
        what = "has sentences but is not" if name in known else "has no sentences but is"
        raise IntentDataError(
            f"{folder / LANGUAGE_FILE}, line 1: intent “{name}” {what} in “precedence”."
        )
