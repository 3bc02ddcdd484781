"""What is typed is answered above the prompt, in a real terminal."""

import io
import os
import select

import pytest

from assistant.content.ui_text import load as load_wording
from assistant.frontends.terminal.transcript import LiveTranscript
from assistant.playback.captions import Caption
from tests.support import ROOT
from tests.support.commands import start

WORDING = load_wording(ROOT / "intents/en/pages.yaml")


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
