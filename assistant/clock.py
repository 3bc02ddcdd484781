"""Two clocks: the wall's, and one that jumps. The only module that imports time."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """Seconds since the session began."""

    def now(self) -> float:
        """Return the seconds since the session began."""

    def wait_until(self, at: float) -> None:
        """Come back when that time has come."""


class SystemClock:
    """Real time."""

    def __init__(self) -> None:
        self._began = time.monotonic()

    def now(self) -> float:
        """Return the seconds since the clock was made."""
        return time.monotonic() - self._began

    def wait_until(self, at: float) -> None:
        """Sleep until then; a deadline from the start, so lateness does not add up."""
        time.sleep(max(0.0, at - self.now()))


class VirtualClock:
    """Time that passes only by being waited for."""

    def __init__(self) -> None:
        self._now = 0.0

    def now(self) -> float:
        """Return how far the clock was moved."""
        return self._now

    def wait_until(self, at: float) -> None:
        """Jump there."""
        self._now = max(self._now, at)
