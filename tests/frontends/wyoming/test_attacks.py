"""What broke the server when it was attacked, each as a kind, with what is right instead."""

from __future__ import annotations

import asyncio
import json
import socket
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from wyoming.audio import AudioChunk
from wyoming.client import AsyncTcpClient
from wyoming.info import Describe
from wyoming.tts import Synthesize

from assistant.errors import NetworkError
from assistant.frontends.home_assistant import announce
from assistant.frontends.home_assistant.announce import Announcer, HomeAssistant
from assistant.frontends.monitoring.health import HealthServer
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming import wire
from assistant.frontends.wyoming.audio_in import Incoming
from assistant.frontends.wyoming.connection import Link
from assistant.frontends.wyoming.discovery import is_private
from assistant.frontends.wyoming.wire import Limits
from assistant.session.shared import SharedParts
from assistant.session.text_turns import Reply
from tests.frontends.wyoming.test_process import page
from tests.frontends.wyoming.test_requests import answers, ask, server
from tests.frontends.wyoming.test_satellite import FakeSatellite, until, with_satellites

HERE = "127.0.0.1"


def read(line: bytes) -> Any:
    async def one() -> Any:
        reader = asyncio.StreamReader()
        reader.feed_data(line)
        reader.feed_eof()
        return await wire.read(reader, Limits())

    return asyncio.run(one())


class TestTexts:
    """What is no text, or cannot be spoken."""

    @pytest.mark.parametrize("text", [r"\ud800", r"ow \udfff", r"\ud83d ow", r"\uD800"])
    def test_half_a_surrogate_pair_is_a_bad_message(self, text: str) -> None:
        with pytest.raises(NetworkError):
            read(b'{"type": "ping", "data": {"text": "%s"}}\n' % text.encode())

    @pytest.mark.parametrize("text", [r"\ud83d\udc4d", r"\u00e9", r"\\ud800"])
    def test_a_whole_pair_is_text(self, text: str) -> None:
        event = read(b'{"type": "ping", "data": {"text": "%s"}}\n' % text.encode())
        assert event.data["text"] == json.loads(f'"{text}"')

    @pytest.mark.parametrize("text", ["\N{THUMBS UP SIGN}", "...", "\N{THUMBS UP SIGN} ... !"])
    def test_what_cannot_be_spoken_ends_all_the_same(
        self, parts: SharedParts, threads: ThreadPoolExecutor, text: str
    ) -> None:
        ended = ask(parts, threads, Synthesize(text).event(), until="audio-stop")
        assert [event.type for event in ended] == ["audio-start", "audio-stop"]

    def test_an_emoji_is_passed_over(self, parts: SharedParts, threads: ThreadPoolExecutor) -> None:
        marked = Synthesize("Hold it there. \N{THUMBS UP SIGN}").event()
        kinds = [event.type for event in ask(parts, threads, marked, until="audio-stop")]
        assert "audio-chunk" in kinds
        assert "error" not in kinds


@given(
    st.binary(min_size=600, max_size=4000),
    st.integers(1, 999),
    st.sampled_from([1, 2]),
    st.sampled_from([1, 2, 3, 4]),
)
def test_chunks_of_any_length_are_the_same_sound(
    payload: bytes, size: int, channels: int, width: int
) -> None:
    def taken(*pieces: bytes) -> list[int]:
        incoming = Incoming()
        chunks = (AudioChunk(16_000, width, channels, piece).event() for piece in pieces)
        return [int(sample) for chunk in chunks for sample in incoming.take(chunk)]

    pieces = [payload[at : at + size] for at in range(0, len(payload), size)]
    assert taken(*pieces) == taken(payload)


class TestCrowds:
    """Many connections from one address."""

    def test_the_silent_are_ended_soon_and_the_others_are_told(
        self, parts: SharedParts, threads: ThreadPoolExecutor
    ) -> None:
        limits = Limits(connections_per_address=3, first_seconds=0.5)

        async def crowd() -> list[str]:
            async with server(parts, threads, limits) as port:
                silent = [await asyncio.open_connection(HERE, port) for _ in range(3)]
                async with AsyncTcpClient(HERE, port) as refused:
                    told = await answers(refused, "error")
                for reader, _ in silent:
                    async with asyncio.timeout(10):
                        await reader.read()  # until it is closed
                async with AsyncTcpClient(HERE, port) as later:
                    await later.write_event(Describe().event())
                    return [str(told[-1].data["text"]), (await answers(later, "info"))[-1].type]

        sentence, answered = asyncio.run(crowd())
        assert "try again" in sentence
        assert answered == "info"


class TestSatellites:
    """A conversation that breaks by a mistake of Charley's."""

    def test_it_is_told_and_begun_again(
        self, parts: SharedParts, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        broken = iter([True])
        listen = Link._listen

        async def break_once(link: Link) -> None:
            if next(broken, False):
                raise UnicodeEncodeError("utf-8", "\ud800", 0, 1, "surrogates not allowed")
            await listen(link)

        monkeypatch.setattr(Link, "_listen", break_once)

        async def work(satellites: list[FakeSatellite]) -> None:
            await until(lambda: satellites[0].connections == 2)

        told = with_satellites(parts, 1, work)
        assert any("mistake of Charley's" in sentence for sentence in told)

    @pytest.mark.parametrize(
        ("host", "expected"),
        [
            ("192.168.1.7", True),
            ("fe80::1", True),
            (HERE, True),
            ("8.8.8.8", False),
            ("1.1.1.1", False),
        ],
    )
    def test_only_the_home_is_listened_to(self, host: str, expected: bool) -> None:
        assert is_private(host) is expected


class TestHealth:
    """The page that a container's check and Prometheus ask for."""

    def test_requests_that_are_never_finished_leave_no_traceback(
        self, capfd: pytest.CaptureFixture[str]
    ) -> None:
        health = HealthServer(HERE, 0, Measures(), lambda: "")
        try:
            for _ in range(20):
                with socket.create_connection((HERE, health.port)) as half:
                    half.sendall(b"GET /health HTT")
                    half.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, b"\1\0\0\0\0\0\0\0")
            assert page(health.port, "/health") == (200, "well\n")
        finally:
            health.close()
        assert "Traceback" not in capfd.readouterr().err

    def test_what_is_wrong_is_said(self) -> None:
        health = HealthServer(HERE, 0, Measures(), lambda: "no conversation with the kitchen")
        try:
            assert page(health.port, "/health") == (503, "no conversation with the kitchen\n")
        finally:
            health.close()

    def test_everything_is_counted_from_nought(self) -> None:
        measures = Measures(["redflag_chest_breathing", "cramp"])

        def counted(name: str, **labels: str) -> float | None:
            return measures.registry.get_sample_value(name, labels)

        assert counted("charley_intents_total", intent="redflag_chest_breathing") == 0
        assert counted("charley_rejected_total", reason="fault") == 0
        assert counted("charley_requests_total", service="asr") == 0
        assert counted("charley_utterances_total", by="text", result="missed") == 0


def dripping(work: Callable[[int], None]) -> None:
    """Run a Home Assistant that sends its answer byte by byte, and never all of it."""

    async def drip(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nX: ")
        while not writer.is_closing():
            writer.write(b"x")
            await asyncio.sleep(0.02)

    async def run() -> None:
        home = await asyncio.start_server(drip, HERE, 0)
        await asyncio.to_thread(work, home.sockets[0].getsockname()[1])
        home.close()

    asyncio.run(run())


def test_an_answer_that_drips_is_given_up(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(announce, "_CALL_SECONDS", 0.3)
    monkeypatch.setattr(announce, "_LEAD_SECONDS", 0.0)
    told: list[str] = []

    class Going:
        """A conversation that always has something more to say."""

        def go_on(self, _key: str) -> Reply:
            return Reply("More.", True, 0.0)

    def follow(port: int) -> None:
        async def push() -> None:
            home = HomeAssistant(f"http://{HERE}:{port}", "token")
            announcer = Announcer(home, Going(), told.append)  # type: ignore[arg-type]
            announcer.follow("k", "assist_satellite.kitchen", Reply("", True, 0.0))
            await until(lambda: bool(told))
            announcer.close()

        asyncio.run(push())

    dripping(follow)
    assert told == ["Home Assistant did not finish its answer."]
