"""A conversation over one connection: microphone in, speech out, in real time.

Decoding runs on worker threads (Vosk gives Python's lock back meanwhile); the blocks that arrive
are the clock. Where none arrive, because a satellite waits for its wake word, a timer ticks on.
"""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from concurrent.futures import Executor

from wyoming.audio import AudioChunk, AudioStop
from wyoming.event import Event, async_write_event
from wyoming.ping import Ping, Pong
from wyoming.pipeline import RunPipeline
from wyoming.satellite import StreamingStopped

from assistant.audio.pcm import Samples
from assistant.clock import Clock
from assistant.errors import NetworkError
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.audio_out import message
from assistant.frontends.wyoming.backlog import SoundBacklog
from assistant.frontends.wyoming.lights import SatelliteLights
from assistant.frontends.wyoming.wire import Limits
from assistant.playback.pacing import Pacer, StreamEvent
from assistant.session.remote_voice import RemoteVoice

_PACE_SECONDS = 0.02
"""Time between two chunks while something is said; otherwise a tick looks for more."""
_REST_SECONDS = 0.2
_PING_SECONDS = 5.0
_SILENT_PINGS = 3

Streams = tuple[asyncio.StreamReader, asyncio.StreamWriter]


class Link:
    """Runs one conversation over one connection until either side ends it."""

    def __init__(
        self,
        talk: RemoteVoice,
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
        self._backlog = SoundBacklog(measures)
        self._spoke = asyncio.Event()
        self._lights = SatelliteLights()
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
            await self._send(*self._messages(self._pacer.close()), *self._lights.out())

    # What comes.

    async def _read(self, idle_seconds: float | None) -> None:
        while event := await wire.read(self._reader, self._limits, idle_seconds):
            self._heard_at = self._clock.now()
            self._measures.received()
            await self._receive(event)

    async def _receive(self, event: Event) -> None:
        if AudioChunk.is_type(event.type):
            self._backlog.take(event, self._clock.now())
        elif AudioStop.is_type(event.type) or StreamingStopped.is_type(event.type):
            self._backlog.shut()
        elif RunPipeline.is_type(event.type):
            self._lights.woken(event, self._clock.now())
        elif Ping.is_type(event.type):
            await self._send(Pong(str(event.data.get("text") or "")).event())
        elif Pong.is_type(event.type):
            self._answers_pings = True

    # What is heard and said.

    async def _listen(self) -> None:
        while True:
            block, is_last = await self._backlog.listen(self._clock.now)
            await self._think(self._talk.tick, block)
            if block is not None:
                self._measures.thought(self._clock.now() - self._backlog.heard_at)
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
            events = self._messages(self._pacer.due(self._clock.now()))
            await self._send(*events)
            if events and (asked_at := self._talk.take_answered()) is not None:
                self._measures.answered(self._clock.now() - asked_at)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(_PACE_SECONDS if self._pacer.is_open else _REST_SECONDS):
                    await self._spoke.wait()

    def _messages(self, parts: list[StreamEvent]) -> list[Event]:
        return [message(part, self._talk.timeline.rate) for part in parts]

    async def _ping(self) -> None:
        while True:
            await asyncio.sleep(_PING_SECONDS)
            silent = self._clock.now() - self._heard_at
            # Satellites before version 1.1 never answer: their silence means nothing.
            if self._answers_pings and silent > _SILENT_PINGS * _PING_SECONDS:
                raise NetworkError("The other side has stopped answering.")
            await self._send(Ping("charley").event())
