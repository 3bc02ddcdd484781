"""`charley serve` as a whole: begun, asked, attacked, ended; what it announces and finds."""

from __future__ import annotations

import asyncio
import json
import os
import random
import urllib.error
import urllib.request
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import pytest
from wyoming.asr import Transcript
from wyoming.client import AsyncTcpClient
from wyoming.event import Event
from wyoming.info import Attribution, Describe, Info, Satellite

from assistant.cli.app import main
from assistant.clock import SystemClock
from assistant.errors import NetworkError
from assistant.frontends.home_assistant.announce import Announcer, HomeAssistant
from assistant.frontends.monitoring.health import HealthServer
from assistant.frontends.monitoring.metrics import Measures
from assistant.frontends.wyoming.discovery import Neighbourhood
from assistant.frontends.wyoming.process import is_satellite
from assistant.frontends.wyoming.satellite import Address
from assistant.frontends.wyoming.wire import Limits
from assistant.session.shared import SharedParts
from assistant.session.text_turns import Reply, Turns
from assistant.settings import Settings
from tests.support.fuzzing import message
from tests.support.home_assistant import TOKEN, Home, stand_in
from tests.support.network import free_port, serving

pytestmark = pytest.mark.model
HERE = "127.0.0.1"


def asked(port: int, *events: Event) -> list[Event | None]:
    """Return the answer to each message, over one connection."""

    async def talk() -> list[Event | None]:
        async with asyncio.timeout(20), AsyncTcpClient(HERE, port) as client:
            found = []
            for event in events:
                await client.write_event(event)
                found.append(await client.read_event())
            return found

    return asyncio.run(talk())


def serves(port: int) -> bool:
    """Return whether a new client is answered; all places may be taken for a moment."""
    try:
        return asked(port, Describe().event())[0] is not None
    except OSError:
        return False


def page(port: int, path: str) -> tuple[int, str]:
    """Return status and text of a page."""
    try:
        with urllib.request.urlopen(f"http://{HERE}:{port}{path}", timeout=10) as got:
            return got.status, got.read().decode()
    except urllib.error.HTTPError as error:
        return error.code, error.read().decode()


class TestServe:
    """The command."""

    def test_it_serves_counts_and_ends_kindly(self) -> None:
        health = free_port()
        flags = ("--uri", f"tcp://{HERE}:0", "--health", f"tcp://{HERE}:{health}")
        with serving(*flags) as server:
            port = server.port()
            (info,) = asked(port, Describe().event())
            assert info is not None
            assert Info.from_event(info).handle[0].name == "charley"
            asked(port, Transcript("my left calf is cramping").event())
            assert page(health, "/health") == (200, "well\n")
            assert page(health, "/")[0] == 404
            text = page(health, "/metrics")[1]
            assert 'charley_intents_total{intent="cramp"} 1.0' in text
            assert 'charley_requests_total{service="handle"} 1.0' in text
            # Not a word of what was said.
            assert "cramping" not in text
            assert server.stop() == 0
        assert not any("cramping" in line for line in server.lines)

    def test_hostile_messages_hurt_nobody(self) -> None:
        chance = random.Random(6)
        with serving("--uri", f"tcp://{HERE}:0", "--health", "") as server:
            port = server.port()
            asyncio.run(throw(port, [message(chance) for _ in range(400)]))
            assert any(serves(port) for _ in range(200))
            assert server.stop() == 0
            assert not any("mistake" in line for line in server.lines)

    @pytest.mark.parametrize(
        ("flags", "words"),
        [
            (("--uri", "tcp://0.0.0.0:10300"), "add --listen 0.0.0.0"),
            (("--uri", "kitchen"), "is no address"),
            (("--satellite", "http://kitchen"), "is no address"),
            (("--home-assistant", "homeassistant.local"), "is no address"),
            (("--home-assistant", "http://homeassistant.local:8123"), "token"),
        ],
    )
    def test_what_cannot_be_meant_is_reported_in_a_sentence(
        self, flags: tuple[str, ...], words: str, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert main(["serve", *flags]) == 1
        error = capsys.readouterr().err
        assert words in error
        assert len(error.strip().splitlines()) == 1

    def test_a_port_that_is_taken_is_reported_in_a_sentence(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        with HTTPServer((HERE, 0), BaseHTTPRequestHandler) as taken:
            uri = f"tcp://{HERE}:{taken.server_port}"
            assert main(["serve", "--uri", uri, "--health", ""]) == 1
        assert "cannot listen" in capsys.readouterr().err


async def throw(port: int, messages: list[bytes]) -> None:
    """Send each message over a connection of its own, and leave."""
    for data in messages:
        _, writer = await asyncio.open_connection(HERE, port)
        writer.write(data)
        writer.close()


# --- Home Assistant ------------------------------------------------------------------------------


@pytest.fixture
def home() -> Iterator[Home]:
    """Run a stand-in."""
    with stand_in() as running:
        yield running


class TestAnnouncing:
    """Steps that come by themselves, through Home Assistant."""

    def test_the_call_is_as_home_assistant_wants_it(self, home: Home) -> None:
        HomeAssistant(f"{home.url}/", TOKEN).announce("assist_satellite.kitchen", "Toes up.")
        assert home.services == ["announce"]
        assert home.asked == [
            {
                "entity_id": "assist_satellite.kitchen",
                "message": "Toes up.",
                "preannounce": False,
            }
        ]

    def test_a_wrong_token_is_reported_without_showing_it(self, home: Home) -> None:
        with pytest.raises(NetworkError, match="401") as error:
            HomeAssistant(home.url, "wrong").announce("assist_satellite.kitchen", "Toes up.")
        assert "wrong" not in str(error.value)
        assert home.asked == []

    def test_a_home_that_is_not_there_is_reported(self) -> None:
        with pytest.raises(NetworkError, match="cannot be reached"):
            HomeAssistant(f"http://{HERE}:{free_port()}", TOKEN).announce("x", "y")

    def test_the_next_step_follows_by_itself_until_somebody_speaks(
        self, home: Home, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr("assistant.frontends.home_assistant.announce._LEAD_SECONDS", 0.0)
        monkeypatch.setattr("assistant.frontends.home_assistant.announce._WORDS_PER_SECOND", 1e6)
        parts = SharedParts(Settings(), lambda _sentence: None)
        turns = Turns(parts, SystemClock())
        told: list[str] = []

        async def follow() -> None:
            announcer = Announcer(HomeAssistant(home.url, TOKEN), turns, told.append)
            first = turns.say("k", "my left calf is cramping")
            assert first.next_seconds is not None
            announcer.follow("k", "assist_satellite.kitchen", Reply(first.text, True, 0.0))
            async with asyncio.timeout(10):
                while not home.asked:
                    await asyncio.sleep(0.01)
            announcer.interrupt("k")
            announcer.close()

        asyncio.run(follow())
        assert told == []
        assert home.asked[0]["message"].startswith("Bend your back knee")

    def test_nothing_follows_where_there_is_no_satellite(self) -> None:
        async def follow() -> None:
            announcer = Announcer(HomeAssistant("http://x", TOKEN), None, print)  # type: ignore[arg-type]
            announcer.follow("k", None, Reply("text", True, 0.0))
            assert len(asyncio.all_tasks()) == 1

        asyncio.run(follow())


# --- Discovery and health ------------------------------------------------------------------------


class TestDiscovery:
    """Zeroconf, on this machine alone."""

    def test_what_one_announces_the_other_finds(self) -> None:
        async def meet() -> Address:
            found: asyncio.Queue[Address] = asyncio.Queue()
            async with Neighbourhood(HERE) as one, Neighbourhood(HERE) as other:
                other.find(found.put_nowait, print)
                await one.announce("charley-test", Address(HERE, 10399))
                async with asyncio.timeout(20):
                    return await found.get()

        assert asyncio.run(meet()) == Address(HERE, 10399)

    @pytest.mark.parametrize(
        ("described", "expected"),
        [
            (Info(satellite=Satellite("k", Attribution("", ""), True, None, None)).event(), True),
            (Info().event(), False),
            (Event("info", {"satellite": 7}), False),
        ],
    )
    def test_a_satellite_is_known_by_its_own_description(
        self, described: Event, expected: bool
    ) -> None:
        async def look() -> bool:
            async def answer(_: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
                writer.write(json.dumps(described.to_dict()).encode() + b"\n")

            server = await asyncio.start_server(answer, HERE, 0)
            port = server.sockets[0].getsockname()[1]
            found = await is_satellite(Address(HERE, port), Limits())
            server.close()
            return found

        assert asyncio.run(look()) is expected

    def test_nobody_there_is_no_satellite(self) -> None:
        assert not asyncio.run(is_satellite(Address(HERE, free_port()), Limits()))


def test_a_loop_that_hangs_is_not_well() -> None:
    health = HealthServer(HERE, 0, Measures(), lambda: "hanging")
    try:
        assert page(health.port, "/health") == (503, "hanging\n")
    finally:
        health.close()


@pytest.mark.skipif(os.name == "nt", reason="needs the rights of POSIX")
@pytest.mark.parametrize(("mode", "is_told"), [(0o644, True), (0o640, True), (0o600, False)])
def test_a_token_that_others_can_read_is_reported(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], mode: int, is_told: bool
) -> None:
    from assistant.cli.serve import _home

    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    file.chmod(mode)
    assert _home("http://home:8123", file) == HomeAssistant("http://home:8123", TOKEN)
    error = capsys.readouterr().err
    assert ("others can read" in error) == is_told
    assert TOKEN not in error


def test_a_token_may_come_from_a_file_or_the_environment(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from assistant.cli.serve import _home

    file = tmp_path / "token"
    file.write_text(f"{TOKEN}\n")
    assert _home("http://home:8123", file) == HomeAssistant("http://home:8123", TOKEN)
    monkeypatch.setenv("CHARLEY_HOME_ASSISTANT_TOKEN", TOKEN)
    assert _home("http://home:8123", None) == HomeAssistant("http://home:8123", TOKEN)
    assert _home(None, None) is None
