"""Several workers share the tests so that no fixture is made twice and nobody waits for sound."""

import pytest

from tests.support import ROOT
from tests.support.sharing import ALONE, scope


@pytest.mark.parametrize(
    ("nodeid", "whole"),
    [
        ("tests/nlu/test_cache.py::TestReading::test_it_is_read", "tests/nlu/test_cache.py"),
        ("tests/nlu/test_cache.py::test_it_is_read[a::b]", "tests/nlu/test_cache.py"),
        (
            f"{ALONE}test_faults.py::test_a_signal[INT]",
            f"{ALONE}test_faults.py::test_a_signal[INT]",
        ),
        (f"{ALONE}test_buttons.py::TestRun::test_keys", f"{ALONE}test_buttons.py::TestRun"),
    ],
)
def test_a_file_goes_to_one_worker_and_what_waits_for_sound_to_any(nodeid: str, whole: str) -> None:
    assert scope(nodeid) == whole


def test_all_that_needs_a_sound_server_is_in_end_to_end() -> None:
    marked = [
        p for p in (ROOT / "tests").rglob("test_*.py") if "mark.sound" in p.read_text("utf-8")
    ]
    names = {path.relative_to(ROOT).as_posix() for path in marked}
    assert {name for name in names if not name.startswith(ALONE)} == {
        "tests/architecture/test_sharing.py"
    }
