"""The commands as people and programs use them: words in, words out, exit codes, one sentence."""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from assistant.cli import options
from tests.support import ROOT
from tests.support.commands import Charley, start

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

    @pytest.mark.skipif(sys.platform == "win32", reason="needs the signals of POSIX")
    @pytest.mark.parametrize("module", ["typer", "assistant.settings", "assistant.cli.journal"])
    @pytest.mark.parametrize("heeded", [True, False])
    def test_ctrl_c_while_modules_are_loaded_ends_it_without_a_traceback(
        self, module: str, heeded: bool
    ) -> None:
        code = f"""
import os, runpy, signal, sys
signal.signal(signal.SIGINT, signal.default_int_handler if {heeded} else signal.SIG_IGN)
class Interrupting:
    def find_spec(self, name, path=None, target=None):
        if name == {module!r}:
            os.kill(os.getpid(), signal.SIGINT)
sys.meta_path.insert(0, Interrupting())
sys.argv = ["charley", "--version"]
runpy.run_module("assistant", run_name="__main__")
"""
        done = subprocess.run(
            [sys.executable, "-c", code], cwd=ROOT, capture_output=True, text=True, check=False
        )
        assert done.stderr == ""
        assert done.returncode == (-signal.SIGINT if heeded else 0)

    def test_an_error_cannot_upset_a_terminal(self, charley: Charley, tmp_path: Path) -> None:
        path = tmp_path / "mine.toml"
        path.write_text('"\\u001b[2Jvolum\\u202ee" = 1\n')
        error = charley("type", "--settings", str(path)).complains()
        assert error.removesuffix("\n").isprintable()

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
