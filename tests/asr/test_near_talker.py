"""The person near the microphone is heard, and the talk behind is not."""

from collections.abc import Iterable, Sequence

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.asr.hypothesis import RATE, Alternative, Hypothesis, Word
from assistant.asr.near_talker import NearTalker
from assistant.audio.pcm import Samples
from assistant.audio.shaping import resample
from assistant.dialogue.machine import listening
from assistant.dialogue.state import DialogueState, State
from assistant.session import factory, speech_model
from assistant.settings import Settings
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.support.stage import PACK

BLOCK = round(0.03 * RATE)
LOUD, QUIET = 8000, 800
"""20 dB apart."""


class FakeRecogniser:
    """A recogniser that returns given words when they are set to be over."""

    def __init__(self, words: str = "", again: str = "") -> None:
        self.words = words
        self.partial = ""
        self.fed = 0
        self.near = again
        self.again_heard: Samples | None = None

    def listen(self, phrases: Iterable[str]) -> None:
        """Take any phrases."""

    def feed(self, samples: Samples) -> list[Hypothesis]:
        self.fed += len(samples)
        text, self.partial = self.partial, ""
        return [Hypothesis(text, (), False, self.fed / RATE)] if text else []

    def finish(self) -> list[Hypothesis]:
        return [hypothesis(self.words, self.fed / RATE)] if self.words else []

    def again(self, samples: Samples) -> Hypothesis | None:
        self.again_heard = samples
        return hypothesis(self.near, self.fed / RATE) if self.near else None


def hypothesis(text: str, at_seconds: float) -> Hypothesis:
    words = tuple(Word(word, 0.0, at_seconds) for word in text.split())
    return Hypothesis.ended((Alternative(words, 0.0),), at_seconds)


def sound(*levels: int) -> Samples:
    """Return half a second of hiss at each level."""
    hiss = np.random.default_rng(1).normal(0, 1, (len(levels), RATE // 2))
    return np.asarray(hiss * np.array(levels)[:, None], np.int16).ravel()


def after(told: FakeRecogniser, *levels: int, words_behind: bool) -> NearTalker:
    """Return an ear that has heard half a second at each level, as one utterance or as none."""
    ear = NearTalker(told)
    told.partial = "talk" if words_behind else ""
    ended(ear, sound(*levels))
    ear.finish()
    return ear


TALK = (QUIET,) * 16
"""Eight seconds of talk that is as loud all the time."""


@pytest.mark.parametrize(
    ("level", "words_behind", "is_heard"),
    [(QUIET, True, False), (LOUD, True, True), (QUIET * 3, True, True), (QUIET * 3, False, True)],
)
def test_what_does_not_stand_out_from_the_talk_behind_is_dropped(
    level: int, *, words_behind: bool, is_heard: bool
) -> None:
    told = FakeRecogniser("stop", again="stop")
    ear = after(told, *TALK, words_behind=words_behind)
    told.partial = "stop"
    partial = ear.feed(sound(level))
    final = ear.finish()
    assert [h.text for h in (*partial, *final)] == (["stop", "stop"] if is_heard else [""])


def test_in_mere_noise_words_need_not_stand_out_as_far() -> None:
    """Talk is separated from noise by the words in it; half as loud again is 3.5 dB."""
    for words_behind in (True, False):
        told = FakeRecogniser("stop")
        ear = after(told, *TALK, words_behind=words_behind)
        told.partial = "stop"
        assert bool(ear.feed(sound(QUIET * 3 // 2))) is not words_behind


def test_far_quieter_than_who_spoke_last_is_talk_behind() -> None:
    told = FakeRecogniser("stop", again="stop")
    ear = after(told, *TALK, LOUD, words_behind=False)
    assert [h.text for h in (*ear.feed(sound(QUIET * 2)), *ear.finish())] == [""]


def test_another_room_is_another_measure() -> None:
    told = FakeRecogniser("stop", again="stop")
    ear = after(told, *TALK, LOUD, words_behind=False)
    ear.forget()
    ear.feed(sound(QUIET * 2))
    assert [h.text for h in ear.finish()] == ["stop"]


def test_what_was_said_is_heard_again_without_what_was_around_it() -> None:
    told = FakeRecogniser("to stop it", again="stop")
    ear = NearTalker(told)
    ear.feed(sound(QUIET, LOUD, LOUD, QUIET, QUIET))
    (final,) = ear.finish()
    near, whole = final.alternatives
    assert (near.text, whole.text) == ("stop", "to stop it")
    assert whole.behind > near.behind
    assert told.again_heard is not None
    powers = told.again_heard.reshape(-1, RATE // 100).astype(float).std(axis=1)
    assert 95 < np.count_nonzero(powers > LOUD / 2) < 105
    assert 100 < np.count_nonzero(powers) < 175


@pytest.mark.parametrize("levels", [(0, 0, LOUD, LOUD, 0), (LOUD, LOUD, LOUD), (LOUD // 50,)])
def test_alone_it_is_heard_once(levels: Sequence[int]) -> None:
    told = FakeRecogniser("stop")
    ear = NearTalker(told)
    ear.feed(sound(*levels))
    assert [h.text for h in ear.finish()] == ["stop"]
    assert told.again_heard is None


def test_what_is_nothing_by_itself_stays_as_it_was_heard() -> None:
    ear = NearTalker(FakeRecogniser("stop it"))
    ear.feed(sound(QUIET, LOUD, QUIET))
    assert [h.text for h in ear.finish()] == ["stop it"]


def test_clicks_that_stand_alone_hide_no_word() -> None:
    clicks = np.zeros(10 * RATE, np.int16)
    for at in range(0, len(clicks), RATE // 2):
        clicks[at : at + RATE // 100] = LOUD
    ear = NearTalker(FakeRecogniser("how long left"))
    ear.feed(clicks)
    (final,) = ear.finish()
    assert final.text == "how long left"


@given(st.lists(st.sampled_from((0, QUIET, LOUD)), min_size=1, max_size=5))
def test_whatever_was_around_every_word_stays_among_the_alternatives(levels: list[int]) -> None:
    ear = NearTalker(FakeRecogniser("stop it", again="stop"))
    ear.feed(sound(*levels))
    for final in ear.finish():
        assert "stop it" in {alternative.text for alternative in final.alternatives}


def ended(ear: NearTalker, whole: Samples) -> list[Hypothesis]:
    blocks = (whole[at : at + BLOCK] for at in range(0, len(whole), BLOCK))
    return [h for block in blocks for h in ear.feed(block) if h.final]


def test_an_utterance_ends_though_the_talk_behind_goes_on() -> None:
    told = FakeRecogniser("stop", again="stop")
    told.partial = "stop"
    (final,) = ended(NearTalker(told), sound(LOUD, QUIET, QUIET, QUIET))
    assert final.text == "stop"
    assert 0.5 < final.at_seconds < 1.5


def test_it_does_not_end_while_the_loudest_talks_or_before_a_word_was_heard() -> None:
    told = FakeRecogniser("stop", again="stop")
    assert ended(NearTalker(told), sound(LOUD, QUIET, QUIET, QUIET)) == []
    told.partial = "stop"
    assert ended(NearTalker(told), sound(LOUD, LOUD, LOUD // 3, LOUD)) == []


@pytest.mark.model
def test_a_person_is_answered_while_a_quiet_television_talks_on() -> None:
    def said(line: str, voice: str) -> Samples:
        return resample(Pyttsx3Voice(voice, 160).render(line), RATE).samples

    behind = said("and now the weather for the south coast with rain until the evening", "en-gb+f4")
    person = said("how long left", "en-us+m7")
    whole = (behind // 12).astype(np.int16)
    whole[: len(person)] += person
    ear = factory.recogniser(PACK, speech_model.load(PACK, Settings()))
    ear.listen(["how long left", "stop", "next", "it is gone", "carry on", "the weather"])
    first = ended(ear, whole)[0]
    assert first.text == "how long left"
    assert first.at_seconds < len(whole) / RATE - 1


@pytest.mark.model
def test_in_a_crowd_the_nearest_is_understood_and_nobody_else() -> None:
    def said(line: str, voice: str) -> Samples:
        return resample(Pyttsx3Voice(voice, 160).render(line), RATE).samples

    lines = (
        "and now the weather for the south coast with rain until the evening and some wind",
        "he said that the train from the north had been late again for half an hour on monday",
        "they sold apples and pears and all kinds of bread in the market on the other side",
        "we could have gone there by boat but nobody knew when the ferry would come back",
    )
    voices = ("en-us+m7", "en-gb+f4", "en-gb-scotland+m3", "en-us+Annie")
    crowd = np.zeros(12 * RATE)
    for line, voice in zip(lines, voices, strict=True):
        crowd += 0.1 * np.resize(said(line, voice), len(crowd))
    person = said("how long left", "en-us+m3")
    crowd[8 * RATE : 8 * RATE + len(person)] += person
    ear = factory.recogniser(PACK, speech_model.load(PACK, Settings()))
    guiding = listening(DialogueState(state=State.GUIDING)).context
    ear.listen(factory.language(Settings()).intents.phrases(guiding))
    late = [h.text for h in ended(ear, crowd.astype(np.int16)) if h.at_seconds > 8]
    assert [text for text in late if text] == ["how long left"]
