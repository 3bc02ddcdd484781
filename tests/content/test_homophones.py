"""Words that sound alike are distinguished by their neighbours."""

from __future__ import annotations

from pathlib import Path

import pytest

from assistant.content import homophones, yaml_source
from assistant.errors import IntentDataError
from tests.support.languages import language
from tests.support.stage import PACK

ALIKE = PACK.homophones


@pytest.mark.parametrize(
    ("heard", "said"),
    [
        ("my quads seized up", "my quad's seized up"),
        ("both quads seized up", "both quads seized up"),
        ("my quads are cramping", "my quads are cramping"),
        ("me hammies locked up", "me hammy's locked up"),
        ("stop", "stop"),
        ("", ""),
    ],
)
def test_one_leg_is_likelier_than_two(heard: str, said: str) -> None:
    assert " ".join(ALIKE.settled(heard.split())) == said


def test_a_language_may_have_none() -> None:
    none = language("de").pack.homophones
    assert none.settled(["wade"]) == ["wade"]


def test_a_mistake_is_reported_with_its_line(tmp_path: Path) -> None:
    file = tmp_path / "speech.yaml"
    file.write_text("voice: en\nhomophones:\n  usual: {a: b}\n  neighbors: [c]\n")
    with pytest.raises(IntentDataError, match=r"line 4.*neighbors|line 3.*neighbors"):
        homophones.parse(yaml_source.read(file))
