"""On a loudspeaker Charley hears itself: no prompt may be a command to it without a reason."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from assistant.content import yaml_source
from assistant.nlu.matcher import Match, Matcher
from tests.support.languages import SESSION, Language

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


def echoes(spoken: Language) -> dict[str, set[str]]:
    """Return the keys of all lines that mean something when they are heard, and what."""
    found: dict[str, set[str]] = {}
    for line in spoken.pack.lines():
        for meaning in heard(re.sub(r"\{\w+\} ?", "", line.text), spoken.matcher):
            found.setdefault(line.key, set()).add(meaning)
    return found


def excused(folder: Path) -> set[str]:
    """Return the keys that speech.yaml lists with a reason."""
    reasons = yaml_source.read(folder / "speech.yaml").need("echoes").mapping()
    return {key for node in reasons.values() for key in node.texts()}


def test_no_prompt_is_a_command_unless_its_reason_is_listed(spoken: Language) -> None:
    listed = excused(spoken.folder)
    found = echoes(spoken)
    for key, meanings in found.items():
        assert {key, key.rpartition(".")[0]} & listed, f"{key}: {sorted(meanings)}"
    unneeded = listed - {k for key in found for k in (key, key.rpartition(".")[0])}
    assert not unneeded, f"no longer needed in {spoken.folder.name}/speech.yaml: {sorted(unneeded)}"
