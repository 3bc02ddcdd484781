"""The commands as people and programs use them: words in, words out, exit codes, one sentence."""

import io
import json
import os
import re
import select
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import numpy as np
import pytest
import soundfile

from assistant.asr import vosk_recogniser
from assistant.asr.hypothesis import Hypothesis, Word
from assistant.audio import audio_file
from assistant.cli import models, options, render
from assistant.content.homophones import Homophones
from assistant.content.ui_text import load as load_wording
from assistant.content.ui_text import minutes_seconds
from assistant.dialogue.actions import Say
from assistant.dialogue.events import UtteranceHeard, UtteranceMissed
from assistant.dialogue.state import State
from assistant.errors import ModelError
from assistant.frontends import demo
from assistant.frontends.live import loop
from assistant.frontends.terminal.transcript import LiveTranscript, Transcript, printable
from assistant.playback.captions import Caption
from assistant.session import journal
from assistant.settings import Settings
from assistant.speech_models import catalogue
from tests.support import ROOT, tone_model
from tests.support.commands import Charley, Done, start

WORDING = load_wording(ROOT / "intents/en/pages.yaml")
COMMANDS = (
    "run", "type", "demo", "match", "hear", "render", "say", "devices", "doctor", "replay",
    "report",
    "models", "models list", "models get", "models path", "models build",
)  # fmt: skip
HEAVY = {"hassil", "numpy", "pyttsx3", "requests", "rich", "sounddevice", "soundfile", "vosk"}


class TestProgram:
    """What holds for every command."""

    @pytest.mark.parametrize("command", COMMANDS)
    def test_every_command_helps_with_an_example(self, charley: Charley, command: str) -> None:
        done = charley(*command.split(), "--help")
        assert done.code == 0
        assert f"Example: charley {command}" in done.out or f"charley {command}" in done.out
        assert "Example: " in done.out
        assert not re.search("[\x1b\u2500-\u257f]", done.out)

    def test_alone_it_shows_its_help(self, charley: Charley) -> None:
        done = charley()
        assert done.code == 0
        assert all(f"  {command}" in done.out for command in COMMANDS if " " not in command)

    def test_it_says_its_version(self, charley: Charley) -> None:
        assert re.fullmatch(r"charley \d+\.\d+\.\d+\n", charley("--version").out)

    @pytest.mark.parametrize(
        "args",
        [("dance",), ("match", "--dance"), ("type", "--rate"), ("--rate",), ("type", "--hold", "x"),
         ("say",), ("hear",), ("type", "--script", "/nowhere"), ("models", "dance")],
    )  # fmt: skip
    def test_a_wrong_word_is_one_sentence(self, charley: Charley, args: tuple[str, ...]) -> None:
        assert charley(*args).complains(2).endswith("See --help.\n")

    @pytest.mark.parametrize(
        ("flag", "value"),
        [("--rate", "1000"), ("--volume", "2"), ("--volume", "nan"), ("--hold", "3"),
         ("--rounds", "9"), ("--count", "sideways"), ("--lead-in", "-1"), ("--voice", " "),
         ("--model", "\x1b[2J")],
    )  # fmt: skip
    def test_a_wrong_value_names_its_flag(self, charley: Charley, flag: str, value: str) -> None:
        for args in ((flag, value, "match"), ("match", flag, value), ("match", f"{flag}={value}")):
            assert f" {flag} " in charley(*args).complains()

    def test_flags_behind_two_dashes_are_words(self) -> None:
        args = ["say", "--rate", "90", "--", "--rate", "80"]
        assert options.settings_first(args) == ["--rate", "90", "say", "--", "--rate", "80"]

    def test_a_switch_takes_no_value_along(self) -> None:
        args = ["hear", "--loudspeaker", "a.wav", "--no-loudspeaker"]
        moved = ["--loudspeaker", "--no-loudspeaker", "hear", "a.wav"]
        assert options.settings_first(args) == moved

    @pytest.mark.parametrize(
        ("text", "said"), [("volume = 5", "line 1"), ("= =", "TOML"), ("moo = 1", "no setting")]
    )
    def test_a_broken_settings_file_is_named(
        self, charley: Charley, tmp_path: Path, text: str, said: str
    ) -> None:
        path = tmp_path / "mine.toml"
        path.write_text(text)
        error = charley("type", "--settings", str(path)).complains()
        assert said in error
        assert str(path) in error

    def test_nothing_heavy_is_loaded_before_it_is_needed(self) -> None:
        code = f"import sys; import assistant.cli.app; print({HEAVY!r} & set(sys.modules))"
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=True
        )
        assert done.stdout == "set()\n"

    def test_match_loads_neither_sound_nor_model(self) -> None:
        code = (
            "import sys; from assistant.cli.app import main; main(['match', '--json']);"
            f"print({HEAVY - {'hassil'}!r} & set(sys.modules))"
        )
        done = subprocess.run(
            [sys.executable, "-c", code],
            cwd=ROOT, input="stop\n", capture_output=True, text=True, check=True,
        )  # fmt: skip
        assert done.stdout.splitlines()[1] == "set()"

    def test_a_reader_who_has_had_enough_is_no_error(self) -> None:
        process = start("match", "--json")
        assert process.stdin
        assert process.stdout
        assert process.stderr
        process.stdin.write(b"stop\n")
        process.stdin.flush()
        process.stdout.readline()
        process.stdout.close()
        process.stdin.write(b"stop\n" * 1000)
        process.stdin.close()
        assert process.stderr.read() == b""
        assert process.wait(20) == 1

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs a full disk")
    def test_a_full_disk_is_one_sentence(self) -> None:
        with Path("/dev/full").open("wb") as full:
            process = start("match", stdout=full)
            _, error = process.communicate(b"stop\n")
        assert process.returncode == 1
        assert error.count(b"\n") == 1
        assert b"No space left" in error

    @pytest.mark.skipif(os.name == "nt", reason="needs a POSIX shell")
    @pytest.mark.parametrize("closed", ["<&-", ">&-", "2>&-", "<&- >&- 2>&-"])
    def test_closed_streams_are_no_trouble(self, closed: str) -> None:
        command = f'echo stop | "{sys.executable}" -m assistant match {closed}'
        done = subprocess.run(["sh", "-c", command], cwd=ROOT, capture_output=True, check=False)
        assert done.returncode == 0
        assert done.stderr == b""

    @pytest.mark.skipif(os.name == "nt", reason="signals are POSIX")
    def test_an_interrupt_is_quiet(self) -> None:
        process = start("type", "--no-first")
        assert process.stdin
        assert process.stdout
        process.stdin.write(b"my left calf is cramping\n#9 stop\n")
        process.stdin.close()
        assert b"listening" in process.stdout.readline()
        process.send_signal(signal.SIGINT)
        process.stdin = None
        _, error = process.communicate(timeout=20)
        assert process.returncode == 130
        assert error == b""


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
    def test_a_demo_tells_what_was_understood(
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


class TestMatch:
    """`charley match`."""

    def json(self, done: Done) -> list[dict[str, object]]:
        assert done.code == 0
        assert done.err == ""
        return [json.loads(line) for line in done.lines]

    def test_a_line_says_what_it_means(self, charley: Charley) -> None:
        (found,) = self.json(charley("match", "--json", stdin="my left calf is cramping\n"))
        assert found["intent"] == "cramp"
        assert found["slots"] == {"side": "left", "muscle": "calf"}
        assert found["text"] == "my left calf is cramping"
        assert list(found) == [
            "text", "intent", "slots", "score", "margin", "phrase", "rejected", "reason"
        ]  # fmt: skip

    def test_what_means_nothing_has_no_intent_and_a_reason(self, charley: Charley) -> None:
        found = self.json(charley("match", "--json", stdin="\nwhat a lovely day\n"))
        assert [line["intent"] for line in found] == [None, None]
        assert all(line["reason"] for line in found)

    def test_every_line_has_its_line(self, charley: Charley) -> None:
        hard = [b"", b"x" * 100_000, b"calf " * 20_000, b"\x00\x1b[2J\x07", b"\xff\xfe", b"st\rop"]
        hard += ["\u2028 stop \x85 stop \x0b".encode(), "Ich kann nicht mehr 🦵".encode()]
        found = self.json(charley("match", "--json", stdin=b"\n".join(hard) + b"\nstop"))
        assert len(found) == len(hard) + 1
        assert found[-1]["intent"] == "control_stop"

    def test_windows_line_ends_are_no_words(self, charley: Charley) -> None:
        found = self.json(charley("match", "--json", stdin=b"stop\r\n\r\n"))
        assert [line["text"] for line in found] == ["stop", ""]

    def test_a_state_decides_what_counts(self, charley: Charley) -> None:
        (idle,) = self.json(charley("match", "--json", "--state", "idle", stdin="next"))
        (busy,) = self.json(charley("match", "--json", "--state", "Checking", stdin="next"))
        assert idle["intent"] is None
        assert busy["intent"] == "control_next"

    def test_an_unknown_state_is_told_the_known_ones(self, charley: Charley) -> None:
        error = charley("match", "--state", "dancing").complains()
        assert all(state.value in error for state in State)

    def test_people_get_a_row(self, charley: Charley) -> None:
        done = charley("match", stdin="left calf cramp\nmoo\x1b[2J\n")
        assert re.match(r"cramp .*muscle=calf.* 100.0 .* left calf cramp", done.lines[0])
        assert done.lines[1].startswith("- ")
        assert "\x1b" not in done.out

    def test_answers_come_line_by_line(self) -> None:
        process = start("match", "--json")
        assert process.stdin
        assert process.stdout
        for _ in range(2):
            process.stdin.write(b"stop\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["intent"] == "control_stop"
        process.communicate()
        assert process.returncode == 0


TALK = "my left calf is cramping\nokay\n#4 how long\nstill a bit\ngone\n"


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

    def test_the_safety_note_is_told_once(self, charley: Charley) -> None:
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


@pytest.mark.skipif(os.name == "nt", reason="needs a pseudo-terminal")
class TestTerminal:
    """`charley type` in a terminal."""

    def shown(self, terminal: int, patience_seconds: float) -> bytes:
        """Return what is shown next; nothing if nothing is, or the command has ended."""
        ready, _, _ = select.select([terminal], [], [], patience_seconds)
        try:
            return os.read(terminal, 4096) if ready else b""
        except OSError:  # closed
            return b""

    def until_prompt(self, terminal: int) -> bytes:
        """Return what is shown until the prompt stands there and nothing more comes."""
        seen = self.shown(terminal, 20.0)
        while block := self.shown(terminal, 0.3 if b"> " in seen else 20.0):
            seen += block
        assert b"> " in seen, seen
        return seen

    def talk(self, lines: list[bytes], *args: str) -> tuple[int, str]:
        """Type lines into a terminal, each when the prompt is there; Ctrl-D at the end."""
        import pty

        ours, theirs = pty.openpty()
        env = os.environ | {"TERM": "xterm", "COLUMNS": "80", "LINES": "24"}
        process = start("type", "--no-first", *args, stdin=theirs, stdout=theirs, env=env)
        os.close(theirs)
        seen = b""
        for line in [*lines, b"\x04"]:
            seen += self.until_prompt(ours)
            os.write(ours, line)
            seen += b"|"
        while block := self.shown(ours, 20.0):
            seen += block
        os.close(ours)
        return process.wait(20), seen.decode()

    def test_what_is_typed_is_answered_above_the_prompt(self) -> None:
        code, seen = self.talk([b"my left calf is cramping\r"])
        assert code == 0
        assert "Stop running" in seen
        assert seen.index("You:") < seen.index("Stop running")

    def test_time_passes_at_once_if_asked(self) -> None:
        code, seen = self.talk([b"left calf cramp\r", b"\r", b"skip to the hold\r"], "--fast")
        assert code == 0
        assert "Bend your back knee" in seen

    def test_counts_grow_on_their_line(self) -> None:
        out = io.StringIO()
        transcript = LiveTranscript(out, WORDING)
        transcript.show(Caption(0.0, "say", "Hold."))
        for second, word in enumerate(("one", "two"), 1):
            transcript.show(Caption(second, "count", word))
        *_, last = out.getvalue().split("\x1b[1A")
        assert "One. Two." in last
        assert out.getvalue().count("\x1b[1A") == 1

    def test_counts_that_fill_the_line_begin_another(self) -> None:
        out = io.StringIO()
        transcript = LiveTranscript(out, WORDING)
        for second in range(1, 61):
            transcript.show(Caption(second, "count", "twenty seven"))
        assert 3 < 60 - out.getvalue().count("\x1b[1A") < 60


class TestTranscript:
    """A conversation on paper."""

    def test_a_tone_alone_has_its_line(self) -> None:
        out = io.StringIO()
        Transcript(out, WORDING).show(Caption(61.0, "chime", "quiet"))
        assert out.getvalue() == "  1:01  Charley: (a soft tone)\n"

    def test_times_are_minutes_and_seconds(self) -> None:
        assert [minutes_seconds(at) for at in (0.0, 59.9999999, 3661.0)] == [
            "0:00",
            "1:00",
            "61:01",
        ]

    def test_nothing_typed_can_upset_a_terminal(self) -> None:
        assert printable("a\x1b[2J\x07b\n") == "a [2J b"
        assert len(printable("x" * 10_000)) < 600


# --- Recordings ----------------------------------------------------------------------------------


class _Heard:
    """A recogniser that hears what it was told."""

    finals: tuple[tuple[str, float, float], ...] = ()

    def __init__(self, _model: object, phrases: tuple[str, ...], homophones: Homophones) -> None:
        assert phrases
        assert homophones.usual
        self._is_fresh = True

    def feed(self, _samples: object) -> list[Hypothesis]:
        fresh, self._is_fresh = self._is_fresh, False
        return [Hypothesis("my", (), False, 0.9)] if fresh else []

    def finish(self) -> list[Hypothesis]:
        return [
            Hypothesis(text, (Word(text, begin, end),), True, end)
            for text, begin, end in self.finals
        ]


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real speech model; its words are tones."""
    return tone_model.write_model(tmp_path_factory.mktemp("model") / "tones")


@pytest.fixture
def word(tmp_path: Path) -> str:
    path = tmp_path / "word.wav"
    audio_file.write(path, tone_model.speak("low - high"))
    return str(path)


class TestHear:
    """`charley hear`."""

    def hear(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, finals: object, *args: str
    ) -> Done:
        monkeypatch.setattr(catalogue, "find", lambda _name: Path("model"))
        knows_all = SimpleNamespace(knows=lambda _word: True)
        monkeypatch.setattr(vosk_recogniser, "SpeechModel", lambda _path: knows_all)
        monkeypatch.setattr(vosk_recogniser, "VoskRecogniser", _Heard)
        monkeypatch.setattr(_Heard, "finals", finals)
        return charley("hear", *args)

    def test_a_recording_has_times_and_a_meaning(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        finals = (("my left calf is cramping", 0.7, 1.5),)
        done = self.hear(charley, monkeypatch, finals, word, "--json")
        found = json.loads(done.out)
        assert done.code == 0
        assert found["file"] == word
        assert found["seconds"] == pytest.approx(1.25)
        assert found["hypotheses"] == [
            {"text": "my", "start": None, "end": 0.4, "final": False},
            {"text": "my left calf is cramping", "start": 0.2, "end": 1.0, "final": True},
        ]
        assert found["intent"] == "cramp"
        assert found["slots"] == {"side": "left", "muscle": "calf"}

    def test_the_strongest_of_several_utterances_counts(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        finals = (("my calf is cramping", 0.6, 0.7), ("my chest hurts", 0.8, 0.9), ("[unk]", 1, 1))
        done = self.hear(charley, monkeypatch, finals, word, "--json")
        assert json.loads(done.out)["intent"] == "redflag_chest_breathing"

    def test_silence_means_nothing_and_says_so(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        found = json.loads(self.hear(charley, monkeypatch, (), word, "--json").out)
        assert found["intent"] is None
        assert found["reason"] == "nothing was heard"

    def test_people_get_lines(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        done = self.hear(charley, monkeypatch, (("stop", 0.7, 1.0),), word, "--state", "holding")
        assert done.lines == [f"{word}  1.2 s  control_stop", "    0.20 to   0.50 s  stop"]

    @pytest.mark.model
    def test_a_broken_file_has_its_line_and_the_rest_go_on(
        self, charley: Charley, tones: Path, word: str, tmp_path: Path
    ) -> None:
        files = {"empty.wav": b"", "text.wav": b"no sound", "cut.wav": Path(word).read_bytes()[:-9]}
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        paths = [str(tmp_path / name) for name in (*files, "none.wav")] + [str(tmp_path), word]
        done = charley("hear", "--json", "--model", str(tones), *paths)
        found = [json.loads(line) for line in done.lines]
        assert done.code == 1
        assert done.err == ""
        assert [line["file"] for line in found] == paths
        assert ["error" in line for line in found] == [True] * 5 + [False]

    @pytest.mark.model
    @pytest.mark.parametrize(
        ("rate", "channels", "subtype"),
        [(8000, 1, "PCM_U8"), (48000, 2, "PCM_24"), (44100, 1, "FLOAT"), (16000, 1, "PCM_16")],
    )
    def test_any_format_is_heard(  # noqa: PLR0917
        self, charley: Charley, tones: Path, tmp_path: Path, rate: int, channels: int, subtype: str
    ) -> None:
        path = tmp_path / "sound.wav"
        soundfile.write(path, np.zeros((rate // 2, channels)), rate, subtype)
        done = charley("hear", str(path), "--json", "--model", str(tones))
        assert done.code == 0
        assert json.loads(done.out)["seconds"] == pytest.approx(0.5)

    def test_a_missing_model_is_one_sentence(
        self, charley: Charley, word: str, tmp_path: Path
    ) -> None:
        assert "model" in charley("hear", word, "--model", "nowhere").complains()
        assert "not usable" in charley("hear", word, "--model", str(tmp_path)).complains()


# --- Sound files and models ----------------------------------------------------------------------


class TestSound:
    """`charley say`, `render` and `devices`."""

    def test_say_writes_what_it_says(self, charley: Charley, tmp_path: Path) -> None:
        out = tmp_path / "toes.wav"
        assert charley("say", "Toes up.", "--out", str(out)).code == 0
        short = audio_file.read(out).seconds
        charley("say", "Toes up.", "--out", str(out), "--lead-in", "0.5")
        assert audio_file.read(out).seconds == pytest.approx(short + 0.5, abs=0.03)

    def test_volume_is_heard(self, charley: Charley, tmp_path: Path) -> None:
        out = tmp_path / "toes.wav"
        charley("say", "Toes up.", "--out", str(out))
        loud = np.abs(audio_file.read(out).samples).max()
        charley("say", "Toes up.", "--out", str(out), "--volume", "0.5")
        assert np.abs(audio_file.read(out).samples).max() == pytest.approx(loud / 2, rel=0.01)

    @pytest.mark.parametrize("text", ["", " ", "...", "\x00\x1b", "x" * 100_000])
    def test_what_cannot_be_said_is_one_sentence(
        self, charley: Charley, tmp_path: Path, text: str
    ) -> None:
        out = tmp_path / "x.wav"
        assert charley("say", text, "--out", str(out)).complains()
        assert not out.exists()

    @pytest.mark.parametrize("ending", [".wav", ".mp3", ".ogg", ".flac", ".MP3"])
    def test_a_routine_is_written_in_every_format(
        self, charley: Charley, tmp_path: Path, ending: str
    ) -> None:
        out = tmp_path / f"calf{ending}"
        done = charley("render", "calf", "--rounds", "1", "--hold", "5", "--out", str(out))
        assert done.code == 0, done.err
        assert re.fullmatch(rf"{re.escape(str(out))}: calf, 1 round, 0:\d\d\n", done.out)
        assert 30 < audio_file.read(out).seconds < 70

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (("render", "clf"), 'did you mean "calf"?'),
            (("render", "xylophone"), "there are abdominal, "),
            (("render", "calf", "--side", "lft"), 'did you mean "left"?'),
            (("render", "calf", "--position", "stnding"), 'did you mean "standing"?'),
            (("render", "both_calves", "--side", "left"), "both sides"),
            (("render", "calf", "--voice", "klingonish"), "no voice"),
            (("say", "hello", "--voice", "en-us+nobody"), "no voice"),
            (("render",), "give --all"),
            (("render", "calf", "--all"), "leave out the others"),
            (("render", "--all", "--format", "tape"), "there are wav, mp3, ogg, flac"),
            (("render", "stitch", "--position", "helper"), "standing"),
        ],
    )
    def test_what_is_unknown_is_one_sentence(
        self, charley: Charley, tmp_path: Path, args: tuple[str, ...], said: str
    ) -> None:
        assert said in charley(*args, "--out", str(tmp_path / "x.wav")).complains()

    @pytest.mark.parametrize("out", ["x.txt", "x", "no folder/x.wav", ".wav"])
    def test_a_file_that_cannot_be_written_is_one_sentence(
        self, charley: Charley, tmp_path: Path, out: str
    ) -> None:
        charley("render", "calf", "--out", str(tmp_path / out)).complains()
        charley("say", "hello", "--out", str(tmp_path / out)).complains()

    def test_the_whole_pack_is_written_once(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from assistant.exports import audio_pack

        some = audio_pack.pieces
        monkeypatch.setattr(audio_pack, "pieces", lambda *args: some(*args)[:2])
        args = ("render", "--all", "--rounds", "1", "--hold", "5", "--format", "ogg")
        out = tmp_path / "new" / "pack"
        first, again = (charley(*args, "--out", str(out)) for _ in range(2))
        assert first.code == again.code == 0, first.err
        assert "2 files" in first.out
        assert first.out.endswith("2 written, 0 up to date\n")
        assert again.out.endswith("0 written, 2 up to date\n")
        assert sorted(path.suffix for path in out.iterdir()) == [".m3u8", ".ogg", ".ogg", ".txt"]
        cover = (out / audio_pack.COVER).read_text(encoding="utf-8")
        assert "I'm a coach, not a doctor." in cover
        assert "{" not in cover

    def test_devices_are_listed_even_if_there_are_none(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from assistant.audio import devices

        usb = devices.DeviceInfo(3, "USB", 1, 0, 48000, default_input=True, default_output=False)
        monkeypatch.setattr(devices, "list_devices", lambda: [usb])
        done = charley("devices")
        assert done.lines[1] == "    3  USB, 48000 hertz (the system's choice)"
        assert done.lines[-1] == "  none; plug one in or switch it on"

    def test_voices_are_listed(self, charley: Charley) -> None:
        assert re.search(r"^  en-us ", charley("devices", "--voices").out, re.MULTILINE) or (
            "PortAudio" in charley("devices", "--voices").complains()
        )


class TestModels:
    """`charley models`."""

    def test_the_known_models_are_listed(self, charley: Charley) -> None:
        done = charley("models", "list")
        assert done.code == 0
        assert done.lines[0] == "charley-small-en"
        assert "vosk-model-small-en-us-0.15" in done.lines

    def test_a_model_has_a_path(self, charley: Charley, tones: Path) -> None:
        assert charley("models", "path", str(tones)).out == f"{tones}\n"

    @pytest.mark.parametrize("args", [("path", "nowhere"), ("get", "nowhere"), ("get", "../x")])
    def test_an_unknown_model_is_one_sentence(
        self, charley: Charley, args: tuple[str, ...]
    ) -> None:
        charley("models", *args).complains()

    def test_a_model_is_fetched_from_a_file(
        self, charley: Charley, tones: Path, tmp_path: Path
    ) -> None:
        import shutil

        archive = shutil.make_archive(str(tmp_path / "tones"), "zip", tones.parent, "tones")
        done = charley("models", "get", "tones", "--url", archive)
        assert done.code == 0, done.err
        assert (Path(done.out.strip()) / "am/final.mdl").is_file()
        assert "tones" in charley("models", "list").out


class TestProgress:
    """Bars for people who wait, and for nobody else."""

    @pytest.mark.parametrize("watched", [True, False])
    def test_slow_work_has_one_in_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, watched: bool
    ) -> None:
        screen = Screen(monkeypatch, is_terminal=watched)
        monkeypatch.setattr(render, "_SLOW_SECONDS", -1.0)
        with render._bar("Speaking") as progress:
            progress(0.5)
        assert ("Speaking" in screen.getvalue()) == watched

    @pytest.mark.parametrize("watched", [True, False])
    def test_a_download_has_one_in_a_terminal(
        self, monkeypatch: pytest.MonkeyPatch, watched: bool
    ) -> None:
        screen = Screen(monkeypatch, is_terminal=watched)
        with models._progress("model-en") as progress:
            if progress:
                progress(10, 100)
                progress(100, 100)
        assert ("model-en" in screen.getvalue()) == watched


class Screen(io.StringIO):
    """Standard error, seen by a person or not."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch, *, is_terminal: bool) -> None:
        super().__init__()
        self._is_terminal = is_terminal
        monkeypatch.setenv("TERM", "xterm")
        monkeypatch.setattr(sys, "stderr", self)

    def isatty(self) -> bool:
        return self._is_terminal


def has_model() -> bool:
    try:
        return bool(catalogue.find())
    except ModelError:
        return False


@pytest.mark.model
@pytest.mark.skipif(not has_model(), reason="there is no bundled speech model yet")
@pytest.mark.parametrize("voice", ["en-us", "en-gb-x-rp+f4"])
@pytest.mark.parametrize(
    ("text", "intent"), [("my left calf is cramping", "cramp"), ("stop", "control_stop")]
)
def test_what_charley_says_is_heard(
    charley: Charley, tmp_path: Path, voice: str, text: str, intent: str
) -> None:
    out = tmp_path / "said.wav"
    assert charley("say", text, "--voice", voice, "--out", str(out)).code == 0
    found = json.loads(charley("hear", "--json", str(out)).out)
    assert found["intent"] == intent
    assert found["hypotheses"][-1]["end"] <= found["seconds"]
