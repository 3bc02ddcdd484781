"""A journal returns what was written, reports where it is broken, and keeps no words unasked."""

import json
import os
import re
from collections.abc import Mapping
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.dialogue.actions import Action, Count, Listen, Say, SetTimer
from assistant.dialogue.events import (
    DeviceFound,
    Event,
    HoldFinished,
    Started,
    Suspended,
    UtteranceHeard,
    UtteranceMissed,
)
from assistant.dialogue.hold import CountStyle, Hold
from assistant.dialogue.state import CoachingOptions, DialogueState
from assistant.dialogue.triggers import Timer
from assistant.errors import JournalError
from assistant.session import journal
from assistant.session.journal import Conditions, Entry, Journal
from tests.support.examples import CHARACTERS

TEXTS = st.text(CHARACTERS, max_size=20)
SECONDS = st.floats(min_value=0, max_value=1e6)
HOLDS = st.builds(
    Hold, st.integers(1, 60), st.sampled_from(CountStyle), SECONDS, st.integers(0, 60)
)
SAMPLES = {
    float: SECONDS,
    str: TEXTS,
    bool: st.booleans(),
    int: st.integers(0, 1000),
    Hold: HOLDS,
    Timer: st.sampled_from(Timer),
    tuple[str, ...]: st.lists(TEXTS).map(tuple),
    frozenset[str]: st.frozensets(TEXTS),
    float | None: st.none() | SECONDS,
    Mapping[str, str]: st.dictionaries(TEXTS, TEXTS),
}
"""How to make a value of each type that a field of an event or action has."""

KINDS = (*get_args(Event), *get_args(Action))


def samples(kind: type) -> st.SearchStrategy[object]:
    hints = journal._hints(kind)
    return st.builds(kind, **{name: SAMPLES[hint] for name, hint in hints.items()})


@pytest.mark.parametrize("kind", KINDS)
def test_every_event_and_action_comes_back_as_it_was(kind: type, tmp_path: Path) -> None:
    @given(st.data())
    def comes_back(data: st.DataObject) -> None:
        what = data.draw(samples(kind))
        at = getattr(what, "at", 1.5)
        path.write_text(journal.encode(at, what) + "\n", encoding="utf-8")  # type: ignore[arg-type]
        assert journal.read(path) == (Entry(at, what),)  # type: ignore[arg-type]

    path = tmp_path / "journal.jsonl"
    comes_back()


def kept(path: Path, *, with_text: bool) -> tuple[Entry, ...]:
    with Journal(path, with_text) as pack:
        pack.write(Started(0.0, first_time=False), (Say("welcome", "Hello."), Listen(frozenset())))
        pack.write(UtteranceHeard(1.0, "it's gone", "relief_gone", {"side": "left"}), ())
        pack.write(UtteranceMissed(2.0, "secret", addressed=False), (SetTimer(Timer.ANSWER, 8.0),))
    return journal.read(path)


def test_what_was_said_is_kept_only_if_asked_for(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    entries = kept(path, with_text=False)
    assert "gone" not in path.read_text().replace("relief_gone", "")
    assert "secret" not in path.read_text()
    assert entries[3].what == UtteranceHeard(1.0, "", "relief_gone", {"side": "left"})
    path.unlink()
    assert kept(path, with_text=True)[3].what == UtteranceHeard(
        1.0, "it's gone", "relief_gone", {"side": "left"}
    )


def test_a_line_is_one_json_object_with_time_and_name(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    kept(path, with_text=True)
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    assert lines[0] == {"at": 0.0, "event": "Started", "first_time": False}
    assert lines[1] == {
        "at": 0.0, "action": "Say", "key": "welcome", "text": "Hello.", "pace": 1.0
    }  # fmt: skip


CONDITIONS = Conditions(
    "2026-11-22T12:40:00+01:00",
    "de",
    CoachingOptions(hold_seconds=5, count_style=CountStyle.DOWN, terse=True),
    DialogueState(pace=0.8, volume=0.5, changed_options=CoachingOptions(rounds=2)),
)


def test_the_conditions_of_a_session_are_kept_with_its_start(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path, conditions=CONDITIONS) as pack:
        pack.write(Started(0.0), (Say("welcome", "Hello."),))
        pack.write(HoldFinished(1.0), ())
    assert [entry.conditions for entry in journal.read(path)] == [CONDITIONS, None, None]
    assert [entry.line for entry in journal.read(path)] == [1, 2, 3]


def test_what_an_older_charley_did_not_write_is_as_ever(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(
        '{"at": 0, "event": "Started", "conditions": {"coaching": {"rounds": 2}}}\n'
        '{"at": 0, "action": "Listen", "context": []}\n'
    )
    started, listen = journal.read(path)
    assert started.conditions == Conditions(coaching=CoachingOptions(rounds=2))
    assert listen.what == Listen(frozenset())


def test_fields_of_older_journals_are_read_under_their_new_names(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(
        '{"at": 9, "event": "UtteranceHeard", "intent": "yes", "hold_seconds": 3.5}\n'
        '{"at": 9, "event": "DeviceFound", "device": "speaker", "hold_seconds": 3.5}\n'
        '{"at": 9, "event": "Suspended", "seconds": 60, "hold_seconds": null}\n'
    )
    assert [entry.what for entry in journal.read(path)] == [
        UtteranceHeard(9.0, "", "yes", hold_position_seconds=3.5),
        DeviceFound(9.0, "speaker", 3.5),
        Suspended(9.0, 60.0),
    ]


def test_a_second_session_goes_behind_the_first(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    once = kept(path, with_text=True)
    assert kept(path, with_text=True) == once + once


BROKEN = {
    "": "",
    "{": "not JSON",
    "[]": "expected an object",
    '{"event": "Started"}': '"at"',
    '{"at": 1}': "neither",
    '{"at": 1, "event": "Exploded"}': "unknown event; expected one of Started",
    '{"at": 1, "action": "Fly"}': "unknown action",
    '{"at": 1, "event": "TimerFired"}': "name missing",
    '{"at": Infinity, "event": "Started"}': '"at"',
    '{"at": -1, "event": "Started"}': '"at"',
    '{"at": 1, "event": "Started", "conditions": 3}': "newer one",
    '{"at": 1, "event": "Started", "conditions": {"moon": "full"}}': "newer one",
    '{"at": 1, "event": "Started", "conditions": {"coaching": {"rounds": "x"}}}': "“rounds”",
    '{"at": 1, "event": "Started", "conditions": {"coaching": {"hold_seconds": 0}}}': "cannot be",
    '{"at": 1, "event": "Started", "conditions": {"start": {"pace": 0}}}': "cannot be",
    '{"at": 1, "event": "HoldFinished", "mood": 3}': "mood unknown",
    '{"at": 1, "event": "TimerFired", "name": 3}': "“name” has a value of the wrong kind",
    '{"at": 1, "event": "TimerFired", "name": null}': "“name” has no value",
    '{"at": 1, "action": "Listen", "context": [1]}': "“context”",
    '{"at": 1, "action": "Count", "hold": {"seconds": "x"}, "words": []}': "seconds",
    '{"at": 1, "action": "Count", "hold": 5, "words": []}': "“hold”",
    "[" * 100_000: "not JSON",
    f'{{"at": {"9" * 400}, "event": "Started"}}': '"at"',
    f'{{"at": {"9" * 5_000}, "event": "Started"}}': "not JSON",
    '{"at": 1e11, "event": "Started"}': '"at"',
    '{"at": NaN, "event": "Started"}': '"at"',
    f'{{"at": 1, "event": "Suspended", "seconds": {"9" * 400}}}': "“seconds”",
    '{"at": 1, "event": "Suspended", "seconds": NaN}': "“seconds”",
    f'{{"at": 1, "event": "Xrun", "device": "speaker", "times": {"9" * 400}}}': "“times”",
    '{"at": 1, "event": "Xrun", "device": "speaker", "times": -1}': "“times”",
    '{"at": 1, "event": "UtteranceHeard", "intent": "yes", "hold_seconds": 1e10}': "“hold_position",
    '{"at": 1, "event": "UtteranceHeard", "intent": "yes", "lines_left": -1}': "“lines_left”",
    '{"at": 1, "action": "SetTimer", "name": [], "seconds": 1}': "not a valid",
    **{
        f'{{"at": 1, "event": "Started", "conditions": {json.dumps(conditions)}}}': "cannot be"
        for conditions in (
            {"language": "../../evil"},
            {"language": "/home/evil"},
            {"language": ".."},
            {"language": ""},
            {"language": "en\x1b[2J"},
            {"coaching": {"voice": "\x1b[2J"}},
            {"coaching": {"voice": "x" * 2_000}},
            {"coaching": {"rounds": 0}},
            {"coaching": {"step_seconds": -1}},
            {"start": {"step": -1}},
            {"start": {"state": "guiding", "routine": "calf", "version": "unknown"}},
            {"start": {"state": "triage", "safety_questions": []}},
            {"start": {"changed_options": {"hold_seconds": 1_000_000_000}}},
            {"start": {"volume": 7}},
        )
    },
}


@pytest.mark.parametrize("line", BROKEN, ids=range(len(BROKEN)))
def test_a_broken_line_is_named(line: str, tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    good = journal.encode(0.0, HoldFinished(0.0))
    path.write_text(f"{good}\n{line}\n{good}\n", encoding="utf-8")
    if not line:
        assert len(journal.read(path)) == 2
        return
    with pytest.raises(JournalError, match=f"line 2: .*{re.escape(BROKEN[line])}"):
        journal.read(path)


def with_torn_line(path: Path, torn: str) -> list[Entry]:
    """Write a session whose last line was cut, and return what it held before."""
    whole = list(kept(path, with_text=True))
    with path.open("a") as file:
        file.write(torn)
    return whole


@pytest.mark.parametrize(
    "torn", ['{"at": 2.0, "event": "Spee', '{"at": 2.0, "event": "TimerFired", "name"', "\0" * 900]
)
def test_a_torn_last_line_is_left_out_with_a_note(tmp_path: Path, torn: str) -> None:
    path, notes = tmp_path / "journal.jsonl", list[str]()
    whole = with_torn_line(path, torn)
    number = len(whole) + 1
    entries = list(journal.read(path, notes.append))
    assert entries == whole[: len(entries)]
    assert len(notes) == 1
    assert f"line {number}, was cut short" in notes[0]


def test_with_a_torn_action_its_whole_turn_is_left_out(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    started = journal.encode(0.0, Started(0.0))
    finished = journal.encode(1.0, HoldFinished(1.0))
    said = journal.encode(1.0, Say("welcome", "Hello."))
    path.write_text(f"{started}\n{finished}\n{said}\n{said[:30]}")
    assert [entry.line for entry in journal.read(path)] == [1]


@pytest.mark.parametrize("torn", ['{"at": 2.0, "event": "Spee', '{"at": 2.0, "action": "Sa', "{"])
def test_a_session_behind_a_torn_line_begins_a_new_one(tmp_path: Path, torn: str) -> None:
    path, notes = tmp_path / "journal.jsonl", list[str]()
    with_torn_line(path, torn)
    with Journal(path) as pack:
        pack.write(Started(0.0), ())
    assert torn in path.read_text().split("\n")
    assert journal.read(path, notes.append)[-1].what == Started(0.0)
    assert len(notes) == 1


def test_a_whole_line_without_its_end_is_kept(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    path.write_text(journal.encode(0.0, Started(0.0)))
    with Journal(path) as pack:
        pack.write(Started(0.0), ())
    assert [entry.line for entry in journal.read(path)] == [1, 2]


@pytest.mark.skipif(os.name == "nt", reason="needs locks of POSIX")
def test_two_programs_do_not_mix_their_lines(tmp_path: Path) -> None:
    path = tmp_path / "journal.jsonl"
    with Journal(path) as pack:
        with pytest.raises(JournalError, match="another Charley is writing it"):
            Journal(path)
        pack.write(Started(0.0), ())
    with Journal(path) as pack:
        pack.write(Started(0.0), ())
    assert len(journal.read(path)) == 2


@pytest.mark.skipif(os.name == "nt", reason="needs the rights of POSIX")
@pytest.mark.parametrize("with_text", [True, False])
def test_a_journal_is_for_its_owner_only(tmp_path: Path, with_text: bool) -> None:
    kept(tmp_path / "journal.jsonl", with_text=with_text)
    assert (tmp_path / "journal.jsonl").stat().st_mode & 0o777 == 0o600


def test_a_device_is_not_read_to_its_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(journal, "_LARGEST_FILE_BYTES", 10_000)
    with pytest.raises(JournalError, match="far too large"):
        journal.read(Path("/dev/zero"))


def test_a_count_comes_back_with_its_hold(tmp_path: Path) -> None:
    action = Count(Hold(10, CountStyle.DOWN, 1.25, 4), ("zero", "one"))
    path = tmp_path / "journal.jsonl"
    path.write_text(journal.encode(3.0, action) + "\n")
    assert journal.read(path) == (Entry(3.0, action),)


def test_files_that_are_no_journals_are_said_so(tmp_path: Path) -> None:
    (tmp_path / "sound.wav").write_bytes(b"RIFF\xff\xfe")
    with pytest.raises(JournalError, match="not UTF-8"):
        journal.read(tmp_path / "sound.wav")
    with pytest.raises(JournalError, match="cannot be read"):
        journal.read(tmp_path / "none.jsonl")
    with pytest.raises(JournalError, match="cannot be written"):
        Journal(tmp_path / "no folder" / "journal.jsonl")


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
def test_a_full_disk_ends_the_journal_and_not_the_conversation() -> None:
    told: list[str] = []
    with Journal(Path("/dev/full"), warn=told.append) as pack:
        pack.write(HoldFinished(1.0), ())
        pack.write(HoldFinished(2.0), ())
    assert len(told) == 1
    assert "ends here" in told[0]
