"""The conversation as its table has it: what follows what, in every state."""

from __future__ import annotations

import itertools
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.content.prompts import MAX_WORDS
from assistant.content.red_flags import RedFlag
from assistant.content.routines import Routine
from assistant.dialogue import machine
from assistant.dialogue.actions import Action, Count, Hush, Remember, Say, SetVoice
from assistant.dialogue.events import Started, TimerFired, UtteranceHeard, UtteranceMissed
from assistant.dialogue.hold import CountStyle
from assistant.dialogue.machine import step
from assistant.dialogue.state import CoachingOptions, DialogueState, State
from assistant.dialogue.table import TRANSITIONS
from assistant.dialogue.triggers import KNOWN_INTENTS, Intent, Timer
from assistant.errors import IllegalEvent
from tests.support.stage import PACK, Stage, said

SPOKEN = sorted(Intent)
"""Every intent that an utterance can have."""
FLAGS = sorted(PACK.red_flags.flags)
IN_SESSION = [state for state in State if state is not State.IDLE]


def in_state(state: State) -> Stage:
    """Return a conversation about the left calf that has come to a state."""
    stage = Stage()
    stage.listens()
    if state is State.IDLE:
        return stage
    if state is State.ASKING:
        stage.says("cramp")
        return stage
    stage.says("cramp", muscle="calf", side="left")
    if state in (State.GUIDING, State.HOLDING, State.CHECKING):
        return stage.until(state)
    if state is State.TRIAGE:
        stage.says("help")
    elif state is State.RESTING:
        stage.until(State.CHECKING).says("still_hurts")
    elif state is State.PAUSED:
        stage.says("control_pause")
    elif state in (State.WARNED, State.OFFERING):
        stage.says("redflag_chest_breathing")
        if state is State.OFFERING:
            stage.says("im_okay")
    else:
        stage.until(State.CHECKING).says("relief_gone")
        if state is State.FOLLOWING:
            stage.until(State.FOLLOWING)
    assert stage.state is state
    return stage


class TestTable:
    """Facts about the table itself."""

    @pytest.mark.parametrize("state", State)
    def test_every_state_has_a_cell_for_everything(self, state: State) -> None:
        everything = set().union(*TRANSITIONS.values())
        assert set(TRANSITIONS[state]) == everything

    def test_no_timer_can_be_taken_for_an_intent(self) -> None:
        assert not {timer.value for timer in Timer} & {intent.value for intent in Intent}

    @pytest.mark.parametrize("state", State)
    def test_every_state_can_be_reached(self, state: State) -> None:
        assert in_state(state).state is state

    def test_an_event_without_a_cell_is_an_error_and_changes_nothing(self) -> None:
        now = DialogueState()
        with pytest.raises(IllegalEvent):
            step(now, UtteranceHeard(0.0, "x", "make_tea"), PACK, CoachingOptions())
        with pytest.raises(IllegalEvent):
            step(now, TimerFired(0.0, "egg"), PACK, CoachingOptions())
        assert now == DialogueState()

    @pytest.mark.parametrize("state", State)
    def test_stop_is_answered_with_silence_at_once(self, state: State) -> None:
        stage = in_state(state)
        at = stage.clock.now()
        event = UtteranceHeard(at, "stop", "control_stop")
        _, actions = step(stage.session.now, event, PACK, CoachingOptions())
        assert any(isinstance(action, Hush) for action in actions)

    @pytest.mark.parametrize("state", [s for s in State if s is not State.WARNED])
    def test_stop_ends_the_routine(self, state: State) -> None:
        stage = in_state(state)
        stage.says("control_stop")
        assert stage.state is State.IDLE
        stage.listens()
        assert stage.waits(3600) == []

    @pytest.mark.parametrize("state", State)
    @pytest.mark.parametrize("flag", FLAGS)
    def test_a_red_flag_is_answered_in_one_step_from_every_state(
        self, state: State, flag: str
    ) -> None:
        stage = in_state(state)
        keys = stage.says(flag)
        if flag == "redflag_pregnant" and state is not State.WARNED:
            assert stage.state is State.TRIAGE
            assert keys == ["triage.pregnant"]
        else:
            assert stage.state is State.WARNED
            assert keys[0] == f"{flag}.1"

    @pytest.mark.parametrize("state", IN_SESSION)
    @pytest.mark.parametrize("meaning", SPOKEN)
    def test_nothing_that_is_said_leads_to_a_dead_end(self, state: State, meaning: str) -> None:
        stage = in_state(state)
        stage.says("redflag_numb_weak" if meaning is Intent.RED_FLAG else meaning)
        for _ in range(200):
            waiting = stage.session.now.is_waiting_quietly or stage.state is State.IDLE
            if not stage.session.now.speaking and waiting:
                return
            if stage.state is State.WARNED:
                return
            assert stage.play.run_next(float("inf")), f"mute in {stage.state.value}"


class TestFirstRunner:
    """The mid-race conversation of conversation.md, in meanings."""

    def test_the_side_said_in_the_first_breath_is_in_the_first_step(self) -> None:
        stage = Stage()
        stage.listens()
        stage.says("cramp", muscle="calf", side="left")
        heard = stage.listens()
        assert heard[0] == "Stop running. Move to the side if you can."
        assert heard[-1] == "Put your left leg one step in front, foot flat on the ground."

    def test_an_unknown_side_is_never_asked_and_just_left_out(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf")
        assert "Put your leg one step in front, foot flat on the ground." in stage.listens()

    def test_okay_moves_on_and_so_does_silence(self) -> None:
        stage = in_state(State.GUIDING)
        stage.listens()
        assert stage.says("yes") == ["calf.standing.2"]
        stage.listens()
        stage.waits(3.1)
        assert stage.keys[-1] == "calf.standing.3"

    def test_the_hold_counts_to_ten_and_then_lets_go_slowly(self) -> None:
        stage = in_state(State.HOLDING)
        stage.until(State.CHECKING)
        heard = stage.listens()
        cue = stage.words.index(stage.session.now.last_lines[0].text) - 11
        assert stage.words[cue : cue + 11] == [
            "Squeeze your shin muscle. Think shin, not stretch. Hold, and keep breathing.",
            "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten",
        ]  # fmt: skip
        assert heard == [
            "end",
            "Slowly let your toes drop to the ground. Now stand up tall.",
            "Is it gone, still there, or worse?",
        ]

    def test_how_long_is_answered_inside_the_hold_and_moves_no_count(self) -> None:
        undisturbed, asked = in_state(State.HOLDING), in_state(State.HOLDING)
        asked.until_count(4).says("ask_time_left")
        assert "Six more." in asked.words
        for stage in (undisturbed, asked):
            stage.until(State.CHECKING)
        times = [[c.at for c in s.heard if c.kind == "count"] for s in (undisturbed, asked)]
        assert times[0] == times[1]

    def test_the_second_round_is_shorter(self) -> None:
        stage = in_state(State.RESTING)
        stage.until(State.HOLDING)
        assert stage.keys[-1] == "calf.standing.again"

    def test_gone_leads_back_to_the_race_and_asks_after_some_minutes(self) -> None:
        stage = in_state(State.EASING)
        heard = stage.listens()
        assert "Then jog slowly and ease into your pace." in heard
        stage.until(State.FOLLOWING)
        assert stage.listens() == ["How's the calf?"]
        stage.says("im_okay")
        assert stage.listens() == ["Good to hear. Enjoy the race."]
        assert stage.state is State.IDLE

    def test_the_safety_note_is_said_the_first_time_only(self) -> None:
        assert any("not a doctor" in text for text in Stage(first_time=True).listens())
        assert not any("not a doctor" in text for text in Stage(first_time=False).listens())


class TestAsksOnlyWhatItNeeds:
    """Unknown muscle, thigh, both legs; never twice."""

    def test_a_charley_horse_is_calf_or_thigh(self) -> None:
        stage = in_state(State.ASKING)
        assert stage.listens() == ["Calf, or thigh?"]
        stage.says("cramp", muscle="thigh")
        assert stage.listens() == ["Front of the thigh, or the hamstring?"]
        stage.says("cramp", muscle="hamstring")
        assert stage.state is State.GUIDING
        assert stage.session.now.routine == "hamstring"

    def test_passing_the_question_over_means_the_calf(self) -> None:
        stage = in_state(State.ASKING)
        stage.says("control_next")
        assert stage.session.now.routine == "calf"

    def test_both_calves_ask_standing_or_sitting_unless_told(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", side="both")
        assert "standing, or sitting" in stage.listens()[-1]
        stage.says("cramp", position="standing")
        assert "Sit or lie down. Both legs out, knees soft." in stage.listens()

        told = Stage()
        told.says("cramp", muscle="calf", side="both", position="lying")
        assert told.state is State.GUIDING

    def test_the_position_is_followed_and_can_be_corrected(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("cramp", position="lying")
        assert stage.session.now.version == "lying"
        stage.says("cramp", position="sitting", seat="chair")
        assert stage.session.now.version == "chair"

    def test_another_side_is_put_right_at_once(self) -> None:
        stage = in_state(State.GUIDING)
        stage.listens()
        stage.says("cramp", side="right")
        assert stage.listens()[0].startswith("Put your right leg")

    def test_another_muscle_starts_its_own_routine(self) -> None:
        stage = in_state(State.HOLDING)
        stage.says("cramp", muscle="hamstring")
        assert stage.session.now.routine == "hamstring"
        assert "Now the hamstring. Let it go as loose as you can." in stage.listens()

    def test_a_muscle_that_may_be_torn_is_asked_about_first(self) -> None:
        stage = Stage()
        stage.listens()
        stage.says("cramp", muscle="hamstring", triage="pop")
        assert stage.listens() == ["Did you feel a pop or a sudden tear?"]
        stage.says("no")
        assert stage.state is State.GUIDING
        stage.says("cramp", position="cant_stand", triage="pop")
        assert stage.state is State.GUIDING, "the same question is not put twice"

    @pytest.mark.parametrize("routine", PACK.routines.values(), ids=list(PACK.routines))
    @pytest.mark.parametrize("position", ["standing", "sitting", "lying", "bed", "cant_stand"])
    def test_every_muscle_can_be_coached_in_every_position(
        self, routine: Routine, position: str
    ) -> None:
        slots = {"muscle": routine.muscle, "position": position}
        slots |= {"side": "both"} if routine.both else {}
        slots |= {"toes": routine.toes} if routine.toes else {}
        stage = Stage()
        if routine.muscle == "stitch":
            stage.says("stitch", position=position)
        else:
            stage.says("cramp", **slots)
        if stage.state is State.TRIAGE:
            stage.says("no")
        assert stage.session.now.routine == routine.id
        stage.until(State.CHECKING).says("relief_gone")
        stage.until(State.IDLE)


class TestControls:
    """What can be said at any time."""

    def test_back_goes_one_step_back_and_stays_at_the_first(self) -> None:
        stage = in_state(State.GUIDING)
        stage.listens()
        assert stage.says("control_back") == ["back.first", "calf.standing.1"]
        stage.says("control_next")
        assert stage.says("control_back") == ["calf.standing.1"]

    def test_back_from_the_hold_is_the_last_step(self) -> None:
        assert in_state(State.HOLDING).says("control_back") == ["calf.standing.3"]

    def test_skip_can_go_straight_to_the_hold(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("control_skip", to="hold")
        assert stage.state is State.HOLDING

    def test_pause_keeps_the_count_and_carry_on_goes_on_from_it(self) -> None:
        stage = in_state(State.HOLDING).until_count(4)
        stage.says("control_pause")
        assert stage.state is State.PAUSED
        stage.waits(30)
        stage.says("control_resume")
        heard = stage.until(State.CHECKING).words
        assert heard[-6:] == ["five", "six", "seven", "eight", "nine", "ten"]

    def test_what_needs_no_words_is_answered_by_a_tone(self) -> None:
        stage = in_state(State.HOLDING).until_count(4)
        assert stage.says("yes") == []
        assert (stage.heard[-1].kind, stage.heard[-1].text) == ("chime", "heard")

    def test_what_others_say_while_nothing_runs_is_not(self) -> None:
        stage = in_state(State.IDLE)
        before = len(stage.heard)
        assert stage.says("yes") == []
        assert stage.heard[before:] == []

    def test_slower_stretches_the_beat_of_a_running_count(self) -> None:
        stage = in_state(State.HOLDING).until_count(3)
        stage.says("control_slower")
        stage.until(State.CHECKING)
        times = [caption.at for caption in stage.heard if caption.kind == "count"][-5:]
        gaps = [later - sooner for sooner, later in itertools.pairwise(times)]
        assert gaps == pytest.approx([1.25] * 4)

    def test_slower_speaks_slower_and_waits_longer(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("control_slower")
        assert stage.session.now.pace == 0.85

    def test_again_in_a_hold_is_one_more_round_without_a_question(self) -> None:
        stage = in_state(State.HOLDING).until_count(5)
        stage.says("control_again")
        stage.until(State.RESTING).until(State.HOLDING)
        assert stage.session.now.round == 1

    def test_repeat_says_the_same_words(self) -> None:
        stage = in_state(State.CHECKING)
        stage.listens()
        assert stage.says("control_repeat") == ["check.again.1"]

    def test_repeat_starts_from_the_line_that_it_cut(self) -> None:
        stage = Stage(first_time=True)
        stage.waits(7.0)
        begun = [caption.text for caption in stage.heard]
        assert len(begun) == 2
        stage.says("control_repeat")
        assert stage.keys[-1:] == ["about.safety"]
        assert stage.listens() == begun[1:]

    def test_repeat_right_after_a_line_means_that_line(self) -> None:
        stage = Stage(first_time=True)
        while len(stage.heard) < 2:
            stage.waits(0.1)
        assert stage.says("control_repeat") == ["welcome.first", "about.safety"]

    @pytest.mark.parametrize(
        ("question", "answer"),
        [("ask_why", "answer.why.1"), ("ask_prevent", "answer.prevent.1"),
         ("ask_why_not_stretch", "answer.stretch.1")],
    )  # fmt: skip
    def test_an_answer_goes_back_to_the_very_count(self, question: str, answer: str) -> None:
        stage = in_state(State.HOLDING).until_count(6)
        assert stage.says(question)[0] == answer
        heard = stage.until(State.CHECKING).words
        assert heard[-4:] == ["seven", "eight", "nine", "ten"]

    def test_a_helper_is_told_not_to_push(self) -> None:
        stage = in_state(State.GUIDING)
        assert stage.says("helper_here")[:2] == ["helper.gentle", "helper.hand"]
        assert stage.state is State.GUIDING

    def test_count_down_and_length_are_settings(self) -> None:
        coaching = CoachingOptions(hold_seconds=5, count_style=CountStyle.DOWN)
        stage = Stage(coaching=coaching)
        stage.says("cramp", muscle="calf")
        stage.until(State.CHECKING)
        counts = [caption.text for caption in stage.heard if caption.kind == "count"]
        assert counts == ["five", "four", "three", "two", "one"]


class TestStillHurts:
    """The ladder: three rounds, another position, three more, plan B, first aid."""

    def test_the_whole_ladder(self) -> None:
        stage = in_state(State.CHECKING)
        stage.says("still_hurts")
        stage.until(State.CHECKING).says("still_hurts")
        stage.until(State.CHECKING).says("still_hurts")
        assert stage.session.now.ladder == 1
        assert stage.keys[-2:] == ["ladder.position", "calf.sitting.1"]
        for _ in range(3):
            stage.until(State.CHECKING).says("still_hurts")
        assert stage.keys[-3:] == ["plan_b.opening", "plan_b.stretch", "plan_b.rub"]
        stage.until(State.CHECKING).says("still_hurts")
        assert stage.state is State.WARNED
        assert stage.session.now.red_flag == "redflag_long_lasting"

    def test_ten_minutes_of_cramp_end_the_coaching(self) -> None:
        stage = in_state(State.CHECKING)
        for _ in range(80):
            stage.says("control_repeat")
            stage.waits(9)
        assert stage.session.now.red_flag == "redflag_long_lasting"

    def test_a_runner_who_never_answered_is_not_warned_of_ten_minutes(self) -> None:
        stage = in_state(State.CHECKING)
        stage.waits(1200)
        assert stage.state is State.CHECKING

    def test_worse_lets_go_and_rules_out_a_tear_and_a_clot(self) -> None:
        stage = in_state(State.HOLDING).until_count(3)
        assert stage.says("worse") == ["worse.loose", "triage.pop"]
        stage.listens()
        assert stage.says("no") == ["triage.swollen"]
        stage.says("no")
        stage.until(State.HOLDING)
        assert "hold.gentle" in stage.keys

    def test_a_pop_is_a_tear_until_somebody_has_looked(self) -> None:
        stage = in_state(State.HOLDING)
        stage.says("worse")
        stage.says("yes")
        assert stage.session.now.red_flag == "redflag_pop_tear"

    def test_first_second_and_third_return(self) -> None:
        stage = in_state(State.EASING)
        for line in ("return.first", "return.second", "return.third"):
            stage.until(State.IDLE)
            assert stage.says("came_back")[0] == line
            stage.until(State.CHECKING).says("relief_gone")

    def test_the_same_cramp_within_the_hour_is_a_return(self) -> None:
        stage = in_state(State.EASING).until(State.IDLE)
        assert stage.says("cramp", muscle="calf")[0] == "return.first"
        assert stage.state is State.HOLDING


class TestSafety:
    """Red flags at both levels, and the way out."""

    def test_a_count_is_cut_and_coaching_waits_for_okay(self) -> None:
        stage = in_state(State.HOLDING).until_count(3)
        stage.says("redflag_chest_breathing")
        heard = stage.listens()
        assert heard[:2] == [
            "Stop and sit down. Get help now.",
            "Call your local emergency number. Wave someone over.",
        ]
        for meaning in ("control_next", "control_resume", "relief_gone", "cramp"):
            keys = stage.says(meaning)
            assert len(keys) == 1
            assert keys[0].startswith("warned.first")
            assert stage.state is State.WARNED
        assert stage.says("im_okay") == ["okay.offer", "okay.which.1"]
        stage.says("control_resume")
        assert stage.state is State.HOLDING

    def test_leaving_it_there_ends_the_routine(self) -> None:
        stage = in_state(State.OFFERING)
        stage.says("no")
        assert stage.state is State.IDLE

    def test_the_warning_is_said_again_until_it_is_answered(self) -> None:
        stage = in_state(State.WARNED)
        stage.listens()
        heard = stage.waits(120)
        flag = PACK.red_flags.flags["redflag_chest_breathing"]
        assert sum(heard.count(line.text) for line in flag.lines) >= 3
        assert heard.count("Stop and sit down. Get help now.") >= 2

    @pytest.mark.parametrize("flag", FLAGS)
    def test_an_uncertain_sign_is_one_question(self, flag: str) -> None:
        stage = in_state(State.IDLE)
        keys = stage.says(flag, certain="no")
        assert len(keys) == 1
        assert keys[0].startswith("triage.")
        stage.says("no")
        assert stage.state in (State.IDLE, State.ASKING)

    def test_help_rules_out_an_emergency_and_then_helps(self) -> None:
        stage = in_state(State.GUIDING)
        stage.listens()
        assert stage.says("help") == ["triage.faint"]
        keys = stage.says("no")
        assert keys == ["help.commands", "help.feelings", "calf.standing.1"]

    def test_pregnant_is_one_question_and_then_gentle(self) -> None:
        stage = in_state(State.IDLE)
        stage.says("redflag_pregnant")
        stage.says("no")
        stage.says("cramp", muscle="calf")
        assert "Sit, or lie on your left side. Push gently, never hard." in stage.listens()

    @pytest.mark.parametrize("flag", PACK.red_flags.flags.values(), ids=FLAGS)
    def test_no_line_names_a_number(self, flag: RedFlag) -> None:
        text = " ".join(line.text for line in flag.lines)
        assert not any(char.isdigit() for char in text)


class TestNonsenseAndSilence:
    """The ladders end in a quiet that was announced."""

    @pytest.mark.parametrize("state", [State.ASKING, State.TRIAGE, State.CHECKING, State.OFFERING])
    def test_silence_after_a_question(self, state: State) -> None:
        stage = in_state(state)
        stage.waits(60)
        assert stage.keys[-1] == "silence.wait"
        assert stage.waits(400) == []
        assert stage.session.now.is_waiting_quietly

    @pytest.mark.parametrize("state", [State.ASKING, State.TRIAGE, State.CHECKING, State.OFFERING])
    def test_no_reprompt_is_spoken_twice_after_nonsense(self, state: State) -> None:
        stage = in_state(state)
        texts: list[str] = []
        for _ in range(6):
            stage.listens()
            stage.mumbles()
        assert stage.keys.count("missed.short") == 1
        assert stage.keys.count("missed.full") == 1
        assert stage.keys.count("missed.wait") == 1
        assert texts == []

    def test_silence_during_hold_and_rest_is_normal(self) -> None:
        stage = in_state(State.HOLDING)
        stage.until(State.CHECKING)
        assert stage.session.now.silences == 0

    def test_nonsense_during_a_hold_does_not_touch_the_count(self) -> None:
        stage = in_state(State.HOLDING).until_count(2)
        assert stage.mumbles() == []

    def test_the_way_back_from_quiet_is_to_say_something(self) -> None:
        stage = in_state(State.CHECKING)
        stage.waits(60)
        stage.says("relief_gone")
        assert stage.state is State.EASING


def test_every_line_is_short_and_has_no_slot_left() -> None:
    for text in PACK.texts():
        assert 0 < len(text.split()) <= MAX_WORDS
        assert "{" not in text


_SLOTS = st.fixed_dictionaries(
    {},
    optional={
        "muscle": st.sampled_from(sorted({r.muscle for r in PACK.routines.values()} | {"thigh"})),
        "side": st.sampled_from(["left", "right", "both"]),
        "position": st.sampled_from(["standing", "sitting", "lying", "bed", "cant_stand"]),
        "seat": st.just("chair"),
        "toes": st.just("up"),
        "certain": st.just("no"),
        "triage": st.sampled_from(["pop", "faint"]),
        "setting": st.sampled_from(["hold_seconds", "rounds", "checkin_seconds"]),
        "number": st.sampled_from(["two", "fifteen", "sixty"]),
        "topic": st.sampled_from(["how", "drink", "run_on"]),
    },
)
_MEANINGS = st.sampled_from(sorted(KNOWN_INTENTS) + FLAGS)
_UTTERANCES = st.tuples(_MEANINGS, _SLOTS, st.sampled_from([0.1, 1.0, 3.5, 9.0, 60.0, 700.0]))


@given(st.lists(_UTTERANCES | st.none(), max_size=40))
def test_no_conversation_raises_or_goes_mute(
    talk: list[tuple[str, dict[str, str], float] | None],
) -> None:
    stage = Stage()
    for utterance in talk:
        if utterance is None:
            stage.mumbles()
            continue
        meaning, slots, seconds = utterance
        stage.says(meaning, **slots)
        now = stage.session.now
        alive = now.speaking or now.is_waiting_quietly or stage.state is State.IDLE
        assert alive or stage.play.next_at is not None, f"mute in {now.state.value}"
        stage.waits(seconds)


def test_the_count_is_queued_once_a_round() -> None:
    stage = in_state(State.GUIDING)
    now, actions = stage.session.now, tuple[Action, ...]()
    for _ in range(3):
        event = UtteranceHeard(stage.clock.now(), "next", "control_next")
        now, actions = step(now, event, PACK, CoachingOptions())
    assert [isinstance(action, Count) for action in actions].count(True) == 1
    assert said(actions) == [
        "Squeeze your shin muscle. Think shin, not stretch. Hold, and keep breathing."
    ]


def test_listening_follows_the_state() -> None:
    assert machine.listening(DialogueState()).context == frozenset()
    assert "recent" in machine.listening(DialogueState(eased_at=1.0)).context
    assert "asked" in machine.listening(DialogueState(state=State.ASKING)).context


class TestInvitation:
    """Asked where it cramps, a person says the place and no more."""

    @staticmethod
    def began() -> DialogueState:
        now, _ = step(DialogueState(), Started(0.0, first_time=False), PACK, CoachingOptions())
        return now

    def test_after_the_welcome_the_muscle_alone_is_understood(self) -> None:
        assert "asked" in machine.listening(self.began()).context
        assert "asked" not in machine.listening(DialogueState()).context

    def test_what_is_said_next_ends_it_unless_it_is_asked_again(self) -> None:
        unanswered = UtteranceMissed(1.0, "[unk]", addressed=False)
        now, actions = step(self.began(), unanswered, PACK, CoachingOptions())
        assert not said(actions)
        assert not now.invited
        now, actions = step(now, UtteranceMissed(2.0, "my whatsit"), PACK, CoachingOptions())
        assert said(actions)
        assert now.invited

    def test_a_routine_ends_it(self) -> None:
        event = UtteranceHeard(1.0, "my calf", "cramp", {"muscle": "calf"})
        now, _ = step(self.began(), event, PACK, CoachingOptions())
        assert now.state is State.GUIDING
        assert not now.invited


class TestAnotherMuscle:
    """Worse somewhere else: the helping muscle eases off, a third one gets a routine of its own."""

    def test_the_helping_muscle_cramps(self) -> None:
        assert in_state(State.HOLDING).says("worse", muscle="shin")[0] == "worse.loose"

    def test_a_third_muscle_cramps(self) -> None:
        stage = in_state(State.HOLDING)
        stage.says("worse", muscle="hamstring")
        assert stage.session.now.routine == "hamstring"


class TestPreferences:
    """What is changed by voice, and asked about."""

    def test_hold_for_fifteen(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("change", setting="hold_seconds", number="fifteen")
        stage.until(State.CHECKING)
        counts = [caption.text for caption in stage.heard if caption.kind == "count"]
        assert counts[-1] == "fifteen"

    def test_a_change_in_the_hold_goes_on_from_the_count(self) -> None:
        stage = in_state(State.HOLDING).until_count(4)
        stage.says("change", setting="count", to="down")
        stage.until(State.CHECKING)
        assert stage.words[-6:] == ["six", "five", "four", "three", "two", "one"]

    def test_undo_takes_back_one_change_after_the_other(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("change", setting="hold_seconds", number="twenty")
        stage.says("change", setting="rounds", number="two")
        stage.says("undo")
        assert stage.session.now.changed_options == CoachingOptions(hold_seconds=20)
        stage.says("undo")
        assert stage.session.now.changed_options == CoachingOptions()
        assert stage.says("undo")[0] == "undo.nothing"

    def test_a_change_is_remembered(self) -> None:
        now = in_state(State.GUIDING).session.now
        slots = {"setting": "checkin_seconds", "number": "ten"}
        _, actions = step(now, UtteranceHeard(99.0, "", "change", slots), PACK, CoachingOptions())
        assert Remember("checkin_seconds", "600.0") in actions

    def test_another_voice_says_so_itself_until_undone(self) -> None:
        now = in_state(State.GUIDING).session.now
        _, second, *_ = PACK.voices.choices
        for meaning, slots, voice in (("change", {"setting": "voice"}, second), ("undo", {}, "")):
            now, actions = step(
                now, UtteranceHeard(99.0, "", meaning, slots), PACK, CoachingOptions()
            )
            assert Remember("voice", voice) in actions
            said_first = next(n for n, a in enumerate(actions) if isinstance(a, Say))
            assert actions.index(SetVoice(voice)) < said_first

    @pytest.mark.parametrize("kind", ["deeper", "higher", ""])
    def test_the_voices_of_a_kind_come_round_in_turn(self, kind: str) -> None:
        stage = in_state(State.GUIDING)
        fitting = [name for name, of in PACK.voices.choices.items() if kind in ("", of)]
        spoken = []
        for _ in fitting:
            stage.says("change", setting="voice", **({"to": kind} if kind else {}))
            options = stage.session.now.changed_options
            spoken.append(options.voice if options else "")
        assert sorted(spoken) == sorted(fitting)
        assert stage.keys.count("change.voice") == len(fitting)

    def test_a_voice_that_is_the_only_one_stays(self) -> None:
        now = in_state(State.GUIDING).session.now
        event = UtteranceHeard(99.0, "", "change", {"setting": "voice", "to": "deeper"})
        alone = replace(PACK, voices=replace(PACK.voices, choices={}))
        _, actions = step(now, event, alone, CoachingOptions(voice="mine"))
        assert "change.voice_only" in [a.key for a in actions if isinstance(a, Say)]
        assert Remember("voice", "mine") in actions
        assert not any(isinstance(action, SetVoice) for action in actions)

    def test_fewer_words_are_fewer_words(self) -> None:
        stage = Stage(coaching=CoachingOptions(terse=True))
        stage.says("cramp", muscle="calf")
        assert [key for key in stage.keys if key.startswith("opening")] == ["opening.relax"]

    def test_no_check_in_on_request(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("change", setting="checkin_seconds", to="off")
        stage.until(State.CHECKING).says("relief_gone")
        stage.until(State.IDLE)
        assert stage.waits(3600) == []

    def test_the_first_session_ever_explains_the_idea(self) -> None:
        first, later = Stage(first_time=True), Stage(first_time=False)
        for stage in (first, later):
            stage.listens()
            stage.says("cramp", muscle="calf")
        assert "opening.opposite" in first.keys
        assert "opening.opposite" not in later.keys

    def test_more_says_the_rest_of_an_answer_and_then_no_more(self) -> None:
        stage = in_state(State.CHECKING)
        assert stage.says("ask_about", topic="drink")[0] == "answer.drink.1"
        assert stage.says("more")[0] == "answer.drink.2"
        assert stage.says("more")[0] == "answer.enough"

    def test_what_cannot_be_done_is_done_another_way(self) -> None:
        stage = in_state(State.HOLDING)
        assert stage.says("cant_do") == ["opening.version", "calf.sitting.1"]

    def test_a_position_without_a_version_gets_the_nearest_and_hears_so(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", side="both", position="standing")
        assert "opening.nearest" in stage.keys

    def test_a_helper_can_move_the_leg(self) -> None:
        stage = in_state(State.GUIDING)
        assert "calf.helper.1" in stage.says("cramp", position="helper")

    def test_in_bed_it_speaks_low_and_slowly(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", position="bed")
        assert (stage.session.now.volume, stage.session.now.pace) == (0.6, 0.9)

    def test_a_helper_holds_for_twenty_unless_the_user_wants_another_length(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="shin", position="helper")
        assert stage.until_count(1).says("ask_time_left") == ["hold.left"]
        assert "Nineteen more." in stage.words
        stage.says("change", setting="hold_seconds", number="five")
        assert stage.says("ask_time_left") == ["hold.full"]
        assert "Five counts." in stage.words

    @pytest.mark.parametrize("routine", PACK.routines.values(), ids=PACK.routines)
    def test_another_way_is_never_to_stand_up_nor_an_unasked_helper(self, routine: Routine) -> None:
        for version in routine.versions:
            other = routine.other(version)
            assert other is None or other.serves not in (("standing",), ("helper",))

    def test_who_cannot_stand_is_never_told_to(self) -> None:
        stage = Stage()
        stage.says("cramp", muscle="calf", position="cant_stand")
        for _ in range(4):
            stage.until(State.CHECKING).says("still_hurts")
        stage.until(State.CHECKING)
        assert stage.says("relief_gone")[0] == "gone.rest"

    def test_both_hands_are_asked_about_breathing_first(self) -> None:
        stage = Stage()
        assert stage.says("cramp", muscle="hand", side="both") == ["triage.tingling"]
        assert stage.says("yes")[0] == "redflag_overbreathing.1"
        stage = Stage()
        stage.says("cramp", muscle="hand", side="both")
        assert "both_hands.sitting.1" in stage.says("no")

    def test_a_hand_is_not_told_to_stop_running(self) -> None:
        stage = Stage()
        assert stage.says("cramp", muscle="hand")[0] == "opening.rest"
        stage.until(State.CHECKING).says("still_hurts")
        assert "opening.reassure" not in stage.keys  # stopping is hard for a runner

    def test_not_yet_is_an_answer_only_where_it_was_asked(self) -> None:
        stage = in_state(State.CHECKING)
        assert stage.says("control_pause", gone="no")[0] == "rest.first"
        stage = in_state(State.GUIDING)
        assert stage.says("control_pause", gone="no") == ["pause.done"]

    def test_keep_going_does_not_end_a_hold(self) -> None:
        stage = in_state(State.HOLDING).until_count(3)
        assert stage.says("control_next", going="on") == ["hold.stay"]
        assert stage.state is State.HOLDING

    def test_a_question_with_a_place_begins(self) -> None:
        assert "opening.stop" in Stage().says("ask_what_do_i_do", muscle="calf")
        assert Stage().says("ask_what_do_i_do") == ["what.idle", "help.start"]

    @pytest.mark.parametrize(
        ("slots", "key", "seconds"),
        [
            ({"number": "ten"}, "change.checkin_minutes", 600.0),
            ({"number": "one"}, "change.checkin_minute", 60.0),
            ({"number": "thirty", "unit": "seconds"}, "change.checkin_seconds", 30.0),
        ],
    )
    def test_the_check_in_has_units_and_a_waiting_one_is_put_off(
        self, slots: dict[str, str], key: str, seconds: float
    ) -> None:
        stage = in_state(State.EASING).until(State.IDLE)
        assert stage.says("change", setting="checkin_seconds", **slots) == [key]
        stage.listens()
        assert stage.waits(seconds - 10) == []
        assert "How's the calf?" in stage.waits(20)

    def test_a_hold_can_be_longer_and_shorter_without_a_number(self) -> None:
        stage = in_state(State.GUIDING)
        stage.says("change", setting="hold_seconds", to="longer")
        assert "From now on I count to fifteen." in stage.listens()
        stage.says("undo")
        stage.says("change", setting="hold_seconds", to="shorter")
        assert "From now on I count to five." in stage.listens()
