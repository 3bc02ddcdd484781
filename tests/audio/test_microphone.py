"""Facts about the microphone, with a fake PortAudio."""

import numpy as np
import pytest

from assistant.audio.microphone import QUEUE_BLOCKS, Microphone
from assistant.audio.pcm import Pcm, to_int16
from assistant.audio.shaping import resample
from assistant.errors import DeviceError
from tests.support.portaudio import FakeSoundDevice


class TestMicrophone:
    """16 kHz mono, whatever the device gives."""

    def test_what_waits_is_read_at_once_and_in_order(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            for value in (1, 2, 3):
                card.streams[0].give(np.full((480, 1), value, np.int16))
            assert microphone.behind_seconds == pytest.approx(0.09)
            sound = microphone.read()
            assert sound is not None
            assert sound.tolist() == [1] * 480 + [2] * 480 + [3] * 480
            assert microphone.behind_seconds == 0.0
            assert microphone.read(0.0) is None

    def test_a_block_is_a_copy(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            data = np.ones((480, 1), np.int16)
            card.streams[0].give(data)
            data[:] = 9
            block = microphone.read()
            assert block is not None
            assert set(block.tolist()) == {1}

    def test_when_nobody_reads_the_oldest_is_dropped_and_counted(
        self, card: FakeSoundDevice
    ) -> None:
        with Microphone() as microphone:
            for value in range(QUEUE_BLOCKS + 5):
                card.streams[0].give(np.full((4, 1), value, np.int16))
            block = microphone.read()
            assert block is not None
            assert block[0] == 5
            assert microphone.dropped_blocks == 5

    @pytest.mark.parametrize("channels", [1, 2])
    @pytest.mark.parametrize("rate", [8000, 24000, 44100, 48000])
    def test_a_device_that_refuses_16_khz_is_resampled(
        self, card: FakeSoundDevice, rate: int, channels: int
    ) -> None:
        card.rates, card.channels = {rate}, {channels}
        card.cards = [("Odd", 1, 0, float(rate))]
        tone = Pcm(to_int16(0.5 * np.sin(np.arange(2 * rate) * 2 * np.pi * 440 / rate)), rate)
        heard = []
        with Microphone("odd") as microphone:
            for at in range(0, 2 * rate, 1323):
                given = tone.samples[at : at + 1323, np.newaxis]
                card.streams[0].give(np.tile(given, (1, channels)))
                block = microphone.read()
                assert block is not None
                heard.append(block)
        whole = np.concatenate(heard)
        assert len(whole) == pytest.approx(32000, abs=600)
        like = resample(tone, 16000).samples
        assert np.corrcoef(whole[4000:20000], like[4000:20000])[0, 1] > 0.99

    @pytest.mark.parametrize("both", [(8, 8), (0, 16), (16, 0)])
    def test_a_voice_may_be_on_either_of_two_channels(
        self, card: FakeSoundDevice, both: tuple[int, int]
    ) -> None:
        card.channels = {2}
        with Microphone() as microphone:
            assert card.streams[0].options["channels"] == 2
            card.streams[0].give(np.tile(np.array(both, np.int16), (480, 1)))
            block = microphone.read()
            assert block is not None
            assert set(block.tolist()) == {8}

    def test_a_device_in_use_is_a_sentence(self, card: FakeSoundDevice) -> None:
        card.busy = True
        with pytest.raises(DeviceError, match=r'microphone "USB Headset" .*Device unavailable'):
            Microphone().__enter__()

    def test_a_device_that_takes_nothing_is_a_sentence(self, card: FakeSoundDevice) -> None:
        card.rates = set()
        with pytest.raises(DeviceError, match=r"cannot be used \(Invalid sample rate\)"):
            Microphone()

    def test_lost_sound_is_counted(self, card: FakeSoundDevice) -> None:
        with Microphone() as microphone:
            card.streams[0].give(np.zeros((480, 1), np.int16), status=True)
            assert microphone.overflows == 1
