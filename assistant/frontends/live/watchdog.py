"""A thread of its own that notices a stuck conversation and a suspended machine."""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Protocol, Self

LOOK_SECONDS = 0.25
STUCK_SECONDS = 5.0
"""Time without a beat after which the conversation is stuck; a voice fails long before."""
ASLEEP_SECONDS = 2.0
"""A longer gap between two looks is a suspend; no load stretches LOOK_SECONDS so far."""


class SkippingClock(Protocol):
    """A clock that can leave out a stretch of time."""

    def now(self) -> float:
        """Return the seconds since the session began."""

    def skip(self, seconds: float) -> None:
        """Leave out a stretch of time."""


class Watchdog:
    """Notices that the conversation is stuck, or that the whole program stood still.

    `beat` is for the conversation; `look` for a thread, or for a test. Either notices a standstill
    first, and takes it out of the session's time before anything is due by it.
    """

    def __init__(
        self, clock: SkippingClock, on_stuck: Callable[[], None], on_free: Callable[[], None]
    ) -> None:
        """`on_stuck` is called from the watchdog's thread, `on_free` from the conversation's."""
        self._clock = clock
        self._on_stuck = on_stuck
        self._on_free = on_free
        self._lock = threading.Lock()
        self._looked_at = self._beaten_at = clock.now()
        self._asleep_seconds = 0.0
        self._is_stuck = False
        self._over = threading.Event()

    def __enter__(self) -> Self:
        """Start the thread."""
        self._looked_at = self._beaten_at = self._clock.now()
        threading.Thread(target=self._run, name="watchdog", daemon=True).start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Stop the thread."""
        self._over.set()

    def _run(self) -> None:
        while not self._over.wait(LOOK_SECONDS):
            self.look()

    def look(self) -> None:
        """Check once."""
        at = self._awake()
        if at - self._beaten_at > STUCK_SECONDS and not self._is_stuck:
            self._is_stuck = True
            self._on_stuck()

    def beat(self) -> tuple[float, float]:
        """Note that the conversation moves; return the time and how long all stood still."""
        at = self._awake()
        with self._lock:
            self._beaten_at = at
            asleep, self._asleep_seconds = self._asleep_seconds, 0.0
        if self._is_stuck:
            self._is_stuck = False
            self._on_free()
        return at, asleep

    def _awake(self) -> float:
        """Return the time without a standstill that is noticed now."""
        with self._lock:
            gap = self._clock.now() - self._looked_at
            if gap > ASLEEP_SECONDS:
                self._clock.skip(gap)
                self._asleep_seconds += gap
            self._looked_at = self._clock.now()
            return self._looked_at
