"""The port: every connection within limits, so that none harms another."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable

from wyoming.audio import AudioChunk
from wyoming.error import Error
from wyoming.event import Event, async_write_event
from wyoming.pipeline import RunPipeline

from assistant.clock import Clock
from assistant.errors import NetworkError
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.connection import Link, Streams
from assistant.frontends.wyoming.requests import Requests, Services
from assistant.session.remote_voice import RemoteVoice

_CLOSE_SECONDS = 2.0
_PENALTY_SECONDS = 0.5
"""How long a refused client holds its place; an immediate retry would cost the others time."""
_FREE_MESSAGES = 16
"""Messages of one connection that are answered at once; Home Assistant sends one or two."""
_MANNERS_SECONDS = 0.05
"""Shortest time between further ones."""


class Server:
    """Serves everyone who connects; a satellite that connects gets a conversation."""

    def __init__(
        self,
        services: Services,
        clock: Clock,
        talk: Callable[[], RemoteVoice],
        link: Callable[[RemoteVoice, Streams], Link],
        tell: Callable[[str], None],
    ) -> None:
        """`tell` gets a sentence about what should never happen."""
        self._tell = tell
        self._services = services
        self._clock = clock
        self._talk = talk
        self._link = link
        self._tasks: dict[asyncio.Task[None], str] = {}
        """The open connections, with the address of each."""
        self._server: asyncio.Server | None = None
        self._sessions = 0

    async def start(self, host: str, port: int) -> int:
        """Listen; return the port, which the system chooses for 0. NetworkError if it is taken."""
        limit = self._services.limits.header_bytes
        try:
            self._server = await asyncio.start_server(self._accept, host, port, limit=limit)
        except OSError as error:
            reason = error.strerror or error
            raise NetworkError(f"Charley cannot listen at {host}:{port} ({reason}).") from None
        return int(self._server.sockets[0].getsockname()[1])

    async def stop(self) -> None:
        """Take no more connections and end those that are."""
        if self._server is not None:
            self._server.close()
        for task in list(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task, address = asyncio.current_task(), _address(writer)
        if task is None or not self._takes(address):
            self._services.measures.rejected("connections")
            await _refuse(writer, NetworkError("Too many connections; try again in a minute."))
            await _close(writer)
            return
        self._tasks[task] = address
        try:
            with self._services.measures.connections.track_inprogress():
                await self._serve(reader, writer)
        except (OSError, asyncio.CancelledError):
            pass
        except Exception as error:  # noqa: BLE001  # a mistake here must not end the others
            self._services.measures.rejected("fault")
            self._tell(f"A connection was ended by a mistake of Charley's ({error!r}).")
        finally:
            self._tasks.pop(task, None)
            await _close(writer)

    def _takes(self, address: str) -> bool:
        """Return whether another connection from an address is within the limits."""
        limits, open_here = self._services.limits, list(self._tasks.values())
        is_full = len(open_here) >= limits.connections
        return not is_full and open_here.count(address) < limits.connections_per_address

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        limits = self._services.limits
        requests = Requests(self._services, _address(writer))
        try:
            count, idle_seconds = 0, limits.first_seconds
            while event := await wire.read(reader, limits, idle_seconds):
                self._services.measures.received()
                idle_seconds = limits.idle_seconds
                count += not AudioChunk.is_type(event.type)
                if count > _FREE_MESSAGES:
                    await asyncio.sleep(_MANNERS_SECONDS)
                if RunPipeline.is_type(event.type):
                    await self._converse(event, (reader, writer))
                    return
                async for answer in requests.answer(event):
                    async with asyncio.timeout(limits.message_seconds):
                        await async_write_event(answer, writer)
        except TimeoutError:
            self._services.measures.rejected("slow")
        except NetworkError as error:
            self._services.measures.rejected("message")
            await _refuse(writer, error)
            await asyncio.sleep(_PENALTY_SECONDS)
        finally:
            await requests.close()

    async def _converse(self, first: Event, streams: Streams) -> None:
        limits = self._services.limits
        if self._sessions >= limits.sessions:
            self._services.measures.rejected("sessions")
            raise NetworkError("Charley talks with as many as it can; try again later.")
        self._sessions += 1
        link = None
        try:
            with self._services.measures.sessions.track_inprogress():
                talk = await self._services.work(self._talk)
                await self._services.work(talk.begin, self._clock.now())
                link = self._link(talk, streams)
                await link.run(first, idle_seconds=limits.idle_seconds)
        finally:
            self._sessions -= 1
            if link is not None:
                await link.close()


async def _refuse(writer: asyncio.StreamWriter, error: NetworkError) -> None:
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await async_write_event(Error(str(error), error.code).event(), writer)


async def _close(writer: asyncio.StreamWriter) -> None:
    writer.close()
    with contextlib.suppress(OSError, TimeoutError):
        async with asyncio.timeout(_CLOSE_SECONDS):
            await writer.wait_closed()


def _address(writer: asyncio.StreamWriter) -> str:
    """Return the host of the other side; empty where there is none."""
    peer = writer.get_extra_info("peername")
    return str(peer[0]) if peer else ""
