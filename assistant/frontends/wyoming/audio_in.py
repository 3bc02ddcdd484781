"""Sound from the network, of any usual rate, width and channels, as the recogniser takes it."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import soxr
from wyoming.event import Event

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Samples, to_int16
from assistant.errors import NetworkError

_RATES = (8_000, 192_000)
_CHANNELS = 8
_WIDTHS = (1, 2, 3, 4)


class Incoming:
    """One stream of `audio-chunk` messages."""

    def __init__(self) -> None:
        self._rate = RATE
        self._rest = b""
        """Bytes of a sample that the last chunk cut in two."""
        self._frame_bytes = 0
        self._resampler: soxr.ResampleStream | None = None

    def take(self, event: Event) -> Samples:
        """Return a chunk's sound as int16 at 16 kHz, one channel. NetworkError if it is none."""
        rate = _number(event, "rate", *_RATES)
        width = _number(event, "width", _WIDTHS[0], _WIDTHS[-1])
        channels = _number(event, "channels", 1, _CHANNELS)
        samples = _decoded(self._whole_frames(event.payload or b"", width * channels), width)
        if channels > 1:
            samples = samples.reshape(-1, channels).mean(axis=1)
        return self._at_model_rate(samples, rate)

    def _whole_frames(self, payload: bytes, frame_bytes: int) -> bytes:
        """Return the bytes of whole frames; the rest waits for the next chunk."""
        if frame_bytes != self._frame_bytes:
            self._frame_bytes, self._rest = frame_bytes, b""
        payload = self._rest + payload
        whole = len(payload) // frame_bytes * frame_bytes
        self._rest = payload[whole:]
        return payload[:whole]

    def _at_model_rate(self, samples: npt.NDArray[np.float64], rate: int) -> Samples:
        if rate != self._rate:
            self._rate = rate
            self._resampler = soxr.ResampleStream(rate, RATE, 1, dtype="float64")
        if self._resampler is not None and rate != RATE:
            samples = self._resampler.resample_chunk(samples)
        return to_int16(samples)


def _number(event: Event, name: str, least: int, most: int) -> int:
    value = event.data.get(name)
    if not isinstance(value, int) or isinstance(value, bool) or not least <= value <= most:
        raise NetworkError(f"The sound's {name} must be from {least} to {most}.")
    return value


def _decoded(payload: bytes, width: int) -> npt.NDArray[np.float64]:
    """Return little-endian PCM as -1 to 1; one byte is unsigned, as in WAV files."""
    if width == 1:
        return (np.frombuffer(payload, np.uint8).astype(np.float64) - 128) / 128
    if width == 3:
        octets = np.frombuffer(payload, np.uint8).reshape(-1, 3).astype(np.int32)
        joined = octets[:, 0] << 8 | octets[:, 1] << 16 | octets[:, 2] << 24
        return joined.astype(np.float64) / 2**31
    whole = np.frombuffer(payload, "<i2" if width == 2 else "<i4").astype(np.float64)
    return whole / float(2 ** (8 * width - 1) - 1)
