"""Facts about the timeline: what is heard, to the sample, and when it ends."""

from dataclasses import dataclass, field

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from assistant.audio.earcons import CHIMES, chime
from assistant.audio.pcm import FULL_SCALE, Pcm, Samples
from assistant.dialogue.actions import (
    Action,
    Chime,
    Count,
    Hush,
    Interject,
    Listen,
    Say,
    SetVoice,
    SetVolume,
    Wait,
)
from assistant.dialogue.hold import CountStyle, Hold
from assistant.playback.clip_queue import BREATH_SECONDS
from assistant.playback.count_track import render_hold
from assistant.playback.mixing import FADE_SECONDS
from assistant.playback.play_log import Begun, Finished
from assistant.playback.timeline import Timeline
from assistant.tts.cache import SPEECH_PEAK
from tests.support.examples import examples

RATE = 1000
"""Hertz: one sample a millisecond keeps the numbers readable."""
FADE = round(FADE_SECONDS * RATE)
BREATH = round(BREATH_SECONDS * RATE)
NUMBERS = (
    *("zero", "one", "two", "three", "four", "five", "six"),
    *("seven", "eight", "nine", "ten", "eleven", "twelve"),
)
LOUD = 8000


@dataclass
class Beeper:
    """A voice that holds one level for 100 ms a letter-free word, or as long as it is set to."""

    word_samples: int = 300
    lengths: dict[str, int] = field(default_factory=dict)
    asked: list[tuple[str, float]] = field(default_factory=list)

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        self.asked.append((text, pace))
        length = self.lengths.get(text, self.word_samples * len(text.split()))
        return Pcm(np.full(round(length / pace), LOUD, np.int16), RATE)


def timeline(voice: Beeper | None = None, lead_in_seconds: float = 0.0) -> Timeline:
    return Timeline(voice or Beeper(), RATE, lead_in_seconds)


def play(made: Timeline, *steps: Action | int) -> Samples:
    """Perform actions and read milliseconds, in order; return all that was read."""
    parts = [np.zeros(0, np.int16)]
    for step in steps:
        if isinstance(step, int):
            parts.append(made.read(step))
        else:
            made.perform(step)
    return np.concatenate(parts)


def onsets(sound: Samples, gap: int = 20) -> list[int]:
    """Return where sound begins after at least `gap` samples of silence."""
    loud = np.flatnonzero(sound)
    return [
        int(at) for at, before in zip(loud, [-gap - 1, *loud], strict=False) if at - before > gap
    ]


def say(words: str = "hello", pace: float = 1.0) -> Say:
    return Say("greeting", words, pace)


def count(seconds: int = 10, **details: object) -> Count:
    return Count(Hold(seconds, **details), NUMBERS)  # type: ignore[arg-type]


class TestSpeaking:
    """Lines follow one another, and their end is reported exactly."""

    def test_a_line_starts_with_the_next_sample(self) -> None:
        assert onsets(play(timeline(), 50, say(), 400)) == [50]

    def test_lines_and_waits_are_played_one_after_the_other(self) -> None:
        sound = play(timeline(), say(), Wait(0.5), say(), 1200)
        assert onsets(sound) == [0, 800]

    def test_the_end_is_reported_once_with_its_place(self) -> None:
        made = timeline()
        play(made, 50, say(), 200)
        assert made.take_finished() == []
        play(made, 800)
        assert made.take_finished() == [Finished("speech", 350)]
        assert made.take_finished() == []

    def test_the_end_comes_when_the_last_line_is_over(self) -> None:
        made = timeline()
        play(made, say(), say("one more"), 2000)
        assert made.take_finished() == [Finished("speech", 300 + BREATH + 600)]

    def test_there_is_a_breath_between_two_lines(self) -> None:
        assert onsets(play(timeline(), say(), say(), count(1), 4000))[:3] == [0, 600, 1900]

    def test_a_slower_pace_is_asked_of_the_voice(self) -> None:
        voice = Beeper()
        play(timeline(voice), say(pace=0.8), 1)
        assert voice.asked == [("hello", 0.8)]

    def test_what_is_not_about_sound_does_nothing(self) -> None:
        made = timeline()
        assert not play(made, Listen(frozenset({"idle"})), 100).any()
        assert made.is_idle

    def test_nothing_is_rendered_while_reading(self) -> None:
        voice = Beeper()
        made = timeline(voice)
        play(made, say(), count())
        rendered = len(voice.asked)
        play(made, 15_000)
        assert len(voice.asked) == rendered

    def test_a_line_in_another_rate_is_resampled(self) -> None:
        made = Timeline(Beeper(), 2 * RATE)
        play(made, say(), 2000)
        assert made.take_finished() == [Finished("speech", 600)]


class TestLeadIn:
    """Silence first, for a Bluetooth output that has fallen asleep."""

    def test_it_comes_before_the_first_line(self) -> None:
        assert onsets(play(timeline(lead_in_seconds=0.5), say(), 1000)) == [500]

    def test_it_is_left_out_while_the_output_is_awake(self) -> None:
        made = timeline(lead_in_seconds=0.5)
        assert onsets(play(made, say(), 800, 900, say(), 600)) == [500, 1700]

    def test_it_comes_again_after_a_second_of_nothing(self) -> None:
        made = timeline(lead_in_seconds=0.5)
        assert onsets(play(made, say(), 800, 1000, say(), 1000)) == [500, 2300]


class TestCounting:
    """Counts begin on their whole second and the last one is the hold's end."""

    def test_each_count_begins_on_its_second(self) -> None:
        sound = play(timeline(), 123, count(10), 12_000)
        assert onsets(sound)[:10] == [123 + 1000 * second for second in range(1, 11)]

    def test_the_hold_ends_when_its_last_count_begins(self) -> None:
        made = timeline()
        play(made, 123, count(10), 12_000)
        hold, speech = made.take_finished()
        assert hold == Finished("hold", 10_123)
        assert speech.kind == "speech"
        assert speech.at_samples > 10_123 + 300

    def test_the_end_is_reported_with_the_sample_that_is_the_count(self) -> None:
        made = timeline()
        play(made, count(3), 3000)
        assert made.take_finished() == []
        play(made, 1)
        assert made.take_finished() == [Finished("hold", 3000)]

    def test_the_end_chime_follows_the_last_word(self) -> None:
        sound = play(timeline(), count(3), 6000)
        assert onsets(sound)[2] == 3000
        assert 3300 < onsets(sound)[3] < 3500

    def test_down_and_up_say_other_words_at_the_same_times(self) -> None:
        up, down = Beeper(), Beeper()
        one = play(timeline(up), count(3), 4000)
        other = play(timeline(down), count(3, style=CountStyle.DOWN), 4000)
        assert np.array_equal(one, other)
        assert [text for text, _ in up.asked] == ["one", "two", "three"]
        assert [text for text, _ in down.asked] == ["three", "two", "one"]

    def test_a_hold_that_goes_on_says_only_what_is_left(self) -> None:
        voice = Beeper()
        made = timeline(voice)
        sound = play(made, count(10, start_count=7), 5000)
        assert [text for text, _ in voice.asked] == ["eight", "nine", "ten"]
        assert onsets(sound)[:3] == [1000, 2000, 3000]

    def test_a_slower_beat(self) -> None:
        assert onsets(play(timeline(), count(3, beat=1.5), 5000))[:3] == [1500, 3000, 4500]

    def test_nothing_to_count_ends_at_once(self) -> None:
        made = timeline()
        play(made, 10, count(10, start_count=10), 2000)
        assert made.take_finished()[0] == Finished("hold", 10)

    def test_a_long_number_is_spoken_faster_until_it_fits(self) -> None:
        voice = Beeper(lengths={"eleven": 1200})
        sound = play(timeline(voice), count(12, start_count=10), 3000)
        assert onsets(sound)[:2] == [1000, 2000]
        assert ("eleven", 1.3) in voice.asked

    def test_a_number_that_never_fits_is_cut(self) -> None:
        voice = Beeper(lengths={"one": 5000})
        assert onsets(play(timeline(voice), count(2), 3000))[:2] == [1000, 2000]

    def test_the_file_renderer_gives_the_same_samples(self) -> None:
        filed = render_hold(Hold(10), NUMBERS, Beeper(), RATE)
        assert np.array_equal(filed.samples, play(timeline(), count(10), len(filed)))


class TestPosition:
    """Questions about a hold are questions about the timeline."""

    def test_there_is_no_position_outside_a_hold(self) -> None:
        made = timeline()
        assert made.hold_position_seconds is None
        play(made, say(), count(3))
        assert made.hold_position_seconds is None

    def test_the_position_counts_from_the_first_sample(self) -> None:
        made = timeline()
        play(made, say(), count(3), 300)
        assert made.hold_position_seconds == 0.0
        play(made, 2500)
        assert made.hold_position_seconds == 2.5
        assert made.hold == Hold(3)
        assert made.hold is not None
        assert made.hold.counts_left(made.hold_position_seconds) == 1

    def test_it_ends_with_the_last_count(self) -> None:
        made = timeline()
        play(made, count(3), 3000)
        assert made.hold_position_seconds is None
        assert not made.is_idle


class TestHush:
    """Silence at once, without a click."""

    def test_the_sound_dies_away_in_a_few_milliseconds(self) -> None:
        sound = play(timeline(), say(), 100, Hush(), 100)
        fall = sound[100 : 100 + FADE].astype(int)
        assert (np.diff(fall) < 0).all()
        assert fall[0] <= LOUD
        assert not sound[100 + FADE :].any()

    @pytest.mark.parametrize("at", range(5, 300, 37))
    def test_no_step_in_a_cut_is_larger_than_the_voice_makes_itself(self, at: int) -> None:
        """A click is a step. The fade adds at most one part in its length of the loudness."""
        rate = 22050
        wave = 12000 * np.sin(np.arange(rate) * 2 * np.pi * 180 / rate)

        class Humming:
            def render(self, text: str, pace: float = 1.0) -> Pcm:  # noqa: ARG002
                return Pcm(wave.astype(np.int16), rate)

        sound = play(Timeline(Humming(), rate), say(), 22 * at, Hush(), 1000)
        steepest = np.abs(np.diff(wave)).max()
        step = np.abs(np.diff(sound.astype(float)))[10:].max()
        assert step < steepest + 12000 / round(FADE_SECONDS * rate) + 2

    def test_all_that_was_queued_is_forgotten(self) -> None:
        made = timeline()
        assert onsets(play(made, say(), count(), say(), 100, Hush(), 20_000)) == [0]
        assert made.is_idle
        assert made.take_finished() == []

    def test_the_next_line_follows_the_fade(self) -> None:
        sound = play(timeline(), say(), 100, Hush(), say(), 400)
        assert sound[100 + FADE - 1] < LOUD
        assert (sound[100 + FADE : 400 + FADE] == LOUD).all()

    def test_a_hold_that_is_hushed_does_not_finish(self) -> None:
        made = timeline()
        play(made, count(3), 2900, Hush(), 5000)
        assert made.take_finished() == []
        assert made.hold_position_seconds is None


class TestInterjecting:
    """An answer is laid between two counts; the end never moves."""

    @staticmethod
    def heard(asked_at: int, answer_samples: int, seconds: int = 5) -> list[int]:
        voice = Beeper(lengths={"six more": answer_samples})
        made = timeline(voice)
        sound = play(made, count(seconds), asked_at, Interject("left", "six more"), 8000)
        assert made.take_finished()[0] == Finished("hold", 1000 * seconds)
        return [at for at in onsets(sound, gap=25) if at <= 1000 * seconds]

    def test_it_fits_into_the_gap(self) -> None:
        assert self.heard(1400, 400) == [1000, 1405, 2000, 3000, 4000, 5000]

    def test_it_waits_for_the_word_that_is_spoken(self) -> None:
        assert self.heard(1100, 400) == [1000, 1330, 2000, 3000, 4000, 5000]

    def test_it_is_spoken_faster_if_that_makes_it_fit(self) -> None:
        assert self.heard(1400, 700) == [1000, 1405, 2000, 3000, 4000, 5000]

    def test_if_it_does_not_fit_it_takes_the_place_of_the_next_count(self) -> None:
        assert self.heard(1800, 700) == [1000, 1805, 3000, 4000, 5000]

    def test_it_never_takes_the_place_of_the_last_count(self) -> None:
        assert self.heard(4900, 700) == [1000, 2000, 3000, 4000, 5000]

    def test_two_answers_do_not_overlap(self) -> None:
        voice = Beeper(lengths={"six more": 300})
        made = timeline(voice)
        asked = Interject("left", "six more")
        sound = play(made, count(5), 1400, asked, asked, 8000)
        assert onsets(sound, gap=25)[:3] == [1000, 1405, 1735]
        assert 3000 in onsets(sound, gap=25)

    def test_outside_a_hold_it_is_a_line_like_any_other(self) -> None:
        assert onsets(play(timeline(), 50, Interject("left", "none"), 1000)) == [50]

    def test_before_a_hold_it_comes_next(self) -> None:
        made = timeline()
        sound = play(made, say(), count(3), 100, Interject("left", "three more"), 8000)
        assert made.take_finished()[0] == Finished("hold", 300 + 600 + 3000)
        assert onsets(sound)[:2] == [0, 1900]


class TestVolume:
    """Loudness changes for all that follows, without a click."""

    def test_half_is_half(self) -> None:
        assert (play(timeline(), SetVolume(0.5), FADE, say(), 300)[FADE:] == LOUD / 2).all()

    def test_a_change_is_a_ramp(self) -> None:
        sound = play(timeline(), say(), 100, SetVolume(0.0), 200)
        assert np.abs(np.diff(sound[95:110].astype(int))).max() <= LOUD / FADE + 1
        assert not sound[100 + FADE :].any()

    @pytest.mark.parametrize(("wanted", "heard"), [(-1.0, 0), (7.0, LOUD)])
    def test_it_stays_between_silent_and_full(self, wanted: float, heard: int) -> None:
        assert play(timeline(), SetVolume(wanted), FADE, say(), 10)[-1] == heard


class TestEcho:
    """The words that a microphone may hear from the loudspeaker just now."""

    def test_nothing_is_spoken_in_silence(self) -> None:
        assert timeline().speaking_now() == ""

    def test_words_that_were_just_spoken_count_and_words_to_come_do_not(self) -> None:
        made = timeline(Beeper(word_samples=1000))
        play(made, say("bend your back knee now"), 3000)
        assert "back" in made.speaking_now()
        assert "now" not in made.speaking_now()
        assert "bend" not in made.speaking_now()

    def test_counts_are_words_too(self) -> None:
        made = timeline()
        play(made, count(5), 3100)
        assert made.speaking_now() == "two three"

    def test_an_echo_is_over_after_a_while(self) -> None:
        made = timeline()
        play(made, say(), 300, 2000)
        assert made.speaking_now() == ""

    def test_words_that_were_hushed_were_not_spoken(self) -> None:
        made = timeline(Beeper(word_samples=200))
        play(made, say("bend your back knee now"), 250, Hush(), 500)
        assert "knee" not in made.speaking_now()


class TestCaptions:
    """What begins to sound is reported with its place, for people who read along."""

    def test_lines_and_counts_are_reported_once(self) -> None:
        made = timeline()
        play(made, 50, say(), count(2), 5000)
        assert made.take_begun() == [
            Begun("hello", 50, counted=False),
            Begun("one", 1350, counted=True),
            Begun("two", 2350, counted=True),
        ]
        assert made.take_begun() == []

    def test_what_is_hushed_before_it_sounds_is_not_reported(self) -> None:
        made = timeline()
        play(made, say("first"), say("second"), 100, Hush(), 1000)
        assert [begun.text for begun in made.take_begun()] == ["first"]


class TestVoice:
    """Another voice speaks from the next line on, and counts."""

    def test_what_is_said_and_counted_next_is_in_the_new_voice(self) -> None:
        old, new = Beeper(), Beeper()
        made = Timeline(old, RATE, voices={"new": new}.__getitem__)
        play(made, say("before"), count(2), Hush(), SetVoice("new"), say("after"), count(2))
        assert [text for text, _ in new.asked] == ["after", *(t for t, _ in old.asked[1:])]

    def test_what_is_queued_already_stays_as_it_was(self) -> None:
        made = Timeline(Beeper(), RATE, voices=lambda _name: Beeper(word_samples=50))
        sound = play(made, say("hi"), SetVoice("new"), 1000)
        assert (sound == LOUD).sum() == 300

    def test_a_player_that_keeps_its_voice_does_nothing(self) -> None:
        assert (play(timeline(), SetVoice("new"), say("hi"), 1000) == LOUD).sum() == 300


class TestChimes:
    """An earcon is heard at once."""

    def test_it_is_played_like_a_line(self) -> None:
        made = timeline()
        sound = play(made, 50, Chime("heard"), 2000)
        first = 50 + int(np.argmax(chime("heard", RATE).samples != 0))
        assert onsets(sound)[0] == first
        assert [done.kind for done in made.take_finished()] == ["speech"]

    def test_it_does_not_wait_for_what_is_being_said_and_delays_nothing(self) -> None:
        alone, made = timeline(), timeline()
        said = play(alone, say("two words"), 1000)
        chimed = play(made, say("two words"), 100, Chime("heard"), 900)
        difference = (chimed.astype(int) - said)[100:]
        earcon = chime("heard", RATE).samples
        assert np.array_equal(difference[: len(earcon)], earcon)
        assert made.take_finished() == alone.take_finished()

    def test_a_hush_silences_it_too(self) -> None:
        made = timeline()
        play(made, say("two words"), 100, Chime("heard"), 50)
        assert not play(made, Hush(), 1000)[FADE:].any()

    def test_with_speech_it_distorts_nothing(self) -> None:
        for name in ("heard", "missed", "quiet"):
            assert np.abs(chime(name).samples).max() / FULL_SCALE + SPEECH_PEAK <= 1.0


# --- Any conversation, in any pieces -------------------------------------------------------------

ACTIONS = st.one_of(
    st.builds(say, st.sampled_from(["hi", "two words", "and three words"])),
    st.builds(count, st.integers(0, 4)),
    st.builds(Wait, st.sampled_from([0.0, 0.05, 0.3])),
    st.builds(SetVolume, st.sampled_from([0.0, 0.3, 1.0])),
    st.builds(Chime, st.sampled_from(sorted(CHIMES))),
    st.just(Interject("left", "six more")),
    st.just(Hush()),
)
SCRIPTS = st.lists(st.tuples(ACTIONS, st.integers(0, 1500)), max_size=12)


def run(script: list[tuple[Action, int]], sizes: list[int]) -> tuple[Samples, list[Finished]]:
    """Play a script, reading between its actions in blocks of the given sizes in turn."""
    made = timeline(lead_in_seconds=0.1)
    parts = [np.zeros(0, np.int16)]
    turn = 0
    for action, pause in [*script, (Wait(0.0), 7000)]:
        made.perform(action)
        left = pause
        while left:
            size = min(left, sizes[turn % len(sizes)])
            parts.append(made.read(size))
            left, turn = left - size, turn + 1
    return np.concatenate(parts), made.take_finished()


@given(SCRIPTS, st.lists(st.integers(1, 700), min_size=1, max_size=5))
def test_block_sizes_change_no_sample_and_no_event(
    script: list[tuple[Action, int]], sizes: list[int]
) -> None:
    sound, finished = run(script, sizes)
    other, other_finished = run(script, [10_000])
    assert np.array_equal(sound, other)
    assert finished == other_finished


@given(SCRIPTS)
def test_no_sample_is_ever_louder_than_the_loudest_source_and_an_earcon(
    script: list[tuple[Action, int]],
) -> None:
    sound, _ = run(script, [10_000])
    earcon = max(int(np.abs(chime(name, RATE).samples).max()) for name in CHIMES)
    assert np.abs(sound.astype(int)).max(initial=0) <= LOUD + earcon


@given(
    st.lists(st.tuples(st.integers(0, 1500), st.integers(50, 2500)), max_size=6),
    st.integers(1, 6),
)
@settings(max_examples=examples(100))
def test_no_interjection_moves_the_end_or_delays_a_count(
    asked: list[tuple[int, int]], seconds: int
) -> None:
    voice = Beeper(lengths={f"answer{length}": length for _, length in asked})
    made = timeline(voice)
    made.perform(count(seconds))
    parts = []
    for pause, length in asked:
        parts.append(made.read(pause))
        if made.hold is not None:
            made.perform(Interject("left", f"answer{length}"))
    sound = np.concatenate([*parts, made.read(20_000)])
    assert made.take_finished()[0] == Finished("hold", 1000 * seconds)
    # The last count is there, and nothing sounds in the clear space before it.
    assert (sound[1000 * seconds : 1000 * seconds + 290] == LOUD).all()
    assert not sound[1000 * seconds - 30 : 1000 * seconds].any()


class TestWhatWasHeard:
    """After a cut Charley knows which lines were not heard to their end."""

    def test_of_two_lines_the_second(self) -> None:
        made = timeline(Beeper(lengths={"long": 4000}))
        first, second = Say("one", "long"), Say("two", "long")
        play(made, first, second, 6500)
        assert made.lines_left == 1

    def test_a_line_that_has_just_begun_leaves_the_one_before(self) -> None:
        made = timeline(Beeper(lengths={"long": 4000}))
        play(made, Say("one", "long"), Say("two", "long"), 5000)
        assert made.lines_left == 2

    def test_all_was_heard_when_nothing_is_left(self) -> None:
        made = timeline()
        play(made, say(), 5000)
        assert made.lines_left == 0


def test_a_speaker_that_swallows_half_a_second_swallows_no_word() -> None:
    """Bluetooth earbuds fall asleep between lines, and wake up with the first sound."""
    made = timeline(lead_in_seconds=0.5)
    for _ in range(2):
        sound = play(made, say(), 3000)
        assert sound[500:800].all()
        assert not sound[:500].any()
