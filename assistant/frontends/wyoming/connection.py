"""A conversation over one connection: microphone in, speech out, in real time.

Decoding runs on worker threads (Vosk gives Python's lock back meanwhile); the blocks that arrive
are the clock. Where none arrive, because a satellite waits for its wake word, a timer ticks on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor

import numpy as np
from wyoming.asr import Transcript
from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event, async_write_event
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline
from wyoming.satellite import StreamingStopped
from wyoming.wake import Detection

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Samples
from assistant.clock import Clock
from assistant.errors import NetworkError
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.audio_in import Incoming
from assistant.frontends.wyoming.audio_out import Pacer
from assistant.frontends.wyoming.wire import Limits
from assistant.session.remote_voice import Talk

_TICK_SECONDS = 0.05
"""Longest wait for sound before the timers are looked at."""
_PACE_SECONDS = 0.02
"""While something is said, sound is sent this often; else a tick tells when there is some."""
_REST_SECONDS = 0.2
_BACKLOG_SECONDS = 5.0
"""More sound than this never waits: the oldest is dropped."""
_FASTEST = 2.0
"""Sound may come so much faster than time passes, to catch up; what is beyond is dropped."""
_PAUSE_SECONDS = 0.5
"""A microphone from which nothing came for so long has stopped."""
_PING_SECONDS = 5.0
_SILENT_PINGS = 3
_AFTERMATH_SECONDS = 12.0
"""A satellite with a wake word goes on listening so long after the last word."""

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """Runs one talk over one connection until either side ends it."""

    def __init__(
        self,
        talk: Talk,
        streams: Streams,
        clock: Clock,
        threads: Executor,
        measures: Measures,
        *,
        lead_seconds: float,
        limits: Limits,
    ) -> None:
        self._talk = talk
        self._reader, self._writer = streams
        self._clock = clock
        self._threads = threads
        self._measures = measures
        self._limits = limits
        self._pacer = Pacer(talk.timeline, clock.now(), lead_seconds)
        self._ears = _Ears(measures)
        self._spoke = asyncio.Event()
        self._lights = _Lights()
        self._heard_at = clock.now()
        """When anything last came from the other side."""
        self._answers_pings = False

    async def run(self, *first: Event, idle_seconds: float | None = None) -> None:
        """Converse until the stream ends; `first` are messages that have arrived already.

        `idle_seconds` None waits for messages as long as it takes. Raises NetworkError if what
        comes cannot be understood.
        """
        for event in first:
            await self._receive(event)
        jobs = (self._read(idle_seconds), self._listen(), self._speak(), self._ping())
        tasks = [asyncio.create_task(job) for job in jobs]
        try:
            await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in tasks:
                task.cancel()
            ended = await asyncio.gather(*tasks, return_exceptions=True)
        for end in ended:
            if isinstance(end, Exception):
                raise end

    async def _send(self, *events: Event) -> None:
        try:
            async with asyncio.timeout(self._limits.message_seconds):
                for event in events:
                    await async_write_event(event, self._writer)
        except TimeoutError:
            raise NetworkError("The other side no longer takes what is sent to it.") from None

    async def close(self) -> None:
        """End the stream of sound, so that the satellite is quiet and ready for the next."""
        with contextlib.suppress(OSError, NetworkError):
            await self._send(*self._pacer.close(), *self._lights.out())

    # What comes.

    async def _read(self, idle_seconds: float | None) -> None:
        while event := await wire.read(self._reader, self._limits, idle_seconds):
            self._heard_at = self._clock.now()
            self._measures.received()
            await self._receive(event)

    async def _receive(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            self._ears.take(event, self._clock.now())
        elif AudioStop.is_type(event.type) or StreamingStopped.is_type(event.type):
            self._ears.shut()
        elif RunPipeline.is_type(event.type):
            self._lights.woken(event, self._clock.now())
        elif Ping.is_type(event.type):
            await self._send(Pong(str(event.data.get("text") or "")).event())
        elif Pong.is_type(event.type):
            self._answers_pings = True

    # What is heard and said.

    async def _listen(self) -> None:
        while True:
            block, is_last = await self._ears.listen(self._clock.now)
            await self._think(self._talk.tick, block)
            if block is not None:
                self._measures.thought(self._clock.now() - self._ears.heard_at)
            if is_last:
                await self._think(self._talk.end_utterance)
            self._spoke.set()
            is_coaching = self._talk.is_coaching
            await self._send(*self._lights.shown(self._clock.now(), is_coaching=is_coaching))

    async def _think(self, work: Callable[..., None], *block: Samples | None) -> None:
        loop = asyncio.get_running_loop()
        await loop.run_in_executor(self._threads, work, self._clock.now(), *block)

    async def _speak(self) -> None:
        while True:
            self._spoke.clear()
            events = self._pacer.due(self._clock.now())
            await self._send(*events)
            if events and (asked_at := self._talk.take_answered()) is not None:
                self._measures.answered(self._clock.now() - asked_at)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PACE_SECONDS if self._pacer.is_open else _REST_SECONDS):
                    await self._spoke.wait()

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            silent = self._clock.now() - self._heard_at
            # Satellites before version 1.1 never answer: of those, silence says nothing.
            if self._answers_pings and silent > _SILENT_PINGS * _PING_SECONDS:
                raise NetworkError("The other side has stopped answering.")
            await self._send(Ping("charley").event())


class _Ears:
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
        """When the first of the sound came that was listened to last."""
        self._ahead_until = 0.0
        """Up to when sound has come, had it come as fast as it may."""

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


class _Lights:
    """What a satellite is told so that its lights are right and it waits for its wake word again.

    Never a word of what was said: `transcript` comes empty.
    """

    def __init__(self) -> None:
        self._wakes_here = False
        """True if the satellite streams all the time and asks for a wake word to be found."""
        self._is_lit = False
        self._busy_at = 0.0

    def woken(self, event: Event, at: float) -> None:
        """The satellite began to stream: by its own wake word, or for good."""
        self._wakes_here = event.data.get("start_stage") == PipelineStage.WAKE.value
        self._is_lit, self._busy_at = not self._wakes_here, at

    def shown(self, at: float, *, is_coaching: bool) -> list[Event]:
        """Return what to tell now."""
        if is_coaching:
            self._busy_at = at
            if self._wakes_here and not self._is_lit:
                self._is_lit = True
                return [Detection("charley").event()]
        elif at - self._busy_at > _AFTERMATH_SECONDS:
            return self.out()
        return []

    def out(self) -> list[Event]:
        """Return what ends it."""
        was_lit, self._is_lit = self._is_lit, False
        return [Transcript("").event()] if was_lit else []
