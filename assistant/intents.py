"""What people may say, loaded from the sentence templates under intents/<language>/sentences.

The files are in Home Assistant's format (hassil parses them). One `Intents` feeds the matcher, the
recogniser's grammar, the tests and the help, so a word is written down once. Besides the format's
own keys a block may carry, under `metadata`:

    barge_in: true   the words that cut Charley's own speech
    exact: true      counts only as the whole utterance (stop, pause)
    cutoff: 0..100   how much of the utterance must be understood for the block to count

`language.yaml` beside them holds spelling, words to leave out, guards and the order of precedence.
"""

import difflib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from itertools import pairwise, permutations
from pathlib import Path
from typing import Any

import yaml
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    Permutation,
    RuleReference,
    TextChunk,
)
from hassil.parse_expression import parse_sentence
from hassil.parser import ParseError

from assistant.errors import IntentDataError
from assistant.text import Spelling, normalise, surface

SKIP = "_skip"
"""The intent name of phrases that may be said around a command without changing it."""

GUARD = "_guard"
"""The intent name of phrases that veto a start: negation, other people, other times."""

GUARDS = ("negation", "person", "time", "sense")
"""What a guard's phrase denies: the thing itself, whose it is, when, or what the word means."""

_LANGUAGE_FILE = "language.yaml"
_SENTENCE_KEYS = ("language", "intents", "lists", "expansion_rules", "skip_words")
_BLOCK_KEYS = ("sentences", "slots", "requires_context", "metadata")
_METADATA_KEYS = ("barge_in", "exact", "cutoff")
_LANGUAGE_KEYS = (
    "language", "spelling", "ignored", "asking", "guards", "decoys", "precedence", "small", "talk",
    "asides",
)  # fmt: skip
_FEW = 3
"""Options of a choice that are each sampled beside each neighbour; of more, each has a turn."""

_SPECIAL = frozenset("()[]{}<>|;\\")


@dataclass(frozen=True, slots=True)
class Block:
    """Sentence templates that mean the same."""

    intent: str
    slots: Mapping[str, str]
    requires: frozenset[str]
    """Context flags that must all be set; none means always."""
    barge_in: bool
    exact: bool
    cutoff: float
    """Share of the utterance, 0 to 100, that must be understood for this block to count."""


@dataclass(frozen=True, slots=True)
class Template:
    """One sentence template and where it stands."""

    text: str
    block: Block
    file: str
    line: int
    expression: Expression | None
    """None for a template that is plain words."""


@dataclass(frozen=True, slots=True)
class Value:
    """One thing that a {list} may be: its words and the slots that it fills."""

    text: str
    words: tuple[str, ...]
    slots: Mapping[str, str]


@dataclass(slots=True)
class Network:
    """All templates as one automaton: state 0 is the start of every one of them.

    The tables are sparse: most states have one kind of move, and there are tens of thousands.
    """

    words: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    lists: dict[int, dict[str, list[int]]] = field(default_factory=dict)
    free: dict[int, list[int]] = field(default_factory=dict)
    """Moves that consume nothing."""
    ends: dict[int, int] = field(default_factory=dict)
    """The template that is complete in a state."""
    size: int = 1

    def grow(self) -> int:
        """Return a new state without moves."""
        self.size += 1
        return self.size - 1

    def word(self, state: int, word: str, following: int) -> None:
        """Let a word lead from one state to another."""
        self.words.setdefault(state, {}).setdefault(word, []).append(following)

    def skip(self, state: int, following: int) -> None:
        """Let nothing lead from one state to another."""
        self.free.setdefault(state, []).append(following)


@dataclass(frozen=True, slots=True)
class Language:
    """Everything about a language that is no sentence."""

    spelling: Spelling
    ignored: frozenset[str]
    """Words deleted from templates and utterances, except as the last word."""
    asking: frozenset[str]
    """Those of the ignored words that make a question when they come first."""
    decoys: frozenset[str]
    """Ordinary words that look like a command word and must not be corrected to one."""
    precedence: tuple[str, ...]
    """Intents, the strongest first; several in one breath are decided by it."""
    small: frozenset[str]
    """Words that carry little; left over, they count less against a meaning."""
    talk: frozenset[str]
    """Common words of ordinary talk, for recognisers that need something else to hear."""


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

    def blocks(self, context: frozenset[str] | None = None) -> Iterator[Template]:
        """Yield the templates that may count in `context` (None: all), in file order."""
        for template in self.templates:
            if template.block.intent not in (SKIP, GUARD) and allows(template.block, context):
                yield template

    def phrases(self, context: frozenset[str] | None = None) -> tuple[str, ...]:
        """Return phrases that hold every pair of neighbours of every template and every value.

        Not every sentence: the recogniser makes a bigram model of them, so pairs suffice.
        """
        return _sample(self, self.blocks(context))

    def barge_in(self, context: frozenset[str] | None = None) -> tuple[str, ...]:
        """Return the phrases that cut Charley's own speech, of those in `context`."""
        return _sample(self, (t for t in self.blocks(context) if t.block.barge_in))

    def words(self) -> tuple[str, ...]:
        """Return every word that anyone may say to Charley, sorted."""
        return tuple(sorted({word for phrase in self.phrases() for word in phrase.split()}))


def allows(block: Block, context: frozenset[str] | None) -> bool:
    """Return True if a block may count in a context; None is every context at once."""
    return context is None or block.requires <= context


def content(words: tuple[str, ...], language: Language) -> tuple[str, ...]:
    """Return the words without those that carry nothing.

    The last one stays, and a verb in front: "yes it is" answers, "is it gone" asks.
    """
    last = len(words) - 1
    return tuple(
        word
        for at, word in enumerate(words)
        if word not in language.ignored or at == last or (at == 0 and word in language.asking)
    )


# --- sampling --------------------------------------------------------------------------------


@dataclass(slots=True)
class _Leaves:
    """A template as a graph of its leaves: vertex 0 is its start, 1 its end.

    A choice among many is one leaf, whose options take turns; else two of them side by side would
    make a phrase of each pair.
    """

    texts: list[str] = field(default_factory=lambda: ["", ""])
    after: dict[int, list[int]] = field(default_factory=dict)
    choices: dict[str, Alternative] = field(default_factory=dict)

    def add(self, text: str, before: Iterable[int]) -> list[int]:
        """Put a leaf after others and return it as the new loose ends."""
        self.texts.append(text)
        self.join(before, len(self.texts) - 1)
        return [len(self.texts) - 1]

    def join(self, before: Iterable[int], vertex: int) -> None:
        """Let `vertex` follow each of `before`."""
        for other in before:
            if vertex not in self.after.setdefault(other, []):
                self.after[other].append(vertex)

    def grow(self, expression: Expression, ends: list[int]) -> list[int]:
        """Append an expression to the loose ends and return the new ones."""
        if isinstance(expression, TextChunk):
            text = expression.original_text.strip()
            return self.add(text, ends) if text else ends
        if isinstance(expression, ListReference):
            return self.add(f"{{{expression.list_name}}}", ends)
        if isinstance(expression, RuleReference):
            return self.add(f"<{expression.rule_name}>", ends)
        if isinstance(expression, Alternative):
            return self._choose(expression, ends)
        if isinstance(expression, Permutation):
            return self._permute(expression, ends)
        return self._row(expression.items, ends) if isinstance(expression, Group) else ends

    def _row(self, items: list[Expression], ends: list[int]) -> list[int]:
        """Append one after another; "{part}'s" is a leaf of its own, so each value is heard so."""
        for left, item in pairwise([None, *items]):
            text = item.original_text.strip() if isinstance(item, TextChunk) else ""
            if text.startswith("'") and isinstance(left, ListReference):
                self.texts[-1] += text
            elif item is not None:
                ends = self.grow(item, ends)
        return ends

    def _choose(self, expression: Alternative, ends: list[int]) -> list[int]:
        if len(expression.items) > _FEW:
            key = f"({len(self.choices)}@{id(expression)}"
            self.choices[key] = expression
            return self.add(key, ends) + (ends if expression.is_optional else [])
        found: dict[int, None] = {}
        for item in expression.items:
            found.update(dict.fromkeys(self.grow(item, ends)))
        return list(found)

    def _permute(self, expression: Permutation, ends: list[int]) -> list[int]:
        found: list[int] = []
        for order in permutations(expression.items):
            loose = ends
            for item in order:
                loose = self.grow(item, loose)
            found.extend(loose)
        return found

    def path(self, start: int, wanted: Callable[[int, int], bool]) -> list[int]:
        """Return the shortest way from `start` over the first wanted edge; empty if none."""
        queue, came = [start], {start: -1}
        for vertex in queue:
            for following in self.after.get(vertex, ()):
                if wanted(vertex, following):
                    way = [following, vertex]
                    while way[-1] != start:
                        way.append(came[way[-1]])
                    return way[-2::-1]
                if following not in came:
                    came[following] = vertex
                    queue.append(following)
        return []


def _ways(leaves: _Leaves, seen: set[tuple[str, str]]) -> Iterator[list[str]]:
    """Yield ways from start to end until each pair of neighbouring leaves has occurred."""
    texts = leaves.texts

    def fresh(a: int, b: int) -> bool:
        return (texts[a], texts[b]) not in seen

    def last(_: int, b: int) -> bool:
        return b == 1

    # The first walk is taken even if nothing in it is new, so each template has its phrase.
    at, way = 0, leaves.path(0, fresh) or leaves.path(0, last)
    while way:
        walk = [0]
        while way:
            walk.extend(way)
            seen.update((texts[a], texts[b]) for a, b in pairwise(walk))
            at = walk[-1]
            way = [] if at == 1 else leaves.path(at, fresh)
        if at != 1:
            walk.extend(leaves.path(at, last))
        yield [texts[v] for v in walk if texts[v]]
        way = leaves.path(0, fresh)


class _Sampler:
    """Makes phrases of templates, in which every value of a list and a choice has its turn."""

    def __init__(self, intents: Intents) -> None:
        self._intents = intents
        self._options: dict[str, list[str]] = {}
        self._turn: dict[str, int] = {}
        self._choices: dict[str, Alternative] = {}

    def phrases(self, expression: Expression, seen: set[tuple[str, str]]) -> Iterator[str]:
        """Yield phrases of an expression that hold every pair which `seen` lacks."""
        leaves = _Leaves()
        leaves.join(leaves.grow(expression, [0]), 1)
        self._choices.update(leaves.choices)
        ways = list(_ways(leaves, seen))
        for way in ways:
            yield self._fill(way)
        for way in ways:
            while any(self._unused(leaf) for leaf in way):
                yield self._fill(way)

    def _fill(self, leaves: list[str]) -> str:
        """Return one phrase for a way of leaves."""
        text = ""
        for leaf in leaves:
            filled = self._next(leaf) if leaf[0] in "{<(" else leaf
            text += filled if filled.startswith("'") else f" {filled}"
        return surface(text)

    def _unused(self, leaf: str) -> bool:
        """Return True if a leaf has an option that no phrase has held yet."""
        return leaf[0] in "{<(" and self._turn[leaf] < len(self._options[leaf])

    def _next(self, leaf: str) -> str:
        if leaf not in self._options:
            self._turn[leaf] = 0
            self._options[leaf] = list(dict.fromkeys(self._expand(leaf)))
        options = self._options[leaf]
        self._turn[leaf] += 1
        return options[(self._turn[leaf] - 1) % len(options)]

    def _expand(self, leaf: str) -> Iterator[str]:
        """Yield what a leaf may become."""
        if leaf[0] == "{":
            name, ending = leaf[1:].split("}")
            yield from (value.text + ending for value in self._intents.lists[name])
        elif leaf[0] == "<":
            yield from self.phrases(self._intents.rules[leaf[1:-1]], set())
        else:
            for item in self._choices[leaf].items:
                yield from self.phrases(item, set())


def _sample(intents: Intents, templates: Iterable[Template]) -> tuple[str, ...]:
    """Return the phrases that cover the pairs of some templates."""
    sampler = _Sampler(intents)
    phrases: dict[str, None] = {}
    seen: set[tuple[str, str]] = set()
    for template in templates:
        if template.expression is None:
            phrases[surface(template.text)] = None
        else:
            phrases.update(dict.fromkeys(sampler.phrases(template.expression, seen)))
    known: set[tuple[str, str]] = set()
    return tuple(phrase for phrase in phrases if _adds_pair(phrase, known))


def _adds_pair(phrase: str, known: set[tuple[str, str]]) -> bool:
    """Return True, and take note, if a phrase has neighbouring words that are not yet known."""
    pairs = set(pairwise(["", *phrase.split(), ""])) if phrase else set()
    fresh = not pairs <= known
    known |= pairs
    return fresh


# --- loading ---------------------------------------------------------------------------------


def load(folder: Path) -> Intents:
    """Return the sentences of one language, or raise an error that names file and line."""
    reader = _Reader(folder)
    return _Builder(reader).build()


def _fail(file: str, node: yaml.Node | int, message: str) -> IntentDataError:
    line = node if isinstance(node, int) else node.start_mark.line + 1
    return IntentDataError(f"{file}, line {line}: {message}.")


class _Reader:
    """Reads the files of a folder into entries that remember their line."""

    def __init__(self, folder: Path) -> None:
        self.templates: list[tuple[str, Block, str, int]] = []
        self.lists: dict[str, list[tuple[str, dict[str, str], str, int]]] = {}
        self.rules: dict[str, tuple[str, str, int]] = {}
        self.skip: list[tuple[str, str, int]] = []
        files = sorted(folder.glob("*.yaml"))
        if not (folder / _LANGUAGE_FILE).is_file():
            raise IntentDataError(
                f"No sentences for this language: {folder / _LANGUAGE_FILE} is missing."
            )
        self.language = self._language(folder / _LANGUAGE_FILE)
        for path in files:
            if path.name != _LANGUAGE_FILE:
                self._file(path)

    def _file(self, path: Path) -> None:
        name = path.name
        top = self._mapping(name, _compose(path), _SENTENCE_KEYS)
        for intent, node in self._items(name, top.get("intents")):
            inner = self._mapping(name, node, ("data",))
            if "data" not in inner:
                raise _fail(name, node, f"intent '{intent}' has no 'data'")
            for block in self._sequence(name, inner["data"]):
                self._block(name, intent, block)
        for key, node in self._items(name, top.get("lists")):
            self._list(name, key, node)
        for key, node in self._items(name, top.get("expansion_rules")):
            if key in self.rules:
                raise _fail(name, node, f"expansion rule '{key}' is written twice")
            self.rules[key] = (self._text(name, node), name, node.start_mark.line + 1)
        for node in self._sequence(name, top.get("skip_words")):
            self.skip.append((self._text(name, node), name, node.start_mark.line + 1))

    def _block(self, name: str, intent: str, node: yaml.Node) -> None:
        keys = self._mapping(name, node, _BLOCK_KEYS)
        if "sentences" not in keys:
            raise _fail(name, node, f"a block of '{intent}' has no 'sentences'")
        meta = self._mapping(name, keys.get("metadata"), _METADATA_KEYS)
        requires = frozenset(key for key, _ in self._items(name, keys.get("requires_context")))
        block = Block(
            intent=intent,
            slots={k: self._text(name, v) for k, v in self._items(name, keys.get("slots"))},
            requires=requires,
            barge_in=self._flag(name, meta.get("barge_in")),
            exact=self._flag(name, meta.get("exact")),
            cutoff=self._cutoff(name, meta.get("cutoff"), requires),
        )
        for sentence in self._sequence(name, keys["sentences"]):
            text = self._text(name, sentence)
            self.templates.append((text, block, name, sentence.start_mark.line + 1))

    def _list(self, name: str, key: str, node: yaml.Node) -> None:
        if key in self.lists:
            raise _fail(name, node, f"list '{key}' is written twice")
        rows = self.lists[key] = []
        for value in self._sequence(name, self._mapping(name, node, ("values",)).get("values")):
            line = value.start_mark.line + 1
            if isinstance(value, yaml.ScalarNode):
                rows.append((self._text(name, value), {key: self._text(name, value)}, name, line))
                continue
            keys = self._mapping(name, value, ("in", "out", "metadata"))
            if "in" not in keys or "out" not in keys:
                raise _fail(name, value, f"a value of list '{key}' needs 'in' and 'out'")
            out = self._text(name, keys["out"])
            slots = {key: out} if out else {}
            slots |= {k: self._text(name, v) for k, v in self._items(name, keys.get("metadata"))}
            rows.append((self._text(name, keys["in"]), slots, name, line))

    def _language(self, path: Path) -> Language:
        name = path.name
        top = self._mapping(name, _compose(path), _LANGUAGE_KEYS)
        keys = self._mapping(name, top.get("spelling"), ("units", "tens", "endings", "words"))

        def table(key: str) -> dict[str, tuple[str, ...]]:
            rows = self._items(name, keys.get(key))
            return {k: tuple(self._text(name, v).split()) for k, v in rows}

        def texts(node: yaml.Node | None) -> tuple[str, ...]:
            return tuple(self._text(name, item) for item in self._sequence(name, node))

        spelling = Spelling(
            table("words"), table("endings"), texts(keys.get("units")), texts(keys.get("tens"))
        )
        for kind, nodes in self._mapping(name, top.get("guards"), GUARDS).items():
            self._around(name, nodes, _plain_block(GUARD, kind))
        self._around(name, top.get("asides"), _plain_block(SKIP))
        return Language(
            spelling=spelling,
            ignored=frozenset(texts(top.get("ignored"))),
            asking=frozenset(texts(top.get("asking"))),
            decoys=frozenset(w for line in texts(top.get("decoys")) for w in line.split()),
            precedence=texts(top.get("precedence")),
            small=frozenset(w for line in texts(top.get("small")) for w in line.split()),
            talk=frozenset(w for line in texts(top.get("talk")) for w in line.split()),
        )

    def _around(self, name: str, nodes: yaml.Node | None, block: Block) -> None:
        """Add templates that are said around commands."""
        for node in self._sequence(name, nodes):
            self.templates.append((self._text(name, node), block, name, node.start_mark.line + 1))

    def _mapping(
        self, name: str, node: yaml.Node | None, allowed: tuple[str, ...]
    ) -> dict[str, yaml.Node]:
        found: dict[str, yaml.Node] = {}
        if node is None:
            return found
        if not isinstance(node, yaml.MappingNode):
            raise _fail(name, node, f"expected keys ({', '.join(allowed)}), not a plain value")
        for key, value in node.value:
            text = self._text(name, key)
            if text not in allowed:
                hint = difflib.get_close_matches(text, allowed, 1)
                expected = f"'{hint[0]}'" if hint else f"one of {', '.join(allowed)}"
                raise _fail(name, key, f"unknown key '{text}', expected {expected}")
            found[text] = value
        return found

    def _items(self, name: str, node: yaml.Node | None) -> Iterator[tuple[str, yaml.Node]]:
        if node is None:
            return
        if not isinstance(node, yaml.MappingNode):
            raise _fail(name, node, "expected 'name: value' lines here")
        for key, value in node.value:
            yield self._text(name, key), value

    def _sequence(self, name: str, node: yaml.Node | None) -> list[yaml.Node]:
        if node is None:
            return []
        if not isinstance(node, yaml.SequenceNode):
            raise _fail(name, node, "expected a list, each line beginning with '- '")
        return list(node.value)

    def _text(self, name: str, node: yaml.Node) -> str:
        if not isinstance(node, yaml.ScalarNode):
            raise _fail(name, node, "expected one line of text; quote it if it holds [ or {")
        return str(node.value)

    def _flag(self, name: str, node: yaml.Node | None) -> bool:
        if node is not None and self._text(name, node) not in ("true", "false"):
            raise _fail(name, node, "expected true or false")
        return node is not None and self._text(name, node) == "true"

    def _cutoff(self, name: str, node: yaml.Node | None, requires: frozenset[str]) -> float:
        if node is None:
            # Idle talk is long and a complaint in it is rare; an answer is short and all answer.
            return 80.0 if requires else 55.0
        text = self._text(name, node)
        if not (text.isascii() and text.isdigit() and int(text) <= 100):
            raise _fail(name, node, f"cutoff '{text}' must be a whole number from 0 to 100")
        return float(text)


def _plain_block(intent: str, kind: str = "") -> Block:
    slots = {"kind": kind} if kind else {}
    return Block(intent, slots, frozenset(), barge_in=False, exact=False, cutoff=0.0)


def _compose(path: Path) -> yaml.Node:
    """Return the YAML tree of a file; its nodes know their lines."""
    loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    try:
        node = yaml.compose(path.read_text("utf-8"), Loader=loader)
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        line = mark.line + 1 if mark else 1
        raise _fail(path.name, line, f"not valid YAML, {error.problem}") from None
    except (OSError, UnicodeDecodeError, yaml.YAMLError) as error:
        raise IntentDataError(f"{path.name} cannot be read: {error}.") from None
    if node is None:
        raise _fail(path.name, 1, "the file is empty")
    return node


class _Builder:
    """Checks what was read and joins it into one network."""

    def __init__(self, reader: _Reader) -> None:
        self._reader = reader
        self._spelling = reader.language.spelling
        self._ignored = reader.language.ignored
        self._chunks: dict[str, tuple[str, ...]] = {}
        self._rules: dict[str, Expression] = {}
        self._network = Network()
        self._open: list[str] = []
        self._start = 0

    def build(self) -> Intents:
        """Return the intents, or raise for the first mistake in them."""
        reader = self._reader
        for name, (text, file, line) in reader.rules.items():
            self._rules[name] = self._parse(text, file, line)
        self._duplicates()
        singles = {t for t, _, _ in reader.skip if " " not in t and not _SPECIAL & set(t)}
        rows = reader.templates + [
            (text, _plain_block(SKIP), file, line)
            for text, file, line in reader.skip
            if text not in singles
        ]
        templates = tuple(self._template(i, *row) for i, row in enumerate(rows))
        self._precedence(templates)
        return Intents(
            language=reader.language,
            templates=templates,
            lists={name: tuple(self._values(rows)) for name, rows in reader.lists.items()},
            rules=self._rules,
            network=self._network,
            skip_words=frozenset(w for t in singles for w in self._chunk(t)),
        )

    def _parse(self, text: str, file: str, line: int) -> Expression:
        try:
            if not text.strip():
                raise ParseError("the sentence is empty")
            expression = parse_sentence(text).expression
        except (ParseError, AssertionError, IndexError, RecursionError) as error:
            raise _fail(file, line, f"cannot read the sentence '{text}': {error}") from None
        _check_whole_words(expression, text, file, line)
        return expression

    def _template(self, index: int, text: str, block: Block, file: str, line: int) -> Template:
        start = self._network.grow()
        self._network.skip(0, start)
        self._start = start
        if not _SPECIAL & set(text):
            words = content(normalise(text, self._spelling), self._reader.language)
            if not words:
                raise _fail(file, line, f"the sentence '{text}' has no words")
            expression, end = None, self._lay(words, start, None)
        else:
            expression = self._parse(text, file, line)
            end = self._grow(expression, start, None, (file, line))
        self._network.ends[end] = index
        return Template(text, block, file, line, expression)

    def _lay(self, words: tuple[str, ...], state: int, end: int | None) -> int:
        """Lead from a state over words to `end`, or to a new state, and return it."""
        if not words:
            return self._join(state, end)
        for at, word in enumerate(words):
            last = at == len(words) - 1
            following = end if last and end is not None else self._network.grow()
            self._network.word(state, word, following)
            state = following
        return state

    def _join(self, state: int, end: int | None) -> int:
        """Lead from a state to `end` over nothing, if there is an end already."""
        if end is None or end == state:
            return state
        self._network.skip(state, end)
        return end

    def _chunk(self, text: str) -> tuple[str, ...]:
        if text not in self._chunks:
            words = normalise(text, self._spelling)
            self._chunks[text] = tuple(w for w in words if w not in self._ignored)
        return self._chunks[text]

    def _grow(self, part: Expression, state: int, end: int | None, place: tuple[str, int]) -> int:
        """Append an expression to a state; return the state after it, which is `end` if given."""
        if isinstance(part, TextChunk):
            return self._text(part.original_text, state, end)
        if isinstance(part, ListReference):
            return self._list(part, state, end, place)
        if isinstance(part, RuleReference):
            return self._rule(part.rule_name, state, end, place)
        if isinstance(part, Alternative):
            return self._choose([[item] for item in part.items], state, end, place)
        if isinstance(part, Permutation):
            orders = [list(order) for order in permutations(part.items)]
            return self._choose(orders, state, end, place)
        items = part.items if isinstance(part, Group) else []
        return self._row(items, state, end, place)

    def _text(self, text: str, state: int, end: int | None) -> int:
        """Lead over a piece of text; a verb that begins a template asks, and must be said."""
        words = self._chunk(text)
        first = normalise(text, self._spelling)[:1] if state == self._start else ()
        if first and first[0] in self._reader.language.asking:
            words = first + words
        return self._lay(words, state, end)

    def _row(
        self, items: list[Expression], state: int, end: int | None, place: tuple[str, int]
    ) -> int:
        if not items:
            return self._join(state, end)
        for item in items[:-1]:
            state = self._grow(item, state, None, place)
        return self._grow(items[-1], state, end, place)

    def _choose(
        self, rows: list[list[Expression]], state: int, end: int | None, place: tuple[str, int]
    ) -> int:
        meeting = self._network.grow() if end is None else end
        for row in rows:
            self._row(row, state, meeting, place)
        return meeting

    def _list(
        self, reference: ListReference, state: int, end: int | None, place: tuple[str, int]
    ) -> int:
        name = reference.list_name
        if name not in self._reader.lists:
            raise _unknown("list", name, self._reader.lists, *place)
        following = self._network.grow() if end is None else end
        self._network.lists.setdefault(state, {}).setdefault(name, []).append(following)
        return following

    def _rule(self, name: str, state: int, end: int | None, place: tuple[str, int]) -> int:
        if name not in self._rules:
            raise _unknown("expansion rule", name, self._rules, *place)
        if name in self._open:
            raise _fail(*place, f"expansion rule '{name}' refers to itself")
        self._open.append(name)
        following = self._grow(self._rules[name], state, end, place)
        self._open.pop()
        return following

    def _values(self, rows: Iterable[tuple[str, dict[str, str], str, int]]) -> Iterator[Value]:
        for text, slots, file, line in rows:
            for plain in self._spread(text, file, line):
                yield Value(plain, self._chunk(plain), slots)

    def _spread(self, text: str, file: str, line: int) -> Iterable[str]:
        """Return each text that a list value with alternatives stands for."""
        if not _SPECIAL & set(text):
            return (text,)
        found: list[str] = []
        _spread(self._parse(text, file, line), [""], found, self._rules)
        return dict.fromkeys(surface(item) for item in found)

    def _duplicates(self) -> None:
        known: dict[tuple[str, frozenset[str]], tuple[str, str, int]] = {}
        for text, block, file, line in self._reader.templates:
            key = (" ".join(text.split()), block.requires)
            intent, other, at = known.setdefault(key, (block.intent, file, line))
            if intent != block.intent:
                raise _fail(
                    file, line,
                    f"'{text}' means '{block.intent}' here but '{intent}' in {other}, line {at};"
                    " keep it in one of them",
                )  # fmt: skip

    def _precedence(self, templates: Iterable[Template]) -> None:
        known = {t.block.intent for t in templates} - {SKIP, GUARD}
        listed = self._reader.language.precedence
        for name in sorted(known.symmetric_difference(listed)):
            what = "has sentences but is not" if name in known else "has no sentences but is"
            raise _fail(_LANGUAGE_FILE, 1, f"intent '{name}' {what} in 'precedence'")


def _unknown(what: str, name: str, known: Iterable[str], file: str, line: int) -> IntentDataError:
    hint = difflib.get_close_matches(name, list(known), 1)
    expected = f", expected '{hint[0]}'" if hint else ", and nothing has a name like it"
    return _fail(file, line, f"unknown {what} '{name}'{expected}")


def _spread(
    expression: Expression, before: list[str], found: list[str], rules: Mapping[str, Expression]
) -> None:
    """Collect in `found` every text of a small expression after every text of `before`."""
    if isinstance(expression, TextChunk):
        found.extend(text + expression.original_text for text in before)
    elif isinstance(expression, RuleReference):
        _spread(rules[expression.rule_name], before, found, rules)
    elif isinstance(expression, Alternative):
        for item in expression.items:
            _spread(item, before, found, rules)
    elif isinstance(expression, Group):
        for item in expression.items:
            after: list[str] = []
            _spread(item, before, after, rules)
            before = after
        found.extend(before)


def _check_whole_words(expression: Expression, text: str, file: str, line: int) -> None:
    """Refuse a template that glues half words together: words are matched whole."""
    for item in expression.items if isinstance(expression, Group) else ():
        _check_whole_words(item, text, file, line)
    if not isinstance(expression, Group) or isinstance(expression, (Alternative, Permutation)):
        return
    for left, right in pairwise(expression.items):
        ends, starts = _edge(left, -1), _edge(right, 0)
        if ends - {" "} and starts - {" ", "'"}:
            raise _fail(file, line, f"'{text}' joins parts of words; put a space between them")


def _edge(expression: Expression, at: int) -> set[str]:
    """Return the characters that an expression may begin (0) or end (-1) with."""
    if isinstance(expression, TextChunk):
        return {expression.original_text[at]} if expression.original_text else set()
    if not isinstance(expression, Group):
        return {"x"}
    if isinstance(expression, Alternative):
        return {char for item in expression.items for char in _edge(item, at)}
    return _edge(expression.items[at], at) if expression.items else set()
