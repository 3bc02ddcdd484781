"""A fake PortAudio, and a timeline for its speaker to play."""

from types import SimpleNamespace
from typing import Any

import numpy as np

from assistant.audio.pcm import Pcm
from assistant.dialogue.actions import Say
from assistant.playback.timeline import Timeline


class PortAudioError(Exception):
    """What sounddevice raises."""


class FakeStream:
    """A stream whose callback is called by the test, not by a sound card."""

    def __init__(self, card: "FakeSoundDevice", **options: Any) -> None:
        self.card = card
        self.options = options
        self.latency = 0.04
        self.running = False

    def start(self) -> None:
        if self.card.busy:
            raise PortAudioError("Error opening stream: Device unavailable", -9985)
        self.running = True

    def close(self) -> None:
        self.running = False
        self.options["finished_callback"]()

    def give(self, samples: Any, status: bool = False) -> None:
        self.options["callback"](samples, len(samples), None, status)


class FakeSoundDevice:
    """The part of sounddevice that Charley uses."""

    PortAudioError = PortAudioError

    def __init__(self) -> None:
        self.cards = [
            ("HDA Intel: analog", 2, 2, 48000.0),
            ("USB Headset", 1, 2, 44100.0),
            ("HDMI", 0, 8, 48000.0),
        ]
        self.default = SimpleNamespace(device=[1, 2])
        self.rates = {16000, 22050, 44100, 48000}
        self.channels = {1, 2}
        self.busy = False
        self.starts = 0
        self.plugged_in: list[tuple[str, int, int, float]] = []
        """What PortAudio finds only when it starts again."""
        self.streams: list[FakeStream] = []

    def _terminate(self) -> None:
        assert not any(stream.running for stream in self.streams)
        self.starts += 1

    def _initialize(self) -> None:
        self.cards += self.plugged_in

    def query_devices(self) -> list[dict[str, Any]]:
        names = ("name", "max_input_channels", "max_output_channels", "default_samplerate")
        return [dict(zip(names, card, strict=True)) for card in self.cards]

    def check_input_settings(self, **wanted: Any) -> None:
        if wanted["samplerate"] not in self.rates or wanted["channels"] not in self.channels:
            raise PortAudioError("Invalid sample rate", -9997)

    check_output_settings = check_input_settings

    def InputStream(self, **options: Any) -> FakeStream:  # noqa: N802
        self.streams.append(FakeStream(self, **options))
        return self.streams[-1]

    OutputStream = InputStream


class Steady:
    """A voice of one level."""

    def render(self, text: str, pace: float = 1.0) -> Pcm:  # noqa: ARG002
        return Pcm(np.full(1000, 5000, np.int16), 22050)


def greeting(rate: int = 22050) -> Timeline:
    """A timeline that is about to say one line."""
    timeline = Timeline(Steady(), rate)
    timeline.perform(Say("greeting", "hello"))
    return timeline
