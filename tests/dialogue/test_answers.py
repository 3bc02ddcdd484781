"""An answer belongs to the line that was being said, or was said last; nothing unsaid is lost."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from assistant.content.prompts import fill
from assistant.content.routines import Version
from assistant.dialogue.state import State
from tests.dialogue.test_machine import in_state
from tests.support.languages import LANGUAGES, language
from tests.support.stage import Stage

OKAY = ("yes", "im_okay", "done")
Talk = list[tuple[str, float]]
_TALKS = st.lists(st.tuples(st.sampled_from(OKAY), st.floats(0.0, 12.0)), max_size=12)
_OPENING = ("opening.stop", "opening.relax", "opening.flags")


def agrees(stage: Stage, meaning: str) -> list[str]:
    """The user says okay, yes or mm-hm; or "got it" and "done", which confirm as well."""
    return stage.says("control_next", done="yes") if meaning == "done" else stage.says(meaning)


def lines(stage: Stage) -> list[str]:
    """Return the lines heard, without counts, words between them, and chimes."""
    return [caption.text for caption in stage.heard if caption.kind == "say"]


def due(name: str, version: Version) -> list[str]:
    """Return what a runner's left calf has to hear, in its order."""
    pack = language(name).pack
    texts = [pack.prompts.line(key).text for key in _OPENING]
    texts += [line.text for line in (*version.steps, version.cue, version.release)]
    slots = {"side": pack.prompts.sides["left"], "name": pack.routines["calf"].name}
    return [fill(text, slots) for text in texts]


@pytest.mark.parametrize("name", LANGUAGES)
@settings(max_examples=30)
@given(talk=_TALKS)
@example(talk=[("yes", 2.0)])
@example(talk=[("done", 2.0), ("done", 0.3), ("done", 5.0)])
@example(talk=[("yes", 0.0), ("yes", 0.0), ("yes", 0.0)])
@example(talk=[("im_okay", 11.0)])
@example(talk=[("yes", 25.0), ("yes", 0.2), ("yes", 0.2)])
def test_okay_at_any_time_drops_no_line(name: str, talk: Talk) -> None:
    stage = Stage(pack=language(name).pack)
    stage.listens()
    before = len(lines(stage))
    stage.says("cramp", muscle="calf", side="left")
    for meaning, seconds in talk:
        stage.waits(seconds)
        agrees(stage, meaning)
    while not (stage.session.now.checks and not stage.session.now.speaking):
        assert stage.play.run_next(float("inf"))
    wanted = due(name, language(name).pack.routines["calf"].version("standing"))
    assert lines(stage)[before : before + len(wanted)] == wanted


class TestTheFirstSafetyLine:
    """It is a statement; what is said to it neither skips nor delays anything."""

    @pytest.mark.parametrize("name", LANGUAGES)
    def test_it_asks_nothing(self, name: str) -> None:
        assert "?" not in language(name).pack.prompts.line("opening.flags").text

    @pytest.mark.parametrize("meaning", ["yes", "no", "im_okay"])
    @pytest.mark.parametrize("seconds", [8.5, 11.0, 12.0])
    def test_yes_no_and_i_am_fine_are_heard_and_change_nothing(
        self, meaning: str, seconds: float
    ) -> None:
        plain, answered = Stage(), Stage()
        for stage in (plain, answered):
            stage.says("cramp", muscle="calf", side="left")
            stage.waits(seconds)
        assert answered.says(meaning) == []
        for stage in (plain, answered):
            stage.until(State.CHECKING)
        assert lines(plain) == lines(answered)


class TestNothingIsCut:
    """An interruption of the opening says afterwards what it cut."""

    @pytest.mark.parametrize(
        "meaning", ["ask_why", "control_slower", "ask_time_left", "helper_here"]
    )
    def test_a_question_in_the_opening_cuts_no_line_for_good(self, meaning: str) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", side="left")
        stage.waits(4.0)
        stage.says(meaning)
        heard = stage.listens()
        assert heard[-2:] == [
            "If you felt a pop, chest pain or faintness, say help.",
            "Put your left leg one step in front, foot flat on the ground.",
        ]

    def test_next_goes_to_the_next_line_of_the_opening(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", side="left")
        stage.waits(5.0)
        assert stage.says("control_next")[:2] == ["opening.relax", "opening.flags"]

    def test_okay_during_a_step_goes_on_when_it_is_said(self) -> None:
        stage = in_state(State.GUIDING)
        stage.listens()
        stage.says("yes")
        stage.waits(2.0)
        assert stage.says("yes") == []
        stage.waits(5.0)
        assert stage.keys[-1] == "calf.standing.3"

    def test_okay_to_letting_go_does_not_answer_how_it_feels(self) -> None:
        stage = in_state(State.CHECKING)
        assert stage.says("yes") == []
        heard = stage.listens()
        assert heard[-1] == "Is it gone, still there, or worse?"

    def test_okay_to_a_rest_does_not_end_it(self) -> None:
        stage = in_state(State.RESTING)
        assert stage.says("yes") == []
        assert stage.state is State.RESTING


_MEANINGS = st.sampled_from(
    ["yes", "no", "im_okay", "control_repeat", "control_louder", "control_back", "cramp",
     "still_hurts", "worse", "help", "call", "control_next", "cant_do", "unsure", "reply",
     "redflag_pop_tear", "control_pause", "ask_why", "ask_what_do_i_do", "control_slower"]
)  # fmt: skip


@pytest.mark.parametrize("name", LANGUAGES)
@settings(max_examples=40)
@given(
    start=st.sampled_from(State),
    talk=st.lists(st.tuples(_MEANINGS | st.none(), st.sampled_from([0.1, 4.0, 20.0])), max_size=10),
)
@example(start=State.GUIDING, talk=[("control_repeat", 20.0)] * 6)
@example(start=State.IDLE, talk=[("control_louder", 4.0)] * 6)
@example(start=State.TRIAGE, talk=[("cramp", 4.0)] * 6)
@example(start=State.WARNED, talk=[("reply", 4.0)] * 6)
def test_no_sentence_is_heard_three_times_running(
    name: str, start: State, talk: list[tuple[str | None, float]]
) -> None:
    stage = in_state(start) if name == "en" else Stage(pack=language(name).pack)
    if name != "en":
        stage.says("cramp", muscle="calf", side="left")
    for meaning, seconds in talk:
        if meaning is None:
            stage.mumbles()
        else:
            stage.says(meaning)
        stage.waits(seconds)
    heard = [caption.text for caption in stage.heard if caption.kind in ("say", "interject")]
    for first, second, third in zip(heard, heard[1:], heard[2:], strict=False):
        assert not first == second == third
