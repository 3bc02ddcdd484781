"""Safety questions are passed by a clear no alone; a warning acknowledges and varies."""

from __future__ import annotations

from itertools import pairwise

import pytest

from assistant.dialogue.state import State
from assistant.nlu.result import Match
from tests.dialogue.test_machine import in_state
from tests.support.languages import LANGUAGES, language
from tests.support.stage import Stage

SESSION = frozenset({"session", "recent"})


def asked() -> Stage:
    """Return a conversation in which the first of two safety questions was put and heard."""
    stage = in_state(State.HOLDING)
    stage.says("worse")
    stage.listens()
    assert stage.session.now.safety_questions == ("pop", "swollen")
    return stage


class TestSafetyQuestions:
    """Only a clear no passes."""

    def test_unsure_leans_to_yes(self) -> None:
        stage = asked()
        stage.says("unsure")
        assert stage.session.now.red_flag == "redflag_pop_tear"

    @pytest.mark.parametrize(
        ("meaning", "slots"),
        [("no", {}), ("im_okay", {}), ("relief_gone", {"fine": "yes"})],
    )
    def test_a_clear_no_answers_the_question_that_was_asked(
        self, meaning: str, slots: dict[str, str]
    ) -> None:
        stage = asked()
        assert stage.says(meaning, **slots) == ["triage.swollen"]

    @pytest.mark.parametrize("meaning", ["relief_gone", "still_hurts", "control_next", "cramp"])
    def test_nothing_else_skips_it(self, meaning: str) -> None:
        stage = asked()
        assert stage.says(meaning) == ["triage.ask.1", "triage.pop"]
        assert stage.session.now.safety_questions == ("pop", "swollen")

    def test_hesitation_is_asked_again(self) -> None:
        stage = asked()
        assert stage.mumbles() == ["missed.short", "triage.ask.1", "triage.pop"]

    def test_a_call_for_help_in_between_drops_no_question(self) -> None:
        stage = asked()
        stage.says("help")
        stage.listens()
        assert stage.says("no") == ["triage.pop"]

    @pytest.mark.parametrize(
        ("text", "intent"),
        [("maybe", "unsure"), ("i don't know", "unsure"), ("not sure", "unsure"),
         ("a bit swollen", "unsure"), ("kind of", "unsure"), ("it's not swollen", "no"),
         ("it's okay", "im_okay"), ("call nine one one", "redflag_call_help"),
         ("i need a doctor", "redflag_call_help")],
    )  # fmt: skip
    def test_its_words(self, text: str, intent: str) -> None:
        found = language("en").matcher.match(text, SESSION)
        assert isinstance(found, Match)
        assert found.intent == intent


class TestWarning:
    """Acknowledge, vary, shorten, stay."""

    @pytest.mark.parametrize("state", State)
    def test_a_call_for_help_is_answered_as_one(self, state: State) -> None:
        stage = in_state(state)
        assert stage.says("redflag_call_help")[0] == "redflag_call_help.1"
        stage.listens()
        stage.says("no")
        stage.waits(600)
        assert stage.state is State.WARNED

    @pytest.mark.parametrize("to", ["thanks", "scared", "coming", "who"])
    def test_what_is_said_is_acknowledged(self, to: str) -> None:
        stage = in_state(State.WARNED)
        stage.listens()
        (key,) = stage.says("reply", to=to)
        assert key.startswith(f"warned.{to}")
        assert stage.state is State.WARNED

    def test_it_can_be_told_that_it_misheard(self) -> None:
        stage = in_state(State.WARNED)
        assert stage.says("reply", to="misheard") == ["warned.sorry", "okay.which.1"]
        stage.listens()
        stage.says("yes")
        assert stage.state is State.GUIDING

    def test_a_tear_that_was_misheard_bars_nothing(self) -> None:
        stage = in_state(State.HOLDING)
        stage.says("redflag_pop_tear")
        stage.says("reply", to="misheard")
        assert stage.state is State.OFFERING
        assert not stage.session.now.barred

    @pytest.mark.parametrize("name", LANGUAGES)
    def test_without_a_routine_nothing_is_offered(self, name: str) -> None:
        stage = Stage(pack=language(name).pack)
        stage.says("redflag_pregnant", muscle="calf")
        stage.says("yes")
        stage.says("im_okay")
        assert stage.state is State.IDLE
        assert not any(" ," in caption.text for caption in stage.heard)

    @pytest.mark.parametrize("name", LANGUAGES)
    def test_half_an_hour_of_silence_never_says_a_sentence_twice_running(self, name: str) -> None:
        stage = Stage(pack=language(name).pack)
        stage.says("redflag_chest_breathing")
        heard = stage.waits(1800)
        assert all(one != other for one, other in pairwise(heard))
        assert all(text.count("?") <= 1 for text in heard)
