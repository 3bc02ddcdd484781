"""The sentences of one language woven into one network: what takes time when they are loaded.

A rule is woven once and then copied wherever a template refers to it: the rules hold most of the
words, and most templates hold a rule.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import permutations
from pathlib import Path
from typing import NamedTuple, cast

from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)

from assistant.content.yaml_source import Node
from assistant.errors import IntentDataError
from assistant.nlu.automaton import FREE, Moves, Network
from assistant.nlu.expressions import is_plain, parse, texts
from assistant.nlu.normalise import normalise
from assistant.nlu.template_files import LANGUAGE_FILE, SentenceFiles
from assistant.nlu.templates import SKIP, Block, Language, Template, Value, content


class Woven(NamedTuple):
    """The sentences of one language, ready to be matched and sampled; `Intents` names them."""

    language: Language
    templates: tuple[Template, ...]
    lists: Mapping[str, tuple[Value, ...]]
    rules: Mapping[str, str]
    network: Network
    skip_words: frozenset[str]


def weave(files: SentenceFiles) -> Woven:
    """Return the sentences of some files, or raise for the first mistake in them."""
    return _Builder(files).build()


def check(files: SentenceFiles, folder: Path) -> None:
    """Refuse what no language may have; IntentDataError names file and line."""
    _check_doubles(files)
    _check_precedence(files, folder)


class _Builder:
    """Joins what was read into one network."""

    def __init__(self, files: SentenceFiles) -> None:
        self._files = files
        self._language = files.language
        self._chunks: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._rules = {
            name: _Rule(parse(node.text(), node), node) for name, node in files.rules.items()
        }
        self._network = Network()
        self._weaver = _Weaver(self._rules, files.lists, self._chunk)

    def build(self) -> Woven:
        """Return all of it, or raise for the first mistake in it."""
        singles = {node.text() for node in self._files.skip if _is_word(node.text())}
        spoken = [(_SKIPPED, node) for node in self._files.skip if node.text() not in singles]
        rows = [*self._files.around, *self._files.sentences, *spoken]
        templates = tuple(self._template(at, block, node) for at, (block, node) in enumerate(rows))
        rules = {name: node.text() for name, node in self._files.rules.items()}
        return Woven(
            language=self._language,
            templates=templates,
            lists={name: tuple(self._values(name, rules)) for name in self._files.lists},
            rules=rules,
            network=self._network,
            skip_words=frozenset(word for text in singles for word in self._chunk(text)),
        )

    def _template(self, at: int, block: Block, node: Node) -> Template:
        """Lay a template into the network."""
        text = node.text()
        if is_plain(text):
            words = content(normalise(text, self._language.spelling), self._language)
            if not words:
                raise node.error(f"the sentence “{text}” has no words.")
            end = _lay(self._network.moves, words, 0, None)
        else:
            end = self._weaver.template(self._network, parse(text, node), node)
        self._network.ends[end] = at
        return Template(text, block, node.path.name, node.line)

    def _chunk(self, text: str, opening: bool = False) -> tuple[str, ...]:
        """Return the words of a piece of text; a verb that begins a template asks, and stays."""
        key = (text, opening)
        if key not in self._chunks:
            words = normalise(text, self._language.spelling)
            kept = tuple(word for word in words if word not in self._language.ignored)
            asks = opening and words and words[0] in self._language.asking
            self._chunks[key] = (words[0], *kept) if asks else kept
        return self._chunks[key]

    def _values(self, name: str, rules: Mapping[str, str]) -> Iterator[Value]:
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


@dataclass(frozen=True, slots=True)
class _Rule:
    """An expansion rule and where it stands."""

    expression: Expression
    node: Node


class _Weaver:
    """Makes moves of expressions."""

    def __init__(
        self,
        rules: Mapping[str, _Rule],
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

    def __init__(self, weaver: _Weaver, moves: Moves, node: Node, *, opening: bool) -> None:
        self._weaver = weaver
        self._moves = moves
        self._node = node
        self._opening = opening

    def grow(self, part: Expression, state: int, end: int | None) -> int:
        """Append an expression to a state; return the state after it, which is `end` if given."""
        if isinstance(part, TextChunk):
            words = self._weaver.words(part.original_text, opening=self._in_front(state))
            return _lay(self._moves, words, state, end)
        if isinstance(part, ListReference):
            self._weaver.knows(part.list_name, self._node)
            return _lay(self._moves, (f"{{{part.list_name}}}",), state, end)
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
            return _lay(self._moves, (), state, end)
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


def _unknown(what: str, name: str, known: Iterable[str], node: Node) -> IntentDataError:
    from difflib import get_close_matches  # slow to import, and only mistakes need it

    hint = get_close_matches(name, list(known), 1)
    expected = f"expected “{hint[0]}”" if hint else "and nothing has a name like it"
    return node.error(f"unknown {what} “{name}”, {expected}.")


def _lay(moves: Moves, words: Sequence[str], state: int, end: int | None) -> int:
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


def _new(moves: Moves) -> int:
    """Return a new state without moves."""
    moves.append([])
    return len(moves) - 1
