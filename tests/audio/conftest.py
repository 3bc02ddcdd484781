"""A fake PortAudio and a clock for it."""

import sys

import pytest

from assistant.clock import VirtualClock
from tests.support.portaudio import FakeSoundDevice


@pytest.fixture
def card(monkeypatch: pytest.MonkeyPatch) -> FakeSoundDevice:
    made = FakeSoundDevice()
    monkeypatch.setitem(sys.modules, "sounddevice", made)
    return made


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> VirtualClock:
    """The devices' time, which passes only by being waited for."""
    made = VirtualClock()
    monkeypatch.setattr("assistant.audio.stream.SystemClock", lambda: made)
    monkeypatch.setattr("assistant.audio.speaker.SystemClock", lambda: made)
    return made
