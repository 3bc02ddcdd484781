"""Two clocks: the wall's, and one that jumps. The only module that imports time."""

from __future__ import annotations

import time
from typing import Protocol

# On Linux the monotonic clock stands still while the machine sleeps; this one does not.
_BOOT_CLOCK = getattr(time, "CLOCK_BOOTTIME", None)


def _monotonic() -> float:
    """Return seconds that nobody can set, the machine's sleep included where it can be had."""
    return time.monotonic() if _BOOT_CLOCK is None else time.clock_gettime(_BOOT_CLOCK)


class Clock(Protocol):
    """Seconds since the session began."""

    def now(self) -> float:
        """Return the seconds since the session began."""

    def wait_until(self, at: float) -> None:
        """Come back when that time has come."""


class SystemClock:
    """Real time."""

    def __init__(self) -> None:
        self._began = _monotonic()

    def now(self) -> float:
        """Return the seconds since the clock was made."""
        return _monotonic() - self._began

    def skip(self, seconds: float) -> None:
        """Leave out a stretch of time in which the whole program stood still."""
        self._began += seconds

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
