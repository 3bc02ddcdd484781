"""The core runs without the libraries of devices and models, as in a browser."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest
import yaml

from tests.support import core_alone, plays
from tests.support.languages import INTENTS, LANGUAGES

NEVER = ("numpy", "soundfile", "soxr", "vosk", "sounddevice", "webrtcvad", "pyttsx3", "requests")
"""What only devices, voices and models need."""
C_PARSER = ("yaml._yaml", "yaml.cyaml", "_yaml")
"""libyaml; PyYAML also has a parser in Python."""
READERS = ("hassil", "yaml")
"""What only reads the files of intents/."""

PLAYS = sum(len(plays.plays(name)) for name in plays.FOLDERS)

YAML_FILES = sorted(INTENTS.rglob("*.yaml"))


def test_plays_go_as_written_on_pure_python() -> None:
    done = core_alone.run(None, [*NEVER, *C_PARSER])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{PLAYS} plays performed\n"


def test_plays_go_as_written_where_nothing_can_be_compiled(tmp_path: Path) -> None:
    pickled = tmp_path / "languages.pickle"
    pickled.write_bytes(core_alone.dumped(LANGUAGES))
    done = core_alone.run(pickled, [*NEVER, *READERS])
    assert done.returncode == 0, done.stdout + done.stderr
    assert done.stdout == f"{PLAYS} plays performed\n"


def test_what_is_blocked_is_not_found() -> None:
    done = core_alone.run(None, [*NEVER, *READERS])
    assert done.returncode == 1
    assert "No module named" in done.stderr


def values(node: yaml.Node | None) -> Iterator[tuple[str, int]]:
    """Yield every text of a file, with its line."""
    if isinstance(node, yaml.ScalarNode):
        yield node.value, node.start_mark.line
        return
    for item in node.value if node else ():
        for part in item if isinstance(item, tuple) else (item,):
            yield from values(part)


@pytest.mark.skipif(not hasattr(yaml, "CSafeLoader"), reason="PyYAML has one parser here")
@pytest.mark.parametrize("path", YAML_FILES, ids=lambda path: str(path.relative_to(INTENTS)))
def test_both_parsers_read_a_file_alike(path: Path) -> None:
    text = path.read_text("utf-8")
    quick = list(values(yaml.compose(text, Loader=yaml.CSafeLoader)))
    assert quick == list(values(yaml.compose(text, Loader=yaml.SafeLoader)))
    assert quick
