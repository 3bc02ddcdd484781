"""Wyoming satellites: connect to each, converse with it, and connect again when it was lost."""

from __future__ import annotations

import asyncio
import contextlib
import random
from collections.abc import Callable
from dataclasses import dataclass
from urllib.parse import urlparse

from wyoming.event import async_write_event
from wyoming.info import Describe
from wyoming.satellite import PauseSatellite, RunSatellite

from assistant.clock import Clock
from assistant.errors import NetworkError
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming.connection import Link, Streams
from assistant.session.remote_voice import RemoteVoice

SATELLITE_PORT = 10700
"""The port in wyoming-satellite's own examples."""
_CONNECT_SECONDS = 5.0
_RETRY_SECONDS = (0.5, 30.0)
"""Shortest and longest wait before the next try; it doubles."""
_WAITING_SECONDS = 0.05
_MISSED_SECONDS = 3.0
"""A shorter gap does not interrupt the conversation."""


@dataclass(frozen=True, slots=True)
class Address:
    """Where something listens."""

    host: str
    port: int

    def __str__(self) -> str:
        return f"tcp://{self.host}:{self.port}"


def address(uri: str, port: int | None = None) -> Address:
    """Return the address of `tcp://host:port`; `port` where none is given. NetworkError."""
    try:
        parts = urlparse(uri)
        host, number = parts.hostname, port if parts.port is None else parts.port
    except ValueError:
        host, number = None, None
    if number is None or not host or parts.scheme != "tcp":
        raise NetworkError(f'"{uri[:60]}" is no address; write it as tcp://kitchen.local:10700.')
    return Address(host, number)


class Satellite:
    """Keeps one satellite connected; its conversation outlives a lost connection."""

    def __init__(
        self,
        at: Address,
        talk: RemoteVoice,
        link: Callable[[RemoteVoice, Streams], Link],
        *,
        clock: Clock,
        measures: Measures,
        tell: Callable[[str], None],
    ) -> None:
        """`tell` gets one sentence when it is lost and one when it is back."""
        self._at = at
        self._talk = talk
        self._link = link
        self._clock = clock
        self._measures = measures
        self._tell = tell
        self._has_begun = False
        self._lost_at: float | None = None

    async def run(self) -> None:
        """Converse until cancelled."""
        wait = _RETRY_SECONDS[0]
        while True:
            began = self._clock.now()
            try:
                await self._connect_and_converse()
                reason = "the connection was closed"
            except (OSError, TimeoutError, NetworkError) as error:
                reason = str(error) or type(error).__name__
            except Exception as error:  # noqa: BLE001  # a mistake must not end it for good
                self._measures.rejected("fault")
                reason = f"by a mistake of Charley's, {error!r}"
            self._lose(reason)
            if self._clock.now() - began > _RETRY_SECONDS[1]:
                wait = _RETRY_SECONDS[0]
            await self._keep_time(wait * random.uniform(0.8, 1.2))  # noqa: S311  # not to march in step
            wait = min(2 * wait, _RETRY_SECONDS[1])

    async def _connect_and_converse(self) -> None:
        async with asyncio.timeout(_CONNECT_SECONDS):
            reader, writer = await asyncio.open_connection(self._at.host, self._at.port)
        link = self._link(self._talk, (reader, writer))
        try:
            await async_write_event(Describe().event(), writer)
            await async_write_event(RunSatellite().event(), writer)
            self._find()
            with self._measures.sessions.track_inprogress():
                await link.run()
        finally:
            await link.close()
            with contextlib.suppress(OSError):
                await async_write_event(PauseSatellite().event(), writer)
            writer.close()

    def _find(self) -> None:
        """The satellite is there, for the first time or again."""
        at, lost_at, self._lost_at = self._clock.now(), self._lost_at, None
        if not self._has_begun:
            self._talk.begin(at)
        elif lost_at is not None and at - lost_at > _MISSED_SECONDS:
            self._talk.found_again(at)
        if not self._has_begun or lost_at is not None:
            self._tell(f"{self._at}: connected.")
        self._has_begun = True

    def _lose(self, reason: str) -> None:
        self._measures.reconnecting()
        if self._lost_at is None:
            self._lost_at = self._clock.now()
            self._tell(f"{self._at}: lost ({reason}); Charley goes on looking for it.")

    async def _keep_time(self, seconds: float) -> None:
        """Let the conversation's time pass while nobody can hear it."""
        timeline, begun, position = (
            self._talk.timeline,
            self._clock.now(),
            self._talk.timeline.position_samples,
        )
        while (now := self._clock.now()) < begun + seconds:
            passed = round((now - begun) * timeline.rate)
            timeline.read(max(0, position + passed - timeline.position_samples))
            await asyncio.to_thread(self._talk.tick, now)
            await asyncio.sleep(_WAITING_SECONDS)
