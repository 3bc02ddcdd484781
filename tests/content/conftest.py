"""Every language in turn, and one that is no more than a folder somewhere else."""

from __future__ import annotations

import pytest

from tests.support import languages
from tests.support.languages import ADDED, LANGUAGES, Language


@pytest.fixture(scope="session", params=[*LANGUAGES, ADDED])
def spoken(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Language:
    """Return a language; the tests that take it are those that every language must pass."""
    if request.param == ADDED:
        return languages.added(tmp_path_factory.mktemp("added"))
    return languages.language(request.param)
