"""Music goes down while Charley speaks and comes back to exactly what it was, whatever happens."""

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
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.audio.ducking import Ducking, restore
from assistant.audio.pcm import Pcm
from assistant.audio.pulse_mixer import Stream
from assistant.audio.volume_ramp import LOWEST, NORMAL, Volumes, is_lowered, lowered
from tests.support import pulse
from tests.support.examples import examples
from tests.support.process import Process

SPEAKER, OTHER_SPEAKER = 0, 1


class Killed(Exception):
    """What `kill -9` is to a process."""


class Server:
    """A sound server that keeps each name's last volume for its next stream, as PulseAudio does.

    `true` is what the volumes would be without Charley.
    """

    def __init__(self, dies_after: int = -1) -> None:
        self.playing: dict[int, Stream] = {}
        self.true: dict[int, Volumes] = {}
        self.kept: dict[str, Volumes] = {}
        self.truly_kept: dict[str, Volumes] = {}
        self.begun = 0
        self.dies_after = dies_after
        """So many volumes may be set before Charley is killed; negative for never."""
        self.begin("charley", is_ours=True)

    def begin(
        self, name: str, *, sink: int = SPEAKER, role: str = "", is_ours: bool = False
    ) -> int:
        """Play something; if the name is playing already, that ends."""
        for index, stream in list(self.playing.items()):
            if stream.name == name:
                del self.playing[index]
        index, self.begun = self.begun, self.begun + 1
        volumes = self.kept.get(name, (NORMAL, NORMAL))
        self.playing[index] = Stream(index, name, sink, volumes, role, is_ours)
        self.true[index] = self.truly_kept.get(name, (NORMAL, NORMAL))
        return index

    def turn(self, name: str, volumes: Volumes) -> None:
        """The user sets a volume."""
        for index, stream in self.playing.items():
            if stream.name == name and not is_lowered(volumes, self.true[index]):
                self._set(index, volumes)
                self.true[index] = self.truly_kept[name] = volumes

    def _set(self, index: int, volumes: Volumes) -> None:
        old = self.playing[index]
        self.playing[index] = Stream(index, old.name, old.sink, volumes, old.role, old.is_ours)
        self.kept[old.name] = volumes

    def streams(self) -> list[Stream]:
        return list(self.playing.values())

    def set(self, index: int, volumes: Volumes) -> None:
        if self.dies_after == 0:
            raise Killed
        self.dies_after -= 1
        self._set(index, volumes)

    def restore_kept(self, name: str, original: Volumes) -> None:
        if is_lowered(self.kept.get(name, ()), original):
            self.kept[name] = original

    @property
    def volumes(self) -> dict[int, Volumes]:
        return {index: stream.volumes for index, stream in self.playing.items()}

    def is_as_without_charley(self) -> bool:
        """Tell whether all that plays, and all that will, has the volume that the user chose."""
        playing = {index: self.true[index] for index in self.playing}
        defaults = {name: self.truly_kept.get(name, (NORMAL, NORMAL)) for name in self.kept}
        return self.volumes == playing and self.kept == defaults


def forget(_originals: object) -> None:
    """Keep no note."""


NAMES = ["music", "browser"]
LEVELS = st.tuples(st.integers(0, NORMAL), st.integers(0, NORMAL))
HAPPENINGS = st.one_of(
    st.tuples(st.just("move"), st.integers(0, LOWEST)),
    st.tuples(st.just("begin"), st.sampled_from(NAMES)),
    st.tuples(st.just("turn"), st.sampled_from(NAMES), LEVELS),
    st.tuples(st.just("end"), st.sampled_from(NAMES)),
)


def happen(server: Server, ducking: Ducking, what: str, *how: object) -> None:
    match what, how:
        case "move", (int(step),):
            ducking.move(server, step)
        case "begin", (str(name),):
            server.begin(name)
        case "turn", (str(name), tuple(volumes)):
            server.turn(name, volumes)
        case "end", (str(name),):
            for index, stream in list(server.playing.items()):
                if stream.name == name:
                    del server.playing[index]


@settings(max_examples=examples(150))
@given(st.lists(HAPPENINGS, max_size=30))
def test_in_the_end_all_is_as_it_would_be_without_charley(
    happenings: list[tuple[object, ...]],
) -> None:
    server, ducking = Server(), Ducking(forget)
    for what, *how in happenings:
        happen(server, ducking, str(what), *how)
    ducking.move(server, 0)
    assert server.is_as_without_charley()


@settings(max_examples=examples(150))
@given(st.lists(HAPPENINGS, max_size=30), st.integers(0, 20))
def test_what_a_killed_charley_left_low_is_restored_at_the_next_start(
    happenings: list[tuple[object, ...]], dies_after: int
) -> None:
    noted: list[tuple[str, Volumes]] = []

    def note(originals: list[tuple[str, Volumes]]) -> None:
        noted[:] = originals

    server = Server(dies_after)
    ducking = Ducking(note)
    with suppress(Killed):
        for what, *how in happenings:
            happen(server, ducking, str(what), *how)
    server.dies_after = -1
    restore(server, noted)
    assert server.is_as_without_charley()


class TestDucking:
    """Who is lowered, and who is not."""

    def test_by_fifteen_decibels_and_each_channel_by_as_much(self) -> None:
        left, right = lowered((NORMAL, NORMAL // 2), LOWEST)
        assert 20 * np.log10((left / NORMAL) ** 3) == pytest.approx(-15, abs=0.01)
        assert right / left == pytest.approx(0.5, abs=0.001)

    def test_never_charley_itself(self) -> None:
        server = Server()
        Ducking(forget).move(server, LOWEST)
        assert server.volumes == {0: (NORMAL, NORMAL)}

    @pytest.mark.parametrize("role", ["a11y", "phone", "event"])
    def test_not_what_must_be_heard(self, role: str) -> None:
        server = Server()
        call = server.begin("call", role=role)
        Ducking(forget).move(server, LOWEST)
        assert server.volumes[call] == (NORMAL, NORMAL)

    def test_not_what_plays_elsewhere(self) -> None:
        server = Server()
        kitchen = server.begin("kitchen", sink=OTHER_SPEAKER)
        Ducking(forget).move(server, LOWEST)
        assert server.volumes[kitchen] == (NORMAL, NORMAL)

    def test_nobody_while_charley_plays_nowhere(self) -> None:
        server, ducking = Server(), Ducking(forget)
        music = server.begin("music")
        ducking.move(server, LOWEST)
        del server.playing[0]  # the speaker was unplugged
        ducking.move(server, LOWEST)
        assert server.volumes == {music: (NORMAL, NORMAL)}

    def test_what_the_user_turns_up_meanwhile_is_left_so_until_charley_has_spoken(self) -> None:
        server, ducking = Server(), Ducking(forget)
        music = server.begin("music")
        ducking.move(server, LOWEST)
        server.turn("music", (60000, 60000))
        ducking.move(server, LOWEST)
        assert server.volumes[music] == (60000, 60000)
        ducking.move(server, 0)
        ducking.move(server, LOWEST)
        assert server.volumes[music] == lowered((60000, 60000), LOWEST)


# --- On PulseAudio -------------------------------------------------------------------------------

TONE_HERTZ = 15000
"""Higher than anything in Charley's voice, which ends at 11 kHz."""
OWN_VOLUME = 50000


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
        """Come back when it is so."""
        end = time.monotonic() + 30
        while self.now != wanted:
            assert time.monotonic() < end, f"{self.now}, never {wanted}"
            time.sleep(0.02)


LOW = lowered((OWN_VOLUME,), LOWEST)[0]


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
    """The real program beside another one that plays."""

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
