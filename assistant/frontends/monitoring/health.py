"""`/health` and `/metrics` over HTTP: for a container's check, and for Prometheus."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable
from wsgiref.simple_server import WSGIRequestHandler, make_server
from wsgiref.types import StartResponse, WSGIEnvironment

from prometheus_client import make_wsgi_app
from prometheus_client.exposition import ThreadingWSGIServer

from assistant.errors import NetworkError
from assistant.frontends.monitoring.metrics import Measures

STALE_SECONDS = 5.0
"""Silence of the event loop after which the server is unhealthy."""
_REQUEST_SECONDS = 5


class _Quick(WSGIRequestHandler):
    """Handles a request quickly and logs none."""

    timeout = _REQUEST_SECONDS

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002  # the base's name
        """Say nothing."""


class HealthServer:
    """Runs on a thread of its own, so that it answers when the rest hangs."""

    def __init__(
        self, host: str, port: int, measures: Measures, silent_seconds: Callable[[], float]
    ) -> None:
        """`silent_seconds` returns how long ago the event loop was last seen. NetworkError."""
        metrics = make_wsgi_app(measures.registry)

        def answer(environ: WSGIEnvironment, start: StartResponse) -> Iterable[bytes]:
            if environ.get("PATH_INFO") == "/metrics":
                page: Iterable[bytes] = metrics(environ, start)
                return page
            if environ.get("PATH_INFO") != "/health":
                start("404 Not Found", [("Content-Type", "text/plain")])
                return [b"There are /health and /metrics.\n"]
            is_well = silent_seconds() < STALE_SECONDS
            status = "200 OK" if is_well else "503 Service Unavailable"
            start(status, [("Content-Type", "text/plain")])
            return [b"well\n" if is_well else b"hanging\n"]

        try:
            self._server = make_server(host, port, answer, ThreadingWSGIServer, _Quick)
        except OSError as error:
            reason = error.strerror or error
            raise NetworkError(f"Charley cannot listen at {host}:{port} ({reason}).") from None
        self.port = self._server.server_port
        threading.Thread(target=self._server.serve_forever, daemon=True).start()

    def close(self) -> None:
        """Stop answering."""
        self._server.shutdown()
        self._server.server_close()
