"""A conversation as text, one line for each thing said."""

import io

from assistant.content.ui_text import load as load_wording
from assistant.content.ui_text import minutes_seconds
from assistant.frontends.terminal.transcript import Transcript, printable
from assistant.playback.captions import Caption
from tests.support import ROOT

WORDING = load_wording(ROOT / "intents/en/pages.yaml")


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
