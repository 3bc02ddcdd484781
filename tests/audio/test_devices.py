"""Facts about listing and choosing devices."""

import sys

import pytest

from assistant.audio.devices import find_device, list_devices
from assistant.audio.microphone import Microphone
from assistant.errors import DeviceError
from tests.support.portaudio import FakeSoundDevice


@pytest.mark.usefixtures("card")
class TestFinding:
    """By index, by a part of the name, or the default; else a sentence that says what there is."""

    def test_all_devices_are_listed(self) -> None:
        assert [device.name for device in list_devices()] == [
            "HDA Intel: analog",
            "USB Headset",
            "HDMI",
        ]

    @pytest.mark.parametrize("wanted", [1, "1", "usb", "USB Headset", " headset "], ids=repr)
    def test_by_index_or_name(self, wanted: str | int) -> None:
        assert find_device(wanted, "input").name == "USB Headset"

    def test_the_default(self) -> None:
        assert find_device(None, "input").index == 1
        assert find_device("", "output").index == 2

    def test_an_unknown_name_lists_what_there_is(self) -> None:
        with pytest.raises(DeviceError) as caught:
            find_device("bluetooth", "input")
        assert str(caught.value) == (
            'There is no microphone "bluetooth"; there is 0 "HDA Intel: analog", 1 "USB Headset".'
        )

    def test_a_speaker_is_no_microphone(self) -> None:
        with pytest.raises(DeviceError, match='no microphone "hdmi"'):
            find_device("hdmi", "input")
        with pytest.raises(DeviceError, match='no microphone "2"'):
            find_device(2, "input")


def test_a_machine_without_a_microphone_says_so(card: FakeSoundDevice) -> None:
    card.cards = []
    with pytest.raises(DeviceError, match="No microphone was found"):
        Microphone()


def test_without_a_default_the_first_that_fits_is_taken(card: FakeSoundDevice) -> None:
    card.default.device = [-1, -1]
    assert find_device(None, "input").index == 0


def test_a_missing_portaudio_says_what_to_install(monkeypatch: pytest.MonkeyPatch) -> None:
    class Missing:
        def find_spec(self, name: str, *_: object) -> None:
            if name == "sounddevice":
                raise OSError("PortAudio library not found")

    monkeypatch.delitem(sys.modules, "sounddevice", raising=False)
    monkeypatch.setattr(sys, "meta_path", [Missing(), *sys.meta_path])
    monkeypatch.setattr(sys, "platform", "linux")
    with pytest.raises(DeviceError, match="apt install libportaudio2"):
        list_devices()
