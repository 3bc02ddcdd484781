"""Whole conversations as golden plays: the user's lines are read from them, the rest is compared.

A line `> words` is the user's; `#4` before the words means at the fourth count, `+2` two seconds
after the line before. Everything else is what Charley says, with its time. To accept a change:
CHARLEY_GOLDEN=write pytest tests/session/test_plays.py, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from assistant.clock import VirtualClock
from assistant.content.language_pack import LanguagePack
from assistant.dialogue.turn import CoachingOptions
from assistant.nlu import intents
from assistant.nlu.matcher import Matcher
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session.scripted_user import ScriptedUser
from assistant.session.session import Session
from assistant.session.timed import TimedConversation
from tests.support import ROOT
from tests.support.stage import ENGLISH, PACK

PLAYS = sorted((ROOT / "tests/plays").glob("*.play"))
INTENTS = intents.load(ENGLISH / "sentences")
MATCHER = Matcher(INTENTS)


class Scribe:
    """Writes a conversation down as a play."""

    def __init__(self) -> None:
        self.lines: list[str] = []
        self._counts: list[str] = []

    def heard(self, caption: Caption) -> None:
        """Charley says, counts or chimes something."""
        if caption.kind == "count":
            self._counts.append(f"{caption.text.capitalize()}.")
            return
        self.close_count()
        text = f"({caption.text} chime)" if caption.kind == "chime" else caption.text
        self.lines.append(f"{caption.at:8.2f}  {text}")

    def close_count(self) -> None:
        """The count is over or interrupted."""
        if self._counts:
            self.lines.append(f"{'':8}  {' '.join(self._counts)}")
            self._counts = []


def perform(lines: list[str], pack: LanguagePack = PACK, matcher: Matcher = MATCHER) -> list[str]:
    """Play a conversation with these user's lines; return it as lines of a play."""
    scribe = Scribe()
    captions = CaptionTimeline(scribe.heard)
    session = Session(pack, matcher, CoachingOptions(), captions)
    conversation = TimedConversation(session, captions, VirtualClock())

    def said(cue: str) -> None:
        scribe.close_count()
        scribe.lines.append(f"> {cue}")

    conversation.start(first_time=False)
    conversation.play(ScriptedUser(lines, session.meaning), said)
    scribe.close_count()
    return scribe.lines


@pytest.mark.parametrize("path", PLAYS, ids=lambda path: path.stem)
def test_the_play_goes_as_written(path: Path) -> None:
    written = path.read_text(encoding="utf-8").splitlines()
    title = [line for line in written if line.startswith("//")]
    played = [*title, *perform([line[2:] for line in written if line.startswith("> ")])]
    if os.environ.get("CHARLEY_GOLDEN") == "write":
        path.write_text("\n".join(played) + "\n", encoding="utf-8")
    assert played == written
