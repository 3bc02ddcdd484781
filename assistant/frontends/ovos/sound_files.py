"""The sound files that are sent to the audio service, for as long as it may need them."""

from __future__ import annotations

import itertools
import shutil
import tempfile
from pathlib import Path

from assistant.audio import audio_file
from assistant.frontends.ovos.output import Play
from assistant.frontends.ovos.talk import DeviceTalk

_KEEP_SECONDS = 60.0
"""How long a file stays after its end; the audio service may be late."""


class SoundFiles:
    """A folder of numbered WAV files, each with the conversation that it belongs to."""

    def __init__(self) -> None:
        self._folder = Path(tempfile.mkdtemp(prefix="charley-"))
        self._names = (str(self._folder / f"{n}.wav") for n in itertools.count(1))
        self._sent: dict[str, tuple[DeviceTalk, int, float]] = {}
        """File to its conversation, its number there, and when it may go."""

    def write(self, talk: DeviceTalk, stretch: Play, now: float) -> str:
        """Write a stretch of sound and remove what is no longer needed; return its path."""
        name = next(self._names)
        audio_file.write(name, stretch.pcm)
        self._sent[name] = (talk, stretch.number, now + stretch.pcm.seconds + _KEEP_SECONDS)
        for old in [name for name, (_, _, until) in self._sent.items() if until < now]:
            del self._sent[old]
            Path(old).unlink(missing_ok=True)
        return name

    def sender(self, name: str) -> tuple[DeviceTalk, int] | None:
        """Return the conversation that sent a file, and its number there; None if unknown."""
        sent = self._sent.get(name)
        return None if sent is None else sent[:2]

    def remove(self) -> None:
        """Remove the folder with all that is in it."""
        shutil.rmtree(self._folder, ignore_errors=True)
