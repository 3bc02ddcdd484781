"""Volumes on a PulseAudio or PipeWire server. The only module that imports pulsectl."""

from __future__ import annotations

import os
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Self

from assistant.audio.volume_ramp import NORMAL, Volumes, is_lowered
from assistant.errors import DeviceError

_NONE = "Only PulseAudio and PipeWire let other programs' sound be lowered."


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream that is played on the sound server."""

    index: int
    name: str
    """The server keeps the volume under this name for the next stream."""
    sink: int
    """The device that it is played on."""
    volumes: Volumes
    role: str = ""
    is_ours: bool = False


class PulseMixer:
    """The sound server as a mixer; a context manager, for one thread."""

    def __init__(self) -> None:
        """Connect. Raises DeviceError if there is no such server here."""
        try:
            import pulsectl
        except (ImportError, OSError):  # on other systems, or without PulseAudio's client library
            raise DeviceError(_NONE) from None
        self._errors = pulsectl.PulseError
        self._volume = pulsectl.PulseVolumeInfo
        self._pulse: Any = pulsectl.Pulse("charley-volumes", connect=False)
        try:
            # Its `timeout` would always be waited for to the end (pulsectl 24.12).
            self._pulse.connect()
        except pulsectl.PulseError:
            self._pulse.close()
            raise DeviceError(_NONE) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_raised: object) -> None:
        """Let go of the server."""
        self._pulse.close()

    def streams(self) -> list[Stream]:
        """Return all that is played now. Raises DeviceError if the server is gone."""
        try:
            found = self._pulse.sink_input_list()
        except self._errors:
            raise DeviceError(_NONE) from None
        if not self._pulse.connected:
            raise DeviceError(_NONE)
        return [_stream(each) for each in found if each.volume.values]

    def set(self, index: int, volumes: Volumes) -> None:
        """Set a stream's volumes; nothing happens if it is gone."""
        with suppress(self._errors):
            self._pulse.sink_input_volume_set(index, self._shares(volumes))

    def restore_kept(self, name: str, original: Volumes) -> None:
        """Keep the original for the next stream of a name if a lowered volume was kept for it."""
        with suppress(self._errors):
            for kept in self._pulse.stream_restore_list():
                if kept.name == name and is_lowered(_volumes(kept), original):
                    kept.volume = self._shares(original)
                    self._pulse.stream_restore_write(kept, mode="replace")

    def _shares(self, volumes: Volumes) -> Any:
        return self._volume([volume / NORMAL for volume in volumes])


def _stream(found: Any) -> Stream:
    about = found.proplist
    return Stream(
        found.index,
        about.get("module-stream-restore.id") or about.get("application.name", ""),
        found.sink,
        _volumes(found),
        about.get("media.role", ""),
        about.get("application.process.id") == str(os.getpid()),
    )


def _volumes(found: Any) -> Volumes:
    return tuple(round(share * NORMAL) for share in found.volume.values)
