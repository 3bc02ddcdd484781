"""The music of another program goes down while Charley speaks, and comes back."""

from __future__ import annotations

import json
import signal
import subprocess
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import numpy as np
import pulsectl
import pytest

from assistant.audio.pcm import Pcm
from assistant.audio.volume_ramp import LOWEST, NORMAL, is_lowered, lowered
from tests.support import pulse
from tests.support.process import Process

TONE_HERTZ = 15000
"""Higher than anything in Charley's voice, which ends at 11 kHz."""
OWN_VOLUME = 50000
LOW = lowered((OWN_VOLUME,), LOWEST)[0]


@pytest.fixture
def card() -> Iterator[pulse.SoundCard]:
    """Return a sound card made of software that keeps volumes as a desktop does."""
    if reason := pulse.missing():
        pytest.skip(reason)
    with pulse.sound_card() as made:
        made.control("load-module", "module-stream-restore")
        yield made


@contextmanager
def music(card: pulse.SoundCard, volume: int | None = OWN_VOLUME) -> Iterator[None]:
    """Let another program play a tone on the speaker; None for the volume that it had last."""
    time_seconds = np.arange(120 * pulse.RATE) / pulse.RATE
    tone = (3000 * np.sin(2 * np.pi * TONE_HERTZ * time_seconds)).astype(np.int16)
    command = ["pacat", "-d", "speaker", "--raw", "--format=s16le", f"--rate={pulse.RATE}"]
    about = ["--channels=1", "--latency-msec=40", "--client-name=Music"]
    about += [f"--volume={volume}"] if volume else []
    timeline = subprocess.Popen([*command, *about], env=card.env, stdin=subprocess.PIPE)

    def play() -> None:
        assert timeline.stdin
        with suppress(BrokenPipeError):
            timeline.stdin.write(tone.tobytes())

    threading.Thread(target=play, daemon=True).start()
    try:
        yield
    finally:
        timeline.kill()
        timeline.wait()


class Volume:
    """What PulseAudio says of the music's volume."""

    def __init__(self, card: pulse.SoundCard) -> None:
        self._server = card.env["PULSE_SERVER"]

    @property
    def now(self) -> int | None:
        """The volume; None if nothing plays."""
        with pulsectl.Pulse("test", server=self._server) as server:
            for stream in server.sink_input_list():
                if stream.proplist["application.name"] == "Music":
                    share: float = stream.volume.values[0]
                    return round(share * NORMAL)
        return None

    def becomes(self, wanted: int) -> None:
        """Wait until a condition holds."""
        end = time.monotonic() + 30
        while self.now != wanted:
            assert time.monotonic() < end, f"{self.now}, never {wanted}"
            time.sleep(0.02)


def tone_decibels(recording: Pcm) -> list[float]:
    """Return how loud the tone is in each tenth of a second, relative to the loudest."""
    size = recording.rate // 10
    turning = np.exp(-2j * np.pi * TONE_HERTZ * np.arange(size) / recording.rate) * np.hanning(size)
    pieces = recording.samples[: len(recording.samples) // size * size].reshape(-1, size)
    levels = 20 * np.log10(np.abs(pieces @ turning) + 1e-9)
    return [float(level) for level in levels - levels.max()]


@pytest.mark.sound
@pytest.mark.slow
class TestOnPulseAudio:
    """The real program next to another one that plays."""

    def test_it_goes_down_for_what_is_said_and_comes_back(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        volume = Volume(card)
        with music(card), card.recording() as recorded:
            charley = Process(card, tmp_path, "--microphone", "none")
            volume.becomes(LOW)
            volume.becomes(OWN_VOLUME)
            charley.types("hello")  # which is no word for it, and answered
            volume.becomes(LOW)
            assert charley.interrupt() == 130
            assert volume.now == OWN_VOLUME
        levels = np.array(tone_decibels(recorded[0]))
        before = np.median(levels[:10])
        assert np.percentile(levels - before, 10) == pytest.approx(-15, abs=0.5)

    def test_what_a_kill_left_low_is_restored_by_the_next_start(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        volume = Volume(card)
        env = {"XDG_STATE_HOME": str(tmp_path)}
        with music(card):
            volume.becomes(OWN_VOLUME)
            killed = Process(card, tmp_path, "--microphone", "none", env=env)
            volume.becomes(LOW)
            killed.signals(signal.SIGKILL)
            killed.ends()
            assert is_lowered((volume.now or 0,), (OWN_VOLUME,))
            noted = json.loads(next(tmp_path.rglob("lowered.json")).read_text())
            assert noted == [["sink-input-by-application-name:Music", [OWN_VOLUME]]]
        # It has ended; what begins now would begin low.
        with music(card, None):
            assert volume.now != OWN_VOLUME
            charley = Process(card, tmp_path, "--microphone", "none", env=env)
            volume.becomes(OWN_VOLUME)
            assert charley.interrupt() == 130
            assert not list(tmp_path.rglob("lowered.json"))

    def test_a_song_that_ends_while_it_is_low_lets_the_next_begin_as_ever(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        volume = Volume(card)
        with music(card):
            charley = Process(card, tmp_path, "--microphone", "none")
            volume.becomes(LOW)
        charley.notes(event="SpeechFinished")
        with music(card, None):
            volume.becomes(OWN_VOLUME)
        assert charley.interrupt() == 130

    def test_it_stays_as_it_is_if_the_user_wants_that(
        self, card: pulse.SoundCard, tmp_path: Path
    ) -> None:
        volume = Volume(card)
        with music(card):
            charley = Process(card, tmp_path, "--microphone", "none", "--no-lower-music")
            charley.notes(event="SpeechFinished")  # when it would still be low
            assert volume.now == OWN_VOLUME
            assert charley.interrupt() == 130
