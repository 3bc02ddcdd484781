"""The wheel carries all that Charley needs, and works far from the source tree."""

import json
import os
import subprocess
import sys
import zipfile
from email.parser import Parser
from pathlib import Path

import pytest

import assistant
from assistant.paths import BUNDLED_MODEL, bundled_model_folder, intents_folder
from tests.support import ROOT

MODEL = ROOT / "models" / BUNDLED_MODEL

LOOK = """
import json, assistant
from assistant import paths
found = {"package": assistant.__file__, "intents": str(paths.intents_folder("en"))}
try:
    found["model"] = str(paths.bundled_model_folder())
except assistant.errors.ModelError:
    found["model"] = None
print(json.dumps(found))
"""


def files(folder: Path) -> set[str]:
    return {
        path.relative_to(folder).as_posix()
        for path in folder.rglob("*")
        if path.is_file() and "__pycache__" not in path.parts
    }


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Build the wheel as it would be published, without network."""
    out = tmp_path_factory.mktemp("wheel")
    command = [
        sys.executable,
        "-m",
        "hatchling",
        "build",
        "--target",
        "wheel",
        "--directory",
        str(out),
    ]
    subprocess.run(command, cwd=ROOT, check=True, capture_output=True)
    (built,) = out.glob("*.whl")
    return built


@pytest.fixture(scope="session")
def installed(wheel: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Install the wheel into a folder of its own."""
    target = tmp_path_factory.mktemp("installed")
    pip = [sys.executable, "-m", "pip", "--disable-pip-version-check", "install", "--quiet"]
    options = ["--no-index", "--no-deps", "--target", str(target), str(wheel)]
    subprocess.run([*pip, *options], check=True, capture_output=True)
    return target


def run_installed(
    installed: Path, cwd: Path, *arguments: str, text: str = ""
) -> subprocess.CompletedProcess[str]:
    """Run the installed package's Python in another folder."""
    return subprocess.run(
        [sys.executable, *arguments],
        cwd=cwd,
        env=os.environ | {"PYTHONPATH": str(installed)},
        input=text,
        capture_output=True,
        encoding="utf-8",
        timeout=60,
        check=False,
    )


def carried(wheel: Path, prefix: str) -> set[str]:
    with zipfile.ZipFile(wheel) as bundle:
        names = (name for name in bundle.namelist() if name.startswith(prefix))
        return {name.removeprefix(prefix) for name in names}


def test_the_wheel_carries_every_intents_file(wheel: Path) -> None:
    assert carried(wheel, "assistant/_data/intents/") == files(ROOT / "intents")


def test_the_wheel_carries_the_model(wheel: Path) -> None:
    assert carried(wheel, f"assistant/_data/models/{BUNDLED_MODEL}/") == files(MODEL)


def test_the_wheel_carries_how_words_are_said(wheel: Path) -> None:
    said = {"cmudict.LICENSE", "cmudict.dict.gz", "extra.dict", "g2p-en.npz", "long-a.txt"}
    loose = {name for name in carried(wheel, "assistant/_data/models/") if "/" not in name}
    assert loose == said


def test_the_wheel_carries_the_program_and_nothing_else(wheel: Path) -> None:
    with zipfile.ZipFile(wheel) as bundle:
        names = bundle.namelist()
    program = {name for name in names if name.startswith("assistant/") and "/_data/" not in name}
    assert program == {f"assistant/{name}" for name in files(ROOT / "assistant")}
    others = {name.split("/")[0] for name in names} - {"assistant"}
    assert others == {f"charley-{assistant.__version__}.dist-info"}


def test_the_wheel_says_what_it_is(wheel: Path) -> None:
    info = f"charley-{assistant.__version__}.dist-info"
    with zipfile.ZipFile(wheel) as bundle:
        metadata = Parser().parsestr(bundle.read(f"{info}/METADATA").decode())
        entry_points = bundle.read(f"{info}/entry_points.txt").decode()
        licence = bundle.read(f"{info}/licenses/LICENSE").decode()
    assert metadata["Version"] == assistant.__version__
    assert metadata["License-Expression"] == "Apache-2.0"
    assert "charley = assistant.__main__:main" in entry_points
    assert "Apache License" in licence


def test_installed_it_finds_its_own_data(installed: Path, tmp_path: Path) -> None:
    done = run_installed(installed, tmp_path, "-c", LOOK)
    assert done.stderr == ""
    found = json.loads(done.stdout)
    assert Path(found["package"]).is_relative_to(installed)
    assert files(Path(found["intents"])) == files(ROOT / "intents" / "en")
    assert Path(found["intents"]).is_relative_to(installed)
    assert (found["model"] is not None) == MODEL.is_dir()
    if found["model"]:
        assert Path(found["model"]).is_relative_to(installed)
        assert files(Path(found["model"])) == files(MODEL)


def test_in_the_source_tree_it_finds_its_data() -> None:
    assert intents_folder("en") == ROOT / "intents" / "en"
    if MODEL.is_dir():
        assert bundled_model_folder() == MODEL


@pytest.mark.skipif(not (ROOT / "assistant/cli/app.py").exists(), reason="no command line yet")
def test_installed_it_understands_a_sentence(installed: Path, tmp_path: Path) -> None:
    version = run_installed(installed, tmp_path, "-m", "assistant", "--version")
    assert (version.returncode, version.stderr) == (0, "")
    assert assistant.__version__ in version.stdout
    match = run_installed(
        installed, tmp_path, "-m", "assistant", "match", "--json", text="my left calf is cramping\n"
    )
    assert (match.returncode, match.stderr) == (0, "")
    understood = json.loads(match.stdout)
    assert understood["slots"] == {"muscle": "calf", "side": "left"}
