"""The languages under intents/, each loaded once in a process."""

from __future__ import annotations

from functools import cache
from pathlib import Path
from typing import NamedTuple

from assistant.content import language_pack
from assistant.content.language_pack import LanguagePack
from assistant.nlu import intents
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Matcher
from tests.support import ROOT

INTENTS = ROOT / "intents"
LANGUAGES = tuple(sorted(path.name for path in INTENTS.iterdir() if path.is_dir()))


class Language(NamedTuple):
    """What is said and understood in one language."""

    folder: Path
    pack: LanguagePack
    intents: Intents
    matcher: Matcher


def load(folder: Path) -> Language:
    """Load a language from any folder."""
    sentences = intents.load(folder / "sentences")
    return Language(folder, language_pack.load(folder), sentences, Matcher(sentences))


@cache
def language(name: str) -> Language:
    """Return a language of this project."""
    return load(INTENTS / name)
