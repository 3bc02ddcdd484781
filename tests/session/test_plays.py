"""Whole conversations as golden plays, in every language that has some.

The user's lines are read from them, the rest is compared. To accept a change:
CHARLEY_GOLDEN=write pytest tests/session/test_plays.py, and read the diff.
"""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from tests.support.languages import language
from tests.support.plays import FOLDERS, performed, plays, written

PLAYS = [
    pytest.param(name, path, id=f"{name}-{path.stem}") for name in FOLDERS for path in plays(name)
]


@pytest.mark.parametrize(("name", "path"), PLAYS)
def test_the_play_goes_as_written(name: str, path: Path) -> None:
    spoken = language(name)
    played = performed(written(path), spoken.pack, spoken.matcher)
    if os.environ.get("CHARLEY_GOLDEN") == "write":
        path.write_text("\n".join(played) + "\n", encoding="utf-8")
    assert played == written(path)
