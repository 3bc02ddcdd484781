"""`charley replay` and `charley report`, as people and programs use them."""

from __future__ import annotations

import json
import re
import time
from pathlib import Path

import pytest

from tests.support.commands import Charley

TALK = """my left calf is cramping
okay
okay
#4 how long
left right left
still there
#3 stop
"""


@pytest.fixture
def kept(charley: Charley, tmp_path: Path) -> tuple[Path, str]:
    """Return a journal with its words, and the play as it was shown."""
    path = tmp_path / "run.jsonl"
    done = charley(
        "type", "--fast", "--no-first", "--journal", str(path), "--journal-text", stdin=TALK
    )
    return path, done.out


def without_words(path: Path) -> Path:
    """Make of a journal what it would be without --journal-text."""
    lines = [json.loads(line) for line in path.read_text().splitlines()]
    for line in lines:
        if str(line.get("event", "")).startswith("Utterance"):
            del line["text"]
    path.write_text("".join(json.dumps(line) + "\n" for line in lines))
    return path


class TestReplay:
    """`charley replay`."""

    def test_the_play_is_the_one_that_was_shown(
        self, charley: Charley, kept: tuple[Path, str]
    ) -> None:
        path, shown = kept
        done = charley("replay", str(path))
        assert done.code == 0
        assert done.err == ""
        *play, summary = (line for line in done.lines if not line.startswith(" " * 17))
        assert "\n".join(play) + "\n" == shown
        assert summary.endswith("events, every one answered as recorded.")

    def test_the_flags_of_the_session_are_kept(self, charley: Charley, tmp_path: Path) -> None:
        path = tmp_path / "run.jsonl"
        charley(
            "type", "--fast", "--hold", "5", "--count", "down", "--journal", str(path), stdin=TALK
        )
        assert charley("replay", str(path)).code == 0
        assert re.search(r"when +\w+day \d+ ", charley("report", str(path)).out)

    def test_a_miss_shows_what_the_matcher_saw(
        self, charley: Charley, kept: tuple[Path, str]
    ) -> None:
        lines = charley("replay", str(kept[0])).lines
        at = next(n for n, line in enumerate(lines) if "left right left" in line)
        assert "not understood while checking" in lines[at + 1]

    def test_words_that_were_not_kept_are_named_and_how_to_keep_them(
        self, charley: Charley, kept: tuple[Path, str]
    ) -> None:
        done = charley("replay", str(without_words(kept[0])))
        assert done.code == 0
        assert "You:     (cramp: side left, muscle calf)" in done.out
        assert "You:     (not understood; the words were not kept)" in done.out
        assert done.err.count("\n") == 1
        assert "--journal-text" in done.err

    def test_another_answer_is_shown_and_is_an_error(
        self, charley: Charley, kept: tuple[Path, str]
    ) -> None:
        path = kept[0]
        path.write_text(path.read_text().replace("Okay. I'm here", "Fine. I'm here"))
        done = charley("replay", str(path))
        assert done.code == 1
        assert "then: Say(key='stop.done', text=\"Fine. I'm here" in done.out
        assert "now:  Say(key='stop.done', text=\"Okay. I'm here" in done.out
        assert "1 answered otherwise" in done.lines[-1]

    def test_programs_get_a_line_an_event(self, charley: Charley, kept: tuple[Path, str]) -> None:
        done = charley("replay", str(kept[0]), "--json")
        found = [json.loads(line) for line in done.lines]
        assert done.code == 0
        assert all(line["same"] for line in found)
        (miss,) = [line for line in found if line["event"] == "UtteranceMissed"]
        assert miss["before"] == miss["after"] == "checking"
        assert miss["matcher"]["intent"] is None
        assert miss["matcher"]["reason"]

    @pytest.mark.parametrize("command", ["replay", "report"])
    @pytest.mark.parametrize(
        ("text", "said"), [("", "holds no session"), ("{", "line 1"), (None, "cannot be read")]
    )
    def test_a_file_that_is_no_journal_is_one_sentence(
        self, charley: Charley, tmp_path: Path, command: str, text: str | None, said: str
    ) -> None:
        path = tmp_path / "x.jsonl"
        if text is not None:
            path.write_text(text)
        assert said in charley(command, str(path)).complains()

    def test_nothing_of_a_file_can_upset_a_terminal(self, charley: Charley, tmp_path: Path) -> None:
        evil = "\x1b[2J\x9b31m\u202e"
        conditions = {"began": evil, "language": "en"}
        heard = {"event": "UtteranceHeard", "intent": evil, "slots": {"muscle": evil}}
        lines = [
            {"at": 0, "event": "Started", "conditions": conditions},
            {"at": 1, "action": "Say", "key": evil, "text": evil},
            {"at": 2, **heard},
            {"at": 3, **heard, "text": evil},
            {"at": 4, "event": "UtteranceMissed", "text": evil},
            {"at": 5, "event": "TimerFired", "name": evil},
            {"at": 6, "event": "DeviceLost", "device": evil},
        ]
        path = tmp_path / "evil.jsonl"
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines * 2))
        for command in (("replay",), ("replay", "--json"), ("report",)):
            done = charley(*command, str(path))
            assert (done.out + done.err).replace("\n", "").isprintable()

    @pytest.mark.parametrize("at", [1e6, 1e8, 999_999_999])
    def test_a_session_of_years_is_reported_at_once(
        self, charley: Charley, tmp_path: Path, at: float
    ) -> None:
        path = tmp_path / "years.jsonl"
        lines = [
            {"at": 0, "event": "Started"},
            {"at": at / 2, "event": "UtteranceHeard", "intent": "control_pause",
             "hold_position_seconds": at},
            {"at": at, "event": "Leaving"},
        ]  # fmt: skip
        path.write_text("".join(f"{json.dumps(line)}\n" for line in lines))
        began = time.process_time()
        done = charley("report", str(path), "--out", str(tmp_path / "years.svg"))
        assert done.code == 0
        assert time.process_time() - began < 5.0


class TestReport:
    """`charley report`."""

    def test_one_page_shows_it(self, charley: Charley, kept: tuple[Path, str]) -> None:
        done = charley("report", str(kept[0]))
        assert done.code == 0
        assert done.lines[0] == "Left calf: stopped"
        assert "1 whole, 1 cut at 3 of 10" in done.out

    def test_it_is_written_as_a_picture_or_as_text(
        self, charley: Charley, kept: tuple[Path, str], tmp_path: Path
    ) -> None:
        shown = charley("report", str(kept[0])).out
        for name, begin in (("page.svg", "<svg "), ("page.txt", "Left calf: stopped")):
            out = tmp_path / name
            assert charley("report", str(kept[0]), "--out", str(out)).out == f"{shown}\n{out}\n"
            assert out.read_text(encoding="utf-8").startswith(begin)

    def test_the_last_session_is_reported_unless_another_is_named(
        self, charley: Charley, kept: tuple[Path, str]
    ) -> None:
        charley("type", "--fast", "--journal", str(kept[0]), stdin="foot cramp\n")
        assert charley("report", str(kept[0])).lines[0].startswith("Foot: ")
        assert charley("report", str(kept[0]), "--session", "1").lines[0].startswith("Left calf")
        assert "2 sessions" in charley("report", str(kept[0]), "--session", "3").complains()

    @pytest.mark.parametrize("out", ["page.png", "page", "no folder/page.svg"])
    def test_a_file_that_cannot_be_written_is_one_sentence(
        self, charley: Charley, kept: tuple[Path, str], tmp_path: Path, out: str
    ) -> None:
        done = charley("report", str(kept[0]), "--out", str(tmp_path / out))
        assert done.code == 1
        assert done.err.count("\n") == 1
        assert "written" in done.err or ".svg or .txt" in done.err
