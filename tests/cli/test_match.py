"""`charley match` and `charley hear`, as people and programs use them."""

import json
import re
from collections.abc import Iterable
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile

from assistant.asr import vosk_recogniser
from assistant.asr.hypothesis import Hypothesis, Word
from assistant.audio import audio_file
from assistant.content.language_pack import LanguagePack
from assistant.dialogue.state import State
from assistant.session import factory
from assistant.speech_models import catalogue
from tests.support import tone_model
from tests.support.commands import Charley, Done, start


class TestMatch:
    """`charley match`."""

    def json(self, done: Done) -> list[dict[str, object]]:
        assert done.code == 0
        assert done.err == ""
        return [json.loads(line) for line in done.lines]

    def test_a_line_says_what_it_means(self, charley: Charley) -> None:
        (found,) = self.json(charley("match", "--json", stdin="my left calf is cramping\n"))
        assert found["intent"] == "cramp"
        assert found["slots"] == {"side": "left", "muscle": "calf"}
        assert found["text"] == "my left calf is cramping"
        assert list(found) == [
            "text", "intent", "slots", "score", "margin", "phrase", "rejected", "reason"
        ]  # fmt: skip

    def test_what_means_nothing_has_no_intent_and_a_reason(self, charley: Charley) -> None:
        found = self.json(charley("match", "--json", stdin="\nwhat a lovely day\n"))
        assert [line["intent"] for line in found] == [None, None]
        assert all(line["reason"] for line in found)

    def test_every_line_has_its_line(self, charley: Charley) -> None:
        hard = [b"", b"x" * 100_000, b"calf " * 20_000, b"\x00\x1b[2J\x07", b"\xff\xfe", b"st\rop"]
        hard += ["\u2028 stop \x85 stop \x0b".encode(), "Ich kann nicht mehr 🦵".encode()]
        found = self.json(charley("match", "--json", stdin=b"\n".join(hard) + b"\nstop"))
        assert len(found) == len(hard) + 1
        assert found[-1]["intent"] == "control_stop"

    def test_windows_line_ends_are_no_words(self, charley: Charley) -> None:
        found = self.json(charley("match", "--json", stdin=b"stop\r\n\r\n"))
        assert [line["text"] for line in found] == ["stop", ""]

    def test_a_state_decides_what_counts(self, charley: Charley) -> None:
        (idle,) = self.json(charley("match", "--json", "--state", "idle", stdin="next"))
        (busy,) = self.json(charley("match", "--json", "--state", "Checking", stdin="next"))
        assert idle["intent"] is None
        assert busy["intent"] == "control_next"

    def test_an_unknown_state_lists_the_known_ones(self, charley: Charley) -> None:
        error = charley("match", "--state", "dancing").complains()
        assert all(state.value in error for state in State)

    def test_people_get_a_row(self, charley: Charley) -> None:
        done = charley("match", stdin="left calf cramp\nmoo\x1b[2J\n")
        assert re.match(r"cramp .*muscle=calf.* 100.0 .* left calf cramp", done.lines[0])
        assert done.lines[1].startswith("- ")
        assert "\x1b" not in done.out

    def test_answers_come_line_by_line(self) -> None:
        process = start("match", "--json")
        assert process.stdin
        assert process.stdout
        for _ in range(2):
            process.stdin.write(b"stop\n")
            process.stdin.flush()
            assert json.loads(process.stdout.readline())["intent"] == "control_stop"
        process.communicate()
        assert process.returncode == 0


class _Heard:
    """A recogniser that returns given words."""

    finals: tuple[tuple[str, float, float], ...] = ()

    def __init__(self, pack: LanguagePack, _model: object) -> None:
        assert pack.homophones.usual
        self._is_fresh = True

    def listen(self, phrases: Iterable[str]) -> None:
        assert list(phrases)

    def feed(self, _samples: object) -> list[Hypothesis]:
        fresh, self._is_fresh = self._is_fresh, False
        return [Hypothesis("my", (), False, 0.9)] if fresh else []

    def finish(self) -> list[Hypothesis]:
        return [
            Hypothesis(text, (Word(text, begin, end),), True, end)
            for text, begin, end in self.finals
        ]


@pytest.fixture(scope="module")
def tones(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return a real speech model; its words are tones."""
    return tone_model.write_model(tmp_path_factory.mktemp("model") / "tones")


@pytest.fixture
def word(tmp_path: Path) -> str:
    path = tmp_path / "word.wav"
    audio_file.write(path, tone_model.speak("low - high"))
    return str(path)


class TestHear:
    """`charley hear`."""

    def hear(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, finals: object, *args: str
    ) -> Done:
        monkeypatch.setattr(catalogue, "find", lambda _name: Path("model"))
        knows_all = SimpleNamespace(knows=lambda _word: True)
        monkeypatch.setattr(vosk_recogniser, "SpeechModel", lambda _path: knows_all)
        monkeypatch.setattr(factory, "microphone_recogniser", _Heard)
        monkeypatch.setattr(_Heard, "finals", finals)
        return charley("hear", *args)

    def test_a_recording_has_times_and_a_meaning(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        finals = (("my left calf is cramping", 0.7, 1.5),)
        done = self.hear(charley, monkeypatch, finals, word, "--json")
        found = json.loads(done.out)
        assert done.code == 0
        assert found["file"] == word
        assert found["seconds"] == pytest.approx(1.25)
        assert found["hypotheses"] == [
            {"text": "my", "start": None, "end": 0.4, "final": False},
            {"text": "my left calf is cramping", "start": 0.2, "end": 1.0, "final": True},
        ]
        assert found["intent"] == "cramp"
        assert found["slots"] == {"side": "left", "muscle": "calf"}

    def test_the_strongest_of_several_utterances_counts(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        finals = (("my calf is cramping", 0.6, 0.7), ("my chest hurts", 0.8, 0.9), ("[unk]", 1, 1))
        done = self.hear(charley, monkeypatch, finals, word, "--json")
        assert json.loads(done.out)["intent"] == "redflag_chest_breathing"

    def test_silence_means_nothing_and_says_so(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        found = json.loads(self.hear(charley, monkeypatch, (), word, "--json").out)
        assert found["intent"] is None
        assert found["reason"] == "nothing was heard"

    def test_people_get_lines(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, word: str
    ) -> None:
        done = self.hear(charley, monkeypatch, (("stop", 0.7, 1.0),), word, "--state", "holding")
        assert done.lines == [f"{word}  1.2 s  control_stop", "    0.20 to   0.50 s  stop"]

    @pytest.mark.model
    def test_a_broken_file_has_its_line_and_the_rest_go_on(
        self, charley: Charley, tones: Path, word: str, tmp_path: Path
    ) -> None:
        files = {"empty.wav": b"", "text.wav": b"no sound", "cut.wav": Path(word).read_bytes()[:-9]}
        for name, data in files.items():
            (tmp_path / name).write_bytes(data)
        paths = [str(tmp_path / name) for name in (*files, "none.wav")] + [str(tmp_path)]
        paths += ["/dev/zero", word]
        done = charley("hear", "--json", "--model", str(tones), *paths)
        found = [json.loads(line) for line in done.lines]
        assert done.code == 1
        assert done.err == ""
        assert [line["file"] for line in found] == paths
        assert ["error" in line for line in found] == [True] * 6 + [False]

    @pytest.mark.model
    @pytest.mark.parametrize(
        ("rate", "channels", "subtype"),
        [(8000, 1, "PCM_U8"), (48000, 2, "PCM_24"), (44100, 1, "FLOAT"), (16000, 1, "PCM_16")],
    )
    def test_any_format_is_heard(  # noqa: PLR0917
        self, charley: Charley, tones: Path, tmp_path: Path, rate: int, channels: int, subtype: str
    ) -> None:
        path = tmp_path / "sound.wav"
        soundfile.write(path, np.zeros((rate // 2, channels)), rate, subtype)
        done = charley("hear", str(path), "--json", "--model", str(tones))
        assert done.code == 0
        assert json.loads(done.out)["seconds"] == pytest.approx(0.5)

    def test_a_missing_model_is_one_sentence(
        self, charley: Charley, word: str, tmp_path: Path
    ) -> None:
        assert "model" in charley("hear", word, "--model", "nowhere").complains()
        assert "not usable" in charley("hear", word, "--model", str(tmp_path)).complains()
