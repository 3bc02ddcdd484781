"""`charley render`, `charley say` and what they write."""

import json
import re
from pathlib import Path

import numpy as np
import pytest

from assistant.audio import audio_file
from assistant.errors import ModelError
from assistant.speech_models import catalogue
from tests.support.commands import Charley


class TestSound:
    """`charley say`, `render` and `devices`."""

    def test_say_writes_what_it_says(self, charley: Charley, tmp_path: Path) -> None:
        out = tmp_path / "toes.wav"
        assert charley("say", "Toes up.", "--out", str(out)).code == 0
        short = audio_file.read(out).seconds
        charley("say", "Toes up.", "--out", str(out), "--lead-in", "0.5")
        assert audio_file.read(out).seconds == pytest.approx(short + 0.5, abs=0.03)

    def test_volume_is_heard(self, charley: Charley, tmp_path: Path) -> None:
        out = tmp_path / "toes.wav"
        charley("say", "Toes up.", "--out", str(out))
        loud = np.abs(audio_file.read(out).samples).max()
        charley("say", "Toes up.", "--out", str(out), "--volume", "0.5")
        assert np.abs(audio_file.read(out).samples).max() == pytest.approx(loud / 2, rel=0.01)

    @pytest.mark.parametrize("text", ["", " ", "...", "\x00\x1b", "x" * 100_000])
    def test_what_cannot_be_said_is_one_sentence(
        self, charley: Charley, tmp_path: Path, text: str
    ) -> None:
        out = tmp_path / "x.wav"
        assert charley("say", text, "--out", str(out)).complains()
        assert not out.exists()

    @pytest.mark.parametrize("ending", [".wav", ".mp3", ".ogg", ".flac", ".MP3"])
    def test_a_routine_is_written_in_every_format(
        self, charley: Charley, tmp_path: Path, ending: str
    ) -> None:
        out = tmp_path / f"calf{ending}"
        done = charley("render", "calf", "--rounds", "1", "--hold", "5", "--out", str(out))
        assert done.code == 0, done.err
        assert re.fullmatch(rf"{re.escape(str(out))}: calf, 1 round, 0:\d\d\n", done.out)
        assert 30 < audio_file.read(out).seconds < 70

    @pytest.mark.parametrize(
        ("args", "said"),
        [
            (("render", "clf"), 'did you mean "calf"?'),
            (("render", "xylophone"), "there are abdominal, "),
            (("render", "calf", "--side", "lft"), 'did you mean "left"?'),
            (("render", "calf", "--position", "stnding"), 'did you mean "standing"?'),
            (("render", "both_calves", "--side", "left"), "both sides"),
            (("render", "calf", "--voice", "klingonish"), "no voice"),
            (("say", "hello", "--voice", "en-us+nobody"), "no voice"),
            (("render",), "give --all"),
            (("render", "calf", "--all"), "leave out the others"),
            (("render", "--all", "--format", "tape"), "there are wav, mp3, ogg, flac"),
            (("render", "stitch", "--position", "helper"), "standing"),
        ],
    )
    def test_what_is_unknown_is_one_sentence(
        self, charley: Charley, tmp_path: Path, args: tuple[str, ...], said: str
    ) -> None:
        assert said in charley(*args, "--out", str(tmp_path / "x.wav")).complains()

    @pytest.mark.parametrize("out", ["x.txt", "x", "no folder/x.wav", ".wav"])
    def test_a_file_that_cannot_be_written_is_one_sentence(
        self, charley: Charley, tmp_path: Path, out: str
    ) -> None:
        charley("render", "calf", "--out", str(tmp_path / out)).complains()
        charley("say", "hello", "--out", str(tmp_path / out)).complains()

    def test_the_whole_pack_is_written_once(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
    ) -> None:
        from assistant.exports import audio_pack

        some = audio_pack.pieces
        monkeypatch.setattr(audio_pack, "pieces", lambda *args: some(*args)[:2])
        args = ("render", "--all", "--rounds", "1", "--hold", "5", "--format", "ogg")
        out = tmp_path / "new" / "pack"
        first, again = (charley(*args, "--out", str(out)) for _ in range(2))
        assert first.code == again.code == 0, first.err
        assert "2 files" in first.out
        assert first.out.endswith("2 written, 0 up to date\n")
        assert again.out.endswith("0 written, 2 up to date\n")
        assert sorted(path.suffix for path in out.iterdir()) == [".m3u8", ".ogg", ".ogg", ".txt"]
        cover = (out / audio_pack.COVER).read_text(encoding="utf-8")
        assert "I'm a coach, not a doctor." in cover
        assert "{" not in cover

    def test_devices_are_listed_even_if_there_are_none(
        self, charley: Charley, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        from assistant.audio import devices

        usb = devices.DeviceInfo(3, "USB", 1, 0, 48000, default_input=True, default_output=False)
        monkeypatch.setattr(devices, "list_devices", lambda: [usb])
        done = charley("devices")
        assert done.lines[1] == "    3  USB, 48000 hertz (the system's choice)"
        assert done.lines[-1] == "  none; plug one in or switch it on"

    def test_voices_are_listed(self, charley: Charley) -> None:
        assert re.search(r"^  en-us ", charley("devices", "--voices").out, re.MULTILINE) or (
            "PortAudio" in charley("devices", "--voices").complains()
        )


def has_model() -> bool:
    try:
        return bool(catalogue.find())
    except ModelError:
        return False


@pytest.mark.model
@pytest.mark.skipif(not has_model(), reason="there is no bundled speech model yet")
@pytest.mark.parametrize("voice", ["en-us", "en-gb-x-rp+f4"])
@pytest.mark.parametrize(
    ("text", "intent"), [("my left calf is cramping", "cramp"), ("stop", "control_stop")]
)
def test_what_charley_says_is_heard(
    charley: Charley, tmp_path: Path, voice: str, text: str, intent: str
) -> None:
    out = tmp_path / "said.wav"
    assert charley("say", text, "--voice", voice, "--out", str(out)).code == 0
    found = json.loads(charley("hear", "--json", str(out)).out)
    assert found["intent"] == intent
    assert found["hypotheses"][-1]["end"] <= found["seconds"]
