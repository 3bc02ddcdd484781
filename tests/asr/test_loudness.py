"""How loud it was lately, and whether people talked behind."""

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.asr.hypothesis import RATE
from assistant.asr.loudness import FRAME_SAMPLES, Loudness, decibels, loudest, smoothed
from assistant.audio.pcm import Samples


def hiss(seconds: float, level: float) -> Samples:
    noise = np.random.default_rng(1).normal(0, level, round(seconds * RATE))
    return np.asarray(noise, np.int16)


def heard(*parts: tuple[float, float, bool]) -> Loudness:
    """Return what (seconds, level, has words) one after the other leave."""
    loudness = Loudness()
    for seconds, level, has_words in parts:
        loudness.add(hiss(seconds, level))
        loudness.note(has_words=has_words)
    return loudness


@given(st.lists(st.integers(1, 5000), min_size=1, max_size=20))
def test_the_size_of_the_blocks_changes_nothing(sizes: list[int]) -> None:
    whole = hiss(sum(sizes) / RATE, 1000)
    at_once, by_blocks = Loudness(), Loudness()
    at_once.add(whole)
    for start, size in zip(np.cumsum([0, *sizes]), sizes, strict=False):
        by_blocks.add(whole[start : start + size])
    frames = len(whole) // FRAME_SAMPLES
    assert at_once.frames == by_blocks.frames == frames
    assert np.array_equal(at_once.powers(0, frames), by_blocks.powers(0, frames))
    assert np.array_equal(at_once.sound(0, frames), whole[: frames * FRAME_SAMPLES])


def test_half_a_minute_is_kept_and_at_most_twice_that() -> None:
    loudness = Loudness()
    for second in range(100):
        loudness.add(np.full(RATE, second, np.int16))
    assert np.array_equal(loudness.sound(7000, 10000)[::RATE], np.arange(70, 100))
    assert len(loudness.powers(0, 10000)) <= 6000
    assert len(loudness.sound(0, 10000)) <= 60 * RATE


def test_what_goes_on_all_the_time_is_around_and_a_word_is_not() -> None:
    loudness = heard((6, 300, False), (0.5, 8000, False), (1, 300, False))
    assert decibels(loudness.around(), 300**2) == pytest.approx(0, abs=0.5)


def test_nothing_is_around_before_enough_was_heard() -> None:
    assert heard((2, 300, False)).around() == 0.0


def test_words_where_nobody_stands_out_are_talk_behind() -> None:
    rain = heard((6, 300, False), (1, 8000, True), (3, 300, False))
    crowd = heard((2, 300, True), (1, 300, False), (3, 300, True), (1, 8000, True), (3, 300, True))
    assert rain.talk_behind() == 0.0
    assert crowd.talk_behind() > 0.7


def test_the_time_in_which_the_end_of_an_utterance_is_awaited_is_no_talk() -> None:
    assert heard((4, 300, False), (1, 8000, True), (0.5, 300, True)).talk_behind() == 0.0


def test_a_slam_is_not_loud_for_as_long_as_a_word() -> None:
    assert loudest(np.array([9.0] * 14 + [1.0] * 50)) == 1.0
    assert loudest(np.array([9.0] * 15 + [1.0] * 50)) == 9.0
    assert loudest(np.ones(3)) == 0.0


def test_the_running_mean_is_as_long_as_what_it_is_of() -> None:
    assert np.allclose(smoothed(np.ones(50), 20)[10:-10], 1.0)
    assert list(smoothed(np.array([1.0, 3.0]), 20)) == [2.0, 2.0]
    assert len(smoothed(np.zeros(0), 20)) == 0
