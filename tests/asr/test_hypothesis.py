"""Facts about what is heard, whichever recogniser heard it."""

import subprocess
import sys

import pytest

from assistant.asr.hypothesis import UNKNOWN, Hypothesis, is_unknown, known, readable, trimmed
from tests.support import ROOT


@pytest.mark.parametrize(
    ("text", "expected"),
    [("", False), ("stop", False), (UNKNOWN, True), (f"{UNKNOWN} {UNKNOWN}", True),
     (f"{UNKNOWN} stop", False)],
)  # fmt: skip
def test_only_unknown_words_are_unknown(text: str, expected: bool) -> None:
    assert is_unknown(text) is expected
    assert Hypothesis(text, (), True, 0.0).is_unknown is expected


def test_unknown_words_are_left_out_or_shown_as_an_ellipsis() -> None:
    text = f"{UNKNOWN} my {UNKNOWN} calf"
    assert known(text) == "my calf"
    assert readable(text) == Hypothesis(text, (), True, 0.0).readable == "... my ... calf"


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (f"{UNKNOWN} stop {UNKNOWN}", "stop"),
        (f"{UNKNOWN} {UNKNOWN} stop", f"{UNKNOWN} stop"),
        (f"my {UNKNOWN} calf", f"my {UNKNOWN} calf"),
        (UNKNOWN, UNKNOWN),
        ("", ""),
    ],
)
def test_one_unknown_word_is_trimmed_at_each_end(text: str, expected: str) -> None:
    assert trimmed(text) == expected


def test_it_needs_no_recogniser_and_no_arrays() -> None:
    code = (
        "import sys, assistant.asr.hypothesis\n"
        "print(sorted({'numpy', 'vosk', 'webrtcvad'} & set(sys.modules)))"
    )
    command = [sys.executable, "-c", code]
    done = subprocess.run(command, capture_output=True, text=True, check=True, cwd=ROOT, timeout=60)
    assert done.stdout == "[]\n"
