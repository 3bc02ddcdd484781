"""The shipped HAProxy file in a real HAProxy (Debian: apt-get install haproxy), on loopback."""

from __future__ import annotations

import shutil
import socket
import socketserver
import subprocess
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from tests.support import ROOT
from tests.support.network import free_port

HERE = "127.0.0.1"
pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(shutil.which("haproxy") is None, reason="needs haproxy"),
]


class _Listener(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
    daemon_threads = True
    block_on_close = False


def listener(port: int, answer: bytes) -> _Listener:
    """Answer every connection that sends something with the same bytes."""

    class Handler(socketserver.BaseRequestHandler):
        def handle(self) -> None:
            if self.request.recv(4096):
                self.request.sendall(answer)

    server = _Listener((HERE, port), Handler)
    threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True).start()
    return server


class StandIn:
    """A Charley as the balancer sees it: one port answers with its name, one with its health."""

    def __init__(self, name: str) -> None:
        self.name, self.port, self.health = name, free_port(), free_port()
        self._servers: list[_Listener] = []

    def start(self) -> None:
        """Begin, or come back."""
        well = b"HTTP/1.0 200 OK\r\nContent-Length: 5\r\n\r\nwell\n"
        self._servers = [listener(self.port, self.name.encode()), listener(self.health, well)]

    def die(self) -> None:
        """Refuse all connections from now on, as after a kill -9."""
        for server in self._servers:
            server.shutdown()
            server.server_close()
        self._servers = []


def configuration(front: int, one: StandIn, two: StandIn) -> str:
    """Return the shipped file with these ports on loopback."""
    text = (
        (ROOT / "deploy/haproxy.cfg")
        .read_text("utf-8")
        .replace(":10300\n    def", f":{front}\n    def")
    )
    for name, stand_in in (("charley-1", one), ("charley-2", two)):
        text = text.replace(f"{name}:10300", f"{HERE}:{stand_in.port} port {stand_in.health}")
    assert f"bind :{front}" in text
    return text


@contextmanager
def balanced(text: str, folder: Path) -> Iterator[subprocess.Popen[bytes]]:
    """Run HAProxy with a configuration."""
    file = folder / "haproxy.cfg"
    file.write_text(text, "utf-8")
    process = subprocess.Popen(
        ["haproxy", "-db", "-f", str(file)], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.kill()
        process.wait(10)


def turn(front: int) -> str:
    """Return who answers a turn; empty for a closed connection."""
    try:
        with socket.create_connection((HERE, front), timeout=10) as connection:
            connection.sendall(b"{}\n")
            return connection.recv(100).decode()
    except OSError:
        return ""


def until(is_so: Callable[[], bool]) -> None:
    """Wait for something, at most ten seconds."""
    end = time.monotonic() + 10
    while not is_so():
        assert time.monotonic() < end
        time.sleep(0.1)


def test_a_conversation_moves_once_and_stays_where_it_is(tmp_path: Path) -> None:
    front = free_port()
    charleys = {name: StandIn(name) for name in ("one", "two")}
    for charley in charleys.values():
        charley.start()
    with balanced(configuration(front, *charleys.values()), tmp_path):
        until(lambda: bool(turn(front)))
        first = turn(front)
        assert [turn(front) for _ in range(5)] == [first] * 5
        charleys[first].die()
        second = turn(front)
        assert second == ({*charleys} - {first}).pop(), "the next turn is answered"
        time.sleep(5)  # two health checks, two seconds apart, take the dead one out
        assert turn(front) == second
        charleys[first].start()
        time.sleep(5)  # and one takes it in again
        assert [turn(front) for _ in range(5)] == [second] * 5
    charleys[first].die()
    charleys[second].die()


def test_a_name_that_is_missing_does_not_keep_the_other_from_serving(tmp_path: Path) -> None:
    front = free_port()
    one, two = StandIn("one"), StandIn("two")
    one.start()
    text = configuration(front, one, two)
    text = text.replace(f"{HERE}:{two.port} port {two.health}", "charley-2.invalid:10300")
    with balanced(text, tmp_path) as process:
        until(lambda: turn(front) == "one")
        assert process.poll() is None
    one.die()
