"""`charley run` and `charley type`, as people and programs use them."""

import re
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from assistant.dialogue.actions import Say
from assistant.dialogue.events import UtteranceHeard, UtteranceMissed
from assistant.frontends import demo
from assistant.frontends.live import loop
from assistant.playback.captions import Caption
from assistant.session import journal
from assistant.settings import Settings
from tests.support.commands import Charley, Done, start

TALK = "my left calf is cramping\nokay\n#4 how long\nstill a bit\ngone\n"


class TestRun:
    """`charley run` and `demo`, with a conversation that is over at once."""

    def run(self, charley: Charley, monkeypatch: pytest.MonkeyPatch, *args: str) -> Done:
        def converse(
            _language: object,
            settings: Settings,
            *,
            show: Callable[[Caption], None],
            tell: Callable[[str], None],
            watch: Callable[..., None],
        ) -> None:
            assert settings.rounds == 2
            tell("No microphone was found.")
            watch(UtteranceHeard(1.0, "left calf", "cramp"), (Say("opening", "Stop running."),))
            show(Caption(1.0, "say", "Stop running."))
            watch(UtteranceMissed(2.0, "[unk] [unk] calf"), ())

        monkeypatch.setattr(loop, "run", converse)
        return charley("run", "--rounds", "2", *args)

    def test_what_is_said_and_heard_is_shown(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        done = self.run(charley, monkeypatch)
        words = ["You:     left calf", "Charley: Stop running.", "You:     ... ... calf"]
        assert [line[8:] for line in done.lines] == words
        assert done.err == "charley: No microphone was found.\n"

    def test_captions_can_be_left_out_and_a_journal_kept(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        path = tmp_path / "journal.jsonl"
        done = self.run(charley, monkeypatch, "--no-captions", "--journal", str(path))
        assert done.out == ""
        assert [type(entry.what).__name__ for entry in journal.read(path)] == [
            "UtteranceHeard", "Say", "UtteranceMissed"
        ]  # fmt: skip

    @pytest.mark.parametrize(("misheard", "code"), [((), 0), (("b",), 0), (("a", "b"), 1)])
    def test_a_demo_shows_what_was_understood(
        self,
        charley: Charley,
        monkeypatch: pytest.MonkeyPatch,
        tmp_path: Path,
        misheard: tuple[str, ...],
        code: int,
    ) -> None:
        def play(_language: object, _settings: Settings, out: Path, **given: Any) -> demo.Outcome:
            assert given["script"] == ["a", "b"]
            for at, speaker in enumerate(("charley", "runner", "heard", "count", "count")):
                given["show"](demo.Remark(float(at), speaker, speaker))
            return demo.Outcome(("a", "b"), misheard, out.stat().st_size)

        monkeypatch.setattr(demo, "demo", play)
        script = tmp_path / "script.txt"
        script.write_text("a\nb\n")
        done = charley("demo", "--script", str(script), "--out", str(script))
        assert done.code == code
        assert [line[8:] for line in done.lines[:-1]] == [
            "Charley: charley", "Runner:  runner", "Heard:   heard", "Charley: Count. Count."
        ]  # fmt: skip
        assert done.lines[-1].endswith(f"4 s; {2 - len(misheard)} of 2 lines understood.")
        assert done.err.count("not understood") == len(misheard)


@pytest.mark.parametrize("text", ["", "\n \n", "// nothing but a remark\n"])
def test_a_script_without_a_line_is_an_error(charley: Charley, tmp_path: Path, text: str) -> None:
    (tmp_path / "script.txt").write_text(text)
    out = str(tmp_path / "out.wav")
    done = charley("demo", "--script", str(tmp_path / "script.txt"), "--out", out)
    assert "holds no line to say" in done.complains()


class TestType:
    """`charley type` in a pipe."""

    def test_it_reads_like_a_play(self, charley: Charley) -> None:
        done = charley("type", "--fast", "--no-first", stdin=TALK)
        assert done.code == 0
        assert done.err == ""
        assert all(re.match(r" +\d+:\d\d  (Charley:|You:    ) \S", line) for line in done.lines)
        words = [line[17:] for line in done.lines]
        assert words[1:3] == [
            "my left calf is cramping",
            "Stop running. Move to the side if you can.",
        ]
        at = words.index("how long")
        assert words[at - 1] == "One. Two. Three. Four."
        assert words[at + 1 : at + 3] == [
            "Six more.",
            "Five. Six. Seven. Eight. Nine. Ten. (chime)",
        ]
        assert "One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten. (chime)" in words
        assert words.index("gone") < words.index("Good. Stand up slowly and walk a little first.")

    def test_counts_stand_on_their_second(self, charley: Charley) -> None:
        done = charley("type", "--fast", "--no-first", stdin="left calf cramp\n#3 stop\n")
        cut = next(line for line in done.lines if "One. Two. Three." in line)
        assert done.lines[done.lines.index(cut) + 1].endswith("You:     stop")

    def test_time_can_be_told(self, charley: Charley) -> None:
        done = charley("type", "--fast", "--no-first", stdin="left calf cramp\n+100 stop\n")
        said, stopped = (line for line in done.lines if "You:" in line)
        minutes = [int(line[:6].split(":")[0]) * 60 + int(line[:6].split(":")[1])
                   for line in (said, stopped)]  # fmt: skip
        assert minutes[1] - minutes[0] == 100

    def test_nobody_says_anything(self, charley: Charley) -> None:
        done = charley("type", "--fast", "--no-first")
        assert [line[8:15] for line in done.lines] == ["Charley"]

    def test_the_safety_note_is_said_once(self, charley: Charley) -> None:
        assert "not a doctor" in charley("type", "--fast").out
        assert "not a doctor" not in charley("type", "--fast").out

    def test_a_script_speaks(self, charley: Charley, tmp_path: Path) -> None:
        script = tmp_path / "lines.txt"
        script.write_bytes(b"// a comment\nleft calf cramp\n#2 \xff stop\n")
        done = charley("type", "--fast", "--script", str(script))
        assert "One. Two." in done.out
        assert done.out.count("You:") == 2

    def test_settings_change_the_hold(self, charley: Charley) -> None:
        flags = ("--hold", "5", "--count", "down", "--rounds", "1")
        done = charley("type", "--fast", "--no-first", *flags, stdin="calf cramp\n#5 ouch\ngone\n")
        assert "Five. Four. Three. Two. One." in done.out

    def test_hard_lines_are_no_trouble(self, charley: Charley) -> None:
        lines = b"\xff\x00\x1b[2J\n" + b"x" * 100_000 + b"\n#99 x\n#1\n+\n+9e9 x\nstop\r\n"
        done = charley("type", "--fast", stdin=lines)
        assert done.code == 0
        assert "\x1b" not in done.out
        assert max(map(len, done.lines)) < 600

    def test_the_journal_keeps_no_words_unasked(self, charley: Charley, tmp_path: Path) -> None:
        path = tmp_path / "journal.jsonl"
        charley("type", "--fast", "--journal", str(path), stdin=TALK)
        heard = [e.what for e in journal.read(path) if isinstance(e.what, UtteranceHeard)]
        assert [event.text for event in heard] == [""] * 5
        assert heard[0].slots == {"side": "left", "muscle": "calf"}
        path.unlink()
        charley("type", "--fast", "--journal", str(path), "--journal-text", stdin=TALK)
        heard = [e.what for e in journal.read(path) if isinstance(e.what, UtteranceHeard)]
        assert heard[2].text == "how long"

    def test_a_journal_that_cannot_be_is_one_sentence(
        self, charley: Charley, tmp_path: Path
    ) -> None:
        assert "journal" in charley("type", "--journal", str(tmp_path)).complains()
        assert "--journal FILE" in charley("type", "--journal-text").complains()

    def test_an_answer_comes_before_the_next_line_is_written(self) -> None:
        process = start("type", "--no-first")
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"// a comment\n\n+0 left calf cramp\n")
        process.stdin.flush()
        seen = b""
        while b"Stop running" not in seen:
            seen += process.stdout.readline()
        rest, _ = process.communicate(b"+0 stop\n")
        assert b"if you need me" in rest
        assert process.returncode == 0

    def test_real_time_takes_its_time(self) -> None:
        process = start("type", "--no-first")
        began = time.monotonic()
        out, _ = process.communicate(b"+1.5 stop\n")
        assert process.returncode == 0
        assert time.monotonic() - began > 1.5
        assert b"0:01  You:     stop" in out
