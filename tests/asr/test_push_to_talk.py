"""Charley listens when a key or a headset's button was pressed, and hears nothing otherwise."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field

import numpy as np
import pytest

from assistant.asr.hypothesis import RATE, Hypothesis
from assistant.asr.push_to_talk import PushToTalk
from assistant.audio.pcm import Samples
from assistant.dialogue.state import State
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.triggers import Intent
from assistant.frontends.live.buttons import Button, meaning

SECOND: Samples = np.zeros(RATE, np.int16)
WORD = Hypothesis("stop", (), False, 0.0)
END = Hypothesis("stop", (), True, 0.0)


@dataclass
class Decoder:
    """A recogniser that hears what the test says."""

    script: list[list[Hypothesis]] = field(default_factory=list)
    fed: int = 0
    finished: int = 0

    def feed(self, samples: Samples) -> list[Hypothesis]:
        self.fed += len(samples)
        return self.script.pop(0) if self.script else []

    def listen(self, phrases: Iterable[str]) -> None:
        """Any words will do."""

    def finish(self) -> list[Hypothesis]:
        self.finished += 1
        return []


class TestListening:
    """One utterance after each press."""

    def test_nothing_is_decoded_before_a_press(self) -> None:
        decoder = Decoder()
        assert PushToTalk(decoder).feed(SECOND) == []
        assert decoder.fed == 0

    def test_after_a_press_it_hears_until_the_utterance_ends(self) -> None:
        talk = PushToTalk(decoder := Decoder([[], [WORD], [END]]))
        assert talk.press()
        assert [talk.feed(SECOND) for _ in range(4)] == [[], [WORD], [END], []]
        assert decoder.fed == 3 * RATE
        assert talk.is_heard

    def test_a_second_press_takes_the_first_back(self) -> None:
        talk = PushToTalk(decoder := Decoder([[WORD]]))
        talk.press()
        talk.feed(SECOND)
        assert not talk.press()
        assert decoder.finished == 1
        assert talk.feed(SECOND) == []

    def test_who_says_nothing_is_waited_for_eight_seconds(self) -> None:
        talk = PushToTalk(Decoder())
        talk.press()
        for _ in range(7):
            talk.feed(SECOND)
            assert talk.is_open
        talk.feed(SECOND)
        assert not talk.is_open
        assert not talk.is_heard

    def test_endless_talk_is_ended_after_fifteen_seconds(self) -> None:
        talk = PushToTalk(decoder := Decoder([[WORD]] * 20))
        talk.press()
        for _ in range(20):
            talk.feed(SECOND)
        assert decoder.fed == 15 * RATE


class TestButtons:
    """What they mean."""

    def test_pause_goes_on_when_it_is_paused(self) -> None:
        assert meaning(Button.PAUSE_OR_RESUME, State.HOLDING) == "control_pause"
        assert meaning(Button.PAUSE_OR_RESUME, State.PAUSED) == "control_resume"

    @pytest.mark.parametrize("button", [button for button in Button if button is not Button.TALK])
    @pytest.mark.parametrize("state", list(State))
    def test_each_has_an_answer_in_each_state(self, button: Button, state: State) -> None:
        assert Intent(meaning(button, state)) in TRANSITIONS[state]
