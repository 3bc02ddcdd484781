"""Single keys of a terminal, without Enter: for push-to-talk and for people who press."""

from __future__ import annotations

import os
import signal
import sys
import threading
from collections.abc import Callable
from contextlib import suppress
from typing import Any, Self, TextIO

from assistant.frontends.live.buttons import Button

# Switches for people who cannot type send the space bar or Enter.
KEYS = {
    " ": Button.TALK,
    "\r": Button.TALK,
    "\n": Button.TALK,
    "s": Button.STOP,
    "n": Button.NEXT,
    "b": Button.BACK,
    "r": Button.REPEAT,
    "p": Button.PAUSE_OR_RESUME,
}


def is_terminal() -> bool:
    """Return whether somebody can type on standard input."""
    return sys.stdin is not None and sys.stdin.isatty()


class Keys:
    """Reports which keys are pressed in a terminal; a context manager."""

    def __init__(self, terminal: TextIO, pressed: Callable[[Button], None]) -> None:
        """`pressed` is called from a thread of its own."""
        self._terminal = terminal
        self._pressed = pressed
        self._mode: Any = None

    def __enter__(self) -> Self:
        """Read each key at once without echo; Ctrl-C works as usual."""
        if sys.platform != "win32":
            import termios

            self._mode = termios.tcgetattr(self._terminal.fileno())
            self._take()
            # The shell takes the terminal while the program is stopped, by Ctrl-Z.
            signal.signal(signal.SIGCONT, lambda *_: self._take())
        threading.Thread(target=self._run, name="keys", daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        if sys.platform != "win32":
            signal.signal(signal.SIGCONT, signal.SIG_DFL)
        self.give_back()

    def give_back(self) -> None:
        """Restore the terminal; from any thread."""
        if sys.platform != "win32" and self._mode is not None:
            import termios

            with suppress(termios.error):
                termios.tcsetattr(self._terminal.fileno(), termios.TCSADRAIN, self._mode)

    def _take(self) -> None:
        if sys.platform != "win32" and _is_ours(self._terminal.fileno()):
            import tty

            tty.setcbreak(self._terminal.fileno())

    def _run(self) -> None:
        while key := self._read():
            if key in KEYS:
                self._pressed(KEYS[key])

    def _read(self) -> str:
        """Return the next key; empty at the end of the input."""
        if sys.platform == "win32":
            import msvcrt

            return msvcrt.getwch()
        try:
            # One byte is enough: the keys are ASCII, and no part of another character is.
            return os.read(self._terminal.fileno(), 1).decode("ascii", "replace")
        except OSError:  # the terminal was closed
            return ""


def _is_ours(terminal: int) -> bool:
    """Return whether we are in the foreground; a terminal without a shell is ours."""
    try:
        return os.tcgetpgrp(terminal) == os.getpgrp()
    except OSError:
        return True
