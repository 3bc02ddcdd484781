"""The words that people may say, from any files of sentences, each with its place.

A file is plain text, one sentence a line ("#" begins a comment), or YAML: sentence templates as
under intents/, or any lists and mappings of texts. A folder is a language of Charley's, or holds
such files.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from pathlib import Path

from assistant.content.yaml_source import Node, read
from assistant.errors import IntentDataError
from assistant.nlu import intents
from assistant.nlu.normalise import surface
from assistant.nlu.template_files import FILE_KEYS, LANGUAGE_FILE

_YAML = (".yaml", ".yml")
_TEXT = ".txt"
_HYPHENED = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)+")

Places = dict[str, str]
"""A word to the file, and the line if known, where it first occurs."""


def words(paths: Iterable[Path]) -> Places:
    """Return every word of files and folders; IntentDataError names file and line of a mistake."""
    found: Places = {}
    templates: list[Path] = []
    for path in paths:
        if path.is_dir() and (language := _language(path)):
            _take(found, intents.load(language).words(), str(language))
            continue
        for file in _files(path):
            if file.suffix.lower() not in _YAML:
                _read_text(file, found)
            elif _holds_templates(root := read(file)):
                templates.append(file)
            else:
                _read_strings(root, found)
    if templates:
        place = ", ".join(map(str, templates))
        _take(found, intents.load_files(templates).words(), place)
    return found


def _language(folder: Path) -> Path | None:
    """Return a language folder's folder of sentences; None for any other folder."""
    places = (folder / "sentences", folder)
    return next((place for place in places if (place / LANGUAGE_FILE).is_file()), None)


def _files(path: Path) -> Iterator[Path]:
    """Yield a file, or those of a folder."""
    if not path.is_dir():
        yield path
        return
    inside = sorted(file for file in path.rglob("*") if file.suffix.lower() in (*_YAML, _TEXT))
    if not inside:
        raise IntentDataError(f"{path}: there are no .txt or .yaml files in this folder.")
    yield from inside


def _holds_templates(root: Node) -> bool:
    return root.is_mapping and not root.mapping().keys().isdisjoint(FILE_KEYS - {"language"})


def _read_text(path: Path, found: Places) -> None:
    try:
        lines = path.read_text(encoding="utf-8-sig").splitlines()
    except OSError as error:
        raise IntentDataError(f"{path}: cannot be read ({error.strerror}).") from None
    except UnicodeDecodeError:
        raise IntentDataError(f"{path}: is not UTF-8 text; save it as UTF-8.") from None
    sentences = [(n, text) for n, line in enumerate(lines, 1) if (text := _said(line))]
    if not sentences:
        raise IntentDataError(f"{path}: there are no sentences in this file; write one a line.")
    for number, text in sentences:
        _take_text(found, text, f"{path}, line {number}")


def _said(line: str) -> str:
    """Return a line without its comment and surrounding blanks."""
    return line.partition("#")[0].strip()


def _read_strings(node: Node, found: Places) -> None:
    """Collect every string of a YAML file, except the keys of its mappings."""
    if node.is_text:
        _take_text(found, node.text(), f"{node.path}, line {node.line}")
    for inner in node.items() if node.is_list else ():
        _read_strings(inner, found)
    for inner in node.mapping().values() if node.is_mapping else ():
        _read_strings(inner, found)


def _take_text(found: Places, text: str, place: str) -> None:
    spoken = surface(text).split()
    if not spoken:
        raise IntentDataError(f"{place}: “{text}” has no letters; write what is said.")
    _take(found, [*spoken, *(part.lower() for part in _HYPHENED.findall(text))], place)


def _take(found: Places, spoken: Iterable[str], place: str) -> None:
    for word in spoken:
        if any(map(str.isdigit, word)):
            raise IntentDataError(f"{place}: write the number {word} in words, as it is said.")
        found.setdefault(word, place)
