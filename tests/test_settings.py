"""Settings: what a file and flags make of them, and the message for each mistake."""

import time
from dataclasses import dataclass, fields
from pathlib import Path
from typing import Annotated

import pytest
import typer
from hypothesis import given
from hypothesis import strategies as st
from typer.testing import CliRunner

from assistant import paths, settings
from assistant.cli import options
from assistant.dialogue.hold import CountStyle
from assistant.errors import SettingsError
from assistant.settings import About, Settings, load
from tests.support.commands import Charley

EVERYTHING = """
voice = "en-gb"
words_per_minute = 150
volume = 0.5
hold_seconds = 12
count = "down"
rounds = 2
terse = true
checkin_seconds = 60
pace = 0.8
lead_in_seconds = 0.5
microphone = 3
speaker = "Headset"
loudspeaker = true
lower_music = false
push_to_talk = true
media_buttons = true
model = "vosk-model-small-en-us-0.15"
language = "en"
"""


def written(folder: Path, text: str | bytes) -> Path:
    file = folder / "settings.toml"
    file.write_bytes(text if isinstance(text, bytes) else text.encode())
    return file


def complaint(folder: Path, text: str | bytes) -> str:
    with pytest.raises(SettingsError) as caught:
        load(written(folder, text))
    return str(caught.value).removeprefix(str(folder / "settings.toml"))


@pytest.mark.usefixtures("fresh_home")
def test_no_file_gives_the_defaults() -> None:
    assert not paths.settings_file().exists()
    assert load() == Settings()


def test_every_setting_can_be_set_in_the_file(tmp_path: Path) -> None:
    loaded = load(written(tmp_path, EVERYTHING))
    assert loaded == Settings(
        voice="en-gb",
        words_per_minute=150,
        volume=0.5,
        hold_seconds=12,
        count=CountStyle.DOWN,
        rounds=2,
        terse=True,
        checkin_seconds=60.0,
        pace=0.8,
        lead_in_seconds=0.5,
        microphone="3",
        speaker="Headset",
        loudspeaker=True,
        lower_music=False,
        push_to_talk=True,
        media_buttons=True,
        model="vosk-model-small-en-us-0.15",
        language="en",
    )
    assert all(f"{field.name} =" in EVERYTHING for field in fields(Settings))


@pytest.mark.usefixtures("fresh_home")
def test_the_users_own_file_is_read() -> None:
    paths.settings_file().parent.mkdir(parents=True)
    paths.settings_file().write_text("rounds = 1\n")
    assert load().rounds == 1


def test_a_flag_beats_the_file_and_none_means_not_given(tmp_path: Path) -> None:
    file = written(tmp_path, "rounds = 1\nvolume = 0.2\n")
    loaded = load(file, {"rounds": 2, "volume": None, "count": "down"})
    assert (loaded.rounds, loaded.volume, loaded.count) == (2, 0.2, CountStyle.DOWN)


def test_a_byte_order_mark_and_windows_lines_are_fine(tmp_path: Path) -> None:
    assert load(written(tmp_path, b"\xef\xbb\xbfrounds = 1\r\nvolume = 1\r\n")).rounds == 1


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("\nround = 2", ', line 2: round is no setting; did you mean "rounds"?'),
        ("Volume = 1", ', line 1: Volume is no setting; did you mean "volume"?'),
        ("[charley]\nrounds = 2", ", line 1: charley is no setting; there are voice,"),
        ("rounds = 7", ", line 1: rounds must be a whole number from 1 to 6, not 7."),
        ("rounds = 2.0", ", line 1: rounds must be a whole number from 1 to 6, not 2.0."),
        ("rounds = true", ", line 1: rounds must be a whole number from 1 to 6, not true."),
        ('# x\n\nvolume = "1"', ', line 3: volume must be a number from 0 to 1, not "1".'),
        ("volume = nan", ", line 1: volume must be a number from 0 to 1, not NaN."),
        ("volume = -inf", ", line 1: volume must be a number from 0 to 1, not -Infinity."),
        ('count = "Up"', ', line 1: count must be "up" or "down", not "Up".'),
        ("count = [1]", ', line 1: count must be "up" or "down", not [1].'),
        ("voice = 4", ', line 1: voice must be text in "quotes", not 4.'),
        ('voice = " "', ', line 1: voice must be text in "quotes", not " ".'),
        ('voice = "a\\nb"', ", line 1: voice must be one short line of plain text."),
        ("loudspeaker = 1", ", line 1: loudspeaker must be true or false, not 1."),
        ('loudspeaker = "true"', ', line 1: loudspeaker must be true or false, not "true".'),
        ("speaker = true", ', line 1: speaker must be text in "quotes", not true.'),
        ("speaker.name = 1", ', line 1: speaker must be text in "quotes", not {"name": 1}.'),
        ('language = "../x"', ', line 1: language must be a language code such as "en", not'),
        ("voice = 2026-01-01", ', line 1: voice must be text in "quotes", not "2026-01-01".'),
        ("rounds = 2\nvoice = en", ", line 2: this is not TOML (invalid value);"),
        ("rounds = 2\nrounds = 2", ", line 2: this is not TOML (cannot overwrite a value);"),
        ("rounds =", ", line 1: this is not TOML (invalid value);"),
        (b"rounds = 2\nvoice = '\xff'", ", line 2: this is not UTF-8 text;"),
        ("a = " + "[" * 5000, ", line 1: this is not TOML ("),
        ("#" * 200_000, " is far too large for settings;"),
    ],
)
def test_a_mistake_is_reported_with_its_line_and_what_was_expected(
    tmp_path: Path, text: str | bytes, told: str
) -> None:
    message = complaint(tmp_path, text)
    assert message.startswith(told)
    assert "\n" not in message
    assert message.endswith((".", "?"))


def test_a_wrong_flag_is_reported_by_its_name() -> None:
    with pytest.raises(SettingsError, match=r"^--rate must be a whole number from 80"):
        load(overrides={"words_per_minute": 20})


def test_a_file_that_was_asked_for_must_be_there(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match=r"no settings file .*none\.toml"):
        load(tmp_path / "none.toml")


def test_a_folder_in_the_files_place_is_reported(tmp_path: Path) -> None:
    with pytest.raises(SettingsError, match="cannot be read"):
        load(tmp_path)


@dataclass(frozen=True, slots=True)
class Longer(Settings):
    """Settings with one more, as a developer adds it: in one field."""

    warm_up_seconds: Annotated[
        int, About("Length of the warm-up.", help="Seconds of warm-up", range=(10, 90))
    ] = 30


class TestOneMoreField:
    """A setting that is added in one field has its check, its flag and its help."""

    def test_it_is_read_and_checked(self, tmp_path: Path) -> None:
        file = written(tmp_path, "warm_up_seconds = 45\nrounds = 2\n")
        assert load(file, kind=Longer) == Longer(warm_up_seconds=45, rounds=2)
        loaded = load(file, {"warm_up_seconds": 20}, Longer)
        assert loaded == Longer(warm_up_seconds=20, rounds=2)
        with pytest.raises(SettingsError, match=r"^--warm-up-seconds must be .* 10 to 90, not 5\."):
            load(file, {"warm_up_seconds": 5}, Longer)
        with pytest.raises(SettingsError, match="line 1: warm_up_seconds is no setting"):
            load(file)

    def test_it_has_a_flag_with_help(self) -> None:
        app = typer.Typer()
        given: dict[str, object] = {}

        @app.command()
        @options.with_flags(settings.settings_of(Longer).values())
        def program(**flags: object) -> None:
            given.update(flags)

        app(["--warm-up-seconds", "20", "--no-lower-music"], standalone_mode=False)
        assert {n: v for n, v in given.items() if v is not None} == {
            "warm_up_seconds": 20,
            "lower_music": False,
        }
        shown = CliRunner().invoke(app, ["--help"], env={"COLUMNS": "200"}).stdout
        assert "Seconds of warm-up, 10 to 90." in shown

    def test_it_has_a_row_in_the_docs(self) -> None:
        assert settings.settings_of(Longer)["warm_up_seconds"].values == "10 to 90"


@given(st.binary(max_size=200))
def test_any_file_gives_settings_or_one_sentence(
    tmp_path_factory: pytest.TempPathFactory, content: bytes
) -> None:
    file = written(tmp_path_factory.mktemp("any"), content)
    told = ""
    try:
        load(file)
    except SettingsError as error:
        told = str(error)
    assert "\n" not in told


MONSTERS = {
    "digits": f"hold_seconds = {'9' * 1_900}",
    "digits in lines": "hold_seconds = [\n" + f"{'9' * 1_900},\n" * 40 + "]",
    "too many digits": f"hold_seconds = {'9' * 6_000}",
    "hexadecimal": f"hold_seconds = 0x{'f' * 1_900}",
    "a device of many digits": f"speaker = 0x{'f' * 1_900}",
    "a dotted key": f"a{'.a' * 20_000} = 1",
    "a dotted table": f"[{'a.' * 20_000}a]",
    "dotted keys": f"a{'.a' * 980} = 1\n" * 50,
    "dotted tables": "".join(f"[x{n}{'.a' * 980}]\n" for n in range(50)),
    "brackets": "voice = " + "[" * 1_900,
    "brackets in lines": "voice = " + "[\n" * 40_000,
    "tables in tables": "voice = " + "{a=" * 600 + "1" + "}" * 600,
    "a long name": f"{'x' * 1_900} = 1",
    "one line": "x" * 90_000,
    "many names": "".join(f"x{n} = 1\n" for n in range(9_000)),
}


@pytest.mark.parametrize("name", MONSTERS)
def test_a_monster_is_refused_in_a_sentence_and_at_once(name: str, tmp_path: Path) -> None:
    began = time.process_time()
    sentence = complaint(tmp_path, MONSTERS[name])
    assert time.process_time() - began < 2.0
    assert len(sentence) < 700
    assert "\n" not in sentence


@pytest.mark.parametrize("flag", ["--hold", "--volume", "--speaker"])
def test_a_flag_of_thousands_of_digits_is_refused_or_a_name(
    flag: str, charley: Charley, fresh_home: Path
) -> None:
    assert fresh_home.is_dir()
    done = charley("export", flag, "9" * 6_000)
    assert "Traceback" not in done.err
