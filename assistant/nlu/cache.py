"""The sentences of a language as they were woven and sampled the last time: a start's second.

The key of what is kept is the content of the sentence files and of the code that reads them, so
whatever changes is read anew. A file that is missing, old, damaged or not to be written does no
harm. Only the plain classes of the sentences are unpickled, so it cannot run anything either.
"""

from __future__ import annotations

import contextlib
import hashlib
import io
import pickle
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

from assistant.atomic_file import write_whole
from assistant.nlu import intents
from assistant.nlu.intents import Intents

_READERS = ("assistant.content", "assistant.nlu", "hassil")
"""The packages whose code decides what is made of the sentences."""
_CLASSES: dict[str, frozenset[str]] = {
    "assistant.nlu.intents": frozenset({"Intents"}),
    "assistant.nlu.automaton": frozenset({"Network"}),
    "assistant.nlu.templates": frozenset({"Block", "Language", "Template", "Value"}),
    "assistant.nlu.normalise": frozenset({"Spelling"}),
}
_DIGEST = 32
"""Bytes of each of the two that stand in front: of the key, and of the rest."""


class KeptSentences:
    """The sentences of one language, from the cache if they are there."""

    def __init__(self, sentences: Path, cache: Path) -> None:
        """Load a folder of sentences; raises as `intents.load`."""
        self._file = cache / f"{sentences.parent.name}.pickle"
        self._key = _key(sentences)
        found = self._read()
        self.intents = found or intents.load(sentences)
        self.are_new = not found
        """True if they were read anew, so are others than the last time, or the first."""
        self._kept = self.intents.sampled if found else -1

    def keep(self) -> None:
        """Write down what is not in the cache: all of it, or phrases that were sampled since."""
        if self.intents.sampled == self._kept:
            return
        body = pickle.dumps(self.intents, protocol=5)
        with contextlib.suppress(OSError):  # the next start is slow, too
            self._file.parent.mkdir(parents=True, exist_ok=True)
            write_whole(self._file, self._key + _digest(body) + body)
        self._kept = self.intents.sampled

    def _read(self) -> Intents | None:
        try:
            data = self._file.read_bytes()
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
        """Return one of the classes of the sentences; UnpicklingError for anything else."""
        if name not in _CLASSES.get(module, ()):
            raise pickle.UnpicklingError(f"{module}.{name} is no part of sentences")
        found: type = super().find_class(module, name)
        return found


def _key(sentences: Path) -> bytes:
    """Return a digest of everything that decides what is made of the sentences."""
    whole = hashlib.sha256()
    for path in (*_code(), *sorted(sentences.glob("*.yaml"))):
        data = path.read_bytes()
        whole.update(f"{path.name}\0{len(data)}\0".encode() + data)
    return whole.digest()


def _code() -> Iterator[Path]:
    for package in _READERS:
        found = find_spec(package)
        for folder in found.submodule_search_locations or () if found else ():
            yield from sorted(Path(folder).glob("*.py"))


def _digest(data: bytes) -> bytes:
    return hashlib.sha256(data).digest()
