"""The loudspeaker, which pulls its sound from a source and notices gaps."""

from typing import Any, Protocol

import numpy as np

from assistant.audio.devices import Kind
from assistant.audio.pcm import Samples
from assistant.audio.stream import STALL_SECONDS, DeviceStream, OnLost
from assistant.clock import SystemClock
from assistant.errors import DeviceError

SPEAKER_LATENCY_SECONDS = 0.1
"""Sound kept ready for a busy machine; every cut is heard this much later. bench/endurance/xruns.py
measures both."""
FILL_SECONDS = 0.5
"""Time to fill that store after opening; underflows that PortAudio reports meanwhile are none."""
SLOWEST = 0.0002
"""Share by which a sound card may run slower than the clock; crystals keep to half of it."""
DRY_SECONDS = 10.0
"""A card that reports for longer that it ran dry always does, and plays all the same."""


class SampleSource(Protocol):
    """What a speaker pulls its sound from."""

    @property
    def rate(self) -> int:
        """Hertz."""

    def read(self, frames: int) -> Samples:
        """Return the next samples, from the sound card's thread; silence if there is nothing."""


class Speaker(DeviceStream):
    """The loudspeaker, which pulls its sound from a source; a context manager."""

    kind: Kind = "output"

    def __init__(
        self,
        source: SampleSource,
        device: str | int | None = None,
        on_lost: OnLost = lambda _name: None,
        stall_seconds: float = STALL_SECONDS,
    ) -> None:
        """Choose a device by index or part of its name; `output_rate` fits the source to it.

        Raises DeviceError.
        """
        super().__init__(device, source.rate, on_lost, stall_seconds)
        if self.rate != source.rate:
            raise DeviceError(
                f'The speaker "{self.device.name}" plays {self.rate} hertz, not {source.rate}.'
            )
        self._source = source
        self.underflows = 0
        """Times that the sound card ran dry and played a gap, its first half second left out."""
        self._clock = SystemClock()
        self._begin()

    def _begin(self) -> None:
        self._is_dry = True
        self._filling = round(FILL_SECONDS * self._source.rate)
        """Frames until then: while the store is filled, PortAudio reports underflows."""
        self._pulled = 0
        self._full: float | None = None
        """Seconds that the frames were ahead of the clock when the store was full."""
        self._full_at = 0.0
        self._dry_at: float | None = None
        """When the card began to report at each call that it ran dry."""

    def pause(self) -> None:
        """Let go of the device; what comes after begins again."""
        super().pause()
        self._begin()

    def _options(self) -> dict[str, Any]:
        return {"latency": SPEAKER_LATENCY_SECONDS}

    def _callback(self, data: Any, frames: int, time: Any, status: Any) -> None:  # noqa: ARG002
        self.watch.called()
        is_flagged = bool(status)
        is_dry = self._is_late() or is_flagged
        # It is reported again at each call until the store is full.
        if is_dry and not self._is_dry and self._filling <= 0:
            self.underflows += 1
        self._is_dry = is_dry
        self._filling -= frames
        self._pulled += frames
        is_thrown_away = self._is_thrown_away(is_flagged=is_flagged)
        data[:] = 0 if is_thrown_away else self._source.read(frames)[:, np.newaxis]

    def _is_thrown_away(self, *, is_flagged: bool) -> bool:
        """Return whether these frames will not be heard, so that the timeline must wait.

        Until its store is full PulseAudio, behind ALSA, runs dry with each call and begins again.
        That takes seconds on a fully loaded machine: 27 seconds of sound were asked for in 6.
        """
        if not is_flagged:
            self._dry_at = None
            return False
        now = self._clock.now()
        self._dry_at = now if self._dry_at is None else self._dry_at
        return now - self._dry_at < DRY_SECONDS

    def _is_late(self) -> bool:
        """Return whether the store ran out before these frames, which PulseAudio may not report."""
        now = self._clock.now()
        ahead = self._pulled / self.rate - now
        if self._full is None or ahead > self._full:
            self._full, self._full_at = ahead, now
        fullest = self._full - SLOWEST * (now - self._full_at)
        if fullest - ahead <= self.latency_seconds:
            return False
        self._full = None  # after the gap it is filled again
        return True
