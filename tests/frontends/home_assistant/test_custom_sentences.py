"""What Charley writes for Home Assistant, read by Home Assistant's own recogniser and templates."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
import yaml
from hassil.expression import (
    Alternative,
    Expression,
    Group,
    ListReference,
    RuleReference,
    TextChunk,
)
from hassil.intents import Intents as HomeAssistant
from hassil.intents import TextSlotList
from hassil.recognize import recognize_best
from jinja2 import Environment, Template

from assistant.cli import app
from assistant.frontends.home_assistant import custom_sentences
from assistant.nlu.matcher import Match
from assistant.session import factory
from assistant.session.factory import Language
from assistant.settings import Settings
from tests.support import ROOT

UTTERANCES = ROOT / "tests/utterances"
SPECIAL_SLOTS = {"name", "area", "floor", "domain", "device_class"}
"""Home Assistant looks for entities when an intent has one of them."""


@cache
def language(code: str) -> Language:
    return factory.language(replace(Settings(), language=code))


@pytest.fixture(scope="module", params=["en", "de"])
def code(request: pytest.FixtureRequest) -> str:
    return str(request.param)


@pytest.fixture(scope="module")
def written(code: str, tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    known = language(code)
    out = tmp_path_factory.mktemp(code)
    sentences, package = custom_sentences.export(known.folder / "sentences", known.intents, out)
    return sentences, package


@pytest.fixture(scope="module")
def home(written: tuple[Path, Path]) -> HomeAssistant:
    return HomeAssistant.from_files(written[:1])


@cache
def script(package: Path, intent: str) -> Template:
    """Return the template of what the script of an intent says."""
    found = yaml.safe_load(package.read_text())["intent_script"][intent]
    text = found["action"][0]["data"]["text"]
    return Environment().from_string(text)  # noqa: S701  # no page, but speech


def asked(package: Path, intent: str, slots: dict[str, Any]) -> str:
    """Return what the script of an intent says to Charley's agent."""
    return script(package, intent).render(slots)


def heard(home: HomeAssistant, text: str) -> tuple[str, dict[str, Any]]:
    """Return the intent and the slots that Home Assistant finds in a sentence."""
    found = recognize_best(text, home)
    assert found is not None, f"not recognised: {text}"
    return found.intent.name, {name: entity.value for name, entity in found.entities.items()}


def first(expression: Expression, home: HomeAssistant) -> str:
    """Return one sentence of a template: of every choice the first."""
    if isinstance(expression, TextChunk):
        return expression.original_text
    if isinstance(expression, ListReference):
        known = home.slot_lists[expression.list_name]
        return first(known.values[0].text_in, home) if isinstance(known, TextSlotList) else "next"
    if isinstance(expression, RuleReference):
        return first(home.expansion_rules[expression.rule_name].expression, home)
    assert isinstance(expression, Group)
    if isinstance(expression, Alternative):
        return first(expression.items[0], home)
    return "".join(first(item, home) for item in expression.items)


def test_it_recognises_a_sentence_of_every_template(code: str, home: HomeAssistant) -> None:
    precedence = language(code).intents.language.precedence
    rank = [custom_sentences.intent_name(name) for name in (*precedence, "by_name")]
    for name, intent in home.intents.items():
        for sentence in (s for data in intent.data for s in data.sentences):
            found, _ = heard(home, " ".join(first(sentence.expression, home).split()))
            # A sentence may be part of something stronger; never of something weaker.
            assert rank.index(found) <= rank.index(name)


def test_charley_is_asked_for_what_was_meant(
    code: str, home: HomeAssistant, written: tuple[Path, Path]
) -> None:
    matcher = language(code).matcher
    lists = {n: v for n, v in home.slot_lists.items() if isinstance(v, TextSlotList)}
    slots = {n.removeprefix("charley_"): v.values[0].value_out for n, v in lists.items()}
    for name, intent in home.intents.items():
        for data in (d for d in intent.data if name != "CharleyByName"):
            said = asked(written[1], name, slots | data.slots)
            meant = matcher.match(said, frozenset())
            assert isinstance(meant, Match), said
            assert custom_sentences.intent_name(meant.intent) == name


def test_what_is_said_behind_its_name_reaches_charley_word_for_word(
    home: HomeAssistant, written: tuple[Path, Path]
) -> None:
    for words in ("it still hurts", "next", "stop"):
        intent, slots = heard(home, f"charley {words}")
        assert asked(written[1], intent, slots) == words


def test_a_place_is_asked_for_as_it_was_said(
    code: str, home: HomeAssistant, written: tuple[Path, Path]
) -> None:
    sentence = {"en": "my left calf is cramping", "de": "meine linke wade krampft"}[code]
    intent, slots = heard(home, sentence)
    meant = language(code).matcher.match(asked(written[1], intent, slots), frozenset())
    assert isinstance(meant, Match)
    assert meant.slots == {"side": "left", "muscle": "calf"}


def test_nothing_of_home_assistants_own_is_changed(written: tuple[Path, Path]) -> None:
    """It joins all files of a language: a list, a rule or a word to skip counts everywhere."""
    custom = yaml.safe_load(written[0].read_text())
    assert set(custom) == {"language", "intents", "lists", "expansion_rules"}
    assert all(name.startswith("charley_") for name in custom["lists"])
    assert all(name.startswith("charley_") for name in custom["expansion_rules"])
    assert all(name.startswith("Charley") for name in custom["intents"])
    assert not {name.removeprefix("charley_") for name in custom["lists"]} & SPECIAL_SLOTS


def test_every_intent_has_its_script(written: tuple[Path, Path]) -> None:
    custom, package = (yaml.safe_load(path.read_text()) for path in written)
    assert list(package["intent_script"]) == list(custom["intents"])
    agents = {s["action"][0]["data"]["agent_id"] for s in package["intent_script"].values()}
    assert agents == {"conversation.charley"}


def test_other_talk_is_left_to_home_assistant(code: str, home: HomeAssistant) -> None:
    talk = (UTTERANCES / code / "negative.txt").read_text().splitlines()
    assert not [line for line in filter(None, talk[:60]) if recognize_best(line, home)]


def test_the_command_reports_what_it_wrote(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert app.main(["export", "home-assistant", "--out", str(tmp_path), "--agent", "me.x"]) == 0
    paths = [Path(line) for line in capsys.readouterr().out.splitlines()]
    assert [p.relative_to(tmp_path).as_posix() for p in paths] == [
        "custom_sentences/en/charley.yaml",
        "packages/charley.yaml",
    ]
    assert "agent_id: me.x" in paths[1].read_text()


def test_a_folder_that_cannot_be_written_is_reported_in_one_sentence(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "file").write_text("")
    assert app.main(["export", "home-assistant", "--out", str(tmp_path / "file")]) == 1
    assert "cannot be written" in capsys.readouterr().err
