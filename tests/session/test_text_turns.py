"""Conversations by text: a turn of Home Assistant's pipeline always has an answer."""

from __future__ import annotations

import pytest

from assistant.session.shared import SharedParts
from assistant.session.text_turns import TextTalk
from assistant.settings import Settings

pytestmark = pytest.mark.model


@pytest.fixture(scope="module")
def parts() -> SharedParts:
    return SharedParts(Settings(), lambda _sentence: None)


def test_stop_while_nothing_runs_is_answered(parts: SharedParts) -> None:
    reply = TextTalk(parts).say("stop")
    assert reply.handled
    assert reply.text == "Nothing is running. Tell me where it cramps."


@pytest.mark.parametrize("words", ["what is it", "hm"])
def test_a_warning_is_given_again_rather_than_silence(parts: SharedParts, words: str) -> None:
    talk = TextTalk(parts)
    talk.say("my chest hurts")
    for _ in range(2):
        answer = talk.say(words).text.lower()
        assert "help" in answer or "emergency number" in answer


def test_no_turn_is_answered_by_silence(parts: SharedParts) -> None:
    talk = TextTalk(parts)
    for words in ("stop", "xyzzy", "my left calf is cramping", "hm", "stop", "stop", "what is it"):
        assert talk.say(words).text, words
