"""On a loudspeaker Charley hears itself: no prompt may be an order to it without a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from assistant.content import language_pack, yaml_source
from assistant.nlu.intents import load
from assistant.nlu.matcher import Match, Matcher
from tests.support import ROOT

INTENTS = ROOT / "intents"
LANGUAGES = sorted(path.name for path in INTENTS.iterdir() if path.is_dir())
SESSION = frozenset({"session", "recent"})
HARMLESS = frozenset({"yes"})
"""What changes nothing while Charley speaks: "Good." """


def heard(text: str, matcher: Matcher) -> Iterator[str]:
    """Yield what a line means when it is heard: its sentences, and beginnings that cut it short."""
    for sentence in {text, *re.split(r"(?<=[.!?]) ", text)}:
        found = matcher.match(sentence, SESSION)
        if isinstance(found, Match) and found.intent not in HARMLESS:
            yield f"{sentence} = {found.intent}"
    words = text.split()
    for end in range(1, len(words)):
        found = matcher.match(" ".join(words[:end]), SESSION)
        if isinstance(found, Match) and found.barge_in:
            yield f"{' '.join(words[:end])} … = {found.intent}"


def echoes(folder: Path) -> dict[str, set[str]]:
    """Return the keys of all lines that mean something when they are heard, and what."""
    matcher = Matcher(load(folder / "sentences"))
    found: dict[str, set[str]] = {}
    for line in language_pack.load(folder).lines():
        for meaning in heard(re.sub(r"\{\w+\} ?", "", line.text), matcher):
            found.setdefault(line.key, set()).add(meaning)
    return found


def excused(folder: Path) -> set[str]:
    """Return the keys that speech.yaml lists with a reason."""
    reasons = yaml_source.read(folder / "speech.yaml").need("echoes").mapping()
    return {key for node in reasons.values() for key in node.texts()}


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_prompt_is_a_command_unless_its_reason_is_listed(language: str) -> None:
    listed = excused(INTENTS / language)
    found = echoes(INTENTS / language)
    for key, meanings in found.items():
        assert {key, key.rpartition(".")[0]} & listed, f"{key}: {sorted(meanings)}"
    unneeded = listed - {k for key in found for k in (key, key.rpartition(".")[0])}
    assert not unneeded, f"no longer needed in {language}/speech.yaml: {sorted(unneeded)}"
