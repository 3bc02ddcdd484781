"""Sentences drawn from the templates, for the synthetic voices that the model is trained on."""

from __future__ import annotations

import random

import pytest

from assistant.nlu import intents
from assistant.nlu.matcher import Match, Matcher
from models.training.data.sentences import drawn
from tests.support import ROOT

SENTENCES = intents.load(ROOT / "intents" / "en" / "sentences")


@pytest.fixture(scope="module")
def texts() -> list[str]:
    return drawn(SENTENCES, 1500, random.Random(7))


class TestDrawn:
    """What `models.training.data.sentences` draws."""

    def test_gives_as_many_as_asked_for_and_each_once(self, texts: list[str]) -> None:
        assert len(texts) == len(set(texts)) == 1500

    def test_says_only_words_that_the_grammar_knows(self, texts: list[str]) -> None:
        known = set(SENTENCES.words())
        assert {word for text in texts for word in text.split()} <= known

    def test_draws_what_the_matcher_understands(self, texts: list[str]) -> None:
        matcher = Matcher(SENTENCES)
        missed = [text for text in texts if not isinstance(matcher.match(text), Match)]
        assert len(missed) < 0.02 * len(texts), missed

    def test_is_the_same_for_the_same_seed(self) -> None:
        assert drawn(SENTENCES, 900, random.Random(3)) == drawn(SENTENCES, 900, random.Random(3))
