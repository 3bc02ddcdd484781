"""What is kept from one session to the next, and what was changed by voice."""

import os
from pathlib import Path

import pytest

from assistant import remembered, settings
from assistant.remembered import recall, remember


@pytest.mark.usefixtures("fresh_home")
def test_a_fact_is_remembered() -> None:
    assert recall("safety_note") is None
    assert remember("safety_note", "told")
    assert remember("volume", "0.5")
    assert (recall("safety_note"), recall("volume")) == ("told", "0.5")


@pytest.mark.skipif(os.name == "nt", reason="needs the rights of POSIX")
def test_what_is_remembered_is_for_its_owner_only(fresh_home: Path) -> None:
    remember("safety_note", "told")
    assert next(fresh_home.rglob("state.json")).stat().st_mode & 0o777 == 0o600


@pytest.mark.parametrize("content", ["", "{", "[]", '{"safety_note": 3}', "[" * 100_000])
def test_a_broken_state_file_is_as_good_as_none(fresh_home: Path, content: str) -> None:
    remember("x", "y")
    file = next(fresh_home.rglob("state.json"))
    file.write_text(content)
    assert recall("safety_note") is None
    assert remember("safety_note", "told")
    assert recall("safety_note") == "told"


def test_a_disk_that_cannot_be_written_harms_nothing(fresh_home: Path) -> None:
    (fresh_home / "state").write_text("a file where the folder should be")
    assert not remember("safety_note", "told")
    assert recall("safety_note") is None


def test_a_failed_write_leaves_the_old_facts(
    fresh_home: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    remember("safety_note", "told")

    def full(_path: Path) -> None:
        raise OSError(28, os.strerror(28))

    monkeypatch.setattr("assistant.atomic_file._create", full)
    assert not remember("safety_note", "forgotten")
    assert recall("safety_note") == "told"
    assert len(list(next(fresh_home.rglob("state.json")).parent.iterdir())) == 1


@pytest.mark.usefixtures("fresh_home")
class TestChangedByVoice:
    """What was changed by voice is remembered, and flags still beat it."""

    def test_it_beats_the_default_and_a_flag_beats_it(self) -> None:
        remembered.remember("hold_seconds", "15")
        remembered.remember("terse", "true")
        remembered.remember("count", "down")
        remembered.remember("checkin_seconds", "0.0")
        loaded = settings.load()
        assert (loaded.hold_seconds, loaded.terse, loaded.checkin_seconds) == (15, True, 0)
        assert loaded.count.value == "down"
        assert settings.load(overrides={"hold_seconds": 8}).hold_seconds == 8

    def test_a_voice_is_only_for_its_language(self) -> None:
        remembered.remember("voice", "en-us+f3")
        assert settings.load().voice == "en-us+f3"
        assert settings.load(overrides={"language": "de"}).voice is None

    def test_what_no_longer_fits_is_forgotten(self) -> None:
        remembered.remember("hold_seconds", "forever")
        remembered.remember("rounds", "99")
        remembered.remember("voice", "")
        assert settings.load() == settings.Settings()
