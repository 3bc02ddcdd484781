"""Facts about the speaker, with a fake PortAudio."""

import numpy as np
import pytest

from assistant.audio.devices import output_rate
from assistant.audio.speaker import Speaker
from assistant.clock import VirtualClock
from assistant.errors import DeviceError
from assistant.playback.timeline import Timeline
from tests.support.portaudio import FakeSoundDevice, Steady, greeting


class TestSpeaker:
    """The sound card pulls what the timeline has."""

    @pytest.mark.parametrize("channels", [1, 2])
    def test_it_plays_the_timeline(self, card: FakeSoundDevice, channels: int) -> None:
        card.channels = {channels}
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((700, channels), np.int16)
            card.streams[0].give(out)
            card.streams[0].give(out)
        assert timeline.position_samples == 1400
        assert (out[:300] == 5000).all()
        assert not out[300:].any()

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("rate", [8000, 16000, 24000, 44100, 48000])
    def test_the_timeline_is_as_long_at_any_rate(
        self, card: FakeSoundDevice, rate: int, channels: int
    ) -> None:
        card.rates, card.channels = {rate}, {channels}
        card.cards = [("Odd", 0, channels, float(rate))]
        timeline = greeting(output_rate())
        with Speaker(timeline):
            out = np.ones((rate // 10, channels), np.int16)
            card.streams[0].give(out)
        sounding = np.flatnonzero(np.abs(out).min(axis=1) > 2500) / rate
        assert sounding[0] == pytest.approx(0.0, abs=0.001)
        assert sounding[-1] == pytest.approx(1000 / 22050, abs=0.001)

    def test_a_rate_is_found_that_the_device_plays(self, card: FakeSoundDevice) -> None:
        assert output_rate() == 22050
        card.rates = {48000}
        assert output_rate() == 48000
        with pytest.raises(DeviceError, match="48000 hertz, not 22050"):
            Speaker(Timeline(Steady()))
        assert Speaker(Timeline(Steady(), output_rate())).rate == 48000

    def test_frames_that_come_later_than_the_store_lasts_are_a_gap(
        self, card: FakeSoundDevice, clock: VirtualClock
    ) -> None:
        with Speaker(Timeline(Steady())) as speaker:  # whose store lasts 40 ms
            ten_ms = np.zeros((220, 1), np.int16)
            found = []
            for late_ms in (0.0, 30.0, 0.0, 300.0, 300.0, 0.0, 600.0):
                for _ in range(100):
                    clock.wait_until(clock.now() + 220 / 22050)
                    card.streams[0].give(ten_ms)
                for _ in range(round(late_ms / 10)):
                    clock.wait_until(clock.now() + 0.01)
                for _ in range(4):  # it is filled again, if it can be, in no time
                    card.streams[0].give(ten_ms)
                found.append(speaker.underflows)
            assert found == [0, 0, 0, 1, 2, 2, 3]

    def test_the_timeline_waits_while_a_dry_card_throws_its_frames_away(
        self, card: FakeSoundDevice
    ) -> None:
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((300, 1), np.int16)
            for _ in range(100):
                card.streams[0].give(out, status=True)
                assert not out.any()
            assert timeline.position_samples == 0
            card.streams[0].give(out)
            assert (out == 5000).all()

    def test_a_card_that_always_says_it_ran_dry_is_played_to(
        self, card: FakeSoundDevice, clock: VirtualClock
    ) -> None:
        timeline = greeting()
        with Speaker(timeline):
            out = np.ones((300, 1), np.int16)
            for _ in range(11):
                card.streams[0].give(out, status=True)
                clock.wait_until(clock.now() + 1.0)
        assert (out == 5000).all()
