"""The doctor reports whether each part works, and if not, how to fix it."""

import math
from collections.abc import Callable
from functools import cache
from pathlib import Path
from types import SimpleNamespace
from typing import Self

import numpy as np
import pytest

from assistant.asr.vosk_recogniser import SpeechModel
from assistant.audio.devices import DeviceInfo
from assistant.audio.pcm import Samples
from assistant.cli import app, doctor_checks
from assistant.cli.doctor_checks import Finding, Grade, examine, level, listen
from assistant.errors import DeviceError, ModelError, SettingsError, SynthesiserError
from assistant.playback.timeline import Timeline
from assistant.session import factory, voices
from assistant.settings import Settings
from assistant.speech_models import catalogue
from tests.support import tone_model

PARTS = ["settings", "language", "cache", "voice", "model", "speaker", "music", "microphone"]


class Usb:
    """A sound card that works: it plays all at once and hums into the microphone."""

    device = DeviceInfo(1, "USB", 1, 1, 16000, default_input=True, default_output=True)
    latency_seconds = 0.02
    underflows = overflows = dropped_blocks = 0
    hum: Samples = np.tile(np.array([300, -300], np.int16), 800)

    def __init__(self, *given: object) -> None:
        self._timeline = given[0]

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_error: object) -> None:
        pass

    def read(self, timeout_seconds: float) -> Samples:
        assert timeout_seconds > 0
        return self.hum


class Playing(Usb):
    """The same as a speaker."""

    def __enter__(self) -> Self:
        timeline = self._timeline
        assert isinstance(timeline, Timeline)
        perform = timeline.perform

        def played(action: object) -> None:
            perform(action)  # type: ignore[arg-type]
            timeline.read(timeline.rate)

        timeline.perform = played  # type: ignore[method-assign]
        return self


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tone_model.write_model(tmp_path_factory.mktemp("model") / "tones")


LANGUAGE = cache(factory.language)
"""Read once for all of these tests."""


@pytest.fixture
def healthy(monkeypatch: pytest.MonkeyPatch, fresh_home: Path) -> None:  # noqa: ARG001
    """Make a machine on which everything works."""
    monkeypatch.setattr(factory, "language", LANGUAGE)
    monkeypatch.setattr(doctor_checks, "Microphone", Usb)
    monkeypatch.setattr(doctor_checks, "Speaker", Playing)
    monkeypatch.setattr(doctor_checks, "output_rate", lambda _name: 22050)
    monkeypatch.setattr(catalogue, "find", lambda _name: Path("model"))
    knows_all = SimpleNamespace(knows=lambda _word: True)
    monkeypatch.setattr(doctor_checks, "SpeechModel", lambda _folder: knows_all)
    monkeypatch.setattr(doctor_checks, "listen", lambda *_args: "please stop")


def findings(load: Callable[[], Settings] = Settings) -> dict[str, Finding]:
    found = list(examine(load))
    assert [finding.part for finding in found] == PARTS
    assert all(finding.text and "\n" not in finding.text for finding in found)
    return {finding.part: finding for finding in found}


def raiser(error: Exception) -> Callable[..., object]:
    def fail(*_args: object, **_options: object) -> object:
        raise error

    return fail


@pytest.mark.usefixtures("healthy")
class TestParts:
    """One part after the other fails; the others are looked at all the same."""

    def test_all_is_well(self) -> None:
        assert {finding.grade for finding in findings().values()} == {Grade.OK}

    @pytest.mark.parametrize(
        ("part", "kind", "counter"),
        [
            ("speaker", Playing, "underflows"),
            ("microphone", Usb, "overflows"),
            ("microphone", Usb, "dropped_blocks"),
        ],
    )
    def test_gaps_in_the_sound_are_a_warning(
        self, part: str, kind: type, counter: str, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(kind, counter, 3, raising=False)
        found = findings()[part]
        assert found.grade is Grade.WARNING
        assert "3 gaps in its sound; close other programs" in found.text

    def test_broken_settings_are_named(self) -> None:
        found = findings(raiser(SettingsError("settings.toml, line 3: no.")))  # type: ignore[arg-type]
        assert found["settings"] == Finding("settings", Grade.MISSING, "settings.toml, line 3: no.")
        assert found["microphone"].grade is Grade.OK

    def test_an_unknown_language_is_named(self) -> None:
        found = findings(lambda: Settings(language="xx"))
        assert found["language"].grade is Grade.MISSING

    def test_a_cache_that_cannot_be_written_is_a_warning(
        self, fresh_home: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        file = fresh_home / "file"
        file.touch()
        monkeypatch.setattr(doctor_checks, "cache_folder", lambda: file / "charley")
        found = findings()["cache"]
        assert found.grade is Grade.WARNING
        assert "make it writable" in found.text

    def test_an_unknown_voice_is_named_and_the_model_still_loaded(self) -> None:
        found = findings(lambda: Settings(voice="klingonish"))
        assert found["voice"].grade is Grade.MISSING
        assert "klingonish" in found["voice"].text
        assert found["model"].grade is Grade.MISSING
        assert "not tried" in found["model"].text

    def test_a_missing_model_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(catalogue, "find", raiser(ModelError("There is no speech model.")))
        assert findings()["model"].grade is Grade.MISSING

    @pytest.mark.parametrize(("heard", "said"), [("top", "“top”"), ("", "“nothing”")])
    def test_a_model_that_mishears_is_a_warning(
        self, monkeypatch: pytest.MonkeyPatch, heard: str, said: str
    ) -> None:
        monkeypatch.setattr(doctor_checks, "listen", lambda *_args: heard)
        found = findings()["model"]
        assert found.grade is Grade.WARNING
        assert said in found.text
        assert "charley models get" in found.text

    @pytest.mark.parametrize(
        ("part", "name"), [("microphone", "Microphone"), ("speaker", "output_rate")]
    )
    def test_a_missing_device_is_a_warning_with_a_way_round(
        self, monkeypatch: pytest.MonkeyPatch, part: str, name: str
    ) -> None:
        missing = DeviceError("None was found; plug one in.")
        monkeypatch.setattr(doctor_checks, name, raiser(missing))
        found = findings()[part]
        assert found.grade is Grade.WARNING
        assert "plug one in. Until then `charley type`" in found.text

    def test_a_muted_microphone_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(Usb, "hum", np.zeros(1600, np.int16))
        assert "unmute" in findings()["microphone"].text

    def test_a_microphone_without_blocks_is_a_warning(
        self, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        monkeypatch.setattr(Usb, "read", lambda _self, _seconds: None)
        assert "allow this program to record" in findings()["microphone"].text

    def test_a_speaker_that_hangs_is_a_warning(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(doctor_checks, "Speaker", Usb)
        assert "plays nothing" in findings()["speaker"].text

    def test_a_silent_voice_is_named(self, monkeypatch: pytest.MonkeyPatch) -> None:
        monkeypatch.setattr(voices, "voice", raiser(SynthesiserError("No voice engine was found.")))
        assert findings()["voice"].grade is Grade.MISSING


@pytest.mark.usefixtures("healthy")
class TestCommand:
    """`charley doctor`."""

    def test_a_line_a_part_and_no_colours_in_a_pipe(
        self, capsys: pytest.CaptureFixture[str]
    ) -> None:
        assert app.main(["doctor"]) == 0
        lines = capsys.readouterr().out.splitlines()
        assert [line.split()[:2] for line in lines] == [["ok", part] for part in PARTS]

    def test_what_is_essential_decides_the_exit_code(
        self, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
    ) -> None:
        monkeypatch.setattr(doctor_checks, "Microphone", raiser(DeviceError("None.")))
        assert app.main(["doctor"]) == 0
        assert app.main(["doctor", "--rate", "7"]) == 1
        assert "missing  settings    --rate must be" in capsys.readouterr().out


class TestLevel:
    """How loud a microphone is, and what is wrong with that."""

    @pytest.mark.parametrize(
        ("amplitude", "said"), [(0, "silence"), (3, "quiet"), (300, ""), (32767, "loud")]
    )
    def test_it_says_what_is_wrong(self, amplitude: int, said: str) -> None:
        wave = np.tile(np.array([amplitude, -amplitude], np.int16), 1000)
        assert said in level(wave)[0]
        assert bool(said) == bool(level(wave)[0])

    def test_a_full_square_wave_is_zero_decibels(self) -> None:
        wave = np.tile(np.array([32767, -32767], np.int16), 1000)
        assert level(wave)[1] == pytest.approx(0.0)
        assert level(wave[:0])[1] == -math.inf


@pytest.mark.model
def test_a_real_model_is_really_asked(tones: Path) -> None:
    assert listen(SpeechModel(tones), ("low", "high"), tone_model.speak("low high")) == "low high"
