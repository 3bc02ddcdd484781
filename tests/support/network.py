"""Charley on the network for tests: the real `charley serve`, and the real wyoming-satellite."""

from __future__ import annotations

import asyncio
import contextlib
import os
import re
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Self

import numpy as np
from wyoming.audio import AudioChunk, AudioStart
from wyoming.client import AsyncTcpClient
from wyoming.pipeline import PipelineStage, RunPipeline

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import DEFAULT_RATE, Pcm, Samples
from tests.support.process import ProcessOutput

SATELLITE = Path(sys.prefix) / "satellite"
"""Where script/setup --dev puts Rhasspy's satellite, with the packages of its own time."""
MICROPHONE = "parec --raw --format=s16le --rate=16000 --channels=1 --latency-msec=20"
CHUNK_SAMPLES = 1024
"""As the satellite's own default."""
SPEAKER = "pacat --playback --raw --format=s16le --rate=22050 --channels=1 --latency-msec=60"


def free_port() -> int:
    """Return a port on which nobody listens."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


class Serving(ProcessOutput):
    """A running `charley serve`."""

    def __init__(self, env: Mapping[str, str], *arguments: str) -> None:
        command = [sys.executable, "-m", "assistant", "serve", *arguments]
        process = subprocess.Popen(
            command, env=dict(env), stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True
        )
        super().__init__(process, process.stderr)

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


@dataclass(slots=True)
class Heard:
    """One stream of speech, as it came."""

    began: float
    """On the monotonic clock; a perfect satellite plays its first sample then."""
    pieces: list[bytes] = field(default_factory=list)
    samples: int = 0

    @property
    def sound(self) -> Pcm:
        """All of it."""
        return Pcm(np.frombuffer(b"".join(self.pieces), np.int16), DEFAULT_RATE)


class Caller:
    """A satellite made of nothing: it connects, speaks in real time, and keeps what it hears."""

    def __init__(self, port: int) -> None:
        self._client = AsyncTcpClient("127.0.0.1", port)
        self._pending: Samples = np.zeros(0, np.int16)
        self._silent = asyncio.Event()
        self._tasks: list[asyncio.Task[None]] = []
        self.streams: list[Heard] = []
        self.late_seconds: list[float] = []
        """How much later than it is to be heard each chunk came; negative is ahead."""
        self.misplaced = 0
        """Chunks whose timestamp does not follow the samples before them."""

    async def __aenter__(self) -> Self:
        await self._client.connect()
        start = RunPipeline(PipelineStage.WAKE, PipelineStage.TTS)
        await self._client.write_event(start.event())
        self._tasks = [asyncio.create_task(job) for job in (self._stream(), self._listen())]
        return self

    async def __aexit__(self, *_error: object) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)
        with contextlib.suppress(OSError):
            await self._client.disconnect()

    @property
    def is_connected(self) -> bool:
        """False once the server has hung up."""
        return not any(task.done() for task in self._tasks)

    async def says(self, sound: Samples) -> float:
        """Speak at 16 kHz; return when the last sample was said, on the monotonic clock."""
        self._silent.clear()
        self._pending = sound
        await self._silent.wait()
        return self._said_at

    async def _stream(self) -> None:
        began, sent = time.monotonic(), 0
        while True:
            block, self._pending = self._pending[:CHUNK_SAMPLES], self._pending[CHUNK_SAMPLES:]
            sent += CHUNK_SAMPLES
            # A chunk can be sent when its last sample was recorded, not before.
            await asyncio.sleep(max(0.0, began + sent / RATE - time.monotonic()))
            if len(block):
                self._said_at = began + (sent - CHUNK_SAMPLES + len(block)) / RATE
            padded = np.pad(block, (0, CHUNK_SAMPLES - len(block)))
            await self._client.write_event(AudioChunk(RATE, 2, 1, padded.tobytes()).event())
            if not len(self._pending):
                self._silent.set()

    async def _listen(self) -> None:
        while (event := await self._client.read_event()) is not None:
            now = time.monotonic()
            if AudioStart.is_type(event.type):
                self.streams.append(Heard(now))
            elif AudioChunk.is_type(event.type):
                chunk, stream = AudioChunk.from_event(event), self.streams[-1]
                due = stream.samples / DEFAULT_RATE
                self.late_seconds.append(now - stream.began - due)
                self.misplaced += abs((chunk.timestamp or 0) / 1000 - due) > 0.001
                stream.samples += chunk.samples
                stream.pieces.append(chunk.audio)
