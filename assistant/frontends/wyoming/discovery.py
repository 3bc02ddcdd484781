"""Zeroconf: announce Charley to Home Assistant, and find the satellites of a home."""

from __future__ import annotations

import asyncio
import ipaddress
import socket
from collections.abc import Callable
from typing import Any, Self

from zeroconf import InterfaceChoice, ServiceStateChange, Zeroconf
from zeroconf.asyncio import AsyncServiceBrowser, AsyncServiceInfo, AsyncZeroconf

from assistant.frontends.wyoming.satellite import Address

_TYPE = "_wyoming._tcp.local."
_INFO_MS = 3_000


class Neighbourhood:
    """One zeroconf responder: `async with Neighbourhood(host) as around`."""

    def __init__(self, host: str) -> None:
        """Use the network of an address, or all of them for 0.0.0.0."""
        every = ipaddress.ip_address(host).is_unspecified
        self._zeroconf = AsyncZeroconf(
            interfaces=InterfaceChoice.All if every else [host], ip_version=None
        )
        self._browser: AsyncServiceBrowser | None = None
        self._own: AsyncServiceInfo | None = None
        self._looks: set[asyncio.Task[None]] = set()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_error: object) -> None:
        if self._browser is not None:
            await self._browser.async_cancel()
        if self._own is not None:
            await self._zeroconf.async_unregister_service(self._own)
        await self._zeroconf.async_close()

    async def announce(self, name: str, at: Address) -> None:
        """Announce the Wyoming services; 0.0.0.0 stands for this machine's own address."""
        host = own_address() if ipaddress.ip_address(at.host).is_unspecified else at.host
        self._own = AsyncServiceInfo(
            _TYPE,
            f"{name}.{_TYPE}",
            parsed_addresses=[host],
            port=at.port,
            server=f"{name}.local.",
        )
        await self._zeroconf.async_register_service(self._own, allow_name_change=True)

    def find(self, found: Callable[[Address], None], gone: Callable[[Address], None]) -> None:
        """Report every Wyoming service of the home but our own as it appears and as it leaves.

        Only private addresses count: nobody outside the home has anything to say to Charley.
        """
        loop = asyncio.get_running_loop()
        known: dict[str, Address] = {}

        def changed(
            zeroconf: Zeroconf, service_type: str, name: str, state_change: ServiceStateChange
        ) -> None:
            if self._own and name == self._own.name:
                return
            if state_change is ServiceStateChange.Removed and name in known:
                loop.call_soon_threadsafe(gone, known.pop(name))
            elif state_change is ServiceStateChange.Added:
                task = loop.create_task(look(zeroconf, service_type, name))
                self._looks.add(task)
                task.add_done_callback(self._looks.discard)

        async def look(zeroconf: Any, service_type: str, name: str) -> None:
            info = AsyncServiceInfo(service_type, name)
            if not await info.async_request(zeroconf, _INFO_MS) or not info.port:
                return
            host = next(filter(is_private, info.parsed_addresses()), None)
            if host and (address := Address(host, info.port)) not in known.values():
                known[name] = address
                found(address)

        self._browser = AsyncServiceBrowser(self._zeroconf.zeroconf, _TYPE, handlers=[changed])


def is_private(host: str) -> bool:
    """Return whether an address is in a home's own network, or this machine's."""
    address = ipaddress.ip_address(host)
    return address.is_private and not address.is_unspecified


def own_address() -> str:
    """Return this machine's address in its home's network."""
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as probe:
        try:
            probe.connect(("224.0.0.251", 1))  # sends nothing: it only chooses a route
            return str(probe.getsockname()[0])
        except OSError:
            return "127.0.0.1"
