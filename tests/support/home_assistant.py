"""A stand-in for Home Assistant's REST API that behaves as the real one did, at its worst too."""

from __future__ import annotations

import json
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

HERE = "127.0.0.1"
TOKEN = "a-long-lived-token"  # noqa: S105  # for the stand-in below
_SERVICES = "/api/services/assist_satellite/"
_WORDS_PER_SECOND = 7.0
"""How fast the stand-in speaks: a hasty voice."""
_DRIP_SECONDS = 0.05


@dataclass(slots=True)
class Home:
    """What a stand-in was asked, and how it is to behave."""

    asked: list[dict[str, Any]] = field(default_factory=list)
    """The bodies of all calls that were accepted as calls, whatever came of them."""
    services: list[str] = field(default_factory=list)
    """The service of each."""
    behaviour: list[str] = field(default_factory=list)
    """Of the next calls: "busy" (500), "instant" (200, unheard), "drip"; then it speaks."""
    features: int = 1
    """Of every satellite: 1 announces, 2 starts conversations."""
    url: str = ""


class _Handler(BaseHTTPRequestHandler):
    home: Home

    def do_GET(self) -> None:
        """Answer with the state of a satellite."""
        if self._is_let_in() and self.path.startswith("/api/states/assist_satellite."):
            state = {"state": "idle", "attributes": {"supported_features": self.home.features}}
            self._answer(200, json.dumps(state).encode())
        else:
            self._answer(404)

    def do_POST(self) -> None:
        """Answer one action when it is over, as Home Assistant does."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        service = self.path.removeprefix(_SERVICES)
        texts = {"announce": "message", "start_conversation": "start_message"}
        if service not in texts or service == self.path:
            self._answer(404)
        elif not self._is_let_in():
            self._answer(401)
        elif self.headers["Content-Type"] != "application/json":
            self._answer(400)
        elif service == "start_conversation" and not self.home.features & 2:
            self._answer(500)
        else:
            call = json.loads(body)
            self.home.asked.append(call)
            self.home.services.append(service)
            self._act(
                self.home.behaviour.pop(0) if self.home.behaviour else "", call[texts[service]]
            )

    def _act(self, behaviour: str, text: str) -> None:
        if behaviour == "busy":
            self._answer(500)
        elif behaviour == "instant":
            self._answer(200)
        elif behaviour == "drip":
            self._drip()
        else:
            time.sleep(len(text.split()) / _WORDS_PER_SECOND)
            self._answer(200)

    def _drip(self) -> None:
        self.send_response(200)
        self.end_headers()
        for _ in range(int(5 / _DRIP_SECONDS)):
            try:
                self.wfile.write(b" ")
            except OSError:
                return
            time.sleep(_DRIP_SECONDS)

    def _is_let_in(self) -> bool:
        return self.headers["Authorization"] == f"Bearer {TOKEN}"

    def _answer(self, status: int, body: bytes = b"[]") -> None:
        self.send_response(status)
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


@contextmanager
def stand_in() -> Iterator[Home]:
    """Run a stand-in on a free port of this machine."""
    home = Home()
    handler = type("Handler", (_Handler,), {"home": home})
    server = ThreadingHTTPServer((HERE, 0), handler)
    server.daemon_threads = True
    server.block_on_close = False
    threading.Thread(target=server.serve_forever, daemon=True).start()
    home.url = f"http://{HERE}:{server.server_port}"
    yield home
    server.shutdown()
    server.server_close()
