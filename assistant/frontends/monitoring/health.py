"""`/health` and `/metrics` over HTTP: for a container's check, and for Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from typing import Any
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from assistant.errors import NetworkError
from assistant.frontends.monitoring.metrics import Measures

_UNWELL = "503 Service Unavailable"
_REQUEST_SECONDS = 5


class _Quick(WSGIRequestHandler):
    """Handles a request quickly and logs none."""

    timeout = _REQUEST_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


class _Server(ThreadingWSGIServer):
    """A server that does not print what a client broke off."""

    daemon_threads = True

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Pass over a request that was never finished."""


class HealthServer:
    """Runs on a thread of its own, so that it answers when the rest hangs."""

    def __init__(
        self, host: str, port: int, measures: Measures, trouble: Callable[[], str]
    ) -> None:
        """`trouble` returns what is wrong in a few words; empty if all is well. NetworkError."""
        metrics = make_wsgi_app(measures.registry)

        def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == "/metrics":
                page: Iterable[bytes] = metrics(environ, start)
                return page
            if environ.get("PATH_INFO") != "/health":
                start("404 Not Found", [("Content-Type", "text/plain")])
                return [b"There are /health and /metrics.\n"]
            found = trouble()
            start(_UNWELL if found else "200 OK", [("Content-Type", "text/plain")])
            return [f"{found or 'well'}\n".encode()]

        try:
            self._server = make_server(host, port, answer, _Server, _Quick)
        except OSError as error:
            reason = error.strerror or error
            raise NetworkError(f"Charley cannot listen at {host}:{port} ({reason}).") from None
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
