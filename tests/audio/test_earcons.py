"""Earcons are soft, short, and distinguished by their notes: how many, how high, up or down."""

from itertools import combinations, pairwise

import numpy as np
import pytest

from assistant.audio.earcons import CHIMES, chime

NOTES = {"heard": [880], "missed": [392], "quiet": [587, 440], "end": [659, 880], "tick": [1319]}
"""Hertz; "quiet" falls, "end" rises."""


@pytest.mark.parametrize("name", CHIMES)
def test_a_chime_is_soft_and_starts_and_ends_in_silence(name: str) -> None:
    sound = chime(name).samples.astype(int)
    assert 1000 < np.abs(sound).max() < 10_000
    assert sound[0] == sound[-1] == 0
    assert len(sound) < 22050 * 0.6


def pitches(name: str) -> list[int]:
    """Return the loudest frequencies of a chime, one for each onset, in hertz."""
    pcm = chime(name)
    size = pcm.rate // 200
    frames = pcm.samples[: len(pcm.samples) // size * size].reshape(-1, size).astype(float)
    power = np.mean(frames**2, axis=1)
    rises = [0, *(n for n, (a, b) in enumerate(pairwise(power), 1) if n > 4 and b > 1.5 * a)]
    onsets = [n for n, before in zip(rises, [-9, *rises], strict=False) if n > before + 4]
    found = []
    for onset in onsets:
        piece = pcm.samples[onset * size + 2 * size :][: 24 * size].astype(float)
        spectrum = np.abs(np.fft.rfft(piece * np.hanning(len(piece)), 1 << 16))
        found.append(round(int(np.argmax(spectrum)) * pcm.rate / (1 << 16)))
    return found


@pytest.mark.parametrize("name", CHIMES)
def test_its_notes_are_what_they_should_be(name: str) -> None:
    assert pitches(name) == pytest.approx(NOTES[name], rel=0.03)


def test_any_two_differ_in_the_number_of_notes_or_by_five_semitones() -> None:
    for one, other in combinations(NOTES.values(), 2):
        apart = abs(12 * np.log2(one[0] / other[0]))
        assert (
            len(one) != len(other) or apart > 5 or np.sign(np.diff(one)) != np.sign(np.diff(other))
        )
