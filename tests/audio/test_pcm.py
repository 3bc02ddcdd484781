"""Facts about sound in memory."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.audio.pcm import Pcm, blocks, concatenate
from tests.support.tones import tone


@given(st.integers(1, 500), st.integers(1, 700))
def test_blocks_together_are_the_sound(length: int, size: int) -> None:
    sound = Pcm(np.arange(length, dtype=np.int16), 8000)
    parts = list(blocks(sound, size))
    assert concatenate(parts) == sound
    assert all(len(part) == size for part in parts[:-1])


def test_parts_of_two_rates_do_not_join() -> None:
    with pytest.raises(ValueError, match="one rate"):
        concatenate([tone(), tone(rate=8000)])


def test_only_flat_int16_is_pcm() -> None:
    with pytest.raises(TypeError):
        Pcm(np.zeros(3), 16000)  # type: ignore[arg-type]
