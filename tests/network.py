"""Charley on the network for tests: the real `charley serve`, and the real wyoming-satellite."""

from __future__ import annotations

import os
import queue
import re
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

SATELLITE = Path(sys.prefix) / "satellite"
"""Where script/setup --dev puts Rhasspy's satellite, with the packages of its own time."""
MICROPHONE = "parec --raw --format=s16le --rate=16000 --channels=1 --latency-msec=20"
SPEAKER = "pacat --playback --raw --format=s16le --rate=22050 --channels=1 --latency-msec=60"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving:
    """A running `charley serve`."""

    def __init__(self, env: Mapping[str, str], *arguments: str) -> None:
        command = [sys.executable, "-m", "assistant", "serve", *arguments]
        self.process = subprocess.Popen(
            command, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        self.lines: list[str] = []
        self._queue: queue.SimpleQueue[str] = queue.SimpleQueue()
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self) -> None:
        for line in self.process.stderr or ():
            self._queue.put(line)

    def awaits(self, words: str, seconds: float = 60.0) -> str:
        """Come back with the line that holds these words when it was said."""
        end = time.monotonic() + seconds
        while time.monotonic() < end:
            try:
                self.lines.append(self._queue.get(timeout=0.2))
            except queue.Empty:
                assert self.process.poll() is None, "".join(self.lines)
                continue
            if words in self.lines[-1]:
                return self.lines[-1]
        raise AssertionError(f"never “{words}”:\n" + "".join(self.lines))

    def port(self) -> int:
        """Return the port of its services."""
        found = re.search(r":(\d+)\s*$", self.awaits("Wyoming services"))
        assert found
        return int(found[1])

    def stop(self) -> int:
        """Send SIGTERM; return the exit code."""
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(20)


@contextmanager
def serving(*arguments: str, env: Mapping[str, str] = os.environ) -> Iterator[Serving]:
    """Run `charley serve` with flags for as long as the block lasts."""
    server = Serving(env, *arguments)
    try:
        yield server
    finally:
        if server.process.poll() is None:
            server.process.terminate()
            server.process.wait(20)


@contextmanager
def satellite(
    env: Mapping[str, str], port: int, speaker: str = SPEAKER, microphone: str = MICROPHONE
) -> Iterator[None]:
    """Run the real satellite on a sound card for as long as the block lasts."""
    command = [
        sys.executable, "-m", "wyoming_satellite", "--uri", f"tcp://127.0.0.1:{port}",
        "--name", "kitchen", "--no-zeroconf",
        "--mic-command", microphone, "--snd-command", speaker,
    ]  # fmt: skip
    process = subprocess.Popen(
        command, env={**env, "PYTHONPATH": str(SATELLITE)}, stderr=subprocess.DEVNULL
    )
    try:
        yield
    finally:
        process.send_signal(signal.SIGINT)
        try:
            process.wait(10)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()
