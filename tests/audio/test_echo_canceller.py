"""On a loudspeaker Charley's own voice is taken out of what it hears, and a person's is left."""

import subprocess
import sys

import numpy as np
import pytest

from assistant.audio.echo_canceller import RATE, EchoCanceller, Reference
from assistant.audio.pcm import DEFAULT_RATE, Pcm, Samples
from assistant.audio.shaping import resample
from assistant.session import voices
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support.listening import place
from tests.support.stage import PACK

BLOCK = round(0.03 * RATE)
HELD = round(0.025 * RATE)
"""Samples by which the reference, and so all, is later."""
TEXT = "Put your left leg one step in front, foot flat on the ground. Bend your back knee and sit."


def charley(seconds: float) -> Samples:
    """Return Charley, speaking on and on, at 16 kHz."""
    voice = voices.voice(PACK, Settings(), lambda _sentence: None)
    return np.resize(resample(voice.render(TEXT), RATE).samples, round(seconds * RATE))


def room(
    sound: Samples, gain: float = 0.5, delay_seconds: float = 0.08, tail_seconds: float = 0.05
) -> Samples:
    """Return what comes back of a sound; its tail falls to a third in `tail_seconds`."""
    late = round(delay_seconds * RATE)
    at = np.arange(RATE // 2)
    way = np.random.default_rng(1).normal(size=len(at)) * np.exp(-at / (tail_seconds * RATE))
    way[0] = 5.0
    way *= gain / np.sqrt(np.sum(way**2))
    size = 1 << (len(sound) + len(way)).bit_length()
    spread = np.fft.irfft(np.fft.rfft(sound.astype(float), size) * np.fft.rfft(way, size))
    return np.concatenate([np.zeros(late), spread])[: len(sound)].astype(np.int16)


def cleaned(heard: Samples, played: Samples) -> Samples:
    """Return what is left of a whole recording."""
    reference = Reference(RATE)
    canceller = EchoCanceller(reference)
    found = []
    for at in range(0, len(heard), BLOCK):
        reference.put(played[at : at + BLOCK])
        found.append(canceller.clean(heard[at : at + BLOCK]))
    return np.concatenate(found)


def power(sound: Samples) -> float:
    return float(np.mean(np.square(sound, dtype=np.float64)))


def left_of_echo(heard: Samples, played: Samples) -> float:
    """Return the share of samples that are let through after six seconds."""
    return float(np.mean(cleaned(heard, played)[6 * RATE :] != 0))


class TestCanceller:
    """The echo is taken out, and what is left of it silenced."""

    def test_of_an_echo_nothing_is_left(self) -> None:
        played = charley(12.0)
        left = cleaned(room(played), played)
        assert power(left[: 3 * RATE]) < 1e-3 * power(room(played))  # while it still learns
        assert not left[6 * RATE :].any()

    @pytest.mark.parametrize("voice", ["en-us", "en-us+m3", "en-gb", "en-gb+f2"])
    def test_of_a_late_one_that_trails_off_slowly_neither(self, voice: str) -> None:
        """As over Bluetooth, in a room with bare walls."""
        spoken = resample(Pyttsx3Voice(voice, 160).render(TEXT), RATE).samples
        played = np.resize(spoken, 12 * RATE)
        heard = room(played, delay_seconds=0.3, tail_seconds=0.1)
        assert left_of_echo(heard, played) < 0.01

    @pytest.mark.parametrize("parts_per_million", [-100, 50])
    def test_of_one_by_another_clock_neither(self, parts_per_million: int) -> None:
        """A microphone and a loudspeaker that are plugged in apart."""
        played = charley(20.0)
        there = np.arange(len(played)) * (1 + parts_per_million * 1e-6)
        heard = np.interp(there, np.arange(len(played)), room(played)).astype(np.int16)
        assert left_of_echo(heard, played) < 0.01

    def test_of_one_whose_volume_is_turned_little_is_left(self) -> None:
        played = charley(16.0)
        heard = room(played, gain=0.2)
        heard[10 * RATE :] *= 2
        assert left_of_echo(heard, played) < 0.02

    def test_one_from_elsewhere_is_learnt_again(self) -> None:
        """The sound card's buffer is another, or a door was shut."""
        played = charley(30.0)
        heard, at = room(played), 10 * RATE
        heard[at:] = room(played, delay_seconds=0.2)[at:]
        left = cleaned(heard, played)
        assert np.mean(left[at : at + 3 * RATE] != 0) < 0.5
        assert not left[at + 8 * RATE :].any()

    @pytest.mark.parametrize("times", [2.0, 1.0])
    def test_a_person_is_heard_over_it(self, times: float) -> None:
        """Twice as loud as the echo, or as loud."""
        played = charley(12.0)
        word = resample(Pyttsx3Voice("en-us+m7", 160).render("stop"), RATE).samples
        word = (word * times * 0.25 * np.sqrt(power(played) / power(word))).astype(np.int16)
        heard, at = room(played, gain=0.25), 8 * RATE
        heard[at : at + len(word)] += word
        left = cleaned(heard, played)
        there = left[at + HELD : at + HELD + len(word)].astype(float)
        assert power(there - word) < 0.2 * power(word)

    def test_without_an_echo_all_is_heard_a_moment_later(self) -> None:
        word = resample(Pyttsx3Voice("en-us+m7", 160).render("my left calf"), RATE).samples
        heard = np.pad(word, (RATE, RATE))
        left = cleaned(heard, np.zeros_like(heard))
        at = place(Pcm(left, RATE), Pcm(word, RATE), 0.5, 2.0)
        assert at == pytest.approx(1.0 + HELD / RATE, abs=0.02)
        assert power(left) == pytest.approx(power(heard), rel=0.01)

    def test_blocks_may_be_of_any_size(self) -> None:
        canceller = EchoCanceller(Reference(RATE))
        given = [canceller.clean(np.zeros(size, np.int16)) for size in (1, 159, 480, 700)]
        assert [len(found) % (RATE // 50) for found in given] == [0, 0, 0, 0]
        assert sum(map(len, given)) > 1340 - RATE // 50


class TestReference:
    """What was played, in step with what is heard."""

    def test_it_comes_in_order_and_at_16_khz(self) -> None:
        reference = Reference(DEFAULT_RATE)
        tone = np.sin(np.arange(DEFAULT_RATE) * 2 * np.pi * 500 / DEFAULT_RATE) * 9000
        reference.put(tone.astype(np.int16))
        heard = np.concatenate([reference.take(BLOCK) for _ in range(20)])
        assert np.argmax(np.abs(np.fft.rfft(heard))) / len(heard) * RATE == pytest.approx(
            500, abs=4
        )

    def test_what_was_not_played_is_silence(self) -> None:
        reference = Reference(RATE)
        reference.put(np.full(100, 7, np.int16))
        assert reference.take(HELD).tolist() == [0] * HELD
        assert reference.take(BLOCK).tolist() == [7] * 100 + [0] * (BLOCK - 100)

    def test_a_microphone_that_began_late_catches_up(self) -> None:
        reference = Reference(RATE)
        reference.put(np.full(2 * RATE, 1, np.int16))
        for _ in range(70):
            reference.put(np.full(BLOCK, 2, np.int16))
            last = reference.take(BLOCK)
        assert set(last.tolist()) == {2}

    def test_bursts_of_the_sound_card_are_no_slip(self) -> None:
        reference = Reference(RATE)
        counted = np.arange(10 * RATE, dtype=np.int64).astype(np.int16)
        heard = []
        for at in range(0, len(counted) - 4 * BLOCK, 4 * BLOCK):
            reference.put(counted[at : at + 4 * BLOCK])
            heard += [reference.take(BLOCK) for _ in range(4)]
        whole = np.concatenate(heard)
        assert np.array_equal(whole[HELD:], counted[: len(whole) - HELD])


def test_with_earbuds_nothing_of_it_is_loaded() -> None:
    code = (
        "import sys, assistant.frontends.live.loop\n"
        "print('assistant.audio.echo_canceller' in sys.modules)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout == "False\n"
