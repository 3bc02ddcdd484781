"""What the tests of the server share: the model and the voice, loaded once, and threads."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import pytest

from assistant.session.shared import SharedParts
from assistant.settings import Settings


@pytest.fixture(scope="package")
def parts() -> SharedParts:
    made = SharedParts(Settings(), lambda _sentence: None)
    made.note_told()
    return made


@pytest.fixture
def threads() -> Iterator[ThreadPoolExecutor]:
    with ThreadPoolExecutor(2) as pool:
        yield pool
