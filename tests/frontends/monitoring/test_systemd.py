"""The unit that keeps Charley running, and what systemd's watchdog is told."""

from __future__ import annotations

import configparser
import shlex
import shutil
import socket
import subprocess
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from assistant.errors import SettingsError
from assistant.frontends.monitoring import systemd

COMMAND = [
    "/home/me/a b/.venv/bin/python",
    "-m",
    "assistant",
    "serve",
    "--announce",
    'my "home" 5%',
]


def parsed(text: str) -> configparser.ConfigParser:
    unit = configparser.ConfigParser(interpolation=None, strict=True)
    unit.optionxform = str  # type: ignore[assignment,method-assign]
    unit.read_string(text)
    return unit


def test_it_restarts_watches_and_starts_at_every_boot() -> None:
    unit = parsed(systemd.unit(COMMAND))
    assert unit["Service"]["Type"] == "notify"
    assert unit["Service"]["Restart"] == "always"
    assert int(unit["Service"]["WatchdogSec"]) >= 10
    assert unit["Service"]["NoNewPrivileges"] == "yes"
    assert unit["Install"]["WantedBy"] == "default.target"


@given(
    st.lists(
        st.text(st.characters(codec="ascii", categories=["L", "N", "P", "S", "Zs"])), min_size=1
    )
)
def test_any_command_is_read_back_word_for_word(words: list[str]) -> None:
    line = parsed(systemd.unit(words))["Service"]["ExecStart"]
    assert [w.replace("%%", "%").replace("$$", "$") for w in shlex.split(line)] == words


@pytest.mark.skipif(shutil.which("systemd-analyze") is None, reason="systemd is not here")
def test_systemd_itself_finds_nothing_wrong(tmp_path: Path) -> None:
    path = tmp_path / systemd.UNIT
    path.write_text(systemd.unit(["/bin/true"]), "utf-8")
    command = ["systemd-analyze", "verify", "--user", str(path)]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert systemd.UNIT not in done.stderr


def test_it_is_written_into_the_users_own_folder(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    path = systemd.install(COMMAND)
    assert path == tmp_path / "systemd/user/charley.service"
    assert "a b" in path.read_text("utf-8")


def test_a_folder_that_cannot_be_written_is_an_error_in_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "systemd").write_text("a file")
    monkeypatch.setenv("XDG_CONFIG_HOME", str(tmp_path))
    with pytest.raises(SettingsError, match="cannot be written"):
        systemd.install(COMMAND)


def test_the_watchdog_is_told_through_its_socket(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as there:
        there.bind(str(tmp_path / "notify"))
        monkeypatch.setenv("NOTIFY_SOCKET", str(tmp_path / "notify"))
        systemd.notify("READY=1")
        assert there.recv(100) == b"READY=1"


@pytest.mark.parametrize("address", ["", "/nowhere/at/all", "@nobody"])
def test_without_systemd_nothing_happens(monkeypatch: pytest.MonkeyPatch, address: str) -> None:
    monkeypatch.setenv("NOTIFY_SOCKET", address)
    systemd.notify("READY=1")
