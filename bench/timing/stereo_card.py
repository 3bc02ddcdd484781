"""A virtual sound card whose speaker and microphone are recorded as the channels of one stream.

Their times therefore cannot differ.
"""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import numpy as np

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import Pcm, Samples
from bench.timing.lockstep import AUDIBLE
from tests.support import pulse

STEREO = (
    ("module-null-sink", "sink_name=both", f"rate={pulse.RATE}", "channels=2"),
    ("module-remap-sink", "sink_name=left", "master=both", "channels=1", "remix=no",
     "master_channel_map=front-left", "channel_map=mono"),
    ("module-remap-sink", "sink_name=right", "master=both", "channels=1", "remix=no",
     "master_channel_map=front-right", "channel_map=mono"),
    ("module-remap-source", "source_name=ear", "master=both.monitor", "channels=1", "remix=no",
     "master_channel_map=front-right", "channel_map=mono"),
)  # fmt: skip
"""Charley plays into "left"; what is played into "right" comes out of the source "ear"."""


class Card:
    """The sound card, its recorder, and somebody who speaks into its microphone."""

    def __init__(self, card: pulse.SoundCard, folder: Path) -> None:
        for module in STEREO:
            card.control("load-module", *module)
        self.env = {**card.env, "PULSE_SINK": "left", "PULSE_SOURCE": "ear"}
        self._path = folder / "both.raw"
        raw = ["--raw", "--format=s16le", f"--rate={pulse.RATE}", "--latency-msec=20"]
        command = ["parec", "-d", "both.monitor", "--channels=2", *raw]
        with self._path.open("wb") as out:
            self._recorder = subprocess.Popen(command, stdout=out, env=self.env)

    def close(self) -> None:
        """Stop recording."""
        self._recorder.terminate()
        self._recorder.wait()

    def says(self, sound: Samples) -> None:
        """Speak into the microphone; return at the end."""
        command = ["pacat", "--playback", "-d", "right", "--raw", "--format=s16le"]
        options = [f"--rate={RATE}", "--channels=1", "--latency-msec=40"]
        quiet = np.zeros(RATE // 5, np.int16)
        data = np.concatenate([quiet, sound, quiet]).tobytes()
        subprocess.run([*command, *options], input=data, env=self.env, check=True, timeout=30)

    @property
    def frames(self) -> int:
        """Frames recorded so far."""
        return self._path.stat().st_size // 4

    def since(self, frame: int) -> tuple[Pcm, Pcm]:
        """Return what speaker and microphone had from a frame on."""
        data = np.fromfile(self._path, np.int16, 2 * (self.frames - frame), offset=4 * frame)
        left, right = data.reshape(-1, 2).T
        return Pcm(np.ascontiguousarray(left), pulse.RATE), Pcm(right.copy(), pulse.RATE)


def last_audible(sound: Pcm) -> float:
    """Return the seconds at which the last audible sample ends."""
    level = np.abs(sound.samples.astype(np.int32))
    return float(np.flatnonzero(level >= AUDIBLE * level.max())[-1] + 1) / sound.rate


@contextmanager
def sound_card(folder: Path) -> Iterator[Card]:
    """Run one sound card for as long as the block lasts."""
    with pulse.sound_card() as found:
        card = Card(found, folder)
        try:
            yield card
        finally:
            card.close()
