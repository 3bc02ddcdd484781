"""Idle listening costs nothing, and no word is lost for it."""

from collections.abc import Iterable

import numpy as np
import pytest

from assistant.asr.hypothesis import RATE, Hypothesis, Recogniser
from assistant.asr.voice_activity import VoiceActivityGate
from assistant.audio.pcm import Samples
from assistant.audio.shaping import resample
from assistant.session import factory, speech_model
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support.stage import PACK

BLOCK = round(0.03 * RATE)
SECOND = np.zeros(RATE, np.int16)
LINES = ("stop", "my left calf is cramping", "how long left", "help", "it still hurts")


class Fed:
    """A recogniser that keeps what it is given, and says what the test says."""

    def __init__(self) -> None:
        self.sound: Samples = np.zeros(0, np.int16)
        self.says = ""
        self.ends = True

    def feed(self, samples: Samples) -> list[Hypothesis]:
        self.sound = np.concatenate([self.sound, samples])
        text, self.says = self.says, ""
        return [Hypothesis(text, (), self.ends, len(self.sound) / RATE)] if text else []

    def listen(self, phrases: Iterable[str]) -> None:
        """Take any phrases."""

    def finish(self) -> list[Hypothesis]:
        return []


def said(text: str, voice: str = "en-us+m7") -> Samples:
    return resample(Pyttsx3Voice(voice, 160).render(text), RATE).samples


def feed(recogniser: Recogniser, sound: Samples, size: int = BLOCK) -> list[Hypothesis]:
    blocks = (sound[at : at + size] for at in range(0, len(sound), size))
    return [hypothesis for block in blocks for hypothesis in recogniser.feed(block)]


@pytest.fixture
def fed() -> Fed:
    return Fed()


@pytest.fixture
def gate(fed: Fed) -> VoiceActivityGate:
    return VoiceActivityGate(fed)


def test_silence_and_hiss_are_not_decoded(gate: VoiceActivityGate, fed: Fed) -> None:
    hiss = np.random.default_rng(1).normal(0, 8, 10 * RATE).astype(np.int16)
    feed(gate, np.concatenate([np.tile(SECOND, 10), hiss]))
    assert len(fed.sound) < 0.1 * 20 * RATE


@pytest.mark.parametrize("size", [160, BLOCK, 1000])
def test_a_word_is_decoded_whole_with_what_was_before_it(
    gate: VoiceActivityGate, fed: Fed, size: int
) -> None:
    word = said("stop")
    sound = np.concatenate([*[SECOND] * 3, word, SECOND, SECOND])
    sound += np.random.default_rng(1).integers(-8, 8, len(sound), np.int16)
    feed(gate, sound, size)
    decoded = fed.sound.tobytes()
    first = sound.tobytes().find(decoded) // 2
    assert 2.4 * RATE < first < 2.7 * RATE
    assert first + len(fed.sound) > 3 * RATE + len(word) + 0.8 * RATE


def test_it_sleeps_again_after_the_end_of_the_utterance(gate: VoiceActivityGate, fed: Fed) -> None:
    feed(gate, np.concatenate([SECOND, said("stop"), SECOND[: RATE // 2]]))
    feed(gate, SECOND)
    decoded = len(fed.sound)
    assert decoded > RATE
    feed(gate, np.tile(SECOND, 5))
    assert len(fed.sound) == decoded


def test_it_stays_awake_until_the_utterance_has_ended(gate: VoiceActivityGate, fed: Fed) -> None:
    fed.says, fed.ends = "stop", False
    feed(gate, np.concatenate([said("stop"), SECOND, SECOND, SECOND]))
    fed.says, fed.ends = "stop", True
    feed(gate, SECOND[: 2 * BLOCK])
    assert fed.says == ""
    assert not gate.is_open


def test_words_that_come_to_no_end_do_not_keep_it_awake_for_ever(
    gate: VoiceActivityGate, fed: Fed
) -> None:
    fed.says, fed.ends = "stop", False
    feed(gate, np.concatenate([said("stop"), *[SECOND] * 8]))
    assert not gate.is_open


def test_times_are_those_of_all_sound(gate: VoiceActivityGate, fed: Fed) -> None:
    feed(gate, np.tile(SECOND, 10))
    fed.says = "stop"
    found = feed(gate, said("stop"))
    assert found[0].at_seconds == pytest.approx(10.0, abs=0.3)


@pytest.mark.model
def test_the_same_is_heard_as_without_it() -> None:
    """Pauses of all lengths between the lines, some shorter than it takes to fall asleep."""
    plain, gated = (
        factory.recogniser(PACK, speech_model.load(PACK, Settings())),
        factory.recogniser(PACK, speech_model.load(PACK, Settings())),
    )
    chance = np.random.default_rng(2)
    pieces: list[Samples] = []
    for number, line in enumerate(LINES * 2):
        quiet = np.zeros(chance.integers(RATE, 3 * RATE), np.int16)
        pieces += [quiet, said(line, ("en-us+m7", "en-gb+f4")[number % 2])]
    sound = np.concatenate([*pieces, SECOND, SECOND])
    heard = []
    for recogniser in (plain, VoiceActivityGate(gated)):
        recogniser.listen(LINES)
        heard.append([h for h in feed(recogniser, sound) if h.final])
    assert [h.text for h in heard[1]] == [h.text for h in heard[0]] == list(LINES * 2)
    ends = [[h.words[-1].end_seconds for h in found] for found in heard]
    assert ends[1] == pytest.approx(ends[0], abs=0.1)
