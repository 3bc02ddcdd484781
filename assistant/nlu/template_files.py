"""Read the template files of one language, in Home Assistant's format, into rows with their lines.

Besides the format's own keys a block may carry, under `metadata`:

    barge_in: true   the words that cut Charley's own speech
    exact: true      counts only as the whole utterance (stop, pause)
    cutoff: 0..100   how much of the utterance must be understood for the block to count
    common: true     what is said most; the recogniser expects every value and option there

`language.yaml` in the same folder holds spelling, words to leave out, guards and precedence.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path

from assistant.content.yaml_source import Node, read
from assistant.errors import IntentDataError
from assistant.nlu.normalise import Spelling, fold
from assistant.nlu.templates import ASIDE, GUARD, GUARD_KINDS, Block, LanguageRules
from assistant.nlu.thresholds import ANSWER_CUTOFF, FREE_CUTOFF

LANGUAGE_FILE = "language.yaml"

FILE_KEYS = frozenset({"language", "intents", "lists", "expansion_rules", "skip_words"})
_BLOCK_KEYS = frozenset({"sentences", "slots", "requires_context", "metadata"})
_METADATA_KEYS = frozenset({"barge_in", "exact", "cutoff", "common"})
_SPELLING_KEYS = frozenset({"units", "tens", "endings", "words"})
_LANGUAGE_KEYS = frozenset(
    {
        "language",
        "spelling",
        "ignored",
        "asking",
        "guards",
        "decoys",
        "precedence",
        "small",
        "talk",
        "asides",
    }
)


@dataclass(frozen=True, slots=True)
class ValueRow:
    """A value of a list as it is written."""

    node: Node
    slots: Mapping[str, str]


@dataclass(slots=True)
class TemplateFiles:
    """What the files of one folder say, in their order."""

    language: LanguageRules
    sentences: list[tuple[Block, Node]] = field(default_factory=list)
    around: list[tuple[Block, Node]] = field(default_factory=list)
    """Asides, which may be said around a command, and guards, which keep words from being one."""
    lists: dict[str, list[ValueRow]] = field(default_factory=dict)
    rules: dict[str, Node] = field(default_factory=dict)
    skip: list[Node] = field(default_factory=list)


def read_folder(folder: Path) -> TemplateFiles:
    """Read every file of a folder; IntentDataError with file and line for a mistake."""
    language = folder / LANGUAGE_FILE
    if not language.is_file():
        raise IntentDataError(f"No sentences for this language: {language} is missing.")
    top = read(language).mapping(_LANGUAGE_KEYS)
    files = TemplateFiles(_language(top))
    for kind, phrases in _entries(top.get("guards"), GUARD_KINDS).items():
        files.around += [(_around(GUARD, kind), node) for node in phrases.items()]
    files.around += [(_around(ASIDE), node) for node in _listed(top.get("asides"))]
    for path in sorted(folder.glob("*.yaml")):
        if path != language:
            _add(files, read(path))
    return files


def read_files(paths: Iterable[Path]) -> TemplateFiles:
    """Read single files that belong together, of no language; IntentDataError as above."""
    files = TemplateFiles(_language({}))
    for path in paths:
        _add(files, read(path))
    return files


def _add(files: TemplateFiles, root: Node) -> None:
    """Add one file of sentences to those before it."""
    top = root.mapping(FILE_KEYS)
    for intent, node in _entries(top.get("intents")).items():
        node.mapping(frozenset({"data"}))
        for entry in node.need("data").items():
            block = _block(intent, entry)
            files.sentences += [(block, sentence) for sentence in entry.need("sentences").items()]
    for name, node in _entries(top.get("lists")).items():
        if name in files.lists:
            raise node.error(f"the list “{name}” is written twice.")
        node.mapping(frozenset({"values"}))
        files.lists[name] = [_value(name, value) for value in node.need("values").items()]
    for name, node in _entries(top.get("expansion_rules")).items():
        if name in files.rules:
            raise node.error(f"the expansion rule “{name}” is written twice.")
        files.rules[name] = node
    files.skip += _listed(top.get("skip_words"))


def _block(intent: str, entry: Node) -> Block:
    keys = entry.mapping(_BLOCK_KEYS)
    meta = _entries(keys.get("metadata"), _METADATA_KEYS)
    requires = frozenset(_entries(keys.get("requires_context")))
    return Block(
        intent=intent,
        slots=_texts(keys.get("slots")),
        requires=requires,
        barge_in=_flag(meta.get("barge_in")),
        exact=_flag(meta.get("exact")),
        cutoff=_cutoff(meta.get("cutoff"), ANSWER_CUTOFF if requires else FREE_CUTOFF),
        common=_flag(meta.get("common")),
    )


def _around(intent: str, kind: str = "") -> Block:
    slots = {"kind": kind} if kind else {}
    return Block(intent, slots, frozenset(), barge_in=False, exact=False, cutoff=0.0)


def _value(name: str, node: Node) -> ValueRow:
    """Return a value that is a text, which is its own slot, or `{in, out, metadata}`."""
    if node.is_text:
        return ValueRow(node, {name: node.text()})
    node.mapping(frozenset({"in", "out", "metadata"}))
    out = node.need("out").text()
    slots = {name: out} if out else {}
    return ValueRow(node.need("in"), slots | _texts(node.mapping().get("metadata")))


def _language(top: Mapping[str, Node]) -> LanguageRules:
    keys = _entries(top.get("spelling"), _SPELLING_KEYS)
    return LanguageRules(
        spelling=Spelling(
            words=_table(keys.get("words")),
            endings=_table(keys.get("endings")),
            units=_bare(keys.get("units")),
            tens=_bare(keys.get("tens")),
        ),
        ignored=frozenset(_bare(top.get("ignored"))),
        asking=frozenset(_bare(top.get("asking"))),
        decoys=_words(_bare(top.get("decoys"))),
        precedence=_listed_texts(top.get("precedence")),
        small=_words(_bare(top.get("small"))),
        talk=_words(_listed_texts(top.get("talk"))),
    )


def _entries(node: Node | None, allowed: frozenset[str] | None = None) -> dict[str, Node]:
    return node.mapping(allowed) if node else {}


def _listed(node: Node | None) -> Iterable[Node]:
    return node.items() if node else ()


def _texts(node: Node | None) -> dict[str, str]:
    return {key: value.text() for key, value in _entries(node).items()}


def _table(node: Node | None) -> dict[str, tuple[str, ...]]:
    return {fold(key): tuple(fold(text).split()) for key, text in _texts(node).items()}


def _listed_texts(node: Node | None) -> tuple[str, ...]:
    return tuple(item.text() for item in _listed(node))


def _bare(node: Node | None) -> tuple[str, ...]:
    """Return the entries as an utterance is normalised: lower case, no accents."""
    return tuple(map(fold, _listed_texts(node)))


def _words(lines: Iterable[str]) -> frozenset[str]:
    """Return the single words of lines of words."""
    return frozenset(word for line in lines for word in line.split())


def _flag(node: Node | None) -> bool:
    return node is not None and node.flag()


def _cutoff(node: Node | None, usual: float) -> float:
    if node is None:
        return usual
    text = node.text()
    if not (text.isascii() and text.isdigit() and int(text) <= 100):
        raise node.error(f"cutoff “{text}” must be a whole number from 0 to 100.")
    return float(text)
