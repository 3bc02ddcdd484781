"""Sound whose phones are known stays so when a pause or a stutter is put into it."""

import numpy as np
import pytest

from models.training.data.labelled_sound import SHIFT, LabelledSound

# Frames of "my chest": each phone has a loudness of its own, so that it is known again.
PHONES = [("SIL", 0, 20), ("M", 20, 8), ("AY", 28, 12), ("CH", 40, 15), ("EH", 55, 9)]
LOUDNESS = {"SIL": 0.001, "M": 0.1, "AY": 0.2, "CH": 0.3, "EH": 0.4}


def said() -> LabelledSound:
    parts = [np.full(length * SHIFT, LOUDNESS[name]) for name, _, length in PHONES]
    return LabelledSound(np.concatenate(parts).astype(np.float32), PHONES, [20, 40])


@pytest.mark.parametrize("seed", range(40))
def test_every_phone_lies_where_its_sound_is(seed: int) -> None:
    halting = said().halting(np.random.default_rng(seed))
    end = 0
    for name, start, length in halting.phones:
        assert start == end
        piece = halting.samples[start * SHIFT : (start + length) * SHIFT]
        assert piece == pytest.approx(LOUDNESS[name])
        end = start + length
    assert end * SHIFT == len(halting.samples)


def test_a_word_is_begun_twice_in_some() -> None:
    rows = [said().halting(np.random.default_rng(seed)).phones for seed in range(40)]
    begun = [sum(name == "CH" for name, _, _ in row) for row in rows]
    assert set(begun) == {1, 2}


def test_words_move_with_the_pause() -> None:
    halting = said().halting(np.random.default_rng(1))
    starts = {start: name for name, start, _ in halting.phones}
    assert [starts[word] for word in halting.words] == ["M", "CH"]


def test_one_word_has_no_place_for_a_pause() -> None:
    alone = LabelledSound(np.zeros(10 * SHIFT, dtype=np.float32), [("AY", 0, 10)], [0])
    assert alone.halting(np.random.default_rng(1)) is alone
