"""A new muscle is a routine's file and the words for it, and no code."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from assistant.content import language_pack
from assistant.errors import IntentDataError
from tests.support import languages
from tests.support.languages import language
from tests.support.plays import perform

ENGLISH = languages.INTENTS / "en"

ROUTINE = """
muscle: {muscle}
{more}name: {muscle}
opposite: muscle on the other side
source: a test
versions:
  sitting:
    serves: [standing, sitting, chair, cant_stand, lying, bed]
    steps:
      - Rest the {{side}} {muscle} on something soft.
    cue: Tighten the other side gently. Keep breathing.
    again: Other side. Hold.
    release: Slowly let it go loose.
"""


def with_muscles(folder: Path) -> languages.Language:
    """Return English with a muscle of the leg and one of the arm that it has no word of."""
    shutil.copytree(ENGLISH, folder)
    for muscle, more in (("peroneus", ""), ("biceps", "on_foot: false\n")):
        text = ROUTINE.format(muscle=muscle, more=more)
        (folder / "routines" / f"{muscle}.yaml").write_text(text, "utf-8")
    words = folder / "sentences" / "_common.yaml"
    added = "  muscle:\n    values:\n      - biceps\n      - peroneus\n"
    text = words.read_text("utf-8").replace("  muscle:\n    values:\n", added, 1)
    words.write_text(text, "utf-8")
    return languages.load(folder)


@pytest.fixture(scope="module")
def grown(tmp_path_factory: pytest.TempPathFactory) -> languages.Language:
    return with_muscles(tmp_path_factory.mktemp("intents") / "en")


@pytest.mark.parametrize(
    ("muscle", "way_back"), [("peroneus", "gone.walk"), ("biceps", "gone.rest")]
)
def test_a_new_muscle_is_talked_through(
    grown: languages.Language, muscle: str, way_back: str
) -> None:
    said = [f"my left {muscle} is cramping", "still there", "it's gone"]
    played = "\n".join(perform(said, grown.pack, grown.matcher))
    assert f"Rest the left {muscle} on something soft." in played
    assert played.count("One. Two. Three. Four. Five. Six. Seven. Eight. Nine. Ten.") == 2
    assert grown.pack.prompts.line(way_back).text in played


def test_it_was_not_known_before() -> None:
    english = language("en")
    played = perform(["my left biceps is cramping"], english.pack, english.matcher)
    assert not any("biceps" in line for line in played[1:] if not line.startswith(">"))


def test_whether_one_stands_on_it_is_true_or_false(tmp_path: Path) -> None:
    folder = shutil.copytree(ENGLISH, tmp_path / "en")
    path = folder / "routines" / "hand.yaml"
    path.write_text(path.read_text("utf-8").replace("on_foot: false", "on_foot: no"), "utf-8")
    with pytest.raises(IntentDataError, match=r"hand\.yaml, line 2: expected true"):
        language_pack.load(folder)
