"""Charley's own speech model with more words: the same network, and a graph that holds them too.

Nothing is trained: the network knows phones, and a word is a sequence of them.
"""

from __future__ import annotations

import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path

from assistant.asr.vosk_files import check
from assistant.errors import ModelError
from assistant.speech_models.decoding_graph import (
    LEXICON,
    WORDS,
    WordGraph,
    is_extensible,
    read_words,
    write_words,
)
from assistant.speech_models.lexicon import Lexicon, Spoken
from assistant.speech_models.vocabulary import Places


@dataclass(frozen=True, slots=True)
class NewWord:
    """A word that was added to a model."""

    text: str
    place: str
    """The file and line that needs it."""
    spoken: Spoken


@dataclass(frozen=True, slots=True)
class Built:
    """A model that was built."""

    folder: Path
    word_count: int
    new: tuple[NewWord, ...]


def build(base: Path, needed: Places, lexicon: Lexicon, out: Path, *, replace: bool) -> Built:
    """Write a model that knows the words of `base` and those needed.

    The folder is complete or absent; `replace` allows an existing one to be replaced.
    Raises ModelError.
    """
    check(base)
    if not is_extensible(base):
        raise ModelError(f"{base}: only a model of Charley's own kind can learn words.")
    _require_free(out, base, replace=replace)
    try:
        table = read_words(base / "graph" / WORDS)
        graph = WordGraph.read(base / "graph" / LEXICON)
    except (OSError, ValueError) as error:
        raise ModelError(f"{base}: this model's graph cannot be read ({error}).") from None
    new = tuple(_new_words(needed, lexicon, table))
    table |= {word.text: number for number, word in enumerate(new, max(table.values()) + 1)}
    for word in {*lexicon.own, *(word.text for word in new)}:
        for phones in lexicon.spoken(word).pronunciations if word in table else ():
            graph.add(table[word], phones)
    try:
        _write(base, graph, list(table)[1:], out)
    except OSError as error:
        raise ModelError(f"{out}: cannot be written ({error.strerror}).") from None
    return Built(out, len(table) - 1, new)


def _new_words(needed: Places, lexicon: Lexicon, table: dict[str, int]) -> list[NewWord]:
    """Return the words that the model lacks; ModelError for one that cannot be said."""
    new = [
        NewWord(word, place, lexicon.spoken(word))
        for word, place in needed.items()
        if word not in table
    ]
    for word in new:
        if not word.spoken.pronunciations:
            raise ModelError(
                f"{word.place}: “{word.text}” has letters that English does not; "
                "tell how it is said with --pronunciations FILE."
            )
    return new


def _require_free(out: Path, base: Path, *, replace: bool) -> None:
    if out.resolve().is_relative_to(base.resolve()):
        raise ModelError(f"{out}: the new model cannot lie inside the one it is made from.")
    if out.is_dir():
        if not replace and any(out.iterdir()):
            raise ModelError(f"{out}: this folder is not empty; choose another with --out.")
    elif out.exists():
        raise ModelError(f"{out}: this is a file; choose a folder with --out.")


def _write(base: Path, graph: WordGraph, words: list[str], out: Path) -> None:
    """Write the folder next to its final place, then move it there."""
    out.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".building-", dir=out.parent) as work:
        made = Path(work) / "model"
        shutil.copytree(base, made)
        graph.write(made / "graph" / LEXICON)
        write_words(made / "graph", words)
        if out.exists():
            shutil.rmtree(out)
        made.replace(out)
