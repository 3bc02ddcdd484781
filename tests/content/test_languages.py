"""What every language must pass: a folder of intents/, and what people say in it.

A language that is added as a folder takes part by itself. One that lies in a temporary folder does
too, so nothing here or in the program knows where a language is or which there are.
"""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant.content import language_pack, prompts, yaml_source
from assistant.content.routines import HELPER, POSITIONS
from assistant.dialogue.state import State
from assistant.errors import IntentDataError, RoutineError
from assistant.nlu.intents import Intents
from assistant.nlu.matcher import Match
from assistant.regular_file import read_regular
from assistant.session import factory
from assistant.settings import Settings
from tests.support.languages import ASKED, IDLE, Language, language
from tests.support.talk import Talk

ENGLISH = language("en")


def slots(loaded: Intents, name: str) -> set[str]:
    """Return every value that the sentences can give a slot."""
    blocks = {t.block.slots[name] for t in loaded.templates if name in t.block.slots}
    values = {v.slots[name] for row in loaded.lists.values() for v in row if name in v.slots}
    return blocks | values


# --- Its folder ----------------------------------------------------------------------------------


def test_a_language_has_every_prompt_and_every_red_flag(spoken: Language) -> None:
    there, english = spoken.pack, ENGLISH.pack
    assert there.prompts.lines.keys() >= prompts.KEYS
    assert there.red_flags.flags.keys() == english.red_flags.flags.keys()
    assert there.red_flags.questions.keys() == english.red_flags.questions.keys()
    for name, flag in english.red_flags.flags.items():
        assert there.red_flags.flags[name].level == flag.level
        assert len(there.red_flags.flags[name].lines) == len(flag.lines)
    assert len(there.prompts.numbers) == 61
    assert there.prompts.sides.keys() == {"left", "right", "both"}


def test_what_the_sentences_name_is_there_to_be_said(spoken: Language) -> None:
    loaded, there = spoken.intents, spoken.pack
    topics = slots(loaded, "topic") - {"words"}
    assert {f"answer.{topic}" for topic in topics} <= there.prompts.lines.keys()
    said = {t.block.intent for t in loaded.templates if t.block.intent.startswith("redflag_")}
    assert said == there.red_flags.flags.keys()
    assert slots(loaded, "triage") <= there.red_flags.questions.keys()
    assert slots(loaded, "position") <= {*POSITIONS, HELPER}
    assert slots(loaded, "number") <= set(there.prompts.numbers)


def test_a_line_keeps_its_length_when_its_slots_are_filled(spoken: Language) -> None:
    for text in spoken.pack.texts():
        assert 0 < len(text.split()) <= prompts.MAX_WORDS + 2, text
        assert not set("{}") & set(text)


def test_the_voices_to_change_to_are_of_the_language(spoken: Language) -> None:
    there = spoken.pack.voices
    assert next(iter(there.choices)) == there.charley
    assert all(name[:2] == spoken.folder.name[:2] for name in there.choices)
    assert {"deeper", "higher"} == set(there.choices.values())


@pytest.mark.parametrize("key", ["gone.walk", "listening", "ask.only", "numbers", "titles"])
def test_a_missing_prompt_is_reported_at_once(spoken: Language, tmp_path: Path, key: str) -> None:
    folder = shutil.copytree(spoken.folder, tmp_path / spoken.folder.name)
    path = folder / "prompts.yaml"
    path.write_text(path.read_text("utf-8").replace(f"\n{key}:", f"\nx{key}:"), "utf-8")
    with pytest.raises(RoutineError, match=f"prompts.yaml, line 1: the key “{key}” is missing"):
        language_pack.load(folder)


@pytest.mark.parametrize("key", ["helper", "or"])
def test_a_missing_word_of_a_title_is_reported_at_once(
    spoken: Language, tmp_path: Path, key: str
) -> None:
    folder = shutil.copytree(spoken.folder, tmp_path / spoken.folder.name)
    path = folder / "prompts.yaml"
    text = path.read_text("utf-8")
    assert text.count(f" {key}: ") == 1
    path.write_text(text.replace(f" {key}: ", f" x{key}: "), "utf-8")
    with pytest.raises((RoutineError, IntentDataError), match=f"prompts.yaml.*“{key}”"):
        language_pack.load(folder)


@pytest.mark.usefixtures("fresh_home")
def test_the_program_takes_it_from_its_folder(
    spoken: Language, monkeypatch: pytest.MonkeyPatch
) -> None:
    read: list[Path] = []

    def noted(path: Path, most_bytes: int) -> bytes:
        read.append(path)
        return read_regular(path, most_bytes)

    monkeypatch.setattr(factory, "intents_folder", lambda _language: spoken.folder)
    monkeypatch.setattr(yaml_source, "read_regular", noted)
    made = factory.language(Settings(language=spoken.folder.name))
    assert made.pack.prompts == spoken.pack.prompts
    assert made.intents == spoken.intents
    assert sorted(read) == sorted(spoken.folder.rglob("*.yaml")), "each file is read once"


# --- It is understood ----------------------------------------------------------------------------


def test_every_meaning_has_six_lines_or_more(spoken: Language) -> None:
    assert all(len(spoken.lines(meaning)) >= 6 for meaning in spoken.meanings)
    known = {t.block.intent for t in spoken.intents.templates if t.block.has_meaning}
    assert known == {wanted["intent"] for wanted in spoken.expected().values()}


def test_what_people_say_is_understood(spoken: Language) -> None:
    for meaning, wanted in spoken.expected().items():
        for line in spoken.lines(meaning):
            found = spoken.matcher.match(line, ASKED)
            assert isinstance(found, Match), line
            assert found.intent == wanted["intent"], line
            assert wanted["slots"].items() <= found.slots.items(), line


def test_a_red_flag_is_heard_out_of_the_blue(spoken: Language) -> None:
    """Unless its sentence is about what went before: "it's gone numb"."""
    for meaning in spoken.pack.red_flags.flags:
        for line in spoken.lines(meaning):
            found = spoken.matcher.match(line, IDLE)
            if isinstance(found, Match):
                assert found.intent == meaning, line
            else:
                assert found.reason == "means nothing in this state", line


def test_other_talk_starts_nothing(spoken: Language) -> None:
    """A false red flag is at most uncertain, which leads to one question."""
    for line in spoken.lines("negative"):
        found = spoken.matcher.match(line, IDLE)
        assert not isinstance(found, Match) or found.slots.get("certain") == "no", line


# --- It is spoken --------------------------------------------------------------------------------

BEFORE = {
    "idle": (),
    "asking": ("cramp_unspecified",),
    "guiding": ("cramp_calf",),
    "holding": ("cramp_calf", "yes"),
    "checking": ("cramp_calf", "yes", "still_hurts"),
    "gone": ("cramp_calf", "yes", "relief_gone"),
    "warned": ("cramp_calf", "redflag_dizzy_faint"),
}
"""What was meant before, to where that leads."""


def held(spoken: Language, state: str, line: str, *more: str) -> Talk:
    """Return a conversation in which a line is said in a state; in a hold at the third count."""
    before = [spoken.lines(meaning)[0] for meaning in BEFORE[state]]
    said = f"#3 {line}" if state == "holding" else line
    return Talk(spoken.pack, spoken.matcher, *before, said, *more)


def test_a_whole_conversation(spoken: Language) -> None:
    said = [spoken.lines(name)[0] for name in ("cramp_calf", "yes", "still_hurts", "relief_gone")]
    talk = Talk(spoken.pack, spoken.matcher, *said)
    one, ten = spoken.pack.prompts.numbers[1], spoken.pack.prompts.numbers[10]
    assert talk.heard.count(one) == talk.heard.count(ten) == 2
    assert talk.keys[-4:] == ["gone.walk", "gone.jog", "gone.twitch", "gone.listening"]
    assert talk.session.now.state is State.IDLE


@pytest.mark.parametrize("state", BEFORE)
def test_a_red_flag_is_answered_wherever_we_are(spoken: Language, state: str) -> None:
    for meaning in spoken.pack.red_flags.flags:
        talk = held(spoken, state, spoken.lines(meaning)[0])
        asked = spoken.pack.red_flags.question_for(meaning, certain=True)
        wanted = f"triage.{asked}" if asked and state != "warned" else f"{meaning}.1"
        assert wanted in talk.keys, meaning
        assert talk.session.now.state in (State.WARNED, State.TRIAGE), meaning


@pytest.mark.parametrize("state", BEFORE)
def test_nothing_that_can_be_said_breaks_a_conversation(spoken: Language, state: str) -> None:
    stop = spoken.lines("control_stop")[0]
    for meaning in spoken.meanings:
        line = spoken.lines(meaning)[-1]
        talk = held(spoken, state, line, "hm", stop)
        assert set(talk.keys) & prompts.KEYS, line
