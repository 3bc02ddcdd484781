"""Facts about the lines that are kept: one loudness, and no harm from a disk."""

import os
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np
import pytest

from assistant.audio.pcm import Pcm, from_int16
from assistant.tts import cache
from assistant.tts.cache import CachedVoice, level


@dataclass
class Hum:
    """A voice that hums, and remembers what it was asked."""

    name: str = "hum"
    asked: list[str] = field(default_factory=list)

    def render(self, text: str, pace: float = 1.0) -> Pcm:
        self.asked.append(text)
        hum = 3000 * np.sin(np.arange(round(4000 / pace)) * 0.3)
        return Pcm(np.pad(hum, 500).astype(np.int16), 22050)


class TestLevel:
    """Every line has one loudness and begins with its sound."""

    @pytest.mark.parametrize("gain", [0.05, 0.3, 1.0])
    def test_quiet_and_loud_lines_come_out_alike(self, gain: float) -> None:
        wave = 30_000 * gain * np.sin(np.arange(8000) * 0.2)
        out = from_int16(level(Pcm(wave.astype(np.int16), 22050)).samples)
        assert np.sqrt(np.mean(out**2)) == pytest.approx(0.16, rel=0.1)

    def test_silence_stays_silence(self) -> None:
        assert len(level(Pcm(np.zeros(100, np.int16), 22050))) == 0

    def test_a_lone_click_does_not_clip(self) -> None:
        click = np.zeros(8000, np.int16)
        click[4000] = 20_000
        assert np.abs(level(Pcm(click, 22050)).samples).max() <= 0.91 * 32767


class TestCache:
    """A line is rendered once; no state of the disk can do harm."""

    def test_a_line_is_rendered_once(self, tmp_path: Path) -> None:
        voice = Hum()
        cached = CachedVoice(voice, tmp_path)
        assert cached.render("one") == cached.render("one")
        assert voice.asked == ["one"]

    def test_another_process_finds_it(self, tmp_path: Path) -> None:
        first = CachedVoice(Hum(), tmp_path).render("one")
        voice = Hum()
        assert CachedVoice(voice, tmp_path).render("one") == first
        assert voice.asked == []

    def test_text_pace_and_voice_make_a_line(self, tmp_path: Path) -> None:
        voice = Hum()
        cached = CachedVoice(voice, tmp_path)
        cached.render("one")
        cached.render("two")
        cached.render("one", 0.8)
        CachedVoice(Hum("other", voice.asked), tmp_path).render("one")
        assert voice.asked == ["one", "two", "one", "one"]

    def test_lines_are_trimmed(self, tmp_path: Path) -> None:
        assert 3900 < len(CachedVoice(Hum(), tmp_path).render("one")) <= 4000

    @pytest.mark.parametrize(
        "harm",
        [
            lambda _data: b"",
            lambda data: data[:10],
            lambda data: data[:-7],
            lambda data: data[:100] + bytes([data[100] ^ 1]) + data[101:],
            lambda data: b"\xff" * len(data),
            lambda data: (0).to_bytes(4, "little") + data[4:],
            lambda data: (1).to_bytes(4, "little") + data[4:],
            lambda data: (11_025).to_bytes(4, "little") + data[4:],
            lambda data: data[:4] + data[16:],
        ],
        ids=[
            "empty",
            "head",
            "cut",
            "one bit",
            "garbage",
            "no rate",
            "1 Hz",
            "half speed",
            "no checksum",
        ],
    )
    def test_a_damaged_entry_is_rendered_again_and_replaced(
        self, tmp_path: Path, harm: Callable[[bytes], bytes]
    ) -> None:
        whole = CachedVoice(Hum(), tmp_path).render("one")
        (entry,) = tmp_path.iterdir()
        entry.write_bytes(harm(entry.read_bytes()))
        told: list[str] = []
        assert CachedVoice(Hum(), tmp_path, told.append).render("one") == whole
        voice = Hum()
        assert CachedVoice(voice, tmp_path).render("one") == whole
        assert voice.asked == told == []

    @pytest.mark.parametrize("rate", [0, 1, 2**32 - 1])
    def test_a_rate_that_no_voice_has_is_refused_even_with_its_checksum(
        self, tmp_path: Path, rate: int
    ) -> None:
        whole = CachedVoice(Hum(), tmp_path).render("one")
        (entry,) = tmp_path.iterdir()
        entry.write_bytes(cache._pack(Pcm(whole.samples, rate)))
        assert CachedVoice(Hum(), tmp_path).render("one") == whole

    @pytest.mark.skipif(os.name == "nt", reason="needs named pipes")
    def test_a_pipe_of_an_entry_s_name_is_replaced(self, tmp_path: Path) -> None:
        whole = CachedVoice(Hum(), tmp_path).render("one")
        (entry,) = tmp_path.iterdir()
        entry.unlink()
        os.mkfifo(entry)
        assert CachedVoice(Hum(), tmp_path).render("one") == whole
        assert entry.is_file()

    def test_an_unusable_folder_is_reported_once_and_memory_serves(self, tmp_path: Path) -> None:
        (tmp_path / "file").touch()
        told: list[str] = []
        voice = Hum()
        cached = CachedVoice(voice, tmp_path / "file" / "cache", told.append)
        for _ in range(3):
            cached.render("one")
            cached.render("two")
        assert voice.asked == ["one", "two"]
        assert len(told) == 1
        assert "cannot be used" in told[0]

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_full_disk_is_reported_once_and_memory_serves(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        def full(_path: Path) -> object:
            return Path("/dev/full").open("wb")

        monkeypatch.setattr("assistant.atomic_file._create", full)
        told: list[str] = []
        cached = CachedVoice(Hum(), tmp_path, told.append)
        assert cached.render("one") == cached.render("one")
        assert len(cached.render("two"))
        assert len(told) == 1
        assert "No space left" in told[0]

    def test_no_folder_means_memory_only(self) -> None:
        voice = Hum()
        cached = CachedVoice(voice, None)
        assert cached.render("one") == cached.render("one")
        assert voice.asked == ["one"]
