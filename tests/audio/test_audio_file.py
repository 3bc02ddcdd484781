"""Facts about sound files."""

import contextlib
import os
import struct
from pathlib import Path

import numpy as np
import pytest
import soundfile
from hypothesis import given
from hypothesis import strategies as st

from assistant.audio import audio_file
from assistant.audio.pcm import Pcm, silence
from assistant.errors import AudioFileError
from tests.support.tones import likeness, tone


class TestReading:
    """Whatever a file holds, it becomes mono int16."""

    @pytest.mark.parametrize("rate", [8000, 11025, 16000, 22050, 44100, 48000, 96000])
    def test_any_rate(self, tmp_path: Path, rate: int) -> None:
        audio_file.write(tmp_path / "a.wav", tone(rate=rate))
        assert audio_file.read(tmp_path / "a.wav") == tone(rate=rate)

    @pytest.mark.parametrize("subtype", ["PCM_16", "PCM_24", "PCM_32", "FLOAT", "DOUBLE"])
    def test_any_width_gives_the_same_samples(self, tmp_path: Path, subtype: str) -> None:
        soundfile.write(tmp_path / "a.wav", tone().samples / 32768, 16000, subtype=subtype)
        assert audio_file.read(tmp_path / "a.wav") == tone()

    def test_eight_bits_come_close(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", tone().samples, 16000, subtype="PCM_U8")
        assert likeness(audio_file.read(tmp_path / "a.wav"), tone()) > 0.999

    def test_stereo_is_mixed(self, tmp_path: Path) -> None:
        both = np.stack([tone(hertz=300).samples, np.zeros(8000, np.int16)], axis=1)
        soundfile.write(tmp_path / "a.wav", both, 16000)
        mixed = audio_file.read(tmp_path / "a.wav").samples
        assert np.abs(mixed - tone(hertz=300).samples / 2).max() <= 1

    @pytest.mark.parametrize("ending", [".flac", ".ogg", ".mp3"])
    def test_compressed_files(self, tmp_path: Path, ending: str) -> None:
        audio_file.write(tmp_path / f"a{ending}", tone(seconds=2.0))
        found = audio_file.read(tmp_path / f"a{ending}")
        assert found.rate == 16000
        assert found.seconds == pytest.approx(2.0, abs=0.1)
        assert np.abs(found.samples).max() == pytest.approx(16383, rel=0.05)

    def test_a_float_file_with_not_a_number_is_silent_there(self, tmp_path: Path) -> None:
        soundfile.write(tmp_path / "a.wav", np.array([0.5, np.nan, 2.0]), 16000, subtype="FLOAT")
        assert audio_file.read(tmp_path / "a.wav").samples.tolist() == [16384, 0, 32767]


class TestFilesThatCannotBeRead:
    """One clear sentence that names the file."""

    def refused(self, path: Path) -> str:
        with pytest.raises(AudioFileError) as caught:
            audio_file.read(path)
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
        audio_file.write(tmp_path / "a.wav", tone())
        (tmp_path / "a.wav").chmod(0)
        assert "cannot be read" in self.refused(tmp_path / "a.wav")

    @pytest.mark.parametrize("kept", [11, 20, 43, 44, 100, 16043])
    def test_cut_short(self, tmp_path: Path, kept: int) -> None:
        audio_file.write(tmp_path / "a.wav", tone())
        whole = (tmp_path / "a.wav").read_bytes()
        (tmp_path / "a.wav").write_bytes(whole[:kept])
        self.refused(tmp_path / "a.wav")

    @pytest.mark.parametrize("data", [b"hello", b"RIFF\0\0\0\0WAVE", b"\0" * 5000, b"<html>" * 90])
    def test_not_audio(self, tmp_path: Path, data: bytes) -> None:
        (tmp_path / "a.wav").write_bytes(data)
        self.refused(tmp_path / "a.wav")

    def test_no_samples(self, tmp_path: Path) -> None:
        audio_file.write(tmp_path / "a.wav", Pcm(np.zeros(0, np.int16), 16000))
        assert "no sound" in self.refused(tmp_path / "a.wav")

    def test_a_stream_of_unknown_length_is_read_to_its_end(self, tmp_path: Path) -> None:
        """Programs that write WAV into a pipe cannot know the length beforehand."""
        audio_file.write(tmp_path / "a.wav", tone())
        data = bytearray((tmp_path / "a.wav").read_bytes())
        data[40:44] = struct.pack("<I", 0xFFFFFFFF)
        (tmp_path / "a.wav").write_bytes(data)
        assert len(audio_file.read(tmp_path / "a.wav")) == len(tone())

    def test_more_samples_than_fit_into_memory(self, tmp_path: Path) -> None:
        """A FLAC of 60 kB may say that it holds hours of eight channels at 655 kHz."""
        path = tmp_path / "a.flac"
        soundfile.write(path, np.zeros((100, 8), np.int16), 655_350, subtype="PCM_16")
        said, data = 2**32 - 1, bytearray(path.read_bytes())
        data[21] |= said >> 32  # the lower half of byte 21 and the next four: frames
        data[22:26] = (said & 0xFFFFFFFF).to_bytes(4, "big")
        path.write_bytes(data)
        assert "8 channels are too many" in self.refused(path)

    @pytest.mark.parametrize("channels", [1, 2, 8])
    def test_a_file_that_says_more_than_it_holds_is_read_or_refused(
        self, tmp_path: Path, channels: int
    ) -> None:
        path = tmp_path / "a.flac"
        soundfile.write(path, np.zeros((100, channels), np.int16), 48_000, subtype="PCM_16")
        data = bytearray(path.read_bytes())
        data[22:26] = (40_000_000).to_bytes(4, "big")
        path.write_bytes(data)
        with contextlib.suppress(AudioFileError):
            assert len(audio_file.read(path)) <= 100

    @pytest.mark.skipif(not Path("/dev/zero").exists(), reason="needs Linux's devices")
    @pytest.mark.parametrize("path", ["/dev/zero", "/dev/null"])
    def test_devices(self, path: str) -> None:
        assert "not a regular file" in self.refused(Path(path))

    def test_a_long_file_in_many_channels_is_mixed_block_by_block(self, tmp_path: Path) -> None:
        both = np.tile(np.arange(-300, 300, dtype=np.int16)[:, None], (4000, 2))
        soundfile.write(tmp_path / "a.wav", both, 16_000)
        assert (audio_file.read(tmp_path / "a.wav").samples == both[:, 0]).all()

    @given(st.binary(max_size=200))
    def test_any_bytes_are_read_or_refused(self, data: bytes) -> None:
        path = Path(os.environ["HOME"]) / "any.wav"
        path.write_bytes(b"RIFF\0\0\0\0WAVE" + data)
        with contextlib.suppress(AudioFileError):
            assert len(audio_file.read(path))


class TestWriting:
    """Sample exact where the format allows, and whole or not at all."""

    @given(st.lists(st.integers(-32768, 32767), min_size=1, max_size=50))
    def test_wav_and_flac_keep_every_sample(self, values: list[int]) -> None:
        sound = Pcm(np.array(values, np.int16), 22050)
        for name in ("exact.wav", "exact.flac"):
            path = Path(os.environ["HOME"]) / name
            audio_file.write(path, sound)
            assert audio_file.read(path) == sound

    def test_an_old_file_is_replaced_whole(self, tmp_path: Path) -> None:
        audio_file.write(tmp_path / "a.wav", tone(seconds=1.0))
        audio_file.write(tmp_path / "a.wav", tone(seconds=0.1))
        assert audio_file.read(tmp_path / "a.wav") == tone(seconds=0.1)
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]

    def test_an_mp3_at_an_odd_rate_is_resampled(self, tmp_path: Path) -> None:
        audio_file.write(tmp_path / "a.mp3", tone(rate=20000))
        assert audio_file.read(tmp_path / "a.mp3").rate == 22050

    def test_a_long_ogg(self, tmp_path: Path) -> None:
        audio_file.write(tmp_path / "a.ogg", silence(60 * 22050, 22050))
        assert audio_file.read(tmp_path / "a.ogg").seconds == pytest.approx(60, abs=0.1)

    def test_another_ending_is_refused(self, tmp_path: Path) -> None:
        with pytest.raises(AudioFileError, match=r"must end in \.wav"):
            audio_file.write(tmp_path / "a.txt", tone())

    def test_a_missing_folder_is_reported(self, tmp_path: Path) -> None:
        with pytest.raises(AudioFileError, match="cannot be written"):
            audio_file.write(tmp_path / "nowhere" / "a.wav", tone())

    @pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
    def test_a_full_disk_leaves_the_old_file(
        self, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
    ) -> None:
        audio_file.write(tmp_path / "a.wav", tone())

        def full(path: Path) -> object:
            path.touch()
            return Path("/dev/full").open("wb")

        monkeypatch.setattr("assistant.atomic_file._create", full)
        with pytest.raises(AudioFileError, match="No space left"):
            audio_file.write(tmp_path / "a.wav", tone(hertz=100))
        assert audio_file.read(tmp_path / "a.wav") == tone()
        assert [path.name for path in tmp_path.iterdir()] == ["a.wav"]
