"""Which red flags "I'm okay" clears, and which it does not: the matrix over all of them."""

from __future__ import annotations

import pytest

from assistant.dialogue.state import COACHING, State
from tests.dialogue.test_machine import FLAGS, in_state
from tests.support.languages import LANGUAGES, language
from tests.support.stage import PACK, Stage

STAYING = {
    "redflag_pop_tear": "leg",
    "redflag_swollen_calf": "leg",
    "redflag_numb_weak": "leg",
    "redflag_dark_urine": "body",
}
CLEARED = [flag for flag in FLAGS if flag not in STAYING]


def warned(flag: str) -> Stage:
    """Return a conversation about the left calf that was cut in its hold by a red flag."""
    stage = in_state(State.HOLDING)
    stage.says(flag)
    if stage.state is State.TRIAGE:
        stage.says("yes")
    assert stage.state is State.WARNED
    return stage


@pytest.mark.parametrize("name", LANGUAGES)
def test_every_language_keeps_the_same_flags(name: str) -> None:
    flags = language(name).pack.red_flags.flags.values()
    assert {flag.intent for flag in flags if flag.stays} == set(STAYING)


@pytest.mark.parametrize("flag", CLEARED)
def test_okay_clears_the_others(flag: str) -> None:
    stage = warned(flag)
    stage.says("im_okay")
    after_okay = stage.state
    assert after_okay is State.OFFERING
    stage.listens()
    stage.says("control_resume")
    assert stage.state is State.HOLDING


@pytest.mark.parametrize(("flag", "kind"), STAYING.items())
class TestStays:
    """Flags that "I'm okay" does not clear."""

    def test_okay_is_heard_but_the_limb_is_left_alone(self, flag: str, kind: str) -> None:
        stage = warned(flag)
        assert stage.says("im_okay") == [f"okay.{kind}"]
        assert stage.state is State.IDLE
        assert stage.waits(3600)[1:] == []

    @pytest.mark.parametrize(
        ("meaning", "slots"),
        [
            ("control_resume", {}),
            ("control_again", {}),
            ("came_back", {}),
            ("still_hurts", {}),
            ("worse", {}),
            ("cramp", {"muscle": "calf"}),
            ("cramp", {"muscle": "calf", "side": "left"}),
            ("cramp", {"muscle": "hamstring", "side": "left"}),
            ("cramp", {"muscle": "calf", "side": "both"}),
            ("ask_what_do_i_do", {"muscle": "calf"}),
        ],
    )
    def test_no_way_leads_back_to_it(
        self, flag: str, kind: str, meaning: str, slots: dict[str, str]
    ) -> None:
        stage = warned(flag)
        assert any(barred == kind for barred, _ in stage.session.now.barred)
        stage.says("im_okay")
        stage.listens()
        stage.says(meaning, **slots)
        for _ in range(4):
            stage.listens()
            assert stage.state not in COACHING
            stage.says("yes")
        stage.waits(60)
        assert stage.state not in COACHING

    def test_another_limb_may_be_worked_on(self, flag: str, kind: str) -> None:
        for slots in ({"muscle": "calf", "side": "right"}, {"muscle": "hand", "side": "left"}):
            stage = warned(flag)
            stage.says("im_okay")
            stage.says("cramp", **slots)
            assert stage.state is (State.IDLE if kind == "body" else State.GUIDING)

    def test_a_chest_flag_afterwards_does_not_clear_it(self, flag: str, kind: str) -> None:
        stage = warned(flag)
        stage.says("redflag_chest_breathing")
        assert stage.says("im_okay") == [f"okay.{kind}"]
        assert stage.state is State.IDLE


@pytest.mark.parametrize("kind", ["arm", "trunk", "leg"])
def test_each_limb_has_its_words(kind: str) -> None:
    muscle = {"arm": "hand", "trunk": "abdominal", "leg": "calf"}[kind]
    stage = Stage()
    stage.says("redflag_numb_weak", muscle=muscle)
    assert stage.says("im_okay") == [f"okay.{kind}"]
    assert stage.says("cramp", muscle=muscle) == [f"barred.{kind}"]


def test_the_side_of_another_muscle_is_its_own() -> None:
    stage = in_state(State.GUIDING)
    stage.says("redflag_pop_tear", muscle="calf", side="right")
    stage.says("im_okay")
    assert stage.session.now.barred == {("leg", "right")}
    stage.says("cramp", muscle="calf", side="left")
    assert stage.state is State.GUIDING


def test_the_lines_are_in_the_pack() -> None:
    assert "won't work that leg" in PACK.prompts.line("okay.leg").text
