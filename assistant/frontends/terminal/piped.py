"""The typed conversation in a pipe and in real time: lines arrive while it goes on."""

from __future__ import annotations

import queue
import threading
from collections.abc import Callable, Iterable

from assistant.dialogue.state import DialogueState
from assistant.session.scripted_user import ScriptedUser, parse

_POLL_SECONDS = 0.05
"""Time between two looks for a new line."""


class ArrivingUser(ScriptedUser):
    """A scripted user whose next line may be written only after this one was answered.

    So no line is read ahead of time; until one is there, `line` is empty.
    """

    def __init__(self, lines: Iterable[str], meaning: Callable[[str], str]) -> None:
        """Read the lines on a thread of its own."""
        self._arrived: queue.SimpleQueue[str | None] = queue.SimpleQueue()
        self._at = 0.0
        threading.Thread(target=self._read, args=(lines,), daemon=True).start()
        super().__init__((), meaning)

    def _read(self, lines: Iterable[str]) -> None:
        try:
            for line in lines:
                text = line.strip()
                if text and not text.startswith("//"):
                    self._arrived.put(text)
        finally:
            self._arrived.put(None)

    def _advance(self) -> None:
        self.line, self._next = "", None
        self._look()

    def _look(self) -> None:
        """Take the next line if it has arrived."""
        if self.line == "" and not self._arrived.empty():
            self.line = self._arrived.get()
            self._next = parse(self.line) if self.line else None

    @property
    def next_at(self) -> float | None:
        """When the next line is due, or when to look for it again."""
        return super().next_at if self._next else self._at + _POLL_SECONDS

    def speak(
        self, now: DialogueState, at: float, hold_position_seconds: float | None
    ) -> str | None:
        """Return what is said at this moment; None for nothing."""
        self._at = at
        self._look()
        return super().speak(now, at, hold_position_seconds)
