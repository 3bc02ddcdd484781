"""Other programs' sound goes down while Charley speaks, and comes back to what it was.

The only module that knows pulsectl: PulseAudio, and PipeWire's server for it. Its own thread asks
the server and waits for it; nothing that plays sound ever does.
"""

from __future__ import annotations

import json
import os
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Protocol, Self

from assistant.atomic_file import write_whole
from assistant.clock import SystemClock
from assistant.errors import DeviceError

LOWERED_DECIBELS = 15.0
"""So much lower than it was: words stand out, and the music is still there. (Home Assistant's
speakers take 20 dB, radio stations about 12.)"""
LOWEST = 12
"""Steps of the ramp; step 0 is the stream's own volume."""
_DOWN, _UP = 3, 1
"""Steps down and up at a time: down in 0.16 s, up in 0.5 s."""
_STEP_SECONDS = 0.04
_LOOK_SECONDS = 0.1
"""While nothing moves, streams that come, go or are changed are noticed so late."""
TAIL_SECONDS = 0.8
"""Between two lines the music stays down."""
SOON_SECONDS = 0.4
"""Speech that comes so soon counts as begun."""
_AGAIN_SECONDS = 3.0
"""Without one, it is looked for again when Charley speaks so much later."""
_PARTING_SECONDS = 2.0
"""The longest that the end of the program waits for the volumes to be put back."""

NORMAL = 65536
"""PulseAudio's full volume; its scale is cubic (PA_VOLUME_NORM, pulse/volume.h)."""
_HIGHEST = 99957
"""+11 dB: pulsectl sets no more (PA_VOLUME_UI_MAX), so what is louder could not be put back."""
_ROUNDING = 2
"""A server may give a volume back so much different from what it was told; below 0.001 dB."""
_LEFT_ALONE = frozenset({"a11y", "phone", "event"})
"""Roles (PulseAudio's `media.role`) that must be heard: screen readers, calls, alarms."""

Volumes = tuple[int, ...]
"""One for each channel, on PulseAudio's scale."""


@dataclass(frozen=True, slots=True)
class Stream:
    """One stream that is played on the sound server."""

    index: int
    name: str
    """By this the server keeps its volume for the next time."""
    sink: int
    """The device that it is played on."""
    volumes: Volumes
    role: str = ""
    is_ours: bool = False


class Mixer(Protocol):
    """The volumes of all that is played."""

    def streams(self) -> list[Stream]:
        """Return all that is played now."""

    def set(self, index: int, volumes: Volumes) -> None:
        """Set a stream's volumes; nothing happens if it is gone."""

    def mend_kept(self, name: str, original: Volumes) -> None:
        """Keep the original for the next stream of a name if a lowered volume was kept for it."""


def lowered(original: Volumes, step: int) -> Volumes:
    """Return a stream's volumes at a step of the ramp; at step 0 they are as they were."""
    decibels = LOWERED_DECIBELS * step / LOWEST
    return tuple(round(volume * 10 ** (-decibels / 60)) for volume in original)


def is_lowered(volumes: Volumes, original: Volumes) -> bool:
    """Tell whether volumes are what some step of the ramp makes of the original ones."""
    return any(_same(volumes, lowered(original, step)) for step in range(1, LOWEST + 1))


def _same(one: Volumes, other: Volumes) -> bool:
    return len(one) == len(other) and all(
        abs(a - b) <= _ROUNDING for a, b in zip(one, other, strict=True)
    )


@dataclass(slots=True)
class _Low:
    """A stream that was lowered."""

    name: str
    original: Volumes
    now: Volumes
    """What it was set to last."""


class Lowering:
    """What is lowered on a mixer; it looks at all streams anew at each step."""

    def __init__(self, note: Callable[[list[tuple[str, Volumes]]], None]) -> None:
        """`note` is told the originals, before the first of a stream's volumes is changed."""
        self._note = note
        self._low: dict[int, _Low] = {}
        self._left: set[int] = set()
        """Streams that the user has changed meanwhile: they stay as they are."""

    @property
    def originals(self) -> list[tuple[str, Volumes]]:
        """The names of what is lowered, and the volumes that it had."""
        return [(low.name, low.original) for low in self._low.values()]

    def move(self, mixer: Mixer, step: int) -> None:
        """Bring all others that are played beside Charley to a step of the ramp, 0 to LOWEST."""
        streams, known = mixer.streams(), self.originals
        for index in self._low.keys() - {stream.index for stream in streams}:
            gone = self._low.pop(index)
            mixer.mend_kept(gone.name, gone.original)
        ours = {stream.sink for stream in streams if stream.is_ours}
        for stream in streams:
            if self._may_move(stream):
                is_beside = stream.sink in ours and stream.role not in _LEFT_ALONE
                self._move_one(mixer, stream, step if is_beside else 0, known)
        if step == 0:
            self._left.clear()
        self._note(self.originals)

    def _may_move(self, stream: Stream) -> bool:
        low = self._low.get(stream.index)
        if low is not None and not _same(stream.volumes, low.now):
            del self._low[stream.index]
            self._left.add(stream.index)
        return not stream.is_ours and stream.index not in self._left

    def _move_one(
        self, mixer: Mixer, stream: Stream, step: int, known: list[tuple[str, Volumes]]
    ) -> None:
        low = self._low.get(stream.index)
        if low is None:
            original = _original(stream, known)
            if (step == 0 and original == stream.volumes) or max(original) > _HIGHEST:
                return
            low = _Low(stream.name, original, stream.volumes)
            self._low[stream.index] = low
            self._note(self.originals)
        wanted = lowered(low.original, step)
        if wanted != low.now:
            mixer.set(stream.index, wanted)
        low.now = wanted
        if step == 0:
            del self._low[stream.index]


def _original(stream: Stream, known: list[tuple[str, Volumes]]) -> Volumes:
    """Return the volumes of a new stream, which may have begun with those of a lowered one."""
    for name, original in known:
        if name == stream.name and is_lowered(stream.volumes, original):
            return original
    return stream.volumes


def mend(mixer: Mixer, originals: Iterable[tuple[str, Volumes]]) -> None:
    """Put back what was left lowered; what has another volume by now was changed by the user."""
    for name, original in originals:
        for stream in mixer.streams():
            if stream.name == name and is_lowered(stream.volumes, original):
                mixer.set(stream.index, original)
        mixer.mend_kept(name, original)


class Music:
    """Lowers other programs' sound while Charley speaks; a context manager.

    What is lowered stands in a file meanwhile, so that after a crash the next start can mend it.
    """

    def __init__(
        self, speaks: Callable[[], bool], note: Path, connect: Callable[[], _Pulse] | None = None
    ) -> None:
        """`speaks` tells whether Charley speaks or will do so soon; `note` is the file's place."""
        self._speaks = speaks
        self._note = _Note(note)
        self._connect = connect or _Pulse
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="music", daemon=True)

    def __enter__(self) -> Self:
        """Begin to look whether Charley speaks."""
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Put everything back at once."""
        self._over.set()
        self._thread.join(_PARTING_SECONDS)

    def _run(self) -> None:
        while not self._over.wait(_STEP_SECONDS):
            if self._speaks() or self._note.originals:  # else nobody needs a server
                try:
                    with self._connect() as mixer:
                        self._serve(mixer)
                except DeviceError:
                    self._over.wait(_AGAIN_SECONDS)

    def _serve(self, mixer: _Pulse) -> None:
        """Lower and raise until the end. Raises DeviceError if the server goes away."""
        mend(mixer, self._note.originals)
        self._note.write([])
        lowering, clock = Lowering(self._note.write), SystemClock()
        step, before, spoke_at = 0, 0, -TAIL_SECONDS
        while not self._over.wait(_STEP_SECONDS if step != before else _LOOK_SECONDS):
            spoke_at = clock.now() if self._speaks() else spoke_at
            is_down = clock.now() - spoke_at < TAIL_SECONDS
            before, step = step, min(LOWEST, step + _DOWN) if is_down else max(0, step - _UP)
            if step or before:
                lowering.move(mixer, step)
        lowering.move(mixer, 0)


class _Note:
    """The file that names what is lowered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.originals: list[tuple[str, Volumes]] = self._read()

    def _read(self) -> list[tuple[str, Volumes]]:
        try:
            kept = json.loads(self._path.read_text("utf-8"))
            return [(str(name), tuple(map(int, volumes))) for name, volumes in kept]
        except (OSError, ValueError, TypeError, RecursionError):
            return []

    def write(self, originals: list[tuple[str, Volumes]]) -> None:
        """Keep what is lowered now; a disk that takes nothing only spoils the mending."""
        if originals == self.originals:
            return
        self.originals = originals
        with suppress(OSError):
            if originals:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self._path, json.dumps(originals).encode())
            else:
                self._path.unlink(missing_ok=True)


class _Pulse:
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

    def mend_kept(self, name: str, original: Volumes) -> None:
        """Keep the original for the next stream of a name if a lowered volume was kept for it."""
        with suppress(self._errors):
            for kept in self._pulse.stream_restore_list():
                if kept.name == name and is_lowered(_volumes(kept), original):
                    kept.volume = self._shares(original)
                    self._pulse.stream_restore_write(kept, mode="replace")

    def _shares(self, volumes: Volumes) -> Any:
        return self._volume([volume / NORMAL for volume in volumes])


_NONE = "Only PulseAudio and PipeWire let other programs' sound be lowered."


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


def others_beside_us() -> int | None:
    """Return how many streams could be lowered now; None if ours is not on the sound server.

    Raises DeviceError if there is no sound server.
    """
    with _Pulse() as mixer:
        streams = mixer.streams()
    sinks = {stream.sink for stream in streams if stream.is_ours}
    beside = [s for s in streams if s.sink in sinks and not s.is_ours and s.role not in _LEFT_ALONE]
    return len(beside) if sinks else None
