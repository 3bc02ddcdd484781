"""Earcons are soft, short and different from one another."""

import numpy as np
import pytest

from assistant.chimes import CHIMES, chime


@pytest.mark.parametrize("name", CHIMES)
def test_a_chime_is_soft_and_starts_and_ends_in_silence(name: str) -> None:
    sound = chime(name).samples.astype(int)
    assert 1000 < np.abs(sound).max() < 10_000
    assert sound[0] == sound[-1] == 0
    assert len(sound) < 22050 * 0.6


def test_no_two_are_alike() -> None:
    assert len({chime(name).samples.tobytes() for name in CHIMES}) == len(CHIMES)
