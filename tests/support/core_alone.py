"""The core in a process of its own, where some libraries cannot be imported.

    python -m tests.support.core_alone PICKLE BLOCKED ...

PICKLE holds the languages as `dumped` writes them; `-` loads them from intents/. All plays are
performed; the exit code is 0 if they go as written.
"""

from __future__ import annotations

import importlib
import os
import pickle
import subprocess
import sys
from collections.abc import Mapping, Sequence
from importlib.abc import MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING

from tests.support import ROOT

if TYPE_CHECKING:
    from assistant.content.language_pack import LanguagePack
    from assistant.nlu.intents import Intents

TEXT_HALF = (
    "playback.captions",
    "session.scripted_user",
    "session.nbest",
    "session.session",
    "session.timed",
)
"""What a conversation by text needs besides content, nlu and dialogue."""

COMPILES = frozenset({"nlu.compiler", "nlu.expressions", "nlu.sampler"})
"""What makes something of templates as they are written, with hassil."""

_Loaded = Mapping[str, "tuple[LanguagePack, Intents]"]


class Blocked(MetaPathFinder):
    """Makes some modules, and everything in them, seem not installed."""

    def __init__(self, names: Sequence[str]) -> None:
        self._names = names

    def find_spec(
        self, fullname: str, _path: Sequence[str] | None, _target: ModuleType | None = None
    ) -> ModuleSpec | None:
        """Raise an ImportError for what is blocked."""
        if any(fullname == name or fullname.startswith(f"{name}.") for name in self._names):
            raise ModuleNotFoundError(f"No module named {fullname!r}", name=fullname)
        return None


def run(pickled: Path | None, blocked: Sequence[str]) -> subprocess.CompletedProcess[str]:
    """Run this in a child process, with the matcher's libraries in pure Python."""
    words = [sys.executable, "-m", "tests.support.core_alone", str(pickled or "-"), *blocked]
    return subprocess.run(
        words,
        env={**os.environ, "RAPIDFUZZ_IMPLEMENTATION": "python"},
        cwd=ROOT,
        text=True,
        capture_output=True,
        check=False,
    )


def main(pickled: str, *blocked: str) -> int:
    """Perform every play of every language, and print those that do not go as written."""
    sys.meta_path.insert(0, Blocked(blocked))
    _import_the_core(compiles="hassil" not in blocked)
    from assistant.nlu.matcher import Matcher
    from tests.support import plays

    wrong, count = 0, 0
    for name, (pack, intents) in _languages(pickled).items():
        matcher = Matcher(intents)
        for path in plays.plays(name):
            written = plays.written(path)
            differs = plays.performed(written, pack, matcher) != written
            wrong, count = wrong + differs, count + 1
            if differs:
                print(f"{path.name} does not go as written")
    print(f"{count} plays performed")
    return 1 if wrong else 0


def dumped(names: Sequence[str]) -> bytes:
    """Return languages so that they can be loaded without their files."""
    from tests.support.languages import language

    return pickle.dumps({name: (language(name).pack, language(name).intents) for name in names})


def _languages(pickled: str) -> _Loaded:
    if pickled != "-":
        # The parent wrote it.
        found: _Loaded = pickle.loads(Path(pickled).read_bytes())  # noqa: S301
        return found
    from tests.support.languages import LANGUAGES, language

    return {name: (language(name).pack, language(name).intents) for name in LANGUAGES}


def _import_the_core(*, compiles: bool) -> None:
    from tests.support.structure import modules, room

    core = [name for name in modules() if room(name) in ("content", "nlu", "dialogue")]
    for name in (*core, *TEXT_HALF):
        if compiles or name not in COMPILES:
            importlib.import_module(f"assistant.{name}")


if __name__ == "__main__":
    sys.exit(main(*sys.argv[1:]))
