"""`charley serve`: satellites, services, health and discovery, until a signal ends the process."""

from __future__ import annotations

import asyncio
import os
import signal
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass, field
from functools import partial

from wyoming.event import async_write_event
from wyoming.info import Describe, Info

from assistant import malloc
from assistant.clock import SystemClock
from assistant.errors import NetworkError
from assistant.frontends.home_assistant.announce import Announcer, HomeAssistant
from assistant.frontends.monitoring import systemd
from assistant.frontends.monitoring.health import HealthServer
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.connection import Link
from assistant.frontends.wyoming.discovery import Neighbourhood
from assistant.frontends.wyoming.info import describe
from assistant.frontends.wyoming.requests import Services
from assistant.frontends.wyoming.satellite import Address, Satellite
from assistant.frontends.wyoming.server import Server
from assistant.frontends.wyoming.wire import Limits
from assistant.playback.pacing import LEAD_SECONDS
from assistant.session.remote_voice import RemoteVoice
from assistant.session.shared import SharedParts
from assistant.session.text_turns import Turns
from assistant.settings import Settings

_STALE_SECONDS = 5.0
"""Silence of the event loop after which the server is unhealthy."""
_LEAVE_SECONDS = 8.0
"""Longest end of the process; init systems and containers allow ten seconds."""
_HEARTBEAT_SECONDS = 0.5
_INFO_SECONDS = 5.0
_SERVICE_THREADS = 2
_EVERYWHERE = "0.0.0.0"  # noqa: S104  # where zeroconf speaks, not where anything listens
Tell = Callable[[str], None]


@dataclass(frozen=True, slots=True)
class Plan:
    """What one process is to do."""

    listen: Address | None = None
    """Where to offer services; None for nowhere."""
    health: Address | None = None
    satellites: tuple[Address, ...] = ()
    discover: bool = False
    """Look for satellites by zeroconf."""
    announce: str = ""
    """The name under which zeroconf announces the services; empty to not announce them."""
    home: HomeAssistant | None = None
    lead_seconds: float = LEAD_SECONDS
    limits: Limits = field(default_factory=Limits)


def serve(settings: Settings, plan: Plan, tell: Tell) -> None:
    """Serve until SIGTERM or Ctrl-C. Raises AssistantError if it cannot begin."""
    malloc.settle()
    asyncio.run(_Process(settings, plan, tell).run())


class _Process:
    """One running server."""

    def __init__(self, settings: Settings, plan: Plan, tell: Tell) -> None:
        self._plan = plan
        self._tell = tell
        self._clock = SystemClock()
        self._parts = SharedParts(settings, tell)
        self._measures = Measures(self._parts.language.intents.language.precedence)
        # Decoding gives Python's lock back, so threads beyond the cores still shorten the queue.
        self._threads = ThreadPoolExecutor(2 * (os.cpu_count() or 1), "conversation")
        # A small pool of their own: heavy requests must not make a conversation wait.
        self._service_threads = ThreadPoolExecutor(_SERVICE_THREADS, "service")
        self._link = partial(
            Link, clock=self._clock, threads=self._threads, measures=self._measures,
            lead_seconds=plan.lead_seconds, limits=plan.limits,
        )  # fmt: skip
        self._turns = Turns(self._parts, self._clock, self._measures.watch("text"))
        self._seen_at = self._clock.now()
        self._satellites: dict[Address, asyncio.Task[None]] = {}
        self._looks: dict[Address, asyncio.Task[None]] = {}
        """What zeroconf found and is asked whether it is a satellite."""

    async def run(self) -> None:
        """Serve until a signal."""
        ended = asyncio.Event()
        loop = asyncio.get_running_loop()
        for number in (signal.SIGTERM, signal.SIGINT):
            with suppress(NotImplementedError):  # not on Windows: Ctrl-C raises
                loop.add_signal_handler(number, ended.set)
        async with AsyncExitStack() as open_parts:
            await self._begin(open_parts)
            systemd.notify("READY=1")
            while not ended.is_set():
                self._seen_at = self._clock.now()
                systemd.notify("WATCHDOG=1")
                with suppress(TimeoutError):
                    async with asyncio.timeout(_HEARTBEAT_SECONDS):
                        await ended.wait()
            systemd.notify("STOPPING=1")
            self._end_in_any_case()

    def _end_in_any_case(self) -> None:
        """End the process some seconds from now, even if a part of it hangs."""

        def end() -> None:
            self._tell(f"Something did not end within {_LEAVE_SECONDS:g} s; Charley ends anyway.")
            os._exit(0)

        timer = threading.Timer(_LEAVE_SECONDS, end)
        timer.daemon = True
        timer.start()

    async def _begin(self, parts: AsyncExitStack) -> None:
        plan = self._plan
        for threads in (self._threads, self._service_threads):
            parts.callback(threads.shutdown, wait=False, cancel_futures=True)
        if plan.health is not None:
            await self._begin_health(parts, plan.health)
        port = 0
        if plan.listen is not None:
            port = await self._begin_services(parts, plan.listen)
        self._service_threads.submit(self._parts.prepare)
        parts.push_async_callback(self._leave_satellites)
        for at in plan.satellites:
            self._add(at)
        if plan.discover or (plan.announce and port):
            # Satellites are anywhere in the home, wherever Charley itself listens.
            network = _EVERYWHERE if plan.discover or not plan.listen else plan.listen.host
            around = await parts.enter_async_context(Neighbourhood(network))
            if plan.announce and port and plan.listen:
                await around.announce(plan.announce, Address(plan.listen.host, port))
            if plan.discover:
                around.find(self._found, self._withdrawn)

    async def _begin_health(self, parts: AsyncExitStack, at: Address) -> None:
        health = HealthServer(at.host, at.port, self._measures, self._trouble)
        parts.callback(health.close)
        self._tell(f"Health and metrics: http://{at.host}:{health.port}/health and /metrics")

    def _trouble(self) -> str:
        """Return what is wrong, for a health check; from any thread."""
        if self._clock.now() - self._seen_at >= _STALE_SECONDS:
            return "hanging"
        dead = [str(at) for at, task in list(self._satellites.items()) if task.done()]
        return f"no conversation any more with {', '.join(dead)}" if dead else ""

    async def _begin_services(self, parts: AsyncExitStack, at: Address) -> int:
        plan = self._plan
        announcer = Announcer(plan.home, self._turns, self._tell) if plan.home else None
        if announcer:
            parts.callback(announcer.close)
        info = describe(self._parts)
        services = Services(
            self._parts,
            self._turns,
            self._measures,
            plan.limits,
            self._threads,
            info,
            announcer,
        )
        server = Server(services, self._clock, self._talk, self._link, self._tell)
        port = await server.start(at.host, at.port)
        parts.push_async_callback(server.stop)
        self._tell(f"Wyoming services: tcp://{at.host}:{port}")
        return port

    def _talk(self) -> RemoteVoice:
        return RemoteVoice(self._parts, self._measures.watch("sound"))

    # Satellites

    def _add(self, at: Address) -> None:
        if at not in self._satellites:
            satellite = Satellite(
                at, self._talk(), self._link,
                clock=self._clock, measures=self._measures, tell=self._tell,
            )  # fmt: skip
            self._satellites[at] = asyncio.create_task(satellite.run())

    def _found(self, at: Address) -> None:
        """Look at what zeroconf found, within the limit of conversations."""
        if len({*self._satellites, *self._looks}) >= self._plan.limits.sessions:
            self._measures.rejected("sessions")
        elif at not in self._satellites and at not in self._looks:
            self._looks[at] = asyncio.create_task(self._look(at))
            self._looks[at].add_done_callback(lambda _done: self._looks.pop(at, None))

    def _withdrawn(self, at: Address) -> None:
        """End the conversation with a satellite that zeroconf found and that has left."""
        if at not in self._plan.satellites and (task := self._satellites.pop(at, None)):
            task.cancel()
            self._tell(f"{at}: the satellite has left.")

    async def _look(self, at: Address) -> None:
        """Converse with what zeroconf found, if it is a satellite."""
        if await is_satellite(at, self._plan.limits):
            self._tell(f"{at}: found a satellite.")
            self._add(at)

    async def _leave_satellites(self) -> None:
        tasks = [*self._satellites.values(), *self._looks.values()]
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)


async def is_satellite(at: Address, limits: Limits) -> bool:
    """Ask a Wyoming service what it is."""
    try:
        async with asyncio.timeout(_INFO_SECONDS):
            reader, writer = await asyncio.open_connection(at.host, at.port)
            try:
                await async_write_event(Describe().event(), writer)
                while event := await wire.read(reader, limits):
                    if Info.is_type(event.type):
                        # Not Info.from_event: that trusts whoever answers.
                        return isinstance(event.data.get("satellite"), dict)
            finally:
                writer.close()
    except (OSError, TimeoutError, NetworkError):
        pass
    return False
