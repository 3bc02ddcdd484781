"""A voice that fails is ticks and captions until it speaks again."""

from __future__ import annotations

import numpy as np

from assistant.audio.pcm import Pcm
from assistant.dialogue.actions import Count
from assistant.dialogue.hold import Hold
from assistant.errors import SynthesiserError
from assistant.playback.timeline import Timeline
from assistant.tts.fallback import FallbackVoice

RATE = 22050
NUMBERS = ("zero", "one", "two", "three", "four", "five")


class Frail:
    """A voice that can be broken."""

    def __init__(self) -> None:
        self.is_broken = False

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        """Return a steady sound, or fail."""
        if self.is_broken:
            raise SynthesiserError("broken")
        return Pcm(np.full(round(4000 / pace) + len(text), 9000, np.int16), RATE)


class TestFallbackVoice:
    """What cannot be spoken keeps its place on the timeline."""

    def spare(self) -> tuple[FallbackVoice, Frail, list[str]]:
        """Return a fallback voice, the voice behind it, and the reports."""
        frail, told = Frail(), list[str]()
        return FallbackVoice(frail, "It broke.", lambda: told.append("failed")), frail, told

    def test_a_working_voice_is_as_it_was(self) -> None:
        voice, frail, told = self.spare()
        assert voice.render("hello", 1.2) == frail.render("hello", 1.2)
        assert told == []

    def test_a_failure_is_reported_once_and_announced_in_the_previous_voice(self) -> None:
        voice, frail, told = self.spare()
        voice.prepare(["It broke."])
        notice = voice.render("It broke.")
        frail.is_broken = True
        first, second = voice.render("one two three four"), voice.render("one two three four")
        assert told == ["failed"]
        assert len(first) == len(second) + len(notice)
        assert 1.0 < second.seconds < 3.0

    def test_what_was_prepared_is_spoken_all_the_same(self) -> None:
        voice, frail, _ = self.spare()
        voice.prepare(["five"])
        spoken = voice.render("five")
        frail.is_broken = True
        assert voice.render("five") == spoken

    def test_it_comes_back(self) -> None:
        voice, frail, told = self.spare()
        frail.is_broken = True
        voice.render("hello")
        assert not voice.try_again()
        frail.is_broken = False
        assert voice.try_again()
        assert not voice.has_failed
        frail.is_broken = True
        voice.render("hello again")
        assert told == ["failed", "failed"]

    def test_a_hold_is_ticked_on_its_seconds(self) -> None:
        voice, frail, _ = self.spare()
        frail.is_broken = True
        voice.render("it is broken already")
        timeline = Timeline(voice, RATE)
        timeline.perform(Count(Hold(5), NUMBERS))
        timeline.read(7 * RATE)
        begun = timeline.take_begun()
        assert [word.text for word in begun] == list(NUMBERS[1:])
        assert [word.at_samples for word in begun] == [n * RATE for n in range(1, 6)]
