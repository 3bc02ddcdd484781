"""Conversations over the network, with satellites made of nothing."""

from __future__ import annotations

import asyncio
import random
import time
from collections.abc import Awaitable, Callable
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from unittest import mock

import numpy as np
import pytest
from wyoming.audio import AudioChunk
from wyoming.event import Event, async_read_event, async_write_event
from wyoming.info import Attribution, Info, Satellite
from wyoming.ping import Ping, Pong
from wyoming.pipeline import PipelineStage, RunPipeline

from assistant.asr.hypothesis import RATE
from assistant.audio.pcm import DEFAULT_RATE, Samples
from assistant.audio.shaping import resample
from assistant.clock import SystemClock, VirtualClock
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming.backlog import SoundBacklog
from assistant.frontends.wyoming.connection import Link
from assistant.frontends.wyoming.lights import SatelliteLights
from assistant.frontends.wyoming.satellite import Address
from assistant.frontends.wyoming.satellite import Satellite as Kept
from assistant.frontends.wyoming.wire import Limits
from assistant.session import text_turns
from assistant.session.remote_voice import RemoteVoice
from assistant.session.shared import SharedParts
from assistant.session.text_turns import IDLE_SECONDS, Turns
from assistant.tts.pyttsx3_voice import Pyttsx3Voice

pytestmark = pytest.mark.model
HERE = "127.0.0.1"
BLOCK = RATE // 50


def speech(text: str) -> Samples:
    """Return somebody's words with a second of silence behind them."""
    spoken = resample(Pyttsx3Voice("en-us+m3", 150).render(text), RATE).samples
    return np.concatenate([spoken, np.zeros(RATE, np.int16)])


def hear(talk: RemoteVoice, sound: Samples, at: float) -> float:
    """Let a talk hear sound in virtual time; return when it was over."""
    for first in range(0, len(sound), BLOCK):
        at += BLOCK / RATE
        talk.timeline.read(DEFAULT_RATE * BLOCK // RATE)
        talk.tick(at, sound[first : first + BLOCK])
    return at


class TestTalk:
    """One conversation by sound, in virtual time."""

    def test_two_talks_share_a_model_and_nothing_else(self, parts: SharedParts) -> None:
        kitchen, bath = RemoteVoice(parts), RemoteVoice(parts)
        kitchen.begin(0.0)
        bath.begin(0.0)
        hear(kitchen, speech("my left calf is cramping"), 0.0)
        assert kitchen.is_coaching
        assert not bath.is_coaching

    def test_many_at_once_hear_what_each_would_hear_alone(self, parts: SharedParts) -> None:
        def heard(sound: Samples) -> list[str]:
            found: list[str] = []
            talk = RemoteVoice(parts, lambda event, _: found.append(getattr(event, "text", "")))
            talk.begin(0.0)
            hear(talk, sound, 0.0)
            return found

        muscles = ("left calf", "right calf", "hamstring", "foot")
        sounds = [speech(f"my {muscle} is cramping") for muscle in muscles]
        with ThreadPoolExecutor(len(sounds)) as pool:
            together = list(pool.map(heard, sounds))
        assert together == [heard(sound) for sound in sounds]
        assert "my left calf is cramping" in together[0]

    def test_it_begins_without_a_word_once_the_note_was_said(self, parts: SharedParts) -> None:
        talk = RemoteVoice(parts)
        talk.begin(0.0)
        assert talk.timeline.is_idle
        assert not talk.is_coaching

    def test_a_stream_that_ends_ends_the_utterance(self, parts: SharedParts) -> None:
        heard: list[str] = []
        talk = RemoteVoice(parts, lambda event, _: heard.append(getattr(event, "intent", "")))
        talk.begin(0.0)
        words = speech("my left calf is cramping")[:-RATE]
        talk.tick(1.0, words)
        talk.end_utterance(1.1)
        assert "cramp" in heard


class TestLights:
    """What a satellite is sent besides sound."""

    def test_a_satellite_with_a_wake_word_waits_for_it_again(self) -> None:
        lights = SatelliteLights()
        lights.woken(RunPipeline(PipelineStage.ASR, PipelineStage.TTS).event(), 0.0)
        assert lights.shown(1.0, is_coaching=True) == []
        assert lights.shown(10.0, is_coaching=False) == []
        (over,) = lights.shown(14.0, is_coaching=False)
        assert (over.type, over.data["text"]) == ("transcript", "")
        assert lights.shown(99.0, is_coaching=False) == []

    def test_one_that_always_streams_lights_up_while_charley_coaches(self) -> None:
        lights = SatelliteLights()
        lights.woken(RunPipeline(PipelineStage.WAKE, PipelineStage.TTS).event(), 0.0)
        assert lights.shown(100.0, is_coaching=False) == []
        assert [event.type for event in lights.shown(101.0, is_coaching=True)] == ["detection"]
        assert lights.shown(102.0, is_coaching=True) == []
        assert [event.type for event in lights.shown(120.0, is_coaching=False)] == ["transcript"]


class TestEars:
    """The sound that waits to be heard."""

    def chunk(self) -> Event:
        return AudioChunk(RATE, 2, 1, bytes(2 * 1024)).event()

    def heard_seconds(self, arrivals: list[float]) -> float:
        """Return how much is heard of chunks that arrive at these moments."""

        async def listen() -> float:
            ears, samples = SoundBacklog(Measures()), 0
            for number, at in enumerate(arrivals):
                ears.take(self.chunk(), at)
                if number % 50 < 49:
                    continue
                block, _ = await ears.listen(lambda at=at: at)  # type: ignore[misc]
                samples += 0 if block is None else len(block)
            return samples / RATE

        return asyncio.run(listen())

    def test_unsteady_sound_is_heard_whole(self) -> None:
        chance, chunk_seconds = random.Random(1), 1024 / RATE
        arrivals, at = [], 0.0
        for number in range(50 * 40):
            at = max(at, number * chunk_seconds + chance.choice((0.0, 0.0, 0.0, 0.5)))
            arrivals.append(at)
        assert self.heard_seconds(arrivals) == pytest.approx(len(arrivals) * chunk_seconds)

    def test_a_flood_is_heard_no_faster_than_twice_its_time(self) -> None:
        arrivals = [number / 1000 for number in range(1000)]
        assert self.heard_seconds(arrivals) < 2 * 1.0 + 2 * 5.0 + 0.1


def refuses(text: str) -> bool:
    """Return whether Charley sends for help instead of coaching; its words vary."""
    return "Squeeze" not in text and ("safety" in text or "help" in text.lower())


class TestTurns:
    """Conversations by text, kept for a while."""

    def test_one_that_was_silent_long_enough_is_forgotten(self, parts: SharedParts) -> None:
        clock = VirtualClock()
        turns = Turns(parts, clock)
        assert turns.say("kitchen", "my left calf is cramping").handled
        clock.wait_until(IDLE_SECONDS - 1)
        assert turns.say("kitchen", "repeat").handled
        clock.wait_until(3 * IDLE_SECONDS)
        assert turns.say("kitchen", "repeat").text == "I'm listening. Tell me where it cramps."
        assert len(turns) == 1

    def test_a_warned_person_is_not_forgotten_for_others(self, parts: SharedParts) -> None:
        turns = Turns(parts, VirtualClock())
        assert "help" in turns.say("warned", "my chest hurts", "a").text.lower()
        for number in range(60):
            turns.say(f"other {number}", "hello", f"peer {number}")
        with mock.patch.object(text_turns, "_KEPT", 30):
            for number in range(60):
                turns.say(f"new {number}", "my left calf is cramping", f"peer {number}")
        assert "Squeeze" not in turns.say("warned", "next", "a").text
        assert refuses(turns.say("warned", "my left calf is cramping", "a").text)

    def test_idle_conversations_go_before_running_ones(self, parts: SharedParts) -> None:
        turns = Turns(parts, VirtualClock())
        turns.say("running", "my left calf is cramping", "a")
        with mock.patch.object(text_turns, "_KEPT", 10):
            for number in range(40):
                turns.say(f"idle {number}", "hello", f"peer {number}")
        assert len(turns) == 10
        assert turns.say("running", "how long left").handled

    def test_one_address_cannot_fill_the_memory_with_warnings(self, parts: SharedParts) -> None:
        turns = Turns(parts, VirtualClock())
        with mock.patch.object(text_turns, "_KEPT_PER_PEER", 5):
            for number in range(20):
                assert turns.say(f"k {number}", "my chest hurts", "attacker").handled
        assert len(turns) == 5

    def test_a_warning_outlives_a_quarter_of_an_hour(self, parts: SharedParts) -> None:
        clock = VirtualClock()
        turns = Turns(parts, clock)
        turns.say("k", "I heard a pop in my calf")
        clock.wait_until(4 * IDLE_SECONDS)
        assert refuses(turns.say("k", "my left calf is cramping").text)

    def test_time_stands_still_between_two_turns(self, parts: SharedParts) -> None:
        clock = VirtualClock()
        turns = Turns(parts, clock)
        opening = turns.say("kitchen", "my left calf is cramping")
        clock.wait_until(IDLE_SECONDS / 2)
        assert turns.say("kitchen", "repeat").text in opening.text

    def test_every_state_that_waits_has_an_end_to_its_turn(self, parts: SharedParts) -> None:
        turns = Turns(parts, VirtualClock())
        said = ("both calves", "sitting", "next", "next", "next", "still there", "it's gone")
        for text in ("my calves are cramping", *said):
            assert turns.say("k", text).text

    @pytest.mark.usefixtures("fresh_home")
    def test_the_safety_note_comes_once(self, parts: SharedParts) -> None:
        turns = Turns(parts, VirtualClock())
        assert "not a doctor" in turns.say("a", "my left calf is cramping").text
        assert "not a doctor" not in turns.say("a", "next").text


# --- Over the wire -------------------------------------------------------------------------------


class FakeSatellite:
    """Answers as a satellite does, streams silence and keeps what it gets."""

    def __init__(self) -> None:
        self.got: list[Event] = []
        self.connections = 0
        self.port = 0
        self._server: asyncio.Server | None = None
        self._writers: list[asyncio.StreamWriter] = []
        self._pending: Samples = np.zeros(0, np.int16)

    async def start(self) -> None:
        """Listen, at the same port as before."""
        self._server = await asyncio.start_server(self._serve, HERE, self.port)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        """Go away."""
        if self._server is not None:
            self._server.close()
        for writer in self._writers:
            writer.close()
        self._writers.clear()

    def says(self, sound: Samples) -> None:
        """Say something over the next seconds."""
        self._pending = sound

    def kinds(self) -> set[str]:
        """Return the kinds of messages so far."""
        return {event.type for event in self.got}

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self._writers.append(writer)
        while (event := await async_read_event(reader)) is not None:
            self.got.append(event)
            if event.type == "describe":
                told = Satellite("kitchen", Attribution("", ""), True, None, None)
                await async_write_event(Info(satellite=told).event(), writer)
            elif event.type == "ping":
                await async_write_event(Pong(event.data.get("text")).event(), writer)
            elif event.type == "run-satellite":
                run = RunPipeline(PipelineStage.WAKE, PipelineStage.TTS)
                await async_write_event(run.event(), writer)
                await async_write_event(Ping("mine").event(), writer)
                self._task = asyncio.create_task(self._stream(writer))

    async def _stream(self, writer: asyncio.StreamWriter) -> None:
        while not writer.is_closing():
            block, self._pending = self._pending[:1024], self._pending[1024:]
            padded = np.pad(block, (0, 1024 - len(block)))
            await async_write_event(AudioChunk(RATE, 2, 1, padded.tobytes()).event(), writer)
            await asyncio.sleep(1024 / RATE)


def with_satellites(
    parts: SharedParts, count: int, work: Callable[[list[FakeSatellite]], Awaitable[None]]
) -> list[str]:
    """Run something with satellites that Charley keeps; return what Charley reported."""
    told: list[str] = []

    async def run() -> None:
        satellites = [FakeSatellite() for _ in range(count)]
        clock, measures = SystemClock(), Measures()
        with ThreadPoolExecutor(4) as threads:
            link = partial(
                Link, clock=clock, threads=threads, measures=measures,
                lead_seconds=0.1, limits=Limits(),
            )  # fmt: skip
            tasks = []
            for one in satellites:
                await one.start()
                at = Address(HERE, one.port)
                kept = Kept(
                    at, RemoteVoice(parts), link, clock=clock, measures=measures, tell=told.append
                )
                tasks.append(asyncio.create_task(kept.run()))
            try:
                async with asyncio.timeout(60):
                    await work(satellites)
            finally:
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)
                for one in satellites:
                    await one.stop()

    asyncio.run(run())
    return told


async def until(fulfilled: Callable[[], bool], seconds: float = 30.0) -> None:
    """Wait until a condition holds."""
    end = time.monotonic() + seconds
    while not fulfilled():
        assert time.monotonic() < end
        await asyncio.sleep(0.05)


class TestSatellites:
    """Satellites that Charley connects to."""

    def test_it_is_greeted_as_by_home_assistant_and_left_kindly(self, parts: SharedParts) -> None:
        left: list[FakeSatellite] = []

        async def work(satellites: list[FakeSatellite]) -> None:
            left.extend(satellites)
            await until(lambda: "pong" in satellites[0].kinds())

        with_satellites(parts, 1, work)
        kinds = [event.type for event in left[0].got]
        assert kinds[:2] == ["describe", "run-satellite"]
        assert "audio-start" not in kinds

    def test_two_at_once_are_two_conversations(self, parts: SharedParts) -> None:
        async def work(satellites: list[FakeSatellite]) -> None:
            kitchen, bath = satellites
            await until(lambda: all("pong" in one.kinds() for one in satellites))
            kitchen.says(speech("my left calf is cramping"))
            await until(lambda: {"audio-chunk", "detection"} <= kitchen.kinds())
            assert not {"audio-chunk", "detection"} & bath.kinds()

        with_satellites(parts, 2, work)

    def test_a_conversation_outlives_the_connection(self, parts: SharedParts) -> None:
        async def work(satellites: list[FakeSatellite]) -> None:
            (kitchen,) = satellites
            await until(lambda: "pong" in kitchen.kinds())
            kitchen.says(speech("my left calf is cramping"))
            await until(lambda: "audio-chunk" in kitchen.kinds())
            await kitchen.stop()
            kitchen.got.clear()
            await kitchen.start()
            await until(lambda: kitchen.connections == 2 and "audio-chunk" in kitchen.kinds())

        told = with_satellites(parts, 1, work)
        assert [line.partition(": ")[2].split(" ")[0] for line in told] == [
            "connected.",
            "lost",
            "connected.",
        ]
