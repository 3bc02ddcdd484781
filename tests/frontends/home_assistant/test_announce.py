"""What Charley pushes through Home Assistant, against a stand-in that behaves as the real one."""

from __future__ import annotations

import asyncio
from collections.abc import Iterator

import pytest

from assistant.errors import NetworkError
from assistant.frontends.home_assistant import announce
from assistant.frontends.home_assistant.announce import Announcer, HomeAssistant, RefusalError
from assistant.session.text_turns import Reply
from tests.support.home_assistant import TOKEN, Home, stand_in

KITCHEN = "assist_satellite.kitchen"
STEP, QUESTION = "Toes up.", "How is it?"


class Conversation:
    """Turns of which each is one of these texts; then it waits."""

    def __init__(self, *texts: str) -> None:
        self._texts = list(texts)

    def go_on(self, _key: str) -> Reply:
        """Return the next text."""
        text = self._texts.pop(0)
        return Reply(text, True, 0.0 if self._texts else None)


@pytest.fixture
def home(monkeypatch: pytest.MonkeyPatch) -> Iterator[Home]:
    """Run a stand-in, with short pauses between tries."""
    monkeypatch.setattr(announce, "_RETRY_SECONDS", (0.01, 0.01))
    monkeypatch.setattr(announce, "_LEAD_SECONDS", 0.0)
    with stand_in() as running:
        yield running


def pushed(home: Home, *texts: str, token: str = TOKEN) -> list[str]:
    """Push texts until the plan is over; return what Charley said in its log."""
    told: list[str] = []

    async def push() -> None:
        turns = Conversation(*texts)
        announcer = Announcer(HomeAssistant(home.url, token), turns, told.append)  # type: ignore[arg-type]
        announcer.follow("k", KITCHEN, Reply("", True, 0.0))
        async with asyncio.timeout(10):
            while len(asyncio.all_tasks()) > 1:
                await asyncio.sleep(0.01)

    asyncio.run(push())
    return told


def test_a_question_opens_the_microphone_where_the_satellite_can(home: Home) -> None:
    home.features = 3
    assert pushed(home, STEP, QUESTION) == []
    assert home.services == ["announce", "start_conversation"]
    assert home.asked[1] == {"entity_id": KITCHEN, "start_message": QUESTION, "preannounce": False}


def test_a_question_is_announced_where_the_satellite_cannot_listen(home: Home) -> None:
    assert pushed(home, QUESTION) == []
    assert home.services == ["announce"]


def test_a_busy_satellite_gets_the_same_line_again_and_then_the_next(home: Home) -> None:
    home.behaviour = ["busy", "busy"]
    told = pushed(home, STEP, "Hold.")
    assert [call["message"] for call in home.asked] == [STEP, STEP, STEP, "Hold."]
    assert told == ["Home Assistant refused an announcement (500)."]


def test_an_answer_faster_than_speech_is_not_heard(home: Home) -> None:
    home.behaviour = ["instant"]
    with pytest.raises(NetworkError, match="before an announcement could have been spoken"):
        HomeAssistant(home.url, TOKEN).announce(KITCHEN, STEP)
    home.behaviour = ["instant"]
    pushed(home, STEP)
    assert [call["message"] for call in home.asked] == [STEP, STEP, STEP]


def test_an_answer_that_drips_is_given_up_and_the_line_said_again(
    home: Home, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(announce, "_CALL_SECONDS", 0.5)
    home.behaviour = ["drip"]
    assert pushed(home, STEP) == ["Home Assistant did not finish its answer."]
    assert len(home.asked) == 2


def test_a_line_that_nobody_ever_hears_is_not_followed_by_another(home: Home) -> None:
    home.behaviour = ["busy"] * 10
    told = pushed(home, STEP, "Hold.")
    assert {call["message"] for call in home.asked} == {STEP}
    assert len(home.asked) == 3
    assert "waits until somebody speaks" in told[-1]


def test_a_question_that_cannot_be_asked_is_announced_in_the_end(home: Home) -> None:
    home.features = 3
    home.behaviour = ["busy", "busy"]
    pushed(home, QUESTION)
    assert home.services == ["start_conversation", "start_conversation", "announce"]


def test_a_wrong_token_is_tried_once(home: Home) -> None:
    assert pushed(home, STEP, token="wrong") == [  # noqa: S106  # refused by the stand-in
        "Home Assistant refused an announcement (401)."
    ]
    with pytest.raises(RefusalError):
        HomeAssistant(home.url, "wrong").announce(KITCHEN, STEP)
