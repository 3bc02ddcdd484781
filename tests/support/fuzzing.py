"""What an attacker might send to a Wyoming server."""

from __future__ import annotations

import json
import random
from typing import Any

TYPES = (
    "describe", "transcript", "transcribe", "audio-start", "audio-chunk", "audio-stop",
    "synthesize", "synthesize-start", "synthesize-chunk", "synthesize-stop", "ping", "pong",
    "run-satellite", "pause-satellite", "run-pipeline", "played", "detection", "info", "error",
    "streaming-stopped", "select-program", "intent", "timer-started", "\u0000", "x" * 63,
)  # fmt: skip
VALUES: tuple[Any, ...] = (
    None, True, 0, 1, -1, 2, 3, 16_000, 2**31, 2**70, 1.5, -0.0, 1e308, "", "en", "stop", "tcp://",
    "\ud800".encode("utf-8", "replace").decode(), "[unk]", "a" * 900, [], [[]], {}, {"name": "x"},
    {"satellite_id": "kitchen"}, {"conversation_id": 7}, "my calf is cramping", "...", "1 ... 2",
)  # fmt: skip
KEYS = (
    "text", "rate", "width", "channels", "timestamp", "context", "language", "voice", "name",
    "start_stage", "end_stage", "data", "names", "code",
)  # fmt: skip


def message(chance: random.Random) -> bytes:
    """Return one hostile message."""
    kind = chance.randrange(10)
    if kind == 0:
        return chance.randbytes(chance.randrange(1, 400)) + b"\n"
    if kind == 1:
        return b"[" * chance.randrange(1, 5_000) + b"\n"
    if kind == 2:
        return b'{"type": "' + b"a" * chance.choice((10, 20_000, 70_000)) + b'"}\n'
    header: dict[str, Any] = {"type": chance.choice(TYPES), "data": data(chance)}
    payload = chance.randbytes(chance.choice((0, 0, 1, 7, 64, 2048)))
    if kind == 3:
        header[chance.choice(("data_length", "payload_length"))] = chance.choice(VALUES)
        return json.dumps(header).encode() + b"\n" + payload
    if kind == 4:  # half of a message: the rest never comes
        whole = (
            json.dumps(header | {"payload_length": len(payload) + 99}).encode() + b"\n" + payload
        )
        return whole[: chance.randrange(1, len(whole))]
    if kind == 5:
        header[chance.choice(("type", "data", "version"))] = chance.choice(VALUES)
    body = json.dumps(data(chance)).encode() if chance.random() < 0.3 else b""
    header |= {"data_length": len(body), "payload_length": len(payload)}
    return json.dumps(header).encode() + b"\n" + body + payload


def data(chance: random.Random) -> dict[str, Any]:
    """Return a message's data: right names, any values."""
    return {chance.choice(KEYS): chance.choice(VALUES) for _ in range(chance.randrange(5))}
