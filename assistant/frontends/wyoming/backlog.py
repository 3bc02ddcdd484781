"""The sound that has come over the network and waits to be heard."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

import numpy as np
from wyoming.event import Event

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Samples
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming.audio_in import Incoming

_TICK_SECONDS = 0.05
"""Longest wait for sound before the timers are looked at."""
_BACKLOG_SECONDS = 5.0
"""Longest backlog; beyond it the oldest sound is dropped."""
_FASTEST = 2.0
"""How much faster than real time sound may come, to catch up; the rest is dropped."""
_PAUSE_SECONDS = 0.5
"""A gap in the stream after which the microphone counts as closed."""


class SoundBacklog:
    """The sound that waits to be heard."""

    def __init__(self, measures: Measures) -> None:
        self._measures = measures
        self._incoming = Incoming()
        self._waiting: list[Samples] = []
        self._arrived = asyncio.Event()
        self._open = False
        """True while a microphone streams."""
        self._last_at = 0.0
        self._first_at = 0.0
        self.heard_at = 0.0
        """When the oldest block of the last batch arrived."""
        self._ahead_until = 0.0
        """The time up to which sound has come, at the fastest rate that is allowed."""

    def take(self, event: Event, at: float) -> None:
        """Take a chunk. Raises NetworkError if it is none."""
        samples = self._incoming.take(event)
        seconds = len(samples) / RATE
        self._open, self._last_at = True, at
        ahead_until = max(at, self._ahead_until) + seconds / _FASTEST
        if ahead_until > at + _BACKLOG_SECONDS:
            self._measures.dropped(seconds)
            return
        self._ahead_until = ahead_until
        if not self._waiting:
            self._first_at = at
        self._waiting.append(samples)
        while sum(map(len, self._waiting)) > _BACKLOG_SECONDS * RATE:
            self._measures.dropped(len(self._waiting.pop(0)) / RATE)
        self._arrived.set()

    def shut(self) -> None:
        """The microphone's stream is over."""
        self._last_at = -_PAUSE_SECONDS
        self._arrived.set()

    async def listen(self, now: Callable[[], float]) -> tuple[Samples | None, bool]:
        """Return what came, soon even if nothing did, and whether it was the stream's last."""
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout(_TICK_SECONDS):
                await self._arrived.wait()
        self._arrived.clear()
        self.heard_at, self._first_at = self._first_at, 0.0
        blocks, self._waiting = self._waiting, []
        is_last = self._open and now() - self._last_at >= _PAUSE_SECONDS
        self._open = self._open and not is_last
        return (np.concatenate(blocks) if blocks else None), is_last
