"""How the workers of pytest-xdist share the tests."""

from __future__ import annotations

from itertools import groupby, zip_longest

import pytest
from xdist.scheduler import LoadScopeScheduling

ALONE = "tests/end_to_end/"
"""Whose tests share nothing and wait for real time to pass."""


def scope(nodeid: str) -> str:
    """Return what goes to one worker as a whole: a file, for its fixtures; of ALONE a class."""
    file, name = nodeid.split("::")[:2]
    return f"{file}::{name}" if file.startswith(ALONE) else file


def mixed(items: list[pytest.Item]) -> list[pytest.Item]:
    """Return tests that wait and tests that compute by turns, so that both go on at once."""
    groups = [list(group) for _, group in groupby(items, key=lambda item: scope(item.nodeid))]
    waiting = [group for group in groups if group[0].nodeid.startswith(ALONE)]
    computing = [group for group in groups if not group[0].nodeid.startswith(ALONE)]
    nothing: list[pytest.Item] = []
    pairs = zip_longest(waiting, computing, fillvalue=nothing)
    return [item for pair in pairs for group in pair for item in group]


class Sharing(LoadScopeScheduling):  # type: ignore[misc]
    """Gives each scope to the next worker that is free."""

    def _split_scope(self, nodeid: str) -> str:
        return scope(nodeid)
