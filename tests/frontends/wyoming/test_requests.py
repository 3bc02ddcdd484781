"""Home Assistant's side of the wire: the real wyoming client asks, Charley answers."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from functools import partial

import numpy as np
import pytest
from wyoming.asr import Transcribe, Transcript
from wyoming.audio import AudioChunk, AudioStart, AudioStop
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.handle import Handled, NotHandled
from wyoming.info import Describe, Info
from wyoming.ping import Ping, Pong
from wyoming.tts import (
    Synthesize,
    SynthesizeChunk,
    SynthesizeStart,
    SynthesizeStop,
    SynthesizeStopped,
    SynthesizeVoice,
)

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import DEFAULT_RATE, Pcm, from_int16
from assistant.audio.shaping import resample
from assistant.clock import SystemClock
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import info
from assistant.frontends.wyoming.connection import Link
from assistant.frontends.wyoming.requests import Services
from assistant.frontends.wyoming.server import Server
from assistant.frontends.wyoming.wire import Limits
from assistant.session.remote_voice import RemoteVoice
from assistant.session.shared import SharedParts
from assistant.session.text_turns import Turns
from assistant.tts.pyttsx3_voice import Pyttsx3Voice
from tests.frontends.wyoming.test_satellite import refuses

pytestmark = pytest.mark.model

Ask = Callable[[AsyncTcpClient], Awaitable[None]]


@asynccontextmanager
async def server(
    parts: SharedParts, threads: ThreadPoolExecutor, limits: Limits | None = None
) -> AsyncIterator[int]:
    """Run the server for as long as the block lasts; gives its port."""
    limits, clock, measures = limits or Limits(), SystemClock(), Measures()
    turns = Turns(parts, clock)
    services = Services(parts, turns, measures, limits, threads, info.describe(parts), None)
    link = partial(
        Link, clock=clock, threads=threads, measures=measures, lead_seconds=0.1, limits=limits
    )
    faults: list[str] = []
    made = Server(services, clock, partial(RemoteVoice, parts), link, faults.append)
    port = await made.start("127.0.0.1", 0)
    try:
        yield port
    finally:
        await made.stop()
    assert faults == []


def ask(parts: SharedParts, threads: ThreadPoolExecutor, *sent: Event, until: str) -> list[Event]:
    """Send messages over one connection; return the answers up to one of a type."""

    async def talk() -> list[Event]:
        async with server(parts, threads) as port, AsyncTcpClient("127.0.0.1", port) as client:
            for event in sent:
                await client.write_event(event)
            return await answers(client, until)

    return asyncio.run(talk())


async def answers(client: AsyncTcpClient, until: str) -> list[Event]:
    """Return what comes, up to a message of a type."""
    found: list[Event] = []
    async with asyncio.timeout(20):
        while not found or found[-1].type != until:
            event = await client.read_event()
            assert event is not None, [e.type for e in found]
            found.append(event)
    return found


def speech(text: str, rate: int = RATE) -> Pcm:
    """Return somebody's words with silence around them."""
    sound = resample(Pyttsx3Voice("en-us+m3", 150).render(text), rate)
    quiet = np.zeros(rate // 2, np.int16)
    return Pcm(np.concatenate([quiet, sound.samples, quiet]), rate)


def chunks(sound: Pcm, seconds: float = 0.064) -> list[Event]:
    """Return sound as a satellite sends it."""
    size = round(seconds * sound.rate)
    blocks = [sound.samples[at : at + size] for at in range(0, len(sound), size)]
    return [AudioChunk(sound.rate, 2, 1, block.tobytes()).event() for block in blocks]


class TestDescribe:
    """`describe`: what Home Assistant offers its users."""

    def test_all_three_services_are_described_with_language_version_and_attribution(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        told = ask(parts, threads, Describe().event(), until="info")
        info = Info.from_event(told[0])
        for program in (*info.asr, *info.handle, *info.tts):
            assert program.name == "charley"
            assert program.version
            assert program.attribution.name
        assert info.asr[0].models[0].languages == ["en"]
        assert info.handle[0].models[0].languages == ["en"]
        assert len(info.tts[0].voices) > 1
        # Home Assistant would ask an intent service first, and do what it says.
        assert info.intent == []
        assert info.satellite is None

    def test_a_ping_is_answered(self, parts: SharedParts, threads: ThreadPoolExecutor) -> None:
        told = ask(parts, threads, Ping("here").event(), until="pong")
        assert Pong.from_event(told[0]).text == "here"

    def test_what_is_unknown_is_passed_over(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        sent = (Event("from-the-future", {"a": 1}, b"bytes"), Describe().event())
        assert [event.type for event in ask(parts, threads, *sent, until="info")] == ["info"]


class TestHandle:
    """`handle`: one connection a turn, as Home Assistant does it."""

    def turns(
        self, parts: SharedParts, threads: ThreadPoolExecutor, *said: tuple[str, dict[str, str]]
    ) -> list[Event]:
        async def talk() -> list[Event]:
            replies = []
            async with server(parts, threads) as port:
                for text, context in said:
                    async with AsyncTcpClient("127.0.0.1", port) as client:
                        await client.write_event(Transcript(text, context=context).event())
                        event = await client.read_event()
                        assert event is not None
                        replies.append(event)
            return replies

        return asyncio.run(talk())

    def test_clients_that_name_nobody_do_not_share_a_conversation(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        async def talk() -> list[str]:
            async with (
                server(parts, threads) as port,
                AsyncTcpClient("127.0.0.1", port) as warned,
                AsyncTcpClient("127.0.0.1", port) as other,
            ):
                replies = []
                for client, text in (
                    (warned, "my chest hurts"),
                    (other, "I'm okay"),
                    (warned, "my left calf is cramping"),
                ):
                    await client.write_event(Transcript(text).event())
                    event = await client.read_event()
                    assert event is not None
                    replies.append(str(event.data.get("text")))
                return replies

        assert refuses(asyncio.run(talk())[-1])

    def test_a_conversation_goes_on_from_turn_to_turn(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        kitchen = {"satellite_id": "assist_satellite.kitchen", "conversation_id": "1"}
        again = kitchen | {"conversation_id": "2"}
        opening, hold, gone = self.turns(
            parts,
            threads,
            ("my left calf is cramping", kitchen),
            ("skip to the hold", again),
            ("it's gone", again),
        )
        assert "Put your left leg one step in front" in str(Handled.from_event(opening).text)
        spoken = str(Handled.from_event(hold).text)
        assert "One ... two ... three ... four ... five" in spoken
        assert spoken.endswith("Is it gone, still there, or worse?")
        assert "walk a little first" in str(Handled.from_event(gone).text)
        assert Handled.from_event(hold).context == again

    def test_two_rooms_have_a_conversation_each(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        _, elsewhere = self.turns(
            parts,
            threads,
            ("my left calf is cramping", {"satellite_id": "kitchen"}),
            ("skip to the hold", {"satellite_id": "bath"}),
        )
        assert elsewhere.data["text"] == "Nothing is running. Tell me where it cramps."

    def test_what_is_not_for_charley_is_not_handled(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        (reply,) = self.turns(parts, threads, ("switch on the lamp", {}))
        assert NotHandled.is_type(reply.type)

    def test_a_red_flag_ends_the_coaching(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        who = {"conversation_id": "x"}
        _, warned, after = self.turns(
            parts,
            threads,
            ("my calf is cramping", who),
            ("my chest hurts", who),
            ("next", who),
        )
        assert "stop" in str(Handled.from_event(warned).text).lower()
        assert "One ... two" not in str(Handled.from_event(after).text)


class TestAsr:
    """`asr`: sound of any shape in, Charley's words out."""

    @pytest.mark.parametrize("rate", [16_000, 48_000])
    def test_what_was_said_comes_back(
        self, parts: SharedParts, threads: ThreadPoolExecutor, rate: int
    ) -> None:
        sound = speech("my left calf is cramping", rate)
        sent = (
            Transcribe(language="en").event(), AudioStart(rate, 2, 1).event(),
            *chunks(sound), AudioStop().event(),
        )  # fmt: skip
        told = ask(parts, threads, *sent, until="transcript")
        assert Transcript.from_event(told[-1]).text == "my left calf is cramping"
        assert told[0].type == "transcript-start"
        assert told[-2].type == "transcript-stop"

    def test_two_utterances_on_one_connection_are_two(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        async def talk() -> list[str]:
            heard = []
            async with (
                server(parts, threads) as port,
                AsyncTcpClient("127.0.0.1", port) as client,
            ):
                for text in ("stop", "my left calf is cramping"):
                    events = (Transcribe().event(), *chunks(speech(text)), AudioStop().event())
                    for event in events:
                        await client.write_event(event)
                    told = await answers(client, "transcript")
                    heard.append(Transcript.from_event(told[-1]).text)
            return heard

        assert asyncio.run(talk()) == ["stop", "my left calf is cramping"]

    def test_silence_is_no_words(self, parts: SharedParts, threads: ThreadPoolExecutor) -> None:
        quiet = Pcm(np.zeros(RATE, np.int16), RATE)
        sent = (Transcribe().event(), *chunks(quiet), AudioStop().event())
        told = ask(parts, threads, *sent, until="transcript")
        assert Transcript.from_event(told[-1]).text == ""


class TestTts:
    """`tts`: text in, Charley's voice out."""

    def sound(self, told: list[Event]) -> Pcm:
        heard = [AudioChunk.from_event(event) for event in told if AudioChunk.is_type(event.type)]
        assert {(chunk.rate, chunk.width, chunk.channels) for chunk in heard} == {
            (DEFAULT_RATE, 2, 1)
        }
        return Pcm(np.frombuffer(b"".join(c.audio for c in heard), np.int16), DEFAULT_RATE)

    def test_a_text_is_spoken(self, parts: SharedParts, threads: ThreadPoolExecutor) -> None:
        told = ask(
            parts, threads, Synthesize("Toes up. Hold it there.").event(), until="audio-stop"
        )
        assert told[0].type == "audio-start"
        assert 1.0 < self.sound(told).seconds < 4.0

    def test_counts_stand_on_whole_seconds(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        told = ask(
            parts, threads, Synthesize("One ... two ... three ... four.").event(),
            until="audio-stop",
        )  # fmt: skip
        sound = self.sound(told)
        loud = np.abs(from_int16(sound.samples)) >= 0.02
        for second in (1, 2, 3, 4):
            at = second * DEFAULT_RATE
            assert not loud[at - DEFAULT_RATE // 20 : at].any()
            assert loud[at : at + DEFAULT_RATE // 100].any()

    def test_streamed_text_is_spoken_once(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        sent = (
            SynthesizeStart().event(),
            SynthesizeChunk("Toes ").event(),
            SynthesizeChunk("up.").event(),
            # Home Assistant also sends the whole text, for services that cannot stream.
            Synthesize("Toes up.").event(),
            SynthesizeStop().event(),
        )
        told = ask(parts, threads, *sent, until="synthesize-stopped")
        assert [event.type for event in told].count("audio-start") == 1
        assert SynthesizeStopped.is_type(told[-1].type)

    def test_a_voice_can_be_chosen(self, parts: SharedParts, threads: ThreadPoolExecutor) -> None:
        first, second = list(parts.speakers)[:2]
        told = [
            ask(
                parts, threads, Synthesize("Toes up.", SynthesizeVoice(name)).event(),
                until="audio-stop",
            )
            for name in (first, second, "nobody")
        ]  # fmt: skip
        usual, other, unknown = (self.sound(one).seconds for one in told)
        # A voice never renders a line twice to the sample.
        assert abs(unknown - usual) < 0.005 < abs(other - usual)
