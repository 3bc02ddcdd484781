"""The templates of a language as they were compiled and sampled the last time: saves a second.

Its key is the content of the template files and of the code that reads them, so whatever changes is
compiled again. A file that is missing, old, damaged or cannot be written does no harm. Only the
plain classes of `Intents` are unpickled, so the file cannot run anything either.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.errors import IntentDataError
from assistant.nlu import intents
from assistant.nlu.intents import Intents
from assistant.regular_file import read_regular

_READERS = ("assistant.content", "assistant.nlu", "hassil")
"""The packages whose code decides what is made of the templates."""
CLASSES: Mapping[str, frozenset[str]] = {
    "assistant.nlu.intents": frozenset({"Intents"}),
    "assistant.nlu.automaton": frozenset({"Automaton"}),
    "assistant.nlu.templates": frozenset({"Block", "LanguageRules", "Template", "Value"}),
    "assistant.nlu.normalise": frozenset({"Spelling"}),
}
"""The classes that a cached file may hold, by module."""
_LARGEST_FILE_BYTES = 100_000_000
"""Of a file that is kept or read: ten times the largest."""
_DIGEST = 32
"""Bytes of each of the two digests in front: of the key, and of the rest."""


class CachedIntents:
    """The templates of one language, from the cache if they are there."""

    def __init__(self, sentences: Path, cache: Path) -> None:
        """Load a folder of sentences; raises as `intents.load`."""
        self._file = cache / f"{sentences.parent.name}.pickle"
        self._key = _key(sentences)
        found = self._read()
        self.intents = found or intents.load(sentences)
        self.is_new = not found
        """True if they were compiled: they have changed since the last time, or it is the first."""
        self._saved = self.intents.sampled if found else -1

    def save(self) -> None:
        """Write what is not in the cache yet: all of it, or phrases that were sampled since."""
        if self.intents.sampled == self._saved:
            return
        body = pickle.dumps(self.intents, protocol=5)
        with contextlib.suppress(OSError):  # the next start is slow too
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, self._key + _digest(body) + body)
        self._saved = self.intents.sampled

    def _read(self) -> Intents | None:
        try:
            data = read_regular(self._file, _LARGEST_FILE_BYTES)
            key, digest, body = data[:_DIGEST], data[_DIGEST : 2 * _DIGEST], data[2 * _DIGEST :]
            if key != self._key or digest != _digest(body):
                return None
            found = _Unpickler(io.BytesIO(body)).load()
        # Unpickling raises whatever its classes do.
        except Exception:  # noqa: BLE001
            return None
        return found if isinstance(found, Intents) else None


class _Unpickler(pickle.Unpickler):
    def find_class(self, module: str, name: str) -> type:
        """Return one of the classes of `Intents`; UnpicklingError for anything else."""
        if name not in CLASSES.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of Intents")
        found: type = super().find_class(module, name)
        return found


def _key(sentences: Path) -> bytes:
    """Return a digest of everything that decides what is made of the templates."""
    whole = hashlib.sha256()
    for path in (*_code(), *sorted(sentences.glob("*.yaml"))):
        data = _source(path)
        whole.update(f"{path.name}\0{len(data)}\0".encode() + data)
    return whole.digest()


def _source(path: Path) -> bytes:
    try:
        return read_regular(path, _LARGEST_FILE_BYTES)
    except OSError as error:
        raise IntentDataError(f"{path}: cannot be read ({error.strerror}).") from error


def _code() -> Iterator[Path]:
    for package in _READERS:
        found = find_spec(package)
        for folder in found.submodule_search_locations or () if found else ():
            yield from sorted(Path(folder).glob("*.py"))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
