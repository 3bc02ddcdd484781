"""Every bench and every step of the training is a command that explains itself."""

from __future__ import annotations

import importlib
import sys

import pytest

from tests.support import ROOT

COMMANDS = sorted(
    ".".join(path.relative_to(ROOT).with_suffix("").parts)
    for folder in ("bench", "models/training")
    for path in (ROOT / folder).rglob("*.py")
    if "\ndef main(" in path.read_text("utf-8")
)
PEERS = {"pocketsphinx", "scipy", "torch", "wyoming"}
"""What some commands need and not every environment has."""


@pytest.mark.parametrize("name", COMMANDS)
def test_it_explains_itself(
    name: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    try:
        module = importlib.import_module(name)
    except ModuleNotFoundError as error:
        if error.name not in PEERS:
            raise
        pytest.skip(f"{error.name} is not installed")
    monkeypatch.setattr(sys, "argv", [name, "--help"])
    with pytest.raises(SystemExit) as ended:
        module.main()
    assert ended.value.code == 0
    assert "usage: " in capsys.readouterr().out
