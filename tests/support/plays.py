"""Whole conversations as plays: what the user says in them is performed, the rest is compared.

A line `> words` is the user's; `#4` before the words means at the fourth count, `+2` two seconds
after the line before. Everything else is what Charley says, with its time.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from pathlib import Path

from assistant.clock import VirtualClock
from assistant.content.language_pack import LanguagePack
from assistant.dialogue.state import CoachingOptions
from assistant.nlu.matcher import Matcher
from assistant.playback.captions import Caption, CaptionTimeline
from assistant.session.scripted_user import ScriptedUser
from assistant.session.session import Session
from assistant.session.timed import TimedConversation
from tests.support import ROOT

FOLDERS = {"en": ROOT / "tests" / "plays"} | {
    path.name.removeprefix("plays_"): path for path in sorted((ROOT / "tests").glob("plays_*"))
}
"""Where the plays of a language are."""


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


def plays(language: str) -> list[Path]:
    """Return the plays of a language."""
    return sorted(FOLDERS[language].glob("*.play"))


def written(path: Path) -> list[str]:
    """Return the lines of a play."""
    return path.read_text(encoding="utf-8").splitlines()


def performed(play: Sequence[str], pack: LanguagePack, matcher: Matcher) -> list[str]:
    """Perform a play with the user's lines of one, and its title."""
    title = [line for line in play if line.startswith("//")]
    return [*title, *perform((line[2:] for line in play if line.startswith("> ")), pack, matcher)]


def perform(lines: Iterable[str], pack: LanguagePack, matcher: Matcher) -> list[str]:
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
