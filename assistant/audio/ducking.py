"""Other programs' sound goes down while Charley speaks, and returns to what it was.

A thread of its own asks the sound server and waits for it; nothing that plays sound ever does.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterable
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol, Self

from assistant.atomic_file import write_whole
from assistant.audio.pulse_mixer import PulseMixer, Stream
from assistant.audio.volume_ramp import LOWEST, Volumes, is_lowered, is_same, lowered
from assistant.clock import SystemClock
from assistant.errors import DeviceError
from assistant.regular_file import read_regular

_DOWN, _UP = 3, 1
"""Steps down and up at a time: down in 0.16 s, up in 0.5 s."""
_STEP_SECONDS = 0.04
_LOOK_SECONDS = 0.1
"""How late streams that come, go or change are noticed while nothing moves."""
TAIL_SECONDS = 0.8
"""How long the music stays down after speech, as between two lines."""
SOON_SECONDS = 0.4
"""Speech that comes within this time counts as begun."""
_RETRY_SECONDS = 3.0
"""Without a server, how long until it is looked for again when Charley speaks."""
_PARTING_SECONDS = 2.0
"""The longest that the end of the program waits for the volumes to be restored."""
_LARGEST_NOTE_BYTES = 1_000_000
_HIGHEST = 99957
"""+11 dB: pulsectl sets no more (PA_VOLUME_UI_MAX), so louder streams could not be restored."""
_LEFT_ALONE = frozenset({"a11y", "phone", "event"})
"""Roles (PulseAudio's `media.role`) that must be heard: screen readers, calls, alarms."""


class Mixer(Protocol):
    """The volumes of all that is played."""

    def streams(self) -> list[Stream]:
        """Return all that is played now."""

    def set(self, index: int, volumes: Volumes) -> None:
        """Set a stream's volumes; nothing happens if it is gone."""

    def restore_kept(self, name: str, original: Volumes) -> None:
        """Keep the original for the next stream of a name if a lowered volume was kept for it."""


@dataclass(slots=True)
class _Low:
    """A stream that was lowered."""

    name: str
    original: Volumes
    now: Volumes
    """What it was set to last."""


class Ducking:
    """What is lowered on a mixer; it looks at all streams again at each step."""

    def __init__(self, note: Callable[[list[tuple[str, Volumes]]], None]) -> None:
        """`note` gets the originals before the first of a stream's volumes is changed."""
        self._note = note
        self._low: dict[int, _Low] = {}
        self._left: set[int] = set()
        """Streams that the user has changed meanwhile: they stay as they are."""

    @property
    def originals(self) -> list[tuple[str, Volumes]]:
        """The names of what is lowered, and the volumes that it had."""
        return [(low.name, low.original) for low in self._low.values()]

    def move(self, mixer: Mixer, step: int) -> None:
        """Bring all others on Charley's speaker to a step of the ramp, 0 to LOWEST."""
        streams, known = mixer.streams(), self.originals
        for index in self._low.keys() - {stream.index for stream in streams}:
            gone = self._low.pop(index)
            mixer.restore_kept(gone.name, gone.original)
        ours = {stream.sink for stream in streams if stream.is_ours}
        for stream in streams:
            if self._may_move(stream):
                is_on_speaker = stream.sink in ours and stream.role not in _LEFT_ALONE
                self._move_one(mixer, stream, step if is_on_speaker else 0, known)
        if step == 0:
            self._left.clear()
        self._note(self.originals)

    def _may_move(self, stream: Stream) -> bool:
        low = self._low.get(stream.index)
        if low is not None and not is_same(stream.volumes, low.now):
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


def restore(mixer: Mixer, originals: Iterable[tuple[str, Volumes]]) -> None:
    """Restore what was left lowered; a stream with another volume was changed by the user."""
    for name, original in originals:
        for stream in mixer.streams():
            if stream.name == name and is_lowered(stream.volumes, original):
                mixer.set(stream.index, original)
        mixer.restore_kept(name, original)


class Ducker:
    """Lowers other programs' sound while Charley speaks; a context manager.

    What is lowered is noted in a file meanwhile, so that the next start after a crash restores it.
    """

    def __init__(
        self,
        speaks: Callable[[], bool],
        note: Path,
        connect: Callable[[], PulseMixer] | None = None,
    ) -> None:
        """`speaks` returns whether Charley speaks now or soon; `note` is the path of the file."""
        self._speaks = speaks
        self._note = _Note(note)
        self._connect = connect or PulseMixer
        self._over = threading.Event()
        self._thread = threading.Thread(target=self._run, name="music", daemon=True)

    def __enter__(self) -> Self:
        """Begin to watch whether Charley speaks."""
        self._thread.start()
        return self

    def __exit__(self, *_raised: object) -> None:
        """Restore everything at once."""
        self._over.set()
        self._thread.join(_PARTING_SECONDS)

    def _run(self) -> None:
        while not self._over.wait(_STEP_SECONDS):
            if self._speaks() or self._note.originals:  # else nobody needs a server
                try:
                    with self._connect() as mixer:
                        self._serve(mixer)
                except DeviceError:
                    self._over.wait(_RETRY_SECONDS)

    def _serve(self, mixer: PulseMixer) -> None:
        """Lower and raise until the end. Raises DeviceError if the server goes away."""
        restore(mixer, self._note.originals)
        self._note.write([])
        ducking, clock = Ducking(self._note.write), SystemClock()
        step, before, spoke_at = 0, 0, -TAIL_SECONDS
        while not self._over.wait(_STEP_SECONDS if step != before else _LOOK_SECONDS):
            spoke_at = clock.now() if self._speaks() else spoke_at
            is_down = clock.now() - spoke_at < TAIL_SECONDS
            before, step = step, min(LOWEST, step + _DOWN) if is_down else max(0, step - _UP)
            if step or before:
                ducking.move(mixer, step)
        ducking.move(mixer, 0)


class _Note:
    """The file that names what is lowered."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self.originals: list[tuple[str, Volumes]] = self._read()

    def _read(self) -> list[tuple[str, Volumes]]:
        try:
            kept = json.loads(read_regular(self._path, _LARGEST_NOTE_BYTES))
            return [(str(name), tuple(map(int, volumes))) for name, volumes in kept]
        except (OSError, ValueError, TypeError, RecursionError):
            return []

    def write(self, originals: list[tuple[str, Volumes]]) -> None:
        """Keep what is lowered now; a disk that cannot be written only prevents that."""
        if originals == self.originals:
            return
        self.originals = originals
        with suppress(OSError):
            if originals:
                self._path.parent.mkdir(parents=True, exist_ok=True)
                write_whole(self._path, json.dumps(originals).encode())
            else:
                self._path.unlink(missing_ok=True)


def lowerable_streams() -> int | None:
    """Return how many streams could be lowered now; None if ours is not on the sound server.

    Raises DeviceError if there is no sound server.
    """
    with PulseMixer() as mixer:
        streams = mixer.streams()
    sinks = {stream.sink for stream in streams if stream.is_ours}
    others = [s for s in streams if s.sink in sinks and not s.is_ours and s.role not in _LEFT_ALONE]
    return len(others) if sinks else None
