"""The typed conversation in a terminal: captions go on above while a line is being typed."""

from __future__ import annotations

import contextlib
import io
import threading
from collections.abc import Callable, Iterator
from typing import TYPE_CHECKING, Any, Self, TextIO

from assistant.content.ui_text import UiText
from assistant.frontends.terminal.transcript import LiveTranscript, Transcript, printable
from assistant.session.scripted_user import awaits_user

if TYPE_CHECKING:
    from assistant.session.timed import TimedConversation

PROMPT = "> "


class _Above(LiveTranscript):
    """A transcript that puts what was typed in the place where it was typed."""

    def __init__(self, out: TextIO, words: UiText, keys: _Keys) -> None:
        super().__init__(out, words, keys.typing)
        self._keys = keys

    def you(self, at: float, text: str) -> None:
        rows = (len(PROMPT) + len(text.rstrip("\n"))) // self._console.width + 1
        self.finish()
        self._write(at, self._you, printable(text), over=rows)
        self._keys.shown.set()

    def _write(self, at: float, who: str, text: str, over: int = 0) -> None:
        with self._keys.lock:
            super()._write(at, who, text, over)


class _Keys:
    """What is typed, line by line, and what stands on the line now."""

    def __init__(self, out: TextIO) -> None:
        self.shown = threading.Event()
        self.lock = threading.Lock()
        self._out = out
        self._is_typing = False
        self._buffer: Callable[[], str] = str
        self._has_hook = False
        # Windows has no readline: the console edits the line and lets nobody look at it. Some
        # builds of macOS have one without the hook.
        with contextlib.suppress(ImportError, AttributeError):
            import readline

            self._buffer = readline.get_line_buffer
            readline.set_pre_input_hook(self._begin)
            self._has_hook = True

    def _begin(self) -> None:
        """Show the prompt again, which what was printed may have covered."""
        with self.lock:
            self._out.write("\r\x1b[J" + PROMPT)
            self._out.flush()
            self._is_typing = True

    def typing(self) -> str:
        """Return the prompt and what has been typed after it; empty while nobody is asked."""
        return PROMPT + self._buffer() if self._is_typing else ""

    def lines(self, *, with_empty: bool) -> Iterator[str]:
        """Yield lines as they are typed; each is waited for until it has been shown."""
        with contextlib.suppress(EOFError):
            while True:
                self._is_typing = not self._has_hook
                text = input(PROMPT)
                self._is_typing = False
                if text.strip():
                    self.shown.clear()
                    yield text
                    # Or the next prompt would stand before the answer to this line.
                    self.shown.wait(1.0)
                elif with_empty:
                    yield text


class Terminal:
    """A terminal that is typed into and written above at the same time; a context manager."""

    def __init__(self, keys: TextIO, out: TextIO, words: UiText) -> None:
        self._stdin = keys
        self._words = words
        self._out = out
        self._keys = _Keys(out)
        self.transcript = _Above(out, words, self._keys) if out.isatty() else Transcript(out, words)
        self._mode: Any = None

    def __enter__(self) -> Self:
        """Keep the terminal's mode, for Ctrl-C may come while a line is edited."""
        with contextlib.suppress(ImportError, OSError, io.UnsupportedOperation):
            import termios

            self._mode = termios.tcgetattr(self._stdin.fileno())
        return self

    def __exit__(self, *_raised: object) -> None:
        """Restore the terminal."""
        print(file=self._out, flush=True)
        if self._mode is not None:
            import termios

            termios.tcsetattr(self._stdin.fileno(), termios.TCSADRAIN, self._mode)

    def converse(self, conversation: TimedConversation, *, first_time: bool, fast: bool) -> None:
        """Answer what is typed until the input ends; `fast` lets time pass at once."""
        hint = self._words("typing.hint_fast" if fast else "typing.hint")
        print(hint, file=self._out, flush=True)
        conversation.start(first_time=first_time)
        if not fast:
            conversation.converse(self._keys.lines(with_empty=False))
            return
        _run_on(conversation)
        for text in self._keys.lines(with_empty=True):
            if text.strip():
                conversation.say(text)
            elif self._out.isatty():
                self._out.write("\x1b[1A\x1b[J")
            _run_on(conversation, by_itself=not text.strip())


def _run_on(conversation: TimedConversation, *, by_itself: bool = False) -> None:
    """Let time pass until Charley waits for the user; `by_itself`: until the next time."""
    if by_itself:
        conversation.run_next(float("inf"))
    while not awaits_user(conversation.session.now) and conversation.run_next(float("inf")):
        pass
