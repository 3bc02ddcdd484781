"""A conversation as it reads in a play: time, who speaks, what; a hold's counts on one line."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable
from typing import TextIO

from assistant.content import ui_text
from assistant.content.ui_text import UiText, minutes_seconds
from assistant.playback.captions import Caption

CHARLEY = "Charley"
_INDENT = 17
"""Columns before the words of a line."""
_LONGEST = 500
"""Characters of one utterance that are shown."""
_UP, _CLEAR = "\x1b[1A", "\r\x1b[J"
"""One line up; from the start of this line on, nothing."""


def is_terminal(stream: TextIO) -> bool:
    """Return whether a person sees this, on something that can move its cursor."""
    moves = "WT_SESSION" in os.environ if os.name == "nt" else os.environ.get("TERM") != "dumb"
    return stream.isatty() and moves


def printable(text: str) -> str:
    """Return what a user said without anything that could upset a terminal."""
    shown = ui_text.printable(text[:_LONGEST]).strip()
    return shown + ("..." if len(text) > _LONGEST else "")


class Transcript:
    """The conversation as plain lines; the counts of a hold wait until they fill one."""

    def __init__(self, out: TextIO, words: UiText) -> None:
        self._out = out
        self._words = words
        self._you = words("talk.you")
        self._counts: list[str] = []
        self._counts_at = 0.0

    def show(self, caption: Caption) -> None:
        """Show what Charley says, counts or sounds."""
        if caption.kind == "count":
            self._count(caption.at, f"{caption.text.capitalize()}.")
        elif caption.kind != "chime":
            self.line(caption.at, CHARLEY, caption.text)
        elif self._counts:
            self._count(caption.at, self._words("talk.chime"))
            self.finish()
        else:
            self.line(caption.at, CHARLEY, self._words("talk.tone"))

    def you(self, at: float, text: str) -> None:
        """Show what the user says."""
        self.line(at, self._you, printable(text))

    def line(self, at: float, who: str, text: str) -> None:
        """Show one line of the play."""
        self.finish()
        self._write(at, who, text)

    def finish(self) -> None:
        """Show the counts that wait, if there are any."""
        counts, self._counts = self._counts, []
        if counts:
            self._write(self._counts_at, CHARLEY, " ".join(counts))

    def _count(self, at: float, word: str) -> None:
        if not self._counts:
            self._counts_at = at
        self._counts.append(word)

    def _write(self, at: float, who: str, text: str) -> None:
        print(f"{minutes_seconds(at):>6}  {who + ':':<9}{text}", file=self._out, flush=True)


class LiveTranscript(Transcript):
    """The same in a terminal: in colour, each count when it is due, above the line being typed."""

    def __init__(self, out: TextIO, words: UiText, typing: Callable[[], str] = str) -> None:
        """`typing` returns the prompt and what has been typed after it so far."""
        from rich.console import Console

        super().__init__(out, words)
        self._console = Console(file=out, highlight=False)
        self._typing = typing

    def you(self, at: float, text: str) -> None:
        """Show what the user says; if it was typed here, in the place where it was typed."""
        self.finish()
        self._write(at, self._you, printable(text))

    def finish(self) -> None:
        """Leave the counts as they are."""
        self._counts = []

    def _count(self, at: float, word: str) -> None:
        text = " ".join([*self._counts, word])
        if len(text) + _INDENT >= self._console.width:
            self._counts = []
        is_first = not self._counts
        super()._count(at, word)
        self._write(self._counts_at, CHARLEY, " ".join(self._counts), over=0 if is_first else 1)

    def _write(self, at: float, who: str, text: str, over: int = 0) -> None:
        """Print above the line being typed, in place of so many lines before it."""
        from rich.text import Text

        styles = {CHARLEY: "bold cyan", self._you: "bold green"}
        lines = textwrap.wrap(text, max(20, self._console.width - _INDENT)) or [""]
        words = f"\n{'':{_INDENT}}".join(lines)
        shown = Text.assemble(
            (f"{minutes_seconds(at):>6}  ", "dim"),
            (f"{who + ':':<9}", styles.get(who, "bold")),
            words,
        )
        with self._console.capture() as captured:
            self._console.print(shown)
        # All at once, for the line editor writes here too.
        self._out.write(_UP * over + _CLEAR + captured.get() + self._typing())
        self._out.flush()


def on_screen(words: UiText) -> Transcript:
    """Return a transcript on standard output, a live one where a person sees it."""
    kind = LiveTranscript if is_terminal(sys.stdout) else Transcript
    return kind(sys.stdout, words)
