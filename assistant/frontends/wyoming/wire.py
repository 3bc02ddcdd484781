"""One message off the wire, within limits.

The `wyoming` package reads whatever length a message claims to have; this reads no more than a
kitchen needs, and always has a time limit. Format: a line of JSON, then JSON data, then bytes.
"""

from __future__ import annotations

import asyncio
import json
from dataclasses import dataclass
from typing import Any

from wyoming.event import Event

from assistant.errors import NetworkError


@dataclass(frozen=True, slots=True)
class Limits:
    """What one side may ask of the other."""

    header_bytes: int = 16_384
    data_bytes: int = 262_144
    """The longest is a satellite's description of itself: a few kilobytes."""
    payload_bytes: int = 1_048_576
    """Sound of one message; satellites send 2 kilobytes at a time."""
    idle_seconds: float = 60.0
    """Longest wait for the next message, its first line included."""
    message_seconds: float = 10.0
    """Longest wait for the rest of a message."""
    first_seconds: float = 10.0
    """Longest wait for the first message of a connection."""
    connections: int = 64
    connections_per_address: int = 32
    """So that one address cannot lock the others out."""
    sessions: int = 16
    """Conversations by sound at the same time."""
    audio_seconds: float = 60.0
    """Longest utterance to transcribe."""
    text_characters: int = 1_000
    """Longest text to speak; a text to answer may fill a message, for a red flag may be last."""


_TYPE_CHARACTERS = 64


async def read(
    reader: asyncio.StreamReader, limits: Limits, idle_seconds: float | None = None
) -> Event | None:
    """Return the next message, None at the end of the stream.

    `idle_seconds` None waits for it as long as it takes. Raises NetworkError for what is too long,
    too slow or no message at all.
    """
    try:
        async with asyncio.timeout(idle_seconds):
            line = await reader.readline()
        if not line.endswith(b"\n"):
            return None  # closed, perhaps in the middle of a line
        header = _object(line)
        async with asyncio.timeout(limits.message_seconds):
            data = await reader.readexactly(_length(header, "data", limits.data_bytes))
            payload = await reader.readexactly(_length(header, "payload", limits.payload_bytes))
    except TimeoutError:
        raise NetworkError("A message took too long to arrive.") from None
    except asyncio.IncompleteReadError:
        return None
    except ValueError:
        raise NetworkError("A message is too long or no JSON.") from None
    return _event(header, data, payload)


def _object(text: bytes) -> dict[str, Any]:
    try:
        value = json.loads(text)
        if b"\\u" in text:  # half of a surrogate pair is JSON, but no text
            json.dumps(value, ensure_ascii=False).encode()
    except (ValueError, RecursionError):
        raise NetworkError("A message is no JSON.") from None
    if not isinstance(value, dict):
        raise NetworkError("A message is no JSON object.")
    return value


def _length(header: dict[str, Any], name: str, most: int) -> int:
    value = header.get(f"{name}_length") or 0
    if not isinstance(value, int) or not 0 <= value <= most:
        raise NetworkError(f"The {name} of a message is longer than {most} bytes.")
    return value


def _event(header: dict[str, Any], data: bytes, payload: bytes) -> Event:
    kind, inline = header.get("type"), header.get("data") or {}
    if not isinstance(kind, str) or not 0 < len(kind) <= _TYPE_CHARACTERS:
        raise NetworkError("A message has no type.")
    if not isinstance(inline, dict):
        raise NetworkError("The data of a message is no JSON object.")
    return Event(kind, inline | (_object(data) if data else {}), payload or None)
