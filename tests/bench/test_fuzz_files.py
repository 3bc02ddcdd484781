"""Whatever is in a file, it is read or refused in a sentence; some hundred hostile ones of each."""

from pathlib import Path

import pytest

from tests.support.fuzzing_files import KINDS, case, read

CASES = {"journal": 300, "settings": 500, "language": 40, "sound": 500, "entry": 500}


@pytest.mark.parametrize("kind", KINDS)
def test_a_hostile_file_is_read_or_refused_in_a_sentence(kind: str, tmp_path: Path) -> None:
    refused = sum(read(kind, case(kind, 0, number), tmp_path) for number in range(CASES[kind]))
    assert refused <= CASES[kind]


@pytest.mark.parametrize("kind", KINDS)
def test_a_case_is_the_same_each_time(kind: str) -> None:
    assert case(kind, 3, 7) == case(kind, 3, 7) != case(kind, 3, 8)
