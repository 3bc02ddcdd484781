"""The parts of the network's adapter, each by itself and in virtual time."""

from __future__ import annotations

import asyncio
import contextlib
import json
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk, AudioStart
from wyoming.event import Event

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import DEFAULT_RATE, Pcm, Samples, from_int16, to_int16
from assistant.cli.serve import is_loopback
from assistant.dialogue.actions import Action, Count, Hush, Say
from assistant.dialogue.hold import Hold
from assistant.errors import NetworkError
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.audio_in import Incoming
from assistant.frontends.wyoming.audio_out import message
from assistant.frontends.wyoming.satellite import Address, address
from assistant.frontends.wyoming.wire import Limits
from assistant.playback.captions import Caption
from assistant.playback.count_track import count_word
from assistant.playback.pacing import BLOCK_SECONDS, LINGER_SECONDS, Pacer
from assistant.playback.timeline import Timeline
from assistant.session.text_turns import written
from tests.support.examples import CHARACTERS

NUMBERS = ("zero", "one", "two", "three", "four", "five")
LEAD = 0.2
ACTIONS: dict[str, Action] = {
    "say": Say("x", "a"),
    "count": Count(Hold(2), NUMBERS),
    "hush": Hush(),
}


class Beeps:
    """A voice that says everything in a tenth of a second of one level."""

    name = "beeps"

    def render(self, text: str, pace: float = 1.0) -> Pcm:  # noqa: ARG002
        """Return the beep."""
        return Pcm(np.full(DEFAULT_RATE // 10, 8000, np.int16), DEFAULT_RATE)


class Kitchen:
    """A satellite that plays what it gets at once and for ever on time."""

    def __init__(self, *, begin: float = 0.0, step: float = 0.01) -> None:
        self.timeline = Timeline(Beeps())
        self.pacer = Pacer(self.timeline, begin, LEAD)
        self.now = begin
        self.step = step
        self.got: list[tuple[float, Event]] = []

    def run(self, seconds: float) -> None:
        """Let time pass."""
        for _ in range(round(seconds / self.step)):
            self.now += self.step
            self.got += [(self.now, message(p, DEFAULT_RATE)) for p in self.pacer.due(self.now)]

    @property
    def kinds(self) -> list[str]:
        """What kinds of messages came, in order, without repetition."""
        kinds = [event.type for _, event in self.got]
        return [kind for at, kind in enumerate(kinds) if at == 0 or kind != kinds[at - 1]]

    def ahead(self) -> list[float]:
        """Return how far ahead of its moment each chunk was sent, in seconds."""
        leads, began, samples = [], 0.0, 0
        for at, event in self.got:
            if AudioStart.is_type(event.type):
                began, samples = at, 0
            elif AudioChunk.is_type(event.type):
                samples += AudioChunk.from_event(event).samples
                leads.append(began + samples / DEFAULT_RATE - at)
        return leads

    def sound(self) -> Samples:
        """Return all that was sent."""
        heard = [AudioChunk.from_event(e).audio for _, e in self.got if AudioChunk.is_type(e.type)]
        return np.frombuffer(b"".join(heard), np.int16)


class TestPacing:
    """Sound goes out a little ahead of its moment, and never further."""

    def test_nothing_is_sent_while_there_is_nothing_to_say(self) -> None:
        kitchen = Kitchen()
        kitchen.run(5.0)
        assert kitchen.got == []

    def test_a_line_is_one_stream_that_begins_at_once(self) -> None:
        kitchen = Kitchen()
        kitchen.run(1.0)
        kitchen.timeline.perform(Say("x", "hello"))
        kitchen.run(2.0)
        assert kitchen.kinds == ["audio-start", "audio-chunk", "audio-stop"]
        assert kitchen.got[0][0] == pytest.approx(1.01)
        assert np.argmax(kitchen.sound() > 0) <= DEFAULT_RATE * 0.001

    def test_never_more_than_the_lead_is_sent_ahead(self) -> None:
        kitchen = Kitchen()
        kitchen.timeline.perform(Count(Hold(5), NUMBERS))
        kitchen.run(8.0)
        assert max(kitchen.ahead()) <= LEAD + 1e-6
        assert min(kitchen.ahead()[10:]) >= LEAD - BLOCK_SECONDS - kitchen.step - 1e-6

    def test_counts_stand_on_whole_seconds(self) -> None:
        kitchen = Kitchen()
        kitchen.timeline.perform(Count(Hold(5), NUMBERS))
        kitchen.run(8.0)
        word = count_word("one", Beeps(), DEFAULT_RATE, DEFAULT_RATE)
        sound = kitchen.sound().astype(np.int32)
        for second in range(1, 6):
            at = second * DEFAULT_RATE
            np.testing.assert_array_equal(sound[at : at + len(word)], word)
            assert not sound[at - 100 : at].any()

    def test_what_was_hushed_is_not_sent_any_more(self) -> None:
        kitchen = Kitchen()
        kitchen.timeline.perform(Count(Hold(5), NUMBERS))
        kitchen.run(2.05)
        kitchen.timeline.perform(Hush())
        sent = len(kitchen.sound())
        kitchen.run(0.5)
        assert np.abs(kitchen.sound()[sent + DEFAULT_RATE // 100 :]).max() == 0

    def test_lines_a_breath_apart_share_a_stream(self) -> None:
        kitchen = Kitchen()
        kitchen.timeline.perform(Say("x", "hello"))
        kitchen.run(0.1 + LINGER_SECONDS - LEAD - 0.1)
        kitchen.timeline.perform(Say("x", "again"))
        kitchen.run(3.0)
        assert kitchen.kinds == ["audio-start", "audio-chunk", "audio-stop"]

    def test_the_next_stream_waits_until_the_last_is_over(self) -> None:
        kitchen = Kitchen()
        kitchen.timeline.perform(Say("x", "hello"))
        while "audio-stop" not in kitchen.kinds:
            kitchen.run(0.01)
        over = kitchen.got[0][0] + len(kitchen.sound()) / DEFAULT_RATE
        kitchen.timeline.perform(Say("x", "again"))
        before = len(kitchen.sound())
        kitchen.run(0.05)
        # Sound that is heard from `over` on may be sent from a lead before it on.
        limit = (kitchen.now + LEAD - over) * DEFAULT_RATE
        assert len(kitchen.sound()) - before <= max(0.0, limit) + 1

    def test_a_link_that_comes_late_does_not_catch_up(self) -> None:
        kitchen = Kitchen(begin=100_000.0)
        kitchen.run(0.02)
        assert kitchen.timeline.position_samples < DEFAULT_RATE

    @given(
        acts=st.lists(st.tuples(st.floats(0.0, 2.0), st.sampled_from(sorted(ACTIONS))), max_size=8)
    )
    def test_whatever_is_said_streams_are_whole_and_on_time(
        self, acts: list[tuple[float, str]]
    ) -> None:
        kitchen = Kitchen(step=0.02)
        for pause, act in acts:
            kitchen.run(pause)
            kitchen.timeline.perform(ACTIONS[act])
        kitchen.run(20.0)
        kinds = [kind for kind in kitchen.kinds if kind != "audio-chunk"]
        assert kinds == ["audio-start", "audio-stop"] * (len(kinds) // 2)
        assert all(lead <= LEAD + 2 * BLOCK_SECONDS for lead in kitchen.ahead())


def test_a_closed_stream_says_so_once() -> None:
    kitchen = Kitchen()
    kitchen.timeline.perform(Say("x", "hello"))
    kitchen.run(0.05)
    closing = [message(part, DEFAULT_RATE) for part in kitchen.pacer.close()]
    assert [event.type for event in closing] == ["audio-stop"]
    assert kitchen.pacer.close() == []


def chunk(samples: np.ndarray[Any, Any], rate: int, width: int, channels: int) -> Event:
    return AudioChunk(rate, width, channels, samples.tobytes()).event()


def tone(rate: int, seconds: float = 1.0) -> np.ndarray[Any, np.dtype[np.float64]]:
    return 0.5 * np.sin(2 * np.pi * 440 * np.arange(round(rate * seconds)) / rate)


class TestMicrophone:
    """Sound of any usual shape becomes the recogniser's."""

    def test_its_own_shape_is_kept_to_the_sample(self) -> None:
        sound = np.arange(-3000, 3000, dtype=np.int16)
        np.testing.assert_array_equal(Incoming().take(chunk(sound, RATE, 2, 1)), sound)

    @pytest.mark.parametrize("width", [1, 2, 3, 4])
    @pytest.mark.parametrize("channels", [1, 2])
    def test_every_width_and_channel_count_is_the_same_sound(
        self, width: int, channels: int
    ) -> None:
        signal = tone(RATE)
        if width == 1:
            coded = np.rint(signal * 127 + 128).astype(np.uint8).reshape(-1, 1)
        else:
            whole = np.rint(signal * (2**31 - 1)).astype("<i4").view(np.uint8).reshape(-1, 4)
            coded = whole[:, 4 - width :]
        both = np.repeat(coded[:, None, :], channels, axis=1)
        heard = Incoming().take(chunk(both, RATE, width, channels))
        assert np.abs(from_int16(heard) - signal).max() < (0.02 if width == 1 else 0.001)

    @pytest.mark.parametrize("rate", [8_000, 22_050, 44_100, 48_000])
    def test_every_rate_is_the_same_tone(self, rate: int) -> None:
        incoming, sound = Incoming(), to_int16(tone(rate))
        size = rate // 20
        pieces = [
            incoming.take(chunk(sound[at : at + size], rate, 2, 1))
            for at in range(0, len(sound), size)
        ]
        heard = np.concatenate(pieces)
        assert abs(len(heard) - RATE) < RATE * 0.1
        spectrum = np.abs(np.fft.rfft(from_int16(heard)))
        assert abs(int(np.argmax(spectrum)) * RATE / len(heard) - 440) < 3

    @given(
        st.dictionaries(
            st.sampled_from(["rate", "width", "channels", "timestamp"]),
            st.one_of(
                st.none(),
                st.integers(),
                st.text(CHARACTERS, max_size=3),
                st.floats(),
                st.booleans(),
            ),
        ),
        st.binary(max_size=50),
    )
    def test_whatever_comes_is_sound_or_an_error_in_words(
        self, data: dict[str, Any], payload: bytes
    ) -> None:
        try:
            heard = Incoming().take(Event("audio-chunk", data, payload))
        except NetworkError:
            return
        assert heard.dtype == np.int16


def received(*data: bytes, limits: Limits | None = None) -> list[Event | None]:
    """Return what is read from a stream up to its end."""

    async def read() -> list[Event | None]:
        limit = limits or Limits()
        reader = asyncio.StreamReader(limit=limit.header_bytes)
        for piece in data:
            reader.feed_data(piece)
        reader.feed_eof()
        found: list[Event | None] = []
        while (event := await wire.read(reader, limit)) is not None:
            found.append(event)
        return found

    return asyncio.run(read())


class TestFraming:
    """Messages off the wire."""

    def test_data_in_the_line_and_behind_it_are_one(self) -> None:
        data = b'{"b": 2}'
        line = b'{"type": "x", "data": {"a": 1}, "data_length": 8, "payload_length": 3}\n'
        assert received(line + data + b"abc") == [Event("x", {"a": 1, "b": 2}, b"abc")]

    @pytest.mark.parametrize(
        "line",
        [
            b"no json\n",
            b"[]\n",
            b"{}\n",
            b'{"type": 7}\n',
            b'{"type": ""}\n',
            b'{"type": "x", "data": [1]}\n',
            b'{"type": "x", "data_length": -1}\n',
            b'{"type": "x", "data_length": "9"}\n',
            b'{"type": "x", "payload_length": 1e3}\n',
            b'{"type": "x", "payload_length": 99999999999}\n',
            b'{"type": "x", "data_length": 2}\n[]',
            b'{"type": "' + b"x" * 100 + b'"}\n',
            b"[" * 10_000 + b"\n",
            b"x" * 100_000,
            b"\xff\xfe\n",
        ],
    )
    def test_what_is_not_a_message_is_reported(self, line: bytes) -> None:
        with pytest.raises(NetworkError):
            received(line)

    @pytest.mark.parametrize("line", [b"", b'{"type"', b'{"type": "x", "payload_length": 9}\nabc'])
    def test_a_message_cut_short_is_the_end(self, line: bytes) -> None:
        assert received(line) == []

    def test_a_message_that_never_ends_is_given_up(self) -> None:
        async def read() -> None:
            reader = asyncio.StreamReader()
            reader.feed_data(b'{"type": "x", "payload_length": 9}\nabc')
            await wire.read(reader, Limits(message_seconds=0.01))

        with pytest.raises(NetworkError, match="too long"):
            asyncio.run(read())

    @given(st.binary(max_size=300))
    def test_any_bytes_are_messages_an_error_or_the_end(self, data: bytes) -> None:
        with contextlib.suppress(NetworkError):
            received(data)

    @given(
        st.recursive(
            st.one_of(st.none(), st.booleans(), st.integers(), st.floats(), st.text(CHARACTERS)),
            lambda inner: st.one_of(
                st.lists(inner, max_size=3), st.dictionaries(st.text(CHARACTERS), inner, max_size=3)
            ),
        ),
        st.integers(-1, 9),
    )
    def test_any_json_is_a_message_an_error_or_the_end(self, value: object, length: int) -> None:
        line = json.dumps({"type": "x", "data": value, "payload_length": length}).encode()
        with contextlib.suppress(NetworkError):
            received(line + b"\n" + b"abcdefghij")


class TestAddress:
    """Where something listens."""

    def test_the_port_may_be_the_usual_one(self) -> None:
        assert address("tcp://kitchen.local", 10700) == Address("kitchen.local", 10700)
        assert address("tcp://kitchen.local:0", 10700) == Address("kitchen.local", 0)
        assert str(address("tcp://[::1]:9", 1)) == "tcp://::1:9"

    @pytest.mark.parametrize("uri", ["kitchen", "http://a:1", "tcp://", "tcp://a:x", "tcp://[a:1"])
    def test_anything_else_is_an_error_in_words(self, uri: str) -> None:
        with pytest.raises(NetworkError, match="is no address"):
            address(uri, 1)

    @pytest.mark.parametrize("host", ["127.0.0.1", "127.9.9.9", "::1", "localhost"])
    def test_this_machine(self, host: str) -> None:
        assert is_loopback(host)

    @pytest.mark.parametrize("host", ["0.0.0.0", "::", "192.168.1.2", "kitchen.local"])  # noqa: S104
    def test_the_network(self, host: str) -> None:
        assert not is_loopback(host)


def test_a_hold_is_written_with_pauses() -> None:
    heard = [Caption(0.0, "say", "Hold."), *(Caption(1.0, "count", n) for n in NUMBERS[1:4])]
    heard += [Caption(4.0, "chime", "end"), Caption(4.5, "say", "Is it gone?")]
    assert written(heard) == "Hold. One ... two ... three. Is it gone?"
