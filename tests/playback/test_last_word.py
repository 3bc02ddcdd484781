"""What is cut short at the end ends with a whole word."""

from __future__ import annotations

import numpy as np
import pytest

from assistant.audio.pcm import Pcm, silence
from assistant.dialogue.actions import Count, Hush, Say
from assistant.dialogue.hold import Hold
from assistant.playback.timeline import Timeline

RATE = 22050
NUMBERS = ("zero", "one", "two", "three", "four", "five")


class TestLastWord:
    """A farewell lets the word that sounds be said to its end."""

    def played(self, seconds: float, action: Say | Count) -> tuple[Timeline, list[int]]:
        """Play so long, hush after the word, and return where sound was from then on."""

        class Words:
            def render(self, text: str, pace: float = 1.0) -> Pcm:
                """Return 0.3 s of sound and 0.1 s of silence for each word."""
                word = np.full(round(0.3 * RATE / pace), 9000, np.int16)
                gap = silence(round(0.1 * RATE / pace), RATE).samples
                return Pcm(np.concatenate([word, gap] * len(text.split())), RATE)

        timeline = Timeline(Words(), RATE)
        timeline.perform(action)
        timeline.read(round(seconds * RATE))
        timeline.perform(Hush(after_word=True))
        return timeline, np.flatnonzero(timeline.read(3 * RATE)).tolist()

    def test_a_count_is_said_whole_and_nothing_after_it(self) -> None:
        timeline, loud = self.played(3.1, Count(Hold(5), NUMBERS))
        assert max(loud) == pytest.approx(0.2 * RATE, abs=0.02 * RATE)
        assert timeline.take_finished() == []
        assert timeline.is_idle

    def test_between_two_counts_nothing_is_said(self) -> None:
        assert self.played(3.6, Count(Hold(5), NUMBERS))[1] == []

    def test_a_line_ends_in_the_gap_behind_its_word(self) -> None:
        _, loud = self.played(0.5, Say("key", "abcd abcd abcd abcd"))
        assert max(loud) == pytest.approx(0.2 * RATE, abs=0.03 * RATE)
