"""Facts about streams that are lost, found and opened again."""

import threading

import numpy as np
import pytest

from assistant.audio.microphone import Microphone
from assistant.audio.speaker import Speaker
from assistant.audio.stream import rescan
from assistant.errors import DeviceError
from assistant.playback.timeline import Timeline
from tests.support.portaudio import FakeSoundDevice, Steady


class TestLoss:
    """A device that goes away is reported once, never raised in a thread."""

    def test_a_stream_that_ends_by_itself(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone(on_lost=lost.append):
            card.streams[0].options["finished_callback"]()
            card.streams[0].options["finished_callback"]()
            assert lost == ["microphone"]

    def test_closing_on_purpose_is_no_loss(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Speaker(Timeline(Steady()), on_lost=lost.append):
            pass
        assert not card.streams[0].running
        assert lost == []

    @pytest.mark.usefixtures("card")
    def test_a_callback_that_is_not_called_any_more(self) -> None:
        lost: list[str] = []
        told = threading.Event()

        def note(name: str) -> None:
            lost.append(name)
            told.set()

        with Speaker(Timeline(Steady()), on_lost=note, stall_seconds=0.02):
            assert told.wait(10)
        assert lost == ["speaker"]

    def test_a_device_that_was_plugged_in_is_found_by_a_rescan(self, card: FakeSoundDevice) -> None:
        card.plugged_in = [("Earbuds", 1, 2, 16000.0)]
        with pytest.raises(DeviceError, match='no microphone "earbuds"'):
            Microphone("earbuds")
        rescan()
        assert Microphone("earbuds").device.name == "Earbuds"

    def test_a_rescan_lets_a_running_stream_continue(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone("usb", on_lost=lost.append) as microphone:
            card.cards.insert(0, ("New", 1, 0, 48000.0))
            rescan()
            assert card.streams[-1].options["device"] == 2
            card.streams[-1].give(np.full((480, 1), 5, np.int16))
            assert microphone.read() is not None
        assert lost == []
        assert not any(stream.running for stream in card.streams)

    def test_a_rescan_reports_one_that_is_gone(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        with Microphone("usb", on_lost=lost.append):
            del card.cards[1]
            rescan()
        assert lost == ["microphone"]

    def test_it_can_be_opened_again(self, card: FakeSoundDevice) -> None:
        lost: list[str] = []
        microphone = Microphone(on_lost=lost.append)
        for _ in range(2):
            with microphone:
                card.streams[-1].options["finished_callback"]()
        assert lost == ["microphone", "microphone"]
