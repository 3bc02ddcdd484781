"""A replayed journal gives the same answers, or reports where it does not."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.actions import Action, Say
from assistant.dialogue.events import Event, HoldFinished, SpeechFinished, Started, UtteranceHeard
from assistant.dialogue.hold import CountStyle
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.dialogue.triggers import KNOWN_INTENTS
from assistant.errors import JournalError
from assistant.playback.captions import Caption
from assistant.session import journal, replay
from assistant.session.journal import Conditions, Journal
from tests.support.stage import PACK, Stage

MEANINGS = sorted(KNOWN_INTENTS)
SLOTS = st.fixed_dictionaries(
    {},
    optional={
        "muscle": st.sampled_from(["calf", "hamstring", "thigh", "foot", "stitch"]),
        "side": st.sampled_from(["left", "right", "both"]),
        "position": st.sampled_from(["standing", "sitting", "bed", "cant_stand"]),
        "setting": st.sampled_from(["hold_seconds", "rounds", "checkin_seconds"]),
        "number": st.sampled_from(["two", "fifteen", "sixty"]),
        "certain": st.just("no"),
    },
)
TURNS = st.lists(
    st.tuples(
        st.sampled_from([*MEANINGS, *PACK.red_flags.flags, "mumble", "cramp", "cramp", "yes"]),
        SLOTS,
        st.sampled_from([0.0, 0.4, 3.0, 20.0, 300.0]),
    ),
    max_size=25,
)
CONDITIONS = st.builds(
    Conditions,
    coaching=st.builds(
        CoachingOptions,
        hold_seconds=st.integers(5, 60),
        count_style=st.sampled_from(CountStyle),
        rounds=st.integers(1, 3),
        terse=st.booleans(),
    ),
    start=st.builds(DialogueState, pace=st.sampled_from([0.6, 1.0, 1.5])),
)


class Kept(Stage):
    """A stage that writes its conversation into a journal."""

    def __init__(self, path: Path, conditions: Conditions, *, with_text: bool = True) -> None:
        self._journal = Journal(path, with_text, conditions=conditions)
        super().__init__(coaching=conditions.coaching, start=conditions.start)

    def _watch(self, event: Event, actions: tuple[Action, ...]) -> None:
        super()._watch(event, actions)
        self._journal.write(event, actions)

    def ends(self) -> None:
        self._journal.close()


def talk_at_random(stage: Stage, turns: list[tuple[str, dict[str, str], float]]) -> None:
    for meaning, slots, seconds in turns:
        stage.waits(seconds)
        stage.mumbles() if meaning == "mumble" else stage.says(meaning, **slots)


def moments(path: Path) -> list[replay.Moment]:
    return [
        moment
        for recording in replay.recordings(path, journal.read(path))
        for moment in replay.play(recording, PACK, Conditions())
    ]


def test_any_conversation_is_answered_again_with_the_very_same_actions(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"

    @given(TURNS, CONDITIONS, st.booleans())
    def same(turns: list[tuple[str, dict[str, str], float]], how: Conditions, text: bool) -> None:
        path.unlink(missing_ok=True)
        stage = Kept(path, how, with_text=text)
        talk_at_random(stage, turns)
        stage.ends()
        again = moments(path)
        assert not [moment for moment in again if moment.differs]
        assert again[-1].after == stage.session.now

    same()


def held(path: Path) -> Kept:
    """Return a conversation with one whole hold and one that was stopped at three."""
    stage = Kept(path, Conditions())
    stage.says("cramp", muscle="calf", side="left")
    stage.until_count(4)
    stage.says("ask_time_left")
    stage.listens()
    stage.says("still_hurts")
    stage.until_count(3)
    stage.says("control_stop")
    stage.listens()
    stage.ends()
    return stage


def staged(path: Path, slower: float = 1.0) -> list[Caption]:
    """Return the captions of a journal, as heard by somebody whose speech takes longer."""
    heard: list[Caption] = []
    stage = replay.CaptionAligner(heard.append)
    for moment in moments(path):
        stage.reach(_later(moment.event, slower))
        stage.perform(moment.actions)
    stage.close()
    return heard


def _later(event: Event, slower: float) -> Event:
    return replace(event, at=event.at * slower)


def test_every_caption_comes_back_at_its_time(tmp_path: Path) -> None:
    stage = held(tmp_path / "journal.jsonl")
    again = staged(tmp_path / "journal.jsonl")
    assert [(c.kind, c.text) for c in again] == [(c.kind, c.text) for c in stage.heard]
    assert [c.at for c in again] == pytest.approx([c.at for c in stage.heard])


@pytest.mark.parametrize("slower", [0.7, 1.4])
def test_another_pace_of_speech_moves_no_count_to_the_wrong_side_of_a_word(
    tmp_path: Path, slower: float
) -> None:
    stage = held(tmp_path / "journal.jsonl")
    again = staged(tmp_path / "journal.jsonl", slower)
    assert [(c.kind, c.text) for c in again] == [(c.kind, c.text) for c in stage.heard]
    assert [c.at for c in again] == sorted(c.at for c in again)


def write(path: Path, *lines: object) -> Path:
    path.write_text("".join(json.dumps(line) + "\n" for line in lines), encoding="utf-8")
    return path


def test_another_answer_is_reported(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    held(path)
    path.write_text(path.read_text().replace("Okay. I'm here", "Fine. I'm here"))
    different = [moment for moment in moments(path) if moment.differs]
    assert len(different) == 1
    assert different[0].event == UtteranceHeard(
        different[0].event.at, "control_stop", "control_stop", {}, 3.0
    )
    assert "Okay. I'm here if you need me." in [
        action.text for action in different[0].actions if isinstance(action, Say)
    ]


STARTED = {"at": 0.0, "event": "Started", "first_time": False}


@pytest.mark.parametrize(
    ("intent", "problem"),
    [("dance", "means nothing"), ("redflag_mars", "no longer knows")],
)
def test_what_no_longer_means_anything_is_reported_and_skipped(
    tmp_path: Path, intent: str, problem: str
) -> None:
    heard = {"at": 5.0, "event": "UtteranceHeard", "intent": intent, "slots": {"muscle": "tail"}}
    heard |= {"hold_position_seconds": None, "early": False}
    path = write(tmp_path / "journal.jsonl", STARTED, heard, {"at": 9, "event": "SpeechFinished"})
    told = [moment.problem for moment in moments(path)]
    assert problem in told[1]
    assert told[2] == ""


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "holds no session"),
        ([{"at": 1.0, "action": "Hush"}], "line 1: an action comes before any event"),
        ([{"at": 1.0, "event": "SpeechFinished"}], "line 1: the session does not begin"),
    ],
)
def test_a_file_without_a_whole_session_is_named(
    tmp_path: Path, lines: list[object], message: str
) -> None:
    path = write(tmp_path / "journal.jsonl", *lines)
    with pytest.raises(JournalError, match=message):
        moments(path)


def test_each_session_of_a_file_starts_fresh(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    held(path)
    held(path)
    recordings = replay.recordings(path, journal.read(path))
    assert len(recordings) == 2
    assert [type(recording.turns[0].event) for recording in recordings] == [Started, Started]
    assert not [moment for moment in moments(path) if moment.differs]


def test_a_count_that_nothing_followed_is_not_made_up(tmp_path: Path) -> None:
    stage = Kept(tmp_path / "journal.jsonl", Conditions())
    stage.says("cramp", muscle="calf")
    stage.says("control_skip", to="hold")
    stage.ends()
    again = staged(tmp_path / "journal.jsonl")
    assert again[-1].kind == "say"
    assert not [event for event in moments(tmp_path / "journal.jsonl")
                if isinstance(event.event, HoldFinished | SpeechFinished)]  # fmt: skip
