"""The languages under intents/, each loaded once in a process, and one more made for the tests."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from assistant.content import language_pack
from assistant.content.language_pack import LanguagePack
from assistant.nlu import intents
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Matcher
from tests.support import ROOT

INTENTS = ROOT / "intents"
UTTERANCES = ROOT / "tests" / "utterances"
LANGUAGES = tuple(sorted(path.name for path in INTENTS.iterdir() if path.is_dir()))

ADDED = "de_CH"
"""A language that is a folder in a temporary place: German as it is spelt in Switzerland."""

IDLE: frozenset[str] = frozenset()
SESSION = frozenset({"session", "recent"})
ASKED = SESSION | {"asked"}


class Language(NamedTuple):
    """What is said and understood in one language, and what its utterances are to mean."""

    folder: Path
    pack: LanguagePack
    intents: Intents
    matcher: Matcher
    utterances: Path

    @property
    def meanings(self) -> list[str]:
        """The files of utterances that mean something."""
        names = {path.stem for path in self.utterances.glob("*.txt")}
        return sorted(names - {"negative"})

    def lines(self, meaning: str) -> list[str]:
        """Return the utterances of a file."""
        text = (self.utterances / f"{meaning}.txt").read_text("utf-8")
        return [line for line in text.splitlines() if line]

    def expected(self) -> dict[str, dict[str, Any]]:
        """Return intent and slots of each meaning."""
        named = yaml.safe_load((self.utterances / "expected.yaml").read_text("utf-8"))
        return {name: named.get(name, {"intent": name, "slots": {}}) for name in self.meanings}


def load(folder: Path, utterances: Path | None = None) -> Language:
    """Load a language from any folder."""
    sentences = intents.load(folder / "sentences")
    pack = language_pack.load(folder)
    return Language(
        folder, pack, sentences, Matcher(sentences), utterances or UTTERANCES / folder.name
    )


@cache
def language(name: str) -> Language:
    """Return a language of this project."""
    return load(INTENTS / name)


def added(place: Path) -> Language:
    """Write a third language into a folder: "ss" where German has "ß"."""
    intents_folder, utterances = place / "intents" / ADDED, place / "utterances" / ADDED
    for source, target in ((INTENTS / "de", intents_folder), (UTTERANCES / "de", utterances)):
        for path in source.rglob("*.*"):
            copy = target / path.relative_to(source)
            copy.parent.mkdir(parents=True, exist_ok=True)
            copy.write_text(path.read_text("utf-8").replace("ß", "ss"), "utf-8")
    return load(intents_folder, utterances)
