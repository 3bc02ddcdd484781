"""The templates of one language compiled into one automaton: what takes time when they are loaded.

An expansion rule is compiled once and then copied wherever a template refers to it: the rules hold
most of the words, and most templates hold a rule.
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
from assistant.nlu.automaton import EPSILON, START, Arcs, Automaton
from assistant.nlu.expressions import is_plain, parse, texts
from assistant.nlu.normalise import normalise
from assistant.nlu.template_files import LANGUAGE_FILE, TemplateFiles
from assistant.nlu.templates import ASIDE, Block, LanguageRules, Template, Value, content_words

_SKIP_PHRASE = Block(ASIDE, {}, frozenset(), barge_in=False, exact=False, cutoff=0.0)
"""What several skip words in a row are; a single one may come inside a template too."""

_RULE_END = 1
"""The state in which a rule is complete; 0 is its start."""


class Compiled(NamedTuple):
    """The templates of one language, ready to be matched and sampled; `Intents` names them."""

    language: LanguageRules
    templates: tuple[Template, ...]
    lists: Mapping[str, tuple[Value, ...]]
    rules: Mapping[str, str]
    automaton: Automaton
    skip_words: frozenset[str]


def compile_templates(files: TemplateFiles) -> Compiled:
    """Return the templates of some files, or raise for the first mistake in them."""
    return _Compiler(files).compiled()


def check(files: TemplateFiles, folder: Path) -> None:
    """Refuse what no language may have; IntentDataError names file and line."""
    _check_doubles(files)
    _check_precedence(files, folder)


def _check_doubles(files: TemplateFiles) -> None:
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


def _check_precedence(files: TemplateFiles, folder: Path) -> None:
    """Refuse an intent that the order lacks, and an entry in it without an intent."""
    known = {block.intent for block, _ in files.sentences}
    listed: Iterable[str] = files.language.precedence
    for name in sorted(known.symmetric_difference(listed)):
        what = "has sentences but is not" if name in known else "has no sentences but is"
        raise IntentDataError(
            f"{folder / LANGUAGE_FILE}, line 1: intent “{name}” {what} in “precedence”."
        )


class _Compiler:
    """Joins what was read into one automaton."""

    def __init__(self, files: TemplateFiles) -> None:
        self._files = files
        self._language = files.language
        self._known_words: dict[tuple[str, bool], tuple[str, ...]] = {}
        self._automaton = Automaton()
        rules = {name: _Rule(parse(node.text(), node), node) for name, node in files.rules.items()}
        self._expressions = _ExpressionCompiler(rules, files.lists, self._words)

    def compiled(self) -> Compiled:
        """Return all of it, or raise for the first mistake in it."""
        singles = {node.text() for node in self._files.skip if _is_word(node.text())}
        skipped = [(_SKIP_PHRASE, node) for node in self._files.skip if node.text() not in singles]
        rows = [*self._files.around, *self._files.sentences, *skipped]
        templates = tuple(self._template(at, block, node) for at, (block, node) in enumerate(rows))
        rules = {name: node.text() for name, node in self._files.rules.items()}
        return Compiled(
            language=self._language,
            templates=templates,
            lists={name: tuple(self._values(name, rules)) for name in self._files.lists},
            rules=rules,
            automaton=self._automaton,
            skip_words=frozenset(word for text in singles for word in self._words(text)),
        )

    def _template(self, at: int, block: Block, node: Node) -> Template:
        """Add a template to the automaton."""
        text = node.text()
        if is_plain(text):
            words = content_words(normalise(text, self._language.spelling), self._language)
            if not words:
                raise node.error(f"the sentence “{text}” has no words.")
            end = _append(self._automaton.arcs, words, START, None)
        else:
            end = self._expressions.template(self._automaton, parse(text, node), node)
        self._automaton.final[end] = at
        return Template(text, block, node.path.name, node.line)

    def _words(self, text: str, opening: bool = False) -> tuple[str, ...]:
        """Return the words of a piece of text; a verb that begins a template asks, and stays."""
        key = (text, opening)
        if key not in self._known_words:
            words = normalise(text, self._language.spelling)
            kept = tuple(word for word in words if word not in self._language.ignored)
            asks = opening and words and words[0] in self._language.asking
            self._known_words[key] = (words[0], *kept) if asks else kept
        return self._known_words[key]

    def _values(self, name: str, rules: Mapping[str, str]) -> Iterator[Value]:
        for row in self._files.lists[name]:
            for text in texts(row.node.text(), row.node, rules):
                yield Value(text, self._words(text), row.slots)


def _is_word(text: str) -> bool:
    return is_plain(text) and " " not in text


@dataclass(frozen=True, slots=True)
class _Rule:
    """An expansion rule and where it is written."""

    expression: Expression
    node: Node


class _ExpressionCompiler:
    """Makes arcs of expressions."""

    def __init__(
        self,
        rules: Mapping[str, _Rule],
        lists: Collection[str],
        words: Callable[[str, bool], tuple[str, ...]],
    ) -> None:
        """`words` returns the words of a text; the flag is True where it begins a template."""
        self._rules = rules
        self._lists = lists
        self._words = words
        self._compiled: dict[tuple[str, bool], Arcs] = {}
        self._open: list[str] = []

    def template(self, automaton: Automaton, expression: Expression, node: Node) -> int:
        """Add a template to the automaton and return the state in which it is complete."""
        return _Builder(self, automaton.arcs, node, opening=True).add(expression, START, None)

    def words(self, text: str, *, opening: bool) -> tuple[str, ...]:
        """Return the words of a piece of text; where it begins a template more of them count."""
        return self._words(text, opening)

    def require_list(self, name: str, node: Node) -> None:
        """Raise an IntentDataError if there is no such list."""
        if name not in self._lists:
            raise _unknown("list", name, self._lists, node)

    def rule(self, name: str, node: Node, *, opening: bool) -> Arcs:
        """Return the arcs of a rule, which lead from state 0 to state 1."""
        if name not in self._rules:
            raise _unknown("expansion rule", name, self._rules, node)
        if name in self._open:
            raise node.error(f"expansion rule “{name}” refers to itself.")
        key = (name, opening)
        if key not in self._compiled:
            rule = self._rules[name]
            self._open.append(name)
            arcs: Arcs = [[], []]
            builder = _Builder(self, arcs, rule.node, opening=opening)
            builder.add(rule.expression, START, _RULE_END)
            self._compiled[key] = arcs
            self._open.pop()
        return self._compiled[key]


class _Builder:
    """Adds one expression to a table of arcs.

    Each method leads from a state to `end`, or to a new state if that is None, and returns it.
    """

    def __init__(
        self, expressions: _ExpressionCompiler, arcs: Arcs, node: Node, *, opening: bool
    ) -> None:
        self._expressions = expressions
        self._arcs = arcs
        self._node = node
        self._opening = opening

    def add(self, part: Expression, state: int, end: int | None) -> int:
        """Add an expression."""
        if isinstance(part, TextChunk):
            words = self._expressions.words(part.original_text, opening=self._is_first(state))
            return _append(self._arcs, words, state, end)
        if isinstance(part, ListReference):
            self._expressions.require_list(part.list_name, self._node)
            return _append(self._arcs, (f"{{{part.list_name}}}",), state, end)
        if isinstance(part, RuleReference):
            return self._copy_rule(part.rule_name, state, end)
        if isinstance(part, Alternative):
            return self._alternatives([[item] for item in part.items], state, end)
        if isinstance(part, Permutation):
            return self._alternatives(list(permutations(part.items)), state, end)
        return self._sequence(cast(Group, part).items, state, end)

    def _is_first(self, state: int) -> bool:
        return self._opening and state == START

    def _sequence(self, items: Sequence[Expression], state: int, end: int | None) -> int:
        if not items:
            return _append(self._arcs, (), state, end)
        for item in items[:-1]:
            state = self.add(item, state, None)
        return self.add(items[-1], state, end)

    def _alternatives(
        self, rows: Sequence[Sequence[Expression]], state: int, end: int | None
    ) -> int:
        meeting = _new_state(self._arcs) if end is None else end
        for row in rows:
            self._sequence(row, state, meeting)
        return meeting

    def _copy_rule(self, name: str, state: int, end: int | None) -> int:
        arcs = self._expressions.rule(name, self._node, opening=self._is_first(state))
        meeting = _new_state(self._arcs) if end is None else end
        base = len(self._arcs) - 2  # states 2 and up come behind those that are there

        def moved(row: Iterable[tuple[str, int]]) -> list[tuple[str, int]]:
            return [(s, meeting if to == _RULE_END else base + to) for s, to in row]

        self._arcs[state] += moved(arcs[START])
        self._arcs += [moved(row) for row in arcs[2:]]
        return meeting


def _unknown(what: str, name: str, known: Iterable[str], node: Node) -> IntentDataError:
    from difflib import get_close_matches  # slow to import, and only mistakes need it

    hint = get_close_matches(name, list(known), 1)
    expected = f"expected “{hint[0]}”" if hint else "and nothing has a name like it"
    return node.error(f"unknown {what} “{name}”, {expected}.")


def _append(arcs: Arcs, symbols: Sequence[str], state: int, end: int | None) -> int:
    """Lead from a state over symbols to `end`, or to a new state, and return it."""
    if not symbols:
        if end is None or end == state:
            return state
        arcs[state].append((EPSILON, end))
        return end
    for symbol in symbols[:-1]:
        following = _new_state(arcs)
        arcs[state].append((symbol, following))
        state = following
    following = _new_state(arcs) if end is None else end
    arcs[state].append((symbols[-1], following))
    return following


def _new_state(arcs: Arcs) -> int:
    """Return a new state without arcs."""
    arcs.append([])
    return len(arcs) - 1
