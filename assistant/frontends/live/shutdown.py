"""Leaving on Ctrl-C or a signal: the first says goodbye, the second leaves at once."""

from __future__ import annotations

import os
import signal
import socket
import threading
from collections.abc import Callable
from typing import Any, Self

LEAVE_SECONDS = 12.0
"""Longest goodbye before the process is ended; init systems allow ten seconds or more."""
_SIGNALS = tuple(
    int(getattr(signal, name)) for name in ("SIGINT", "SIGTERM", "SIGHUP") if hasattr(signal, name)
)


class Leave:
    """Notes the signals that ask the program to end; a context manager.

    Python runs its handlers on the main thread, which may hang; so a thread of its own reads the
    signals' numbers from a socket. The second one, or too long a farewell, ends the process.
    """

    def __init__(self) -> None:
        self.signal: int | None = None
        """The number of the signal that was caught."""
        self.at_last: Callable[[], None] = lambda: None
        """Called from another thread before the process is ended at once."""
        self._before: dict[int, Any] = {}
        self._is_over = False

    @property
    def exit_code(self) -> int:
        """The exit code that a shell gives a signal; 0 if there was none."""
        return 0 if self.signal is None else 128 + self.signal

    def __enter__(self) -> Self:
        """Catch the signals from now on, on the main thread only; one that is ignored stays so."""
        self._ours, self._handlers = socket.socketpair()
        if threading.current_thread() is threading.main_thread():
            self._handlers.setblocking(False)
            signal.set_wakeup_fd(self._handlers.fileno(), warn_on_full_buffer=False)
            for number in _SIGNALS:
                if signal.getsignal(number) is not signal.SIG_IGN:
                    self._before[number] = signal.signal(number, lambda *_: None)
            threading.Thread(target=self._listen, name="signals", daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Restore the signals' earlier handlers."""
        self._is_over = True
        for number, handler in self._before.items():
            signal.signal(number, handler)
        if self._before:
            signal.set_wakeup_fd(-1)
        self._handlers.close()

    def _listen(self) -> None:
        while not self._is_over:
            try:
                numbers = self._ours.recv(16)
            except TimeoutError:
                break
            if not numbers:  # closed: the program has ended by itself
                return
            for number in numbers:
                if number in _SIGNALS:
                    self._note(number)
        if not self._is_over:
            self._end(self.exit_code)

    def _note(self, number: int) -> None:
        if self.signal is not None:
            self._end(128 + number)
        self.signal = number
        self._ours.settimeout(LEAVE_SECONDS)

    def _end(self, code: int) -> None:
        self.at_last()
        os._exit(code)
