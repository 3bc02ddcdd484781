"""The scripts: they read on an old Python, set up once, and hand words and exit codes through."""

import ast
import importlib.machinery
import importlib.util
import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tomllib
from collections.abc import Sequence
from pathlib import Path
from types import ModuleType

import pytest

from tests.support import ROOT

SCRIPTS = ("format", "lint", "pin", "run", "setup", "test")
OLD_PYTHON = (3, 8)
"""Even this one must parse the scripts, to report that it is too old."""

posix_only = pytest.mark.skipif(os.name != "posix", reason="symlinks and signals as POSIX has them")


def load(name: str) -> ModuleType:
    """Import a script as a module."""
    loader = importlib.machinery.SourceFileLoader(f"script_{name}", str(ROOT / "script" / name))
    spec = importlib.util.spec_from_loader(loader.name, loader)
    assert spec is not None
    module = importlib.util.module_from_spec(spec)
    writes, sys.dont_write_bytecode = sys.dont_write_bytecode, True
    try:
        loader.exec_module(module)
    finally:
        sys.dont_write_bytecode = writes
    return module


@pytest.fixture
def setup(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """Load script/setup with its environment in a folder of the test's own."""
    module = load("setup")
    environment = tmp_path / ".venv"
    monkeypatch.setattr(module, "VENV", environment)
    monkeypatch.setattr(module, "PYTHON", environment / "bin/python")
    monkeypatch.setattr(module, "STAMP", environment / "charley-setup")
    return module


def ran(module: ModuleType, monkeypatch: pytest.MonkeyPatch, code: int = 0) -> list[str]:
    """Collect the commands that a script would run instead of running them."""
    lines: list[str] = []

    def run(command: Sequence[str], **_: object) -> subprocess.CompletedProcess[bytes]:
        lines.append(" ".join(map(str, command)))
        return subprocess.CompletedProcess(command, code)

    monkeypatch.setattr(module.subprocess, "run", run)
    return lines


@pytest.mark.parametrize("name", SCRIPTS)
def test_a_script_can_be_run_and_be_read_by_an_old_python(name: str) -> None:
    path = ROOT / "script" / name
    text = path.read_text(encoding="utf-8")
    assert text.startswith("#!/usr/bin/env python3\n")
    assert os.access(path, os.X_OK)
    tree = ast.parse(text, feature_version=OLD_PYTHON)
    assert any(isinstance(n, ast.ImportFrom) and n.module == "__future__" for n in tree.body)


def test_there_are_no_other_scripts() -> None:
    files = {path.name for path in (ROOT / "script").iterdir() if path.is_file()}
    assert {name for name in files if not name.startswith("requirements")} == set(SCRIPTS)


@pytest.mark.parametrize("name", ["format", "lint", "pin", "setup"])
def test_help_says_what_it_does_and_does_nothing(name: str) -> None:
    done = subprocess.run(
        [sys.executable, ROOT / "script" / name, "--help"],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert (done.returncode, done.stderr) == (0, "")
    assert "usage:" in done.stdout


def test_ci_calls_lint_and_test_and_nothing_else() -> None:
    path = ROOT / ".ci" / "run"
    assert os.access(path, os.X_OK)
    lines = path.read_text(encoding="utf-8").splitlines()
    assert lines == [
        "#!/usr/bin/env bash",
        "set -euo pipefail",
        'cd "$(dirname "$0")/.."',
        "script/lint",
        "script/test",
    ]


@pytest.mark.parametrize(
    ("words", "is_shared"),
    [
        ([], True),
        (["--thorough"], True),
        (["-m", "not sound and not slow", "--durations=20"], True),
        (["tests/nlu"], False),
        (["-k", "hold"], False),
        (["-m", "sound", "tests/audio"], False),
        (["--pdb"], False),
    ],
)
def test_only_the_whole_suite_is_shared_by_several_processes(
    words: list[str], is_shared: bool
) -> None:
    assert bool(load("test").workers(words)) == is_shared


# --- The pinned packages -------------------------------------------------------------------------


def pins(name: str) -> dict[str, set[str]]:
    """Return each pinned package's versions; every line must be a pin, a marker or a hash."""
    found: dict[str, set[str]] = {}
    text = (ROOT / "script" / name).read_text(encoding="utf-8")
    for entry in re.split(r"\n(?=\S)", text.strip()):
        first, *hashes = entry.split(" \\\n")
        pin = re.fullmatch(r"([a-z0-9.-]+)==([\w.]+)( ; .+)?", first)
        assert pin, first
        assert hashes, f"{first} has no hash"
        assert all(re.fullmatch(r" +--hash=sha256:[0-9a-f]{64}", line) for line in hashes), first
        found.setdefault(pin[1], set()).add(pin[2])
    return found


def test_every_package_is_pinned_with_hashes_and_the_same_everywhere() -> None:
    run, dev, build = (pins(f"requirements{kind}.txt") for kind in ("", "-dev", "-build"))
    assert {name: dev.get(name) for name in run} == run
    assert {name: versions for name, versions in build.items() if name in dev} == {
        name: dev[name] for name in build if name in dev
    }


def test_every_dependency_of_the_project_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    extras = [line for lines in project["optional-dependencies"].values() for line in lines]

    def names(lines: list[str]) -> set[str]:
        return {re.split(r"[^\w.-]", line)[0].lower() for line in lines}

    assert names(project["dependencies"]) <= pins("requirements.txt").keys()
    assert names(extras) <= pins("requirements-dev.txt").keys()


# --- script/setup --------------------------------------------------------------------------------


def finish(setup: ModuleType, level: str) -> None:
    setup.PYTHON.parent.mkdir(parents=True, exist_ok=True)
    setup.PYTHON.touch()
    setup.STAMP.write_text(f"{level} {setup.fingerprint()}\n")


@pytest.mark.parametrize(
    ("done", "asked", "is_done"),
    [
        ("run", "run", True),
        ("dev", "run", True),
        ("dev", "dev", True),
        ("run", "dev", False),
        ("run", "wyoming", False),
        ("wyoming", "run", True),
        ("dev", "wyoming", True),
    ],
)
def test_a_finished_setup_is_not_done_again(
    setup: ModuleType, done: str, asked: str, is_done: bool
) -> None:
    finish(setup, done)
    assert setup.is_done(asked, setup.fingerprint()) == is_done
    assert not setup.is_done(asked, "of other files")


def test_without_a_stamp_or_python_it_is_not_done(setup: ModuleType) -> None:
    assert not setup.is_done("run", setup.fingerprint())
    finish(setup, "run")
    setup.PYTHON.unlink()
    assert not setup.is_done("run", setup.fingerprint())
    setup.STAMP.write_text("broken")
    assert not setup.is_done("run", setup.fingerprint())


def test_a_failed_install_is_reported_and_not_taken_for_done(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise subprocess.CalledProcessError(1, ["python", "-m", "pip", "install", "x"])

    finish(setup, "run")
    monkeypatch.setattr(sys, "argv", ["setup", "--dev"])
    monkeypatch.setattr(setup, "install_system_packages", lambda _dev: None)
    monkeypatch.setattr(setup, "make_environment", lambda: None)
    monkeypatch.setattr(setup, "install_packages", fail)
    assert setup.main() == 1
    assert "run this again" in capsys.readouterr().err
    assert not setup.is_done("run", setup.fingerprint())


@pytest.mark.parametrize(
    ("stamp", "again"), [("begun", True), ("run of old", False), (None, False)]
)
def test_an_interrupted_setup_installs_everything_again(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, stamp: str | None, again: bool
) -> None:
    setup.VENV.mkdir()
    if stamp is not None:
        setup.STAMP.write_text(stamp)
    seen: list[object] = []
    monkeypatch.setattr(sys, "argv", ["setup"])
    monkeypatch.setattr(setup, "install_system_packages", lambda _dev: None)
    monkeypatch.setattr(setup, "make_environment", lambda: None)
    monkeypatch.setattr(setup, "install_packages", lambda level, again: seen.append((level, again)))
    assert setup.main() == 0
    assert seen == [("run", again)]
    assert setup.STAMP.read_text() == f"run {setup.fingerprint()}\n"


def test_packages_are_installed_by_hash_and_the_build_tools_first(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ran(setup, monkeypatch)
    setup.install_packages("dev", again=False)
    build, packages, charley, satellite = lines
    assert "--require-hashes" in build
    assert build.endswith("requirements-build.txt")
    assert "--require-hashes" in packages
    assert packages.endswith("requirements-dev.txt")
    assert "--no-deps" in charley
    assert charley.endswith(f"--editable {ROOT}")
    assert "--require-hashes" in satellite
    assert f"--target {setup.SATELLITE}" in satellite


def nothing_there(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    """Make a system without any of the packages, but with apt-get."""
    monkeypatch.setattr(setup.ctypes.util, "find_library", lambda _name: None)
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda _name: None)
    monkeypatch.setattr(setup.Path, "glob", lambda *_: iter(()))
    programs = {"apt-get": "/usr/bin/apt-get"}
    monkeypatch.setattr(setup.shutil, "which", programs.get)


def test_as_root_missing_system_packages_are_installed(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_there(setup, monkeypatch)
    monkeypatch.setattr(setup, "root_rights", list)
    lines = ran(setup, monkeypatch)
    setup.install_system_packages(dev=True)
    assert [line.split()[3] for line in lines] == ["update", "install"]
    said = capsys.readouterr().out
    for package in ("-venv", "libportaudio2", "pulseaudio-utils", "libasound2-plugins"):
        assert package in lines[1]
        assert package in said


def test_without_rights_it_says_what_is_missing_and_goes_on(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_there(setup, monkeypatch)
    monkeypatch.setattr(setup, "root_rights", lambda: None)
    lines = ran(setup, monkeypatch)
    setup.install_system_packages(dev=False)
    assert lines == []
    said = capsys.readouterr().out
    assert "sudo apt-get install" in said
    assert "libportaudio2" in said
    assert "pulseaudio" not in said


@pytest.mark.parametrize(("machine", "needed"), [("aarch64", True), ("x86_64", False)])
def test_on_64_bit_arm_vosk_gets_the_library_that_it_needs(
    setup: ModuleType,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    machine: str,
    needed: bool,
) -> None:
    nothing_there(setup, monkeypatch)
    monkeypatch.setattr(setup, "root_rights", lambda: None)
    monkeypatch.setattr(setup.platform, "machine", lambda: machine)
    setup.install_system_packages(dev=False)
    assert ("libatomic1" in capsys.readouterr().out) is needed


def test_system_packages_that_cannot_be_installed_stop_nothing(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    nothing_there(setup, monkeypatch)
    monkeypatch.setattr(setup, "root_rights", list)
    ran(setup, monkeypatch, code=100)
    setup.install_system_packages(dev=False)
    assert "could not be installed" in capsys.readouterr().out


def test_python_without_venv_is_told_what_to_install(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(setup.importlib.util, "find_spec", lambda _name: None)
    with pytest.raises(SystemExit, match=r"python3\.\d+-venv"):
        setup.make_environment()


def test_pip_prints_its_errors_and_not_its_warnings(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = ran(setup, monkeypatch)
    setup.install_packages("dev", again=False)
    quiet = " ".join(setup.SILENT)
    assert all(quiet in line for line in lines)
    monkeypatch.undo()
    nowhere = ["--no-index", "--find-links", "file:///nowhere", "no-such-package"]
    done = subprocess.run(
        [sys.executable, "-m", "pip", "install", *setup.SILENT, *nowhere],
        capture_output=True,
        text=True,
        check=False,
        timeout=60,
    )
    assert "ERROR: " in done.stderr
    assert "WARNING: " not in done.stderr


def test_an_environment_that_works_is_kept(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(setup, "run")
    ran(setup, monkeypatch)
    monkeypatch.setattr(setup.venv, "create", lambda *_, **__: pytest.fail("made again"))
    setup.make_environment()


def test_a_broken_environment_is_made_again(
    setup: ModuleType, monkeypatch: pytest.MonkeyPatch
) -> None:
    finish(setup, "run")
    made: list[object] = []
    lines = ran(setup, monkeypatch, code=1)
    monkeypatch.setattr(setup.venv, "create", lambda path, **_: made.append(path))
    setup.make_environment()
    assert made == [setup.VENV]
    assert lines[-1].endswith("-m ensurepip --default-pip")


def test_an_old_python_is_reported(setup: ModuleType, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(setup.sys, "version_info", (3, 9))
    monkeypatch.setattr(setup.shutil, "which", lambda _name: None)
    with pytest.raises(SystemExit, match=r"needs Python 3\.11 or newer"):
        setup.use_new_enough_python()


# --- script/run ----------------------------------------------------------------------------------


@pytest.fixture
def tree(tmp_path: Path) -> Path:
    """Make a small project: the real script/run, a setup that only prints, and a mock assistant."""
    (tmp_path / "script").mkdir()
    shutil.copy2(ROOT / "script/run", tmp_path / "script/run")
    (tmp_path / "script/setup").write_text("print('setting up')\n")
    (tmp_path / ".venv/bin").mkdir(parents=True)
    (tmp_path / ".venv/bin/python").symlink_to(sys.executable)
    (tmp_path / "assistant").mkdir()
    return tmp_path


def start(tree: Path, code: str, *words: str, own_session: bool = False) -> subprocess.Popen[str]:
    (tree / "assistant/__main__.py").write_text(code)
    return subprocess.Popen(
        [sys.executable, tree / "script/run", *words],
        cwd=tree,
        env={name: value for name, value in os.environ.items() if name != "PYTHONPATH"},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        start_new_session=own_session,
    )


@posix_only
@pytest.mark.parametrize(
    ("words", "given"), [((), ["run"]), (("say", "two words", "--out", ""), None)]
)
def test_words_and_exit_code_are_handed_through(
    tree: Path, words: tuple[str, ...], given: list[str] | None
) -> None:
    code = "import json, sys; print(json.dumps(sys.argv[1:])); sys.exit(7)"
    process = start(tree, code, *words)
    out, err = process.communicate(timeout=60)
    assert json.loads(out) == (given or list(words))
    assert err == "setting up\n"
    assert process.returncode == 7


@posix_only
def test_a_failed_setup_ends_it_with_its_exit_code(tree: Path) -> None:
    (tree / "script/setup").write_text("raise SystemExit(3)\n")
    process = start(tree, "print('never')")
    out, _ = process.communicate(timeout=60)
    assert (out, process.returncode) == ("", 3)


@posix_only
def test_stopping_the_setup_lets_it_end_itself(tree: Path) -> None:
    code = """
import sys, time
try:
    print("ready", file=sys.stderr, flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    time.sleep(1)
    print("bye", file=sys.stderr)
    sys.exit(130)
"""
    (tree / "script/setup").write_text(code)
    process = start(tree, "print('never')", own_session=True)
    assert process.stderr is not None
    assert process.stderr.readline() == "ready\n"
    os.killpg(process.pid, signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("", "bye\n", 130)


@posix_only
def test_stopping_it_stops_charley_and_nothing_else_is_said(tree: Path) -> None:
    code = """
import time
try:
    print("ready", flush=True)
    time.sleep(60)
except KeyboardInterrupt:
    print("bye", flush=True)
    raise SystemExit(130)
"""
    process = start(tree, code)
    assert process.stdout is not None
    assert process.stdout.readline() == "ready\n"
    process.send_signal(signal.SIGINT)
    out, err = process.communicate(timeout=60)
    assert (out, err, process.returncode) == ("bye\n", "setting up\n", 130)
