"""Facts about operations on whole sounds."""

import numpy as np

from assistant.audio.pcm import Pcm, concatenate, silence
from assistant.audio.shaping import fade, lift_onset, resample, trim_silence
from tests.support.tones import likeness, tone


class TestShaping:
    """Small operations on sound."""

    def test_resampling_keeps_length_and_pitch(self) -> None:
        up = resample(tone(), 22050)
        assert (up.rate, len(up)) == (22050, 11025)
        assert likeness(up, tone(rate=22050)) > 0.999

    def test_resampling_to_its_own_rate_changes_nothing(self) -> None:
        assert resample(tone(), 16000) == tone()

    def test_a_fade_begins_and_ends_in_silence(self) -> None:
        faded = fade(tone(loud=0.9, hertz=3000), in_seconds=0.01, out_seconds=0.01)
        assert faded.samples[0] == 0
        assert faded.samples[-1] == 0
        assert np.array_equal(faded.samples[160:-160], tone(loud=0.9, hertz=3000).samples[160:-160])

    def test_a_fade_longer_than_the_sound(self) -> None:
        assert len(fade(tone(seconds=0.01), 1.0, 1.0)) == 160

    def test_silence_is_trimmed_to_the_onset(self) -> None:
        padded = Pcm(np.pad(tone().samples, (1000, 2000)), 16000)
        trimmed = trim_silence(padded)
        assert abs(int(trimmed.samples[0])) >= 0.02 * 16383
        assert len(tone()) - 10 <= len(trimmed) <= len(tone())

    def test_nothing_but_silence_is_trimmed_to_nothing(self) -> None:
        assert len(trim_silence(silence(100, 16000))) == 0

    def test_a_weak_onset_is_lifted_and_the_rest_is_left_alone(self) -> None:
        weak, strong = tone(0.08, loud=0.02), tone(0.3, loud=0.5)
        lifted = lift_onset(concatenate([weak, strong]))
        assert np.abs(lifted.samples[:1000]).max() > 3 * np.abs(weak.samples).max()
        assert np.array_equal(lifted.samples[len(weak) :], strong.samples)

    def test_a_strong_onset_is_left_alone(self) -> None:
        assert lift_onset(tone()) == tone()
