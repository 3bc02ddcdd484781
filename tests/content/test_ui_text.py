"""What is written has its words in the folder of the language, and a mistake in it is named."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from assistant.content import ui_text
from assistant.dialogue.state import State
from assistant.dialogue.triggers import KNOWN_INTENTS
from assistant.errors import IntentDataError
from assistant.exports import report, report_svg, report_text
from assistant.session.journal import Conditions
from tests.session.test_replay import Kept, moments
from tests.support.languages import INTENTS, Language, language
from tests.support.stage import PACK


def test_everything_that_may_be_meant_has_words(spoken: Language) -> None:
    written = spoken.pack
    assert set(written.ui_text.meanings) == KNOWN_INTENTS
    assert all(flag.name for flag in written.red_flags.flags.values())


def test_one_and_several_are_distinguished() -> None:
    assert PACK.ui_text.counted("outcome.gone_after", 1) == "gone after 1 hold"
    assert PACK.ui_text.counted("outcome.gone_after", 2) == "gone after 2 holds"


@pytest.mark.parametrize(
    ("there", "instead", "said"),
    [
        ('  whole: "{count} whole"\n', "", "the key “whole” is missing"),
        ("{count} whole", "{cuont} whole", "unknown “{cuont}”; expected count"),
        ("{count} whole", "{count whole", "cannot read"),
        ("Monday, ", "", "“weekdays” needs 7 words, not 6"),
    ],
)
def test_a_mistake_is_named(tmp_path: Path, there: str, instead: str, said: str) -> None:
    text = (INTENTS / "en/pages.yaml").read_text("utf-8")
    assert there in text
    path = tmp_path / "pages.yaml"
    path.write_text(text.replace(there, instead, 1), "utf-8")
    with pytest.raises(IntentDataError, match=re.escape(said)):
        ui_text.load(path)


def a_session(path: Path) -> None:
    stage = Kept(path, Conditions(), with_text=False)
    stage.listens()
    stage.says("cramp", muscle="calf", side="left")
    stage.until_count(4)
    stage.mumbles()
    stage.says("relief_gone")
    stage.until(State.IDLE)
    stage.says("came_back")
    stage.until_count(2)
    stage.says("redflag_chest_breathing")
    stage.ends()


def test_a_german_report_has_no_english_word(tmp_path: Path) -> None:
    a_session(tmp_path / "journal.jsonl")
    german = language("de").pack
    page = report.page(moments(tmp_path / "journal.jsonl"), german, None)
    page.rows = [row for row in page.rows if row.kind not in ("say", "interject")]  # as recorded
    shown = report_text.text(page) + re.sub(r"<desc>.*</desc>|<[^>]*>", " ", report_svg.draw(page))
    english = {**PACK.ui_text.texts, **PACK.ui_text.meanings}
    words = {w for text in english.values() for w in re.findall(r"[a-z]{4,}", text)}
    own = {w for t in german.ui_text.texts.values() for w in re.findall(r"[a-z]{4,}", t)}
    assert set(re.findall(r"[a-z]{4,}", shown)) & (words - own) == set()
