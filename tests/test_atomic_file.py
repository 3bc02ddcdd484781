"""A file is written whole, or the old one stays as it was."""

import os
from pathlib import Path

import pytest

from assistant import atomic_file
from assistant.atomic_file import write_whole


def test_a_file_is_made_and_replaced(tmp_path: Path) -> None:
    for content in (b"first", b"", b"second\0"):
        write_whole(tmp_path / "a", content)
        assert (tmp_path / "a").read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs Linux's full device")
def test_a_full_disk_leaves_the_old_file_and_nothing_else(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    write_whole(tmp_path / "a", b"old")

    def full(path: Path) -> object:
        path.touch()
        return Path("/dev/full").open("wb")

    monkeypatch.setattr(atomic_file, "_create", full)
    with pytest.raises(OSError, match="No space left"):
        write_whole(tmp_path / "a", b"new")
    assert (tmp_path / "a").read_bytes() == b"old"
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


def test_a_folder_in_the_files_place_stays(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    with pytest.raises(OSError, match="a"):
        write_whole(tmp_path / "a", b"new")
    assert [path.name for path in tmp_path.iterdir()] == ["a"]


@pytest.mark.skipif(os.name == "nt", reason="needs the rights of POSIX")
@pytest.mark.parametrize(("is_private", "mode"), [(True, 0o600), (False, 0o644)])
def test_a_private_file_is_for_its_owner_only(tmp_path: Path, is_private: bool, mode: int) -> None:
    path = tmp_path / "file"
    path.touch(0o666)
    before = os.umask(0o022)
    try:
        write_whole(path, b"words", is_private=is_private)
    finally:
        os.umask(before)
    assert path.stat().st_mode & 0o777 == mode
