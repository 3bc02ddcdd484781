"""The timeline as a stream, sent a little ahead of the moment when it is to be heard.

A player elsewhere plays what it gets as it gets it, and nothing can be taken back: what is sent
ahead is what "stop" cannot silence. So the lead is small, just enough for an unsteady network.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from assistant.audio.pcm import Samples
from assistant.playback.timeline import Timeline

LEAD_SECONDS = 0.12
"""Chosen with bench/timing/satellite.py: half of it makes gaps on a busy machine."""
BLOCK_SECONDS = 0.02
LINGER_SECONDS = 0.6
"""A stream stays open through such a silence: longer than the breath between two lines."""


@dataclass(frozen=True, slots=True)
class StreamStart:
    """A stream begins."""


@dataclass(frozen=True, slots=True, eq=False)
class StreamChunk:
    """The next samples of the stream."""

    samples: Samples
    at_ms: int
    """Position of the first sample in the stream, in milliseconds."""


@dataclass(frozen=True, slots=True)
class StreamStop:
    """The stream ends."""

    at_ms: int
    """Its length in milliseconds."""


StreamEvent = StreamStart | StreamChunk | StreamStop


class Pacer:
    """Reads a timeline in step with a clock, in seconds."""

    def __init__(self, timeline: Timeline, at: float, lead_seconds: float = LEAD_SECONDS) -> None:
        """Begin at a time, wherever the timeline is then."""
        self._timeline = timeline
        self._lead = round(lead_seconds * timeline.rate)
        self._block = round(BLOCK_SECONDS * timeline.rate)
        self._linger = round(LINGER_SECONDS * timeline.rate)
        self._base = at - timeline.position_samples / timeline.rate
        """When sample 0 of the timeline is heard, as the present stream is."""
        self._open_at: int | None = None
        """Where on the timeline the present stream began; None while all is silent."""
        self._silent = 0
        """Samples since the timeline last had something to play."""

    @property
    def is_open(self) -> bool:
        """True while a stream is under way."""
        return self._open_at is not None

    def due(self, at: float) -> list[StreamEvent]:
        """Return what must be sent now."""
        return list(self._due(at))

    def close(self) -> list[StreamEvent]:
        """End the stream, if there is one: what is played next begins another."""
        if self._open_at is None:
            return []
        return [self._stop()]

    def _due(self, at: float) -> Iterator[StreamEvent]:
        timeline = self._timeline
        if self._open_at is None:
            self._pass_silence(at)
            if timeline.is_idle:
                return
            yield self._start(at)
        goal = round((at - self._base) * timeline.rate) + self._lead
        while self._open_at is not None and timeline.position_samples + self._block <= goal:
            idle = timeline.is_idle
            chunk = self._chunk(timeline.read(self._block))
            self._silent = self._silent + self._block if idle else 0
            yield chunk
            if self._silent >= self._linger:
                yield self._stop()

    def _pass_silence(self, at: float) -> None:
        """Advance the timeline up to now, unheard, while there is nothing on it."""
        behind = round((at - self._base) * self._timeline.rate) - self._timeline.position_samples
        if behind > 0 and self._timeline.is_idle:
            self._timeline.read(behind)

    def _start(self, at: float) -> StreamStart:
        position = self._timeline.position_samples
        # It begins after what was sent ahead; otherwise its first sample is heard now.
        self._base = max(self._base, at - position / self._timeline.rate)
        self._open_at, self._silent = position, 0
        return StreamStart()

    def _chunk(self, samples: Samples) -> StreamChunk:
        since = self._timeline.position_samples - len(samples) - (self._open_at or 0)
        return StreamChunk(samples, round(1000 * since / self._timeline.rate))

    def _stop(self) -> StreamStop:
        since = self._timeline.position_samples - (self._open_at or 0)
        self._open_at = None
        return StreamStop(round(1000 * since / self._timeline.rate))
