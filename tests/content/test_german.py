"""German is a folder: it is understood and speaks, and no code knows a word of it.

What every language must pass is in test_languages.py; here are German words and voices.
"""

from __future__ import annotations

import io
import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import pytest

from assistant.audio import audio_file
from assistant.cli import app
from assistant.dialogue.state import State
from assistant.errors import IntentDataError, ModelError, SynthesiserError
from assistant.frontends.live import microphone_input
from assistant.nlu import intents
from assistant.nlu.matcher import Match
from assistant.session import factory, speech_model, voices
from assistant.settings import Settings
from assistant.speech_models import catalogue
from assistant.tts import pyttsx3_voice
from assistant.tts.pyttsx3_voice import DefaultVoice
from assistant.tts.synthesiser import VoiceInfo
from tests.support.languages import ASKED, IDLE, SESSION, language
from tests.support.stage import PACK as ENGLISH_PACK
from tests.support.talk import Talk

SPOKEN = language("de")
GERMAN, PACK, MATCHER = SPOKEN.folder, SPOKEN.pack, SPOKEN.matcher


def converse(*said: str) -> Talk:
    """Hold a typed conversation in German."""
    return Talk(PACK, MATCHER, *said)


# --- German is understood ------------------------------------------------------------------------


@pytest.mark.parametrize(
    "meaning", ["cramp_calf", "cramp_other", "cramp_unspecified", "stitch", "help", "call"]
)
def test_a_complaint_is_understood_out_of_the_blue(meaning: str) -> None:
    for line in SPOKEN.lines(meaning):
        found = MATCHER.match(line, IDLE)
        if "was kann ich sagen" not in line:
            assert isinstance(found, Match), line


@pytest.mark.parametrize("meaning", SPOKEN.meanings)
def test_german_is_understood_unasked(meaning: str) -> None:
    wanted = SPOKEN.expected()[meaning]
    context = ASKED if meaning.startswith(("side_", "both_")) else SESSION
    for line in SPOKEN.lines(meaning):
        found = MATCHER.match(line, context)
        assert isinstance(found, Match), line
        assert found.intent == wanted["intent"], line
        assert wanted["slots"].items() <= found.slots.items(), line


@pytest.mark.parametrize("meaning", PACK.red_flags.flags)
def test_every_red_flag_is_heard_out_of_the_blue(meaning: str) -> None:
    for line in SPOKEN.lines(meaning):
        found = MATCHER.match(line, IDLE)
        assert isinstance(found, Match), line
        assert found.intent == meaning, line


@pytest.mark.parametrize("line", SPOKEN.lines("negative"))
def test_other_talk_starts_nothing(line: str) -> None:
    assert not isinstance(MATCHER.match(line, IDLE), Match)


@pytest.mark.parametrize(
    ("written", "intent"),
    [
        ("WIE LANGE NOCH?!", "ask_time_left"),
        ("Fuß? Nein, Wade!", "cramp"),
        ("zurueck", "control_back"),
        ("geht's auch anders?", "cant_do"),
        ("Kra\u0308mpfe in der Wade", "cramp"),
        ("wadenkramf", "cramp"),
    ],
)
def test_it_may_be_written_in_other_ways(written: str, intent: str) -> None:
    found = MATCHER.match(written, SESSION)
    assert isinstance(found, Match)
    assert found.intent == intent


@pytest.mark.parametrize(
    ("key", "said", "intent"),
    [
        ("help.commands", "nächster Schritt", "control_next"),
        ("help.commands", "zurück", "control_back"),
        ("help.commands", "wiederholen", "control_repeat"),
        ("help.commands", "Pause", "control_pause"),
        ("help.commands", "langsamer", "control_slower"),
        ("help.commands", "wie lange noch", "ask_time_left"),
        ("help.feelings", "es ist weg", "relief_gone"),
        ("help.feelings", "es tut noch weh", "still_hurts"),
        ("help.feelings", "es ist wieder da", "came_back"),
        ("check.again", "weg", "relief_gone"),
        ("check.again", "noch da", "still_hurts"),
        ("check.again", "schlimmer", "worse"),
        ("ask.muscle", "Wade", "cramp"),
        ("ask.thigh", "vorne", "cramp"),
        ("ask.thigh", "hinten", "cramp"),
        ("ask.position", "ich stehe", "cramp"),
        ("ask.position", "ich sitze", "cramp"),
        ("okay.which", "weiter", "control_resume"),
        ("okay.which", "das reicht", "control_stop"),
        ("pause.waiting", "weiter", "control_resume"),
        ("missed.wait", "Hilfe", "help"),
        ("gone.twitch", "Krampf", "cramp"),
    ],
)
def test_what_people_are_told_to_say_is_understood(key: str, said: str, intent: str) -> None:
    assert any(said in line.text for line in PACK.prompts.lines[key])
    found = MATCHER.match(said, ASKED)
    assert isinstance(found, Match)
    assert found.intent == intent


def test_numerals_become_german_words() -> None:
    found = MATCHER.match("zähl bis 25", SESSION)
    assert isinstance(found, Match)
    assert found.slots["number"] == PACK.prompts.numbers[25] == "fünfundzwanzig"


def test_the_recogniser_gets_the_words_with_their_umlauts() -> None:
    words = set(SPOKEN.intents.words())
    assert {"fünfzehn", "krämpfe", "füße", "zurück", "straße"} <= words
    assert not {"funfzehn", "fusse", "zuruck"} & words


# --- German is spoken ----------------------------------------------------------------------------


def test_a_whole_conversation() -> None:
    talk = Talk(
        PACK,
        MATCHER,
        "Meine linke Wade krampft",
        "okay",
        "#4 wie lange noch",
        "noch da",
        "es ist weg",
    )
    assert (
        "Stell das linke Bein einen Schritt nach vorn, den Fuß flach auf den Boden." in talk.heard
    )
    assert "Lass die Wade so locker, wie es geht." in talk.heard
    for number in ("eins", "zwei", "neun", "zehn"):
        assert talk.heard.count(number) == 2
    assert "Noch sechs." in talk.heard
    assert talk.keys[-4:] == ["gone.walk", "gone.jog", "gone.twitch", "gone.listening"]
    assert talk.session.now.state is State.IDLE


def test_both_calves() -> None:
    talk = converse("beide waden krampfen", "ich sitze", "okay", "es ist weg")
    assert "Setz oder leg dich hin. Beide Beine nach vorn, die Knie weich." in talk.heard


def test_a_red_flag_in_the_middle_of_a_hold() -> None:
    talk = converse("wadenkrampf rechts", "okay", "#5 ich kriege keine luft")
    five = talk.heard.index("fünf")
    assert talk.heard[five + 1] == "Hör auf und setz dich. Hol jetzt Hilfe."
    assert "sechs" not in talk.heard
    assert talk.session.now.state is State.WARNED


def test_after_a_red_flag_nothing_goes_on_by_itself() -> None:
    talk = Talk(
        PACK,
        MATCHER,
        "wadenkrampf",
        "#5 mir wird schwindlig",
        "weiter",
        "mir geht es gut",
        "das reicht",
    )
    assert "warned.first.1" in talk.keys
    assert talk.keys[-1] == "stop.done"


@pytest.mark.parametrize(
    "said", ["mein oberschenkel krampft", "krampf im linken fuß", "ich habe seitenstechen"]
)
def test_a_muscle_without_a_routine_is_said_to_have_none(said: str) -> None:
    talk = converse(said)
    assert talk.keys[1] == "ask.only"
    assert talk.session.now.state is State.ASKING
    assert "calf.standing.1" in converse(said, "wade").keys
    assert "calf.standing.1" in converse(said, "ja").keys
    assert converse(said, "stopp").session.now.state is State.IDLE


def test_a_belly_is_asked_about_first() -> None:
    assert converse("mein bauch krampft").keys[1] == "triage.belly"
    assert "ask.only" in converse("mein bauch krampft", "nein").keys


def test_another_muscle_in_the_middle_of_a_routine() -> None:
    talk = converse("wadenkrampf", "okay", "jetzt krampft mein oberschenkel", "stopp")
    assert talk.session.now.state in (State.IDLE, State.GUIDING, State.CHECKING, State.ASKING)


# --- Sound and commands --------------------------------------------------------------------------


@pytest.mark.usefixtures("fresh_home")
def test_a_typed_conversation(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    script = tmp_path / "lines.txt"
    script.write_text("meine linke wade krampft\nokay\n#4 wie lange noch\nes ist weg\n", "utf-8")
    assert app.main(["--language", "de", "type", "--fast", "--script", str(script)]) == 0
    shown = capsys.readouterr().out
    assert "Hallo, ich bin Charley." in shown
    assert "Fünf. Sechs. Sieben. Acht. Neun. Zehn." in shown
    assert "Noch sechs." in shown


@pytest.mark.usefixtures("fresh_home")
def test_the_setting_chooses_the_language(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    file, script = tmp_path / "settings.toml", tmp_path / "lines.txt"
    file.write_text('language = "de"\n', "utf-8")
    script.write_text("wadenkrampf links\n", "utf-8")
    line = ["--settings", str(file), "type", "--fast", "--script", str(script)]
    assert app.main(line) == 0
    assert "Stell das linke Bein" in capsys.readouterr().out


@pytest.mark.usefixtures("fresh_home")
def test_a_language_without_a_folder_is_reported(capsys: pytest.CaptureFixture[str]) -> None:
    assert app.main(["type", "--language", "fr"]) == 1
    assert "Choose one of: de, en." in capsys.readouterr().err


@pytest.mark.usefixtures("fresh_home")
def test_a_german_routine_is_rendered(tmp_path: Path) -> None:
    out = tmp_path / "wade.wav"
    line = ["--language", "de", "render", "calf", "--side", "left", "--rounds", "1"]
    assert app.main([*line, "--out", str(out)]) == 0
    assert 45 < audio_file.read(out).seconds < 90


def test_a_choice_that_the_machine_lacks_is_no_reason_to_fall_silent(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(pyttsx3_voice, "_variants", dict)
    told: list[str] = []
    usual = voices.by_name(ENGLISH_PACK, Settings(), told.append)("")
    assert voices.by_name(ENGLISH_PACK, Settings(), told.append)("en-us+f3").name == usual.name
    assert "usual voice" in told[0]
    with pytest.raises(SynthesiserError):
        voices.voice(ENGLISH_PACK, Settings(voice="en-us+nobody"), told.append)


def test_german_is_spoken_by_a_german_voice() -> None:
    spoken = voices.voice(PACK, Settings(language="de"), lambda _sentence: None)
    other = voices.voice(ENGLISH_PACK, Settings(language="en"), lambda _sentence: None)
    assert spoken.name != other.name
    assert " de " in spoken.name
    line = PACK.prompts.line("gone.walk").text
    assert 1.5 < spoken.render(line).seconds < 5.0


@pytest.mark.parametrize(
    ("wanted", "default", "found"),
    [
        ("", DefaultVoice("de", "de-de"), "com.apple.voice.compact.de-DE.Anna"),
        ("", DefaultVoice("en-us"), None),
        ("", DefaultVoice("fr", "fr-fr"), None),
        ("samantha", DefaultVoice("de", "de-de"), "com.apple.voice.compact.en-US.Samantha"),
    ],
)
def test_a_system_without_espeak_has_its_own_names(
    monkeypatch: pytest.MonkeyPatch, wanted: str, default: DefaultVoice, found: str | None
) -> None:
    there = [
        VoiceInfo("com.apple.voice.compact.en-US.Samantha", "Samantha"),
        VoiceInfo("com.apple.voice.compact.de-DE.Anna", "Anna"),
    ]
    monkeypatch.setattr(pyttsx3_voice, "ENGINE_THREAD", SimpleNamespace(engine=lambda: None))
    monkeypatch.setattr(pyttsx3_voice, "uses_espeak", lambda _engine: False)
    monkeypatch.setattr(pyttsx3_voice, "_list_voices", lambda: there)
    assert pyttsx3_voice._engine_voice(wanted, default) == found


@pytest.mark.model
def test_an_english_model_is_refused() -> None:
    with pytest.raises(ModelError, match=r'is not for the language "de"; give one .* --model'):
        speech_model.load(PACK, Settings(language="de"))
    speech_model.load(ENGLISH_PACK, Settings(language="en"))


@pytest.mark.model
def test_the_microphone_is_not_misheard_in_english(monkeypatch: pytest.MonkeyPatch) -> None:
    class Open:
        """A microphone that is there."""

        def __init__(self, *_args: object) -> None: ...

        def __enter__(self) -> Self:
            return self

        def __exit__(self, *_args: object) -> None: ...

    monkeypatch.setattr(microphone_input, "Microphone", Open)
    monkeypatch.setattr(sys, "stdin", io.StringIO(""))
    told: list[str] = []
    settings = Settings(language="de")
    with ExitStack() as devices:
        language = factory.language(settings)
        hearing = microphone_input.MicrophoneInput(
            settings, language, devices, told.append, told.append
        )
    assert hearing.listener is None
    assert len(told) == 1
    assert "--model FOLDER" in told[0]
    assert told[0].endswith("Type to Charley instead, one line at a time.")


def test_a_model_with_the_language_in_its_name_is_found(monkeypatch: pytest.MonkeyPatch) -> None:
    names = ("charley-small-en", "vosk-model-small-en-us-0.15", "vosk-model-small-de-0.15")
    listed = [SimpleNamespace(folder=Path(name)) for name in names]
    monkeypatch.setattr(catalogue, "find", lambda name: Path(name or names[1]))
    monkeypatch.setattr(catalogue, "listed", lambda: listed)
    assert speech_model.folder(Settings(language="de")).name == names[2]
    assert speech_model.folder(Settings(language="en")).name == names[1]
    assert speech_model.folder(Settings(language="fr")).name == names[1]  # refused later
    assert speech_model.folder(Settings(language="de", model="mine")).name == "mine"


# --- Its folder ----------------------------------------------------------------------------------


def test_every_file_asks_for_a_review() -> None:
    for path in GERMAN.rglob("*.yaml"):
        if path.name != "speech.yaml":
            first = path.read_text("utf-8").splitlines()[0]
            assert "needs a native speaker and a clinician" in first, path


@pytest.mark.parametrize(
    ("file", "slot", "value"),
    [
        ("questions.yaml", "topic", "massage"),
        ("position.yaml", "position", "lying"),
        ("position.yaml", "triage", "faint"),
    ],
)
def test_what_nobody_could_answer_is_reported_at_once(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, file: str, slot: str, value: str
) -> None:
    folder = shutil.copytree(GERMAN, tmp_path / "de")
    path = folder / "sentences" / file
    text = path.read_text("utf-8")
    path.write_text(text.replace(f"{slot}: {value}", f"{slot}: xyz"), "utf-8")
    monkeypatch.setattr(factory, "intents_folder", lambda _language: folder)
    with pytest.raises(
        IntentDataError, match=rf"{file}, line \d+: .* no answer to the {slot} “xyz”"
    ):
        factory.language(Settings(language="de"))


def test_a_mistake_in_german_is_reported_with_its_line(tmp_path: Path) -> None:
    folder = shutil.copytree(GERMAN / "sentences", tmp_path / "sentences")
    path = folder / "controls.yaml"
    path.write_text(path.read_text("utf-8").replace("[<kannst_du>]", "[<kanst_du>]", 1), "utf-8")
    with pytest.raises(IntentDataError, match=r"controls\.yaml, line"):
        intents.load(folder)
