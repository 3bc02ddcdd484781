"""Facts about the voice of this machine."""

import sys
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from assistant.audio.pcm import from_int16
from assistant.dialogue.hold import Hold
from assistant.errors import SynthesiserError
from assistant.playback.count_track import render_hold
from assistant.tts.cache import CachedVoice
from assistant.tts.pyttsx3_voice import LONGEST_TEXT, Pyttsx3Voice, voices

NUMBERS = ("zero", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine", "ten")

linux = pytest.mark.skipif(
    not sys.platform.startswith("linux"), reason="macOS and Windows speak with voices of their own"
)


@pytest.fixture(scope="module")
def voice() -> Pyttsx3Voice:
    return Pyttsx3Voice()


class TestVoice:
    """The voice of this machine, through pyttsx3."""

    def test_a_line_becomes_sound(self, voice: Pyttsx3Voice) -> None:
        spoken = voice.render("Squeeze the shin. Hold.")
        assert 1.0 < spoken.seconds < 4.0
        assert np.abs(spoken.samples).max() > 3000

    def test_slower_is_longer(self, voice: Pyttsx3Voice) -> None:
        text = "Bend your back knee and sit back."
        assert voice.render(text, 0.7).seconds > 1.2 * voice.render(text).seconds

    def test_every_line_has_the_pace_it_was_asked_for(self, voice: Pyttsx3Voice) -> None:
        """Changes of pace got lost when espeak-ng's thread was still busy with them."""
        spoken: dict[float, list[float]] = {0.7: [], 1.0: [], 1.4: []}
        for _ in range(40):
            for pace, lengths in spoken.items():
                lengths.append(voice.render("six", pace).seconds)
        assert min(spoken[0.7]) > max(spoken[1.0])
        assert min(spoken[1.0]) > max(spoken[1.4])

    def test_no_render_is_empty_or_cut(self, voice: Pyttsx3Voice) -> None:
        """One in a hundred was, when the file was read before espeak-ng had written it."""
        lengths = [voice.render("six").seconds for _ in range(150)]
        assert min(lengths) > 0.95 * max(lengths)

    def test_a_long_line_is_spoken_to_its_end(self, voice: Pyttsx3Voice) -> None:
        assert voice.render("lift your toes and hold " * 100).seconds > 100

    def test_lines_may_be_asked_for_from_any_thread(self, voice: Pyttsx3Voice) -> None:
        with ThreadPoolExecutor(4) as pool:
            lengths = {n: pool.submit(voice.render, NUMBERS[n]) for n in range(1, 11)}
        for n, spoken in lengths.items():
            assert spoken.result().seconds == pytest.approx(
                voice.render(NUMBERS[n]).seconds, rel=0.05
            )

    def test_nothing_is_printed(
        self, voice: Pyttsx3Voice, capfd: pytest.CaptureFixture[str]
    ) -> None:
        voice.render("one")
        assert capfd.readouterr() == ("", "")

    @pytest.mark.parametrize("text", ["", " ", "...", "\0\x07\u200b", "\ud800"])
    def test_nothing_to_speak_is_an_error(self, voice: Pyttsx3Voice, text: str) -> None:
        with pytest.raises(SynthesiserError, match="nothing to speak"):
            voice.render(text)

    def test_a_text_of_a_hundred_kilobytes_is_refused(self, voice: Pyttsx3Voice) -> None:
        with pytest.raises(SynthesiserError, match=f"at most {LONGEST_TEXT}"):
            voice.render("long " * 20_000)

    def test_control_characters_are_left_out(self, voice: Pyttsx3Voice) -> None:
        assert voice.render("o\x1bne\n").seconds > 0.2


class TestChoosing:
    """Voices by name."""

    def test_there_are_voices(self) -> None:
        found = voices()
        assert found
        assert all(voice.name and voice.description for voice in found)

    def test_english_comes_first(self) -> None:
        assert voices()[0].name.startswith("en") or not sys.platform.startswith("linux")

    def test_an_unknown_voice_is_reported(self) -> None:
        with pytest.raises(SynthesiserError, match='There is no voice "marvin"'):
            Pyttsx3Voice("marvin")

    @linux
    def test_a_part_of_the_name_or_description_is_enough(self) -> None:
        assert Pyttsx3Voice("received").name == Pyttsx3Voice("en-gb-x-rp").name

    @linux
    def test_near_names_are_offered(self) -> None:
        with pytest.raises(SynthesiserError, match=r"did you mean .*en-us"):
            Pyttsx3Voice("en-ux")

    @linux
    def test_an_unknown_variant_is_reported(self) -> None:
        with pytest.raises(SynthesiserError, match=r"did you mean .*en-us\+f"):
            Pyttsx3Voice("en-us+f77")

    @linux
    @pytest.mark.parametrize(
        "name", ["en-gb", "en-us", "en-us+f3", "EN-GB+Annie", "gmw/en-us", "scotland"]
    )
    def test_known_voices_speak(self, name: str) -> None:
        assert Pyttsx3Voice(name).render("one").seconds > 0.2

    @linux
    def test_voices_differ_and_do_not_disturb_each_other(self) -> None:
        british, other = Pyttsx3Voice("en-gb"), Pyttsx3Voice("en-us+f3")
        before = british.render("ten").seconds
        assert other.render("ten").seconds != pytest.approx(before, rel=0.05)
        assert british.render("ten").seconds == pytest.approx(before, rel=0.02)
        assert british.name != other.name


@linux
@pytest.mark.parametrize("name", ["en-gb", "en-us", "en-us+f3"])
@pytest.mark.parametrize("threshold", [0.002, 0.01, 0.03])
def test_the_counts_of_the_real_voice_are_audible_on_their_second(
    name: str, threshold: float
) -> None:
    """Whatever level a listener calls audible, each word passes it within a millisecond."""
    sound = render_hold(Hold(10), NUMBERS, CachedVoice(Pyttsx3Voice(name), None))
    loud = np.abs(from_int16(sound.samples)) >= threshold
    for second in range(1, 11):
        begins = second * sound.rate
        assert not loud[begins - 600 : begins].any()
        assert np.argmax(loud[begins:]) < 0.001 * sound.rate
