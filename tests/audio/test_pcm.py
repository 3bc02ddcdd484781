"""Facts about sound in memory and in files."""

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from assistant.audio import pcm
from assistant.audio.pcm import Pcm
from assistant.errors import AudioFileError


def tone(seconds: float = 0.5, rate: int = 16000, hertz: float = 440.0, loud: float = 0.5) -> Pcm:
    time = np.arange(round(seconds * rate)) / rate
    return Pcm(pcm.to_int16(loud * np.sin(2 * np.pi * hertz * time)), rate)


def likeness(one: Pcm, other: Pcm) -> float:
    """Return the correlation of two sounds of one rate, whatever their lengths."""
    length = min(len(one), len(other))
    return float(np.corrcoef(one.samples[:length], other.samples[:length])[0, 1])


class TestReading:
    """Whatever a file holds, it becomes mono int16."""

    @pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
    def test_any_rate(self, tmp_path: Path, rate: int) -> None:
        pcm.write(tmp_path / "a.wav", tone(rate=rate))
        assert pcm.read_wav(tmp_path / "a.wav") == tone(rate=rate)

    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    def test_any_width_gives_the_same_samples(self, tmp_path: Path, subtype: str) -> None:
        soundfile.write(tmp_path / "a.wav", tone().samples / 32768, 16000, subtype=subtype)
        assert pcm.read_wav(tmp_path / "a.wav") == tone()

    def test_eight_bits_come_close(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tone().samples, 16000, subtype="PCM_U8")
        assert likeness(pcm.read_wav(tmp_path / "a.wav"), tone()) > 0.999

    def test_stereo_is_mixed(self, tmp_path: Path) -> None:
        both = np.stack([tone(hertz=300).samples, np.zeros(8000, np.int16)], axis=1)
        soundfile.write(tmp_path / "a.wav", both, 16000)
        mixed = pcm.read_wav(tmp_path / "a.wav").samples
        assert np.abs(mixed - tone(hertz=300).samples / 2).max() <= 1

    @pytest.mark.parametrize("ending", [".flac", ".ogg", ".mp3"])
    def test_compressed_files(self, tmp_path: Path, ending: str) -> None:
        pcm.write(tmp_path / f"a{ending}", tone(seconds=2.0))
        found = pcm.read_wav(tmp_path / f"a{ending}")
        assert found.rate == 16000
        assert found.seconds == pytest.approx(2.0, abs=0.1)
        assert np.abs(found.samples).max() == pytest.approx(16383, rel=0.05)

    def test_a_float_file_with_not_a_number_is_silent_there(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.array([0.5, np.nan, 2.0]), 16000, subtype="FLOAT")
        assert pcm.read_wav(tmp_path / "a.wav").samples.tolist() == [16384, 0, 32767]


class TestFilesThatCannotBeRead:
    """One clear sentence that names the file."""

    def refused(self, path: Path) -> str:
        with pytest.raises(AudioFileError) as caught:
            pcm.read_wav(path)
        sentence = str(caught.value)
        assert sentence.startswith(f"{path}: ")
        assert sentence.endswith(".")
        assert "\n" not in sentence
        return sentence

    def test_missing(self, tmp_path: Path) -> None:
        assert "no such file" in self.refused(tmp_path / "a.wav")

    def test_folder(self, tmp_path: Path) -> None:
        assert "folder" in self.refused(tmp_path)

    def test_empty(self, tmp_path: Path) -> None:
        (tmp_path / "a.wav").touch()
        assert "empty" in self.refused(tmp_path / "a.wav")

    @pytest.mark.skipif(os.name == "nt" or os.geteuid() == 0, reason="root may read everything")
    def test_forbidden(self, tmp_path: Path) -> None:
        pcm.write(tmp_path / "a.wav", tone())
        (tmp_path / "a.wav").chmod(0)
        assert "cannot be read" in self.refused(tmp_path / "a.wav")

    @pytest.mark.parametrize("kept", [11, 20, 43, 44, 100, 16043])
    def test_cut_short(self, tmp_path: Path, kept: int) -> None:
        pcm.write(tmp_path / "a.wav", tone())
        whole = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "a.wav").write_bytes(whole[:kept])
        self.refused(tmp_path / "a.wav")

    @pytest.mark.parametrize("data", [b"hello", b"RIFF\0\0\0\0WAVE", b"\0" * 5000, b"<html>" * 90])
    def test_not_audio(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a.wav").write_bytes(data)
        self.refused(tmp_path / "a.wav")

    def test_no_samples(self, tmp_path: Path) -> None:
        pcm.write(tmp_path / "a.wav", Pcm(np.zeros(0, np.int16), 16000))
        assert "no sound" in self.refused(tmp_path / "a.wav")

    def test_a_stream_of_unknown_length_is_read_to_its_end(self, tmp_path: Path) -> None:
        """Programs that write WAV into a pipe cannot know the length beforehand."""
        pcm.write(tmp_path / "a.wav", tone())
        data = bytearray((tmp_path / "a.wav").read_bytes())
        data[40:44] = struct.pack("<I", 0xFFFFFFFF)
        (tmp_path / "a.wav").write_bytes(data)
        assert len(pcm.read_wav(tmp_path / "a.wav")) == len(tone())

    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        path = Path(os.environ["HOME"]) / "any.wav"
        path.write_bytes(b"RIFF\0\0\0\0WAVE" + data)
        with contextlib.suppress(AudioFileError):
            assert len(pcm.read_wav(path))


class TestWriting:
    """Sample exact where the format allows, and whole or not at all."""

    @given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
    def test_wav_and_flac_keep_every_sample(self, values: list[int]) -> None:
        sound = Pcm(np.array(values, np.int16), 22050)
        for name in ("exact.wav", "exact.flac"):
            path = Path(os.environ["HOME"]) / name
            pcm.write(path, sound)
            assert pcm.read_wav(path) == sound

    def test_an_old_file_is_replaced_whole(self, tmp_path: Path) -> None:
        pcm.write(tmp_path / "a.wav", tone(seconds=1.0))
        pcm.write(tmp_path / "a.wav", tone(seconds=0.1))
        assert pcm.read_wav(tmp_path / "a.wav") == tone(seconds=0.1)
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

    def test_an_mp3_at_an_odd_rate_is_resampled(self, tmp_path: Path) -> None:
        pcm.write(tmp_path / "a.mp3", tone(rate=20000))
        assert pcm.read_wav(tmp_path / "a.mp3").rate == 22050

    def test_a_long_ogg(self, tmp_path: Path) -> None:
        pcm.write(tmp_path / "a.ogg", pcm.silence(60 * 22050, 22050))
        assert pcm.read_wav(tmp_path / "a.ogg").seconds == pytest.approx(60, abs=0.1)

    def test_another_ending_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AudioFileError, match=r"must end in \.wav"):
            pcm.write(tmp_path / "a.txt", tone())

    def test_a_missing_folder_is_told(self, tmp_path: Path) -> None:
        with pytest.raises(AudioFileError, match="cannot be written"):
            pcm.write(tmp_path / "nowhere" / "a.wav", tone())

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_full_disk_leaves_the_old_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        pcm.write(tmp_path / "a.wav", tone())

        def full(path: Path) -> object:
            path.touch()
            return Path("/dev/full").open("wb")

        monkeypatch.setattr("assistant.atomic_file._create", full)
        with pytest.raises(AudioFileError, match="No space left"):
            pcm.write(tmp_path / "a.wav", tone(hertz=100))
        assert pcm.read_wav(tmp_path / "a.wav") == tone()
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]


class TestShaping:
    """Small operations on sound."""

    def test_resampling_keeps_length_and_pitch(self) -> None:
        up = pcm.resample(tone(), 22050)
        assert (up.rate, len(up)) == (22050, 11025)
        assert likeness(up, tone(rate=22050)) > 0.999

    def test_resampling_to_its_own_rate_changes_nothing(self) -> None:
        assert pcm.resample(tone(), 16000) == tone()

    def test_a_fade_begins_and_ends_in_silence(self) -> None:
        faded = pcm.fade(tone(loud=0.9, hertz=3000), in_seconds=0.01, out_seconds=0.01)
        assert faded.samples[0] == 0
        assert faded.samples[-1] == 0
        assert np.array_equal(faded.samples[160:-160], tone(loud=0.9, hertz=3000).samples[160:-160])

    def test_a_fade_longer_than_the_sound(self) -> None:
        assert len(pcm.fade(tone(seconds=0.01), 1.0, 1.0)) == 160

    def test_silence_is_trimmed_to_the_onset(self) -> None:
        padded = Pcm(np.pad(tone().samples, (1000, 2000)), 16000)
        trimmed = pcm.trim_silence(padded)
        assert abs(int(trimmed.samples[0])) >= 0.02 * 16383
        assert len(tone()) - 10 <= len(trimmed) <= len(tone())

    def test_nothing_but_silence_is_trimmed_to_nothing(self) -> None:
        assert len(pcm.trim_silence(pcm.silence(100, 16000))) == 0

    def test_a_weak_onset_is_lifted_and_the_rest_is_left_alone(self) -> None:
        weak, strong = tone(0.08, loud=0.02), tone(0.3, loud=0.5)
        lifted = pcm.lift_onset(pcm.concatenate([weak, strong]))
        assert np.abs(lifted.samples[:1000]).max() > 3 * np.abs(weak.samples).max()
        assert np.array_equal(lifted.samples[len(weak) :], strong.samples)

    def test_a_strong_onset_is_left_alone(self) -> None:
        assert pcm.lift_onset(tone()) == tone()

    @given(st.integers(1, 500), st.integers(1, 700))
    def test_blocks_together_are_the_sound(self, length: int, size: int) -> None:
        sound = Pcm(np.arange(length, dtype=np.int16), 8000)
        parts = list(pcm.blocks(sound, size))
        assert pcm.concatenate(parts) == sound
        assert all(len(part) == size for part in parts[:-1])

    def test_parts_of_two_rates_do_not_join(self) -> None:
        with pytest.raises(ValueError, match="one rate"):
            pcm.concatenate([tone(), tone(rate=8000)])

    def test_only_flat_int16_is_pcm(self) -> None:
        with pytest.raises(TypeError):
            Pcm(np.zeros(3), 16000)  # type: ignore[arg-type]
