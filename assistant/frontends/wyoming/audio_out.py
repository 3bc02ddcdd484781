"""A paced stream of sound as messages of the protocol."""

from __future__ import annotations

from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.event import Event

from assistant.playback.pacing import StreamChunk, StreamEvent, StreamStart

_WIDTH = 2
"""Bytes a sample."""


def message(event: StreamEvent, rate: int) -> Event:
    """Return the message for a part of a mono stream at a rate in hertz."""
    match event:
        case StreamStart():
            return AudioStart(rate, _WIDTH, 1, timestamp=0).event()
        case StreamChunk(samples=samples, at_ms=at_ms):
            sound = samples.astype("<i2").tobytes()
            return AudioChunk(rate, _WIDTH, 1, sound, at_ms).event()
        case _:
            return AudioStop(event.at_ms).event()
