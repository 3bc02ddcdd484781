"""What is read as a file is a file: a pipe or a device of that name is refused, at once."""

import os
from pathlib import Path

import pytest

from assistant import remembered
from assistant.asr import vosk_files
from assistant.audio import audio_file
from assistant.content import yaml_source
from assistant.errors import AudioFileError, IntentDataError
from assistant.nlu.cache import CachedIntents
from assistant.regular_file import open_regular, read_regular

pytestmark = pytest.mark.skipif(os.name == "nt", reason="needs named pipes")


@pytest.fixture
def pipe(tmp_path: Path) -> Path:
    """Return a pipe that nobody writes to."""
    path = tmp_path / "pipe.yaml"
    os.mkfifo(path)
    return path


@pytest.mark.parametrize("path", ["pipe", "/dev/zero", "/dev/tty"])
def test_what_is_no_regular_file_is_refused_at_once(pipe: Path, path: str) -> None:
    with pytest.raises(OSError, match=r"not a regular file|No such device"):
        open_regular(pipe if path == "pipe" else Path(path))


def test_a_folder_is_called_one(tmp_path: Path) -> None:
    with pytest.raises(IsADirectoryError):
        open_regular(tmp_path)


def test_a_link_to_a_file_is_read(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"words")
    (tmp_path / "link").symlink_to("file")
    assert read_regular(tmp_path / "link", 5) == b"words"


def test_a_larger_file_than_there_can_be_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "large").open("wb") as file:
        file.truncate(1 << 40)
    with pytest.raises(OSError, match="larger than 1,000 bytes"):
        read_regular(tmp_path / "large", 1000)


def test_a_sound_file(pipe: Path) -> None:
    with pytest.raises(AudioFileError, match="not a regular file"):
        audio_file.read(pipe)


def test_a_file_of_a_language(pipe: Path) -> None:
    with pytest.raises(IntentDataError, match="not a regular file"):
        yaml_source.read(pipe)


def test_a_file_of_sentences(pipe: Path, tmp_path: Path) -> None:
    with pytest.raises(IntentDataError, match="not a regular file"):
        CachedIntents(pipe.parent, tmp_path / "cache")


def test_a_file_of_a_speech_model(tmp_path: Path) -> None:
    (tmp_path / "conf").mkdir()
    os.mkfifo(tmp_path / "conf" / "model.conf")
    assert vosk_files.missing(tmp_path)


def test_what_is_remembered(fresh_home: Path) -> None:
    remembered.remember("x", "y")
    file = next(fresh_home.rglob("state.json"))
    file.unlink()
    os.mkfifo(file)
    assert remembered.recall("x") is None
    assert remembered.remember("x", "z")
    assert remembered.recall("x") == "z"
