"""Facts about microphone and speaker through PortAudio and a PulseAudio null sink."""

import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from assistant.audio.pcm import Pcm, from_int16, to_int16
from tests.support import ROOT, pulse

PLAY_A_HOLD = """
import threading
from assistant.dialogue.actions import Count, Say
from assistant.audio.devices import output_rate
from assistant.audio.speaker import Speaker
from assistant.dialogue.hold import Hold
from assistant.playback.timeline import Timeline
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
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
from assistant.audio.microphone import Microphone
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
from assistant.audio.microphone import Microphone
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
from assistant.audio.devices import output_rate
from assistant.audio.microphone import Microphone
from assistant.audio.speaker import Speaker
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
from assistant.audio.devices import output_rate
from assistant.audio.speaker import Speaker
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
        "import sys, assistant.audio.microphone, assistant.audio.speaker\n"
        "import assistant.asr.vosk_recogniser, assistant.tts.pyttsx3_voice\n"
        "print(sorted({'sounddevice', 'vosk', 'pyttsx3', 'soxr', 'soundfile'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.stdout == "[]\n"
