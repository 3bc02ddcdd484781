"""What every test gets: folders of its own instead of the user's, and unhurried property tests."""

import io
import os
import sys
from collections.abc import Callable, Iterator
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import settings

from tests.support import pulse
from tests.support.commands import Charley, Done
from tests.support.examples import USUAL
from tests.support.process import heed_ctrl_c

if TYPE_CHECKING:
    from assistant.nlu.intents import Intents
    from tests.support.sharing import Sharing

# A slow moment on a busy machine is no failure; and a failure must come again on the next run.
settings.register_profile("usual", deadline=None, derandomize=True, max_examples=USUAL)
settings.register_profile("thorough", deadline=None, max_examples=40 * USUAL)

_FOLDERS = {
    "XDG_CACHE_HOME": "cache",
    "XDG_CONFIG_HOME": "config",
    "XDG_DATA_HOME": "data",
    "XDG_STATE_HOME": "state",
    # The same for platformdirs on Windows.
    "WIN_PD_OVERRIDE_APPDATA": "roaming",
    "WIN_PD_OVERRIDE_LOCAL_APPDATA": "local",
}


@pytest.fixture(scope="session", autouse=True)
def own_home(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Path]:
    """Keep the whole run, and the processes it starts, away from the user's files."""
    home = tmp_path_factory.mktemp("home")
    saved = dict(os.environ)
    os.environ["HOME"] = os.environ["USERPROFILE"] = str(home)
    for name, folder in _FOLDERS.items():
        os.environ[name] = str(home / folder)
    yield home
    os.environ.clear()
    os.environ.update(saved)


@pytest.fixture
def fresh_home(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """Give one test an empty home of its own: no settings, no state, no models."""
    home = tmp_path / "home"
    home.mkdir()
    monkeypatch.setenv("HOME", str(home))
    monkeypatch.setenv("USERPROFILE", str(home))
    for name, folder in _FOLDERS.items():
        monkeypatch.setenv(name, str(home / folder))
    return home


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add what script/test explains."""
    parser.addoption(
        "--thorough", action="store_true", help="try many more examples of each property"
    )


def pytest_configure(config: pytest.Config) -> None:
    """Choose how many examples are tried, and let the processes that tests start hear Ctrl-C."""
    settings.load_profile("thorough" if config.getoption("thorough") else "usual")
    heed_ctrl_c()


@pytest.hookimpl(optionalhook=True)
def pytest_xdist_make_scheduler(config: pytest.Config, log: Any) -> "Sharing":
    """Let each file of tests stay together."""
    from tests.support.sharing import Sharing

    config.option.loadscopereorder = False
    return Sharing(config, log)


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Leave out tests that need real hardware unless asked for; mix what several workers run."""
    _leave_out_hardware(config, items)
    if hasattr(config, "workerinput"):
        from tests.support.sharing import mixed

        items[:] = mixed(items)


def _leave_out_hardware(config: pytest.Config, items: list[pytest.Item]) -> None:
    if "device" in str(config.option.markexpr):
        return
    chosen = [item for item in items if item.get_closest_marker("device") is None]
    if len(chosen) < len(items):
        dropped = [item for item in items if item.get_closest_marker("device")]
        config.hook.pytest_deselected(items=dropped)
        items[:] = chosen


@pytest.fixture
def card() -> Iterator[pulse.SoundCard]:
    """Return a sound card made of software."""
    if reason := pulse.missing():
        pytest.skip(reason)
    with pulse.sound_card() as made:
        yield made


@pytest.fixture(scope="session")
def load_once() -> "Callable[[Path], Intents]":
    """Return what loads the sentences of a folder, each folder once."""
    from assistant.nlu import intents

    return cache(intents.load)


@pytest.fixture
def charley(
    load_once: "Callable[[Path], Intents]",
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    fresh_home: Path,  # noqa: ARG001
) -> Charley:
    """Return what runs a command in this process, with a home of its own."""
    from assistant.cli import app
    from assistant.nlu import intents

    monkeypatch.setattr(intents, "load", load_once)

    def run(*args: str, stdin: str | bytes = b"") -> Done:
        data = stdin.encode() if isinstance(stdin, str) else stdin
        monkeypatch.setattr(sys, "stdin", io.TextIOWrapper(io.BytesIO(data)))
        code = app.main(list(args))
        said = capsys.readouterr()
        return Done(code, said.out, said.err)

    return run
