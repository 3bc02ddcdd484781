"""Facts about microphone and speaker: with a make-believe PortAudio, and through PulseAudio."""

import os
import subprocess
import sys
import threading
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest

from assistant.audio import devices
from assistant.audio.devices import Microphone, Speaker, find_device, list_devices, output_rate
from assistant.audio.pcm import Pcm, from_int16, to_int16
from assistant.audio.shaping import resample
from assistant.clock import VirtualClock
from assistant.dialogue.actions import Say
from assistant.errors import DeviceError
from assistant.playback.timeline import Timeline
from tests.support import ROOT, pulse


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeStream:
    """A stream whose callback is called by the test, not by a sound card."""

    def __init__(self, card: "FakeSoundDevice", **options: Any) -> None:
        self.card = card
        self.options = options
        self.latency = 0.04
        self.running = False

    def start(self) -> None:
        if self.card.busy:
            raise PortAudioError("Error opening stream: Device unavailable", -9985)
        self.running = True

    def close(self) -> None:
        self.running = False
        self.options["finished_callback"]()

    def give(self, samples: Any, status: bool = False) -> None:
        self.options["callback"](samples, len(samples), None, status)


class FakeSoundDevice:
    """As much of sounddevice as Charley uses."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.cards = [
            ("HDA Intel: analog", 2, 2, 48000.0),
            ("USB Headset", 1, 2, 44100.0),
            ("HDMI", 0, 8, 48000.0),
        ]
        self.default = SimpleNamespace(device=[1, 2])
        self.rates = {16000, 22050, 44100, 48000}
        self.channels = {1, 2}
        self.busy = False
        self.starts = 0
        self.plugged_in: list[tuple[str, int, int, float]] = []
        """What PortAudio finds only when it starts again."""
        self.streams: list[FakeStream] = []

    def _terminate(self) -> None:
        assert not any(stream.running for stream in self.streams)
        self.starts += 1

    def _initialize(self) -> None:
        self.cards += self.plugged_in

    def query_devices(self) -> list[dict[str, Any]]:
        names = ("name", "max_input_channels", "max_output_channels", "default_samplerate")
        return [dict(zip(names, card, strict=True)) for card in self.cards]

    def check_input_settings(self, **wanted: Any) -> None:
        if wanted["samplerate"] not in self.rates or wanted["channels"] not in self.channels:
            raise PortAudioError("Invalid sample rate", -9997)

    check_output_settings = check_input_settings

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        self.streams.append(FakeStream(self, **options))
        return self.streams[-1]

    OutputStream = InputStream


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    made = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """The devices' time, which passes only by being waited for."""
    made = VirtualClock()
    monkeypatch.setattr(devices, "SystemClock", lambda: made)
    return made


class Steady:
    """A voice of one level."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:  # noqa: ARG002
        return Pcm(np.full(1000, 5000, np.int16), 22050)


def greeting(rate: int = 22050) -> Timeline:
    """A timeline that is about to say one line."""
    timeline = Timeline(Steady(), rate)
    timeline.perform(Say("greeting", "hello"))
    return timeline


@pytest.mark.usefixtures("card")
class TestFinding:
    """By index, by a part of the name, or the default; else a sentence that says what there is."""

    def test_all_devices_are_listed(self) -> None:
        assert [device.name for device in list_devices()] == [
            "HDA Intel: analog",
            "USB Headset",
            "HDMI",
        ]

    @pytest.mark.parametrize("wanted", [1, "1", "usb", "USB Headset", " headset "], ids=repr)
    def test_by_index_or_name(self, wanted: str | int) -> None:
        assert find_device(wanted, "input").name == "USB Headset"

    def test_the_default(self) -> None:
        assert find_device(None, "input").index == 1
        assert find_device("", "output").index == 2

    def test_an_unknown_name_tells_what_there_is(self) -> None:
        with pytest.raises(DeviceError) as caught:
            find_device("bluetooth", "input")
        assert str(caught.value) == (
            'There is no microphone "bluetooth"; there is 0 "HDA Intel: analog", 1 "USB Headset".'
        )

    def test_a_speaker_is_no_microphone(self) -> None:
        with pytest.raises(DeviceError, match='no microphone "hdmi"'):
            find_device("hdmi", "input")
        with pytest.raises(DeviceError, match='no microphone "2"'):
            find_device(2, "input")


def test_a_machine_without_a_microphone_says_so(card: FakeSoundDevice) -> None:
    card.cards = []
    with pytest.raises(DeviceError, match="No microphone was found"):
        Microphone()


def test_without_a_default_the_first_that_fits_is_taken(card: FakeSoundDevice) -> None:
    card.default.device = [-1, -1]
    assert find_device(None, "input").index == 0


def test_a_missing_portaudio_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        list_devices()


class TestMicrophone:
    """16 kHz mono, whatever the device gives."""

    def test_what_waits_is_read_at_once_and_in_order(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            for value in (1, 2, 3):
                card.streams[0].give(np.full((480, 1), value, np.int16))
            assert microphone.behind_seconds == pytest.approx(0.09)
            sound = microphone.read()
            assert sound is not None
            assert sound.tolist() == [1] * 480 + [2] * 480 + [3] * 480
            assert microphone.behind_seconds == 0.0
            assert microphone.read(0.0) is None

    def test_a_block_is_a_copy(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            data = np.ones((480, 1), np.int16)
            card.streams[0].give(data)
            data[:] = 9
            block = microphone.read()
            assert block is not None
            assert set(block.tolist()) == {1}

    def test_when_nobody_reads_the_oldest_is_dropped_and_counted(
        self, card: FakeSoundDevice
    ) -> None:
        with Microphone() as microphone:
            for value in range(devices.QUEUE_BLOCKS + 5):
                card.streams[0].give(np.full((4, 1), value, np.int16))
            block = microphone.read()
            assert block is not None
            assert block[0] == 5
            assert microphone.dropped_blocks == 5

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("rate", [8000, 24000, 44100, 48000])
    def test_a_device_that_refuses_16_khz_is_resampled(
        self, card: FakeSoundDevice, rate: int, channels: int
    ) -> None:
        card.rates, card.channels = {rate}, {channels}
        card.cards = [("Odd", 1, 0, float(rate))]
        tone = Pcm(to_int16(0.5 * np.sin(np.arange(2 * rate) * 2 * np.pi * 440 / rate)), rate)
        heard = []
        with Microphone("odd") as microphone:
            for at in range(0, 2 * rate, 1323):
                given = tone.samples[at : at + 1323, np.newaxis]
                card.streams[0].give(np.tile(given, (1, channels)))
                block = microphone.read()
                assert block is not None
                heard.append(block)
        whole = np.concatenate(heard)
        assert len(whole) == pytest.approx(32000, abs=600)
        like = resample(tone, 16000).samples
        assert np.corrcoef(whole[4000:20000], like[4000:20000])[0, 1] > 0.99

    @pytest.mark.parametrize("both", [(8, 8), (0, 16), (16, 0)])
    def test_a_voice_may_be_on_either_of_two_channels(
        self, card: FakeSoundDevice, both: tuple[int, int]
    ) -> None:
        card.channels = {2}
        with Microphone() as microphone:
            assert card.streams[0].options["channels"] == 2
            card.streams[0].give(np.tile(np.array(both, np.int16), (480, 1)))
            block = microphone.read()
            assert block is not None
            assert set(block.tolist()) == {8}

    def test_a_device_in_use_is_a_sentence(self, card: FakeSoundDevice) -> None:
        card.busy = True
        with pytest.raises(DeviceError, match=r'microphone "USB Headset" .*Device unavailable'):
            Microphone().__enter__()

    def test_a_device_that_takes_nothing_is_a_sentence(self, card: FakeSoundDevice) -> None:
        card.rates = set()
        with pytest.raises(DeviceError, match=r"cannot be used \(Invalid sample rate\)"):
            Microphone()

    def test_lost_sound_is_counted(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            card.streams[0].give(np.zeros((480, 1), np.int16), status=True)
            assert microphone.overflows == 1


class TestSpeaker:
    """The sound card pulls what the timeline has."""

    @pytest.mark.parametrize("channels", [1, 2])
    def test_it_plays_the_timeline(self, card: FakeSoundDevice, channels: int) -> None:
        card.channels = {channels}
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((700, channels), np.int16)
            card.streams[0].give(out)
            card.streams[0].give(out)
        assert timeline.position_samples == 1400
        assert (out[:300] == 5000).all()
        assert not out[300:].any()

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
    def test_the_timeline_is_as_long_at_any_rate(
        self, card: FakeSoundDevice, rate: int, channels: int
    ) -> None:
        card.rates, card.channels = {rate}, {channels}
        card.cards = [("Odd", 0, channels, float(rate))]
        timeline = greeting(output_rate())
        with Speaker(timeline):
            out = np.ones((rate // 10, channels), np.int16)
            card.streams[0].give(out)
        sounding = np.flatnonzero(np.abs(out).min(axis=1) > 2500) / rate
        assert sounding[0] == pytest.approx(0.0, abs=0.001)
        assert sounding[-1] == pytest.approx(1000 / 22050, abs=0.001)

    def test_a_rate_is_found_that_the_device_plays(self, card: FakeSoundDevice) -> None:
        assert output_rate() == 22050
        card.rates = {48000}
        assert output_rate() == 48000
        with pytest.raises(DeviceError, match="48000 hertz, not 22050"):
            Speaker(Timeline(Steady()))
        assert Speaker(Timeline(Steady(), output_rate())).rate == 48000

    def test_frames_that_come_later_than_the_store_lasts_are_a_gap(
        self, card: FakeSoundDevice, clock: VirtualClock
    ) -> None:
        with Speaker(Timeline(Steady())) as speaker:  # whose store lasts 40 ms
            ten_ms = np.zeros((220, 1), np.int16)
            found = []
            for late_ms in (0.0, 30.0, 0.0, 300.0, 300.0, 0.0, 600.0):
                for _ in range(100):
                    clock.wait_until(clock.now() + 220 / 22050)
                    card.streams[0].give(ten_ms)
                for _ in range(round(late_ms / 10)):
                    clock.wait_until(clock.now() + 0.01)
                for _ in range(4):  # it is filled again, if it can be, in no time
                    card.streams[0].give(ten_ms)
                found.append(speaker.underflows)
            assert found == [0, 0, 0, 1, 2, 2, 3]

    def test_the_timeline_waits_while_a_dry_card_throws_its_frames_away(
        self, card: FakeSoundDevice
    ) -> None:
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((300, 1), np.int16)
            for _ in range(100):
                card.streams[0].give(out, status=True)
                assert not out.any()
            assert timeline.position_samples == 0
            card.streams[0].give(out)
            assert (out == 5000).all()

    def test_a_card_that_always_says_it_ran_dry_is_played_to(
        self, card: FakeSoundDevice, clock: VirtualClock
    ) -> None:
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((300, 1), np.int16)
            for _ in range(11):
                card.streams[0].give(out, status=True)
                clock.wait_until(clock.now() + 1.0)
        assert (out == 5000).all()


class TestLoss:
    """A device that goes away is reported once, never raised in a thread."""

    def test_a_stream_that_ends_by_itself(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone(on_lost=lost.append):
            card.streams[0].options["finished_callback"]()
            card.streams[0].options["finished_callback"]()
            assert lost == ["microphone"]

    def test_closing_on_purpose_is_no_loss(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Speaker(Timeline(Steady()), on_lost=lost.append):
            pass
        assert not card.streams[0].running
        assert lost == []

    @pytest.mark.usefixtures("card")
    def test_a_callback_that_is_not_called_any_more(self) -> None:
        lost: list[str] = []
        told = threading.Event()

        def note(name: str) -> None:
            lost.append(name)
            told.set()

        with Speaker(Timeline(Steady()), on_lost=note, stall_seconds=0.02):
            assert told.wait(10)
        assert lost == ["speaker"]

    def test_a_device_that_was_plugged_in_is_found_by_looking_anew(
        self, card: FakeSoundDevice
    ) -> None:
        card.plugged_in = [("Earbuds", 1, 2, 16000.0)]
        with pytest.raises(DeviceError, match='no microphone "earbuds"'):
            Microphone("earbuds")
        devices.look_anew()
        assert Microphone("earbuds").device.name == "Earbuds"

    def test_looking_anew_lets_a_running_stream_go_on(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone("usb", on_lost=lost.append) as microphone:
            card.cards.insert(0, ("New", 1, 0, 48000.0))
            devices.look_anew()
            assert card.streams[-1].options["device"] == 2
            card.streams[-1].give(np.full((480, 1), 5, np.int16))
            assert microphone.read() is not None
        assert lost == []
        assert not any(stream.running for stream in card.streams)

    def test_looking_anew_tells_of_one_that_is_gone(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone("usb", on_lost=lost.append):
            del card.cards[1]
            devices.look_anew()
        assert lost == ["microphone"]

    def test_it_can_be_opened_again(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        microphone = Microphone(on_lost=lost.append)
        for _ in range(2):
            with microphone:
                card.streams[-1].options["finished_callback"]()
        assert lost == ["microphone", "microphone"]


# --- Real PortAudio, make-believe sound card -----------------------------------------------------

PLAY_A_HOLD = """
import threading
from assistant.dialogue.actions import Count, Say
from assistant.audio.devices import Speaker, output_rate
from assistant.dialogue.hold import Hold
from assistant.playback.timeline import Timeline
from assistant.tts.synthesiser import CachedVoice, Pyttsx3Voice
words = "zero one two three four five six seven eight nine ten".split()
timeline = Timeline(CachedVoice(Pyttsx3Voice(), None), output_rate())
timeline.perform(Count(Hold(10), tuple(words)))
with Speaker(timeline) as speaker:
    while not timeline.is_idle:
        threading.Event().wait(0.05)
    threading.Event().wait(0.3)
print(speaker.underflows)
"""

RECORD_A_TONE = """
import sys
import numpy as np
from assistant.clock import VirtualClock
from assistant.audio.devices import Microphone
from assistant.audio import audio_file
from assistant.audio.pcm import Pcm
heard = []
with Microphone() as microphone:
    print("listening", flush=True)
    while sum(map(len, heard)) < 3 * 16000:
        heard.append(microphone.read(10))
audio_file.write(sys.argv[1], Pcm(np.concatenate(heard), 16000))
"""

LOSE_THE_DEVICE = """
import threading
from assistant.clock import VirtualClock
from assistant.audio.devices import Microphone
lost = threading.Event()
with Microphone(on_lost=lambda name: (print("lost", name, flush=True), lost.set())) as microphone:
    microphone.read(10)
    print("listening", flush=True)
    lost.wait(20)
"""


CHIME_AND_LISTEN = """
import numpy as np
from assistant.dialogue.actions import Chime
from assistant.clock import VirtualClock
from assistant.audio.devices import Microphone, Speaker, output_rate
from assistant.playback.timeline import Timeline
timeline = Timeline(None, output_rate())
heard = []
with Speaker(timeline), Microphone() as microphone:
    print("listening", flush=True)
    while sum(map(len, heard)) < 3 * 16000:
        heard.append(microphone.read(10))
        if timeline.is_idle:
            timeline.perform(Chime("heard"))
spectrum = np.abs(np.fft.rfft(np.concatenate(heard)))
print(np.argmax(spectrum) / len(np.concatenate(heard)) * 16000)
"""

STAY_OPEN = """
import sys
from assistant.audio.devices import Speaker, output_rate
from assistant.playback.timeline import Timeline
timeline = Timeline(None, output_rate())
with Speaker(timeline, on_lost=lambda name: print("lost", flush=True)):
    print("listening", flush=True)
    sys.stdin.readline()
"""


@pytest.fixture(scope="module")
def sound_card() -> Iterator[pulse.SoundCard]:
    missing = pulse.missing()
    if missing:
        pytest.skip(missing)
    with pulse.sound_card() as made:
        yield made


def start(code: str, card: pulse.SoundCard, *words: str) -> "subprocess.Popen[str]":
    return subprocess.Popen(
        [sys.executable, "-c", code, *words],
        env={**card.env, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        text=True,
    )


def onsets(sound: Pcm, threshold: float = 0.02, gap_seconds: float = 0.3) -> list[float]:
    """Return the seconds at which sound begins after a stretch of silence."""
    loud = np.flatnonzero(np.abs(from_int16(sound.samples)) >= threshold) / sound.rate
    before = np.concatenate([[-np.inf], loud[:-1]])
    return [float(at) for at in loud[loud - before > gap_seconds]]


@pytest.mark.sound
@pytest.mark.slow
def test_counts_come_out_of_the_speaker_on_their_second(sound_card: pulse.SoundCard) -> None:
    for _ in range(3):  # a card may run dry on a machine that has no time at all
        with sound_card.recording() as recorded:
            playing = start(PLAY_A_HOLD, sound_card)
            underflows, _ = playing.communicate(timeout=60)
        if int(underflows) == 0:
            break
    assert int(underflows) == 0
    begins = onsets(recorded[0])[:10]
    errors = [abs(at - begins[0] - second) for second, at in enumerate(begins)]
    assert len(begins) == 10
    assert max(errors) < 0.020


@pytest.mark.sound
def test_the_microphone_hears_what_is_played_into_the_room(
    sound_card: pulse.SoundCard, tmp_path: Path
) -> None:
    recording = start(RECORD_A_TONE, sound_card, str(tmp_path / "heard.wav"))
    assert recording.stdout is not None
    assert recording.stdout.readline() == "listening\n"
    tone = to_int16(0.3 * np.sin(np.arange(44100) * 2 * np.pi * 1000 / 44100))
    sound_card.play(Pcm(tone, 44100)).wait(30)
    recording.communicate(timeout=30)
    from assistant.audio import audio_file

    heard = from_int16(audio_file.read(tmp_path / "heard.wav").samples)
    spectrum = np.abs(np.fft.rfft(heard))
    assert np.argmax(spectrum) / len(heard) * 16000 == pytest.approx(1000, abs=5)
    assert np.abs(heard).max() == pytest.approx(0.3, abs=0.05)


@pytest.mark.sound
@pytest.mark.slow
@pytest.mark.parametrize(("rate", "channels"), [(8000, 1), (24000, 2), (48000, 2)])
def test_a_card_of_any_rate_and_channels_hears_and_speaks(rate: int, channels: int) -> None:
    if pulse.missing():
        pytest.skip(pulse.missing() or "")
    hum = to_int16(0.3 * np.sin(np.arange(2 * 44100) * 2 * np.pi * 1000 / 44100))
    with pulse.sound_card(rate, channels) as card, card.recording() as recorded:
        process = start(CHIME_AND_LISTEN, card)
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        card.play(Pcm(hum, 44100)).wait(30)
        said, _ = process.communicate(timeout=60)
    assert float(said) == pytest.approx(1000, abs=10)
    spoken = from_int16(recorded[0].samples)
    assert np.argmax(np.abs(np.fft.rfft(spoken))) / len(spoken) * 44100 == pytest.approx(
        880, abs=10
    )


@pytest.mark.sound
@pytest.mark.slow
def test_the_systems_choice_of_device_is_followed_while_it_runs() -> None:
    """PulseAudio and PipeWire move what plays on the default device when that changes."""
    if pulse.missing():
        pytest.skip(pulse.missing() or "")
    with pulse.sound_card() as made:
        free = {k: v for k, v in made.env.items() if k not in {"PULSE_SINK", "PULSE_SOURCE"}}
        card = replace(made, env=free)
        card.control("set-default-sink", "speaker")
        card.control("set-default-source", "microphone")
        process = start(STAY_OPEN, card)
        assert process.stdin is not None
        assert process.stdout is not None
        assert process.stdout.readline() == "listening\n"
        card.control("load-module", "module-null-sink", "sink_name=buds", "rate=48000")
        card.control("set-default-sink", "buds")
        moved = card.control("list", "sink-inputs")
        there = card.control("list", "short", "sinks")
        said, _ = process.communicate("end\n", timeout=30)
    number = next(line.split()[0] for line in there.splitlines() if "buds" in line)
    assert f"Sink: {number}\n" in moved
    assert said == ""


@pytest.mark.sound
def test_a_sound_server_that_dies_is_a_lost_device() -> None:
    if pulse.missing():
        pytest.skip(pulse.missing() or "")
    with pulse.sound_card() as card:
        listening = start(LOSE_THE_DEVICE, card)
        assert listening.stdout is not None
        assert listening.stdout.readline() == "listening\n"
        card.control("exit")
        said, _ = listening.communicate(timeout=30)
    assert said == "lost microphone\n"
    assert listening.returncode == 0


def test_importing_charleys_sound_loads_no_device_library() -> None:
    code = (
        "import sys, assistant.audio.devices\n"
        "import assistant.asr.vosk_recogniser, assistant.tts.synthesiser\n"
        "print(sorted({'sounddevice', 'vosk', 'pyttsx3', 'soxr', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "[]\n"
