"""A report shows what happened, and any browser can read its picture."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from pathlib import Path

import pytest
from hypothesis import given

from assistant.content.ui_text import printable
from assistant.dialogue.events import HoldFinished
from assistant.dialogue.state import CoachingOptions, State
from assistant.exports import report, report_svg, report_text
from assistant.exports.report import Page
from assistant.session.journal import Conditions
from assistant.session.replay import Moment
from tests.session.test_replay import TURNS, Kept, moments, talk_at_random
from tests.support.stage import PACK, Stage

BEGAN = datetime.fromisoformat("2026-11-22T12:40:00+01:00")


def told(path: Path, talk: Callable[[Stage], object], hold_seconds: int = 10) -> Page:
    """Return the page of a conversation."""
    coaching = CoachingOptions(hold_seconds=hold_seconds)
    stage = Kept(path / "journal.jsonl", Conditions(coaching=coaching))
    talk(stage)
    stage.ends()
    return report.page(moments(path / "journal.jsonl"), PACK, BEGAN)


def one_and_a_half_holds(stage: Stage) -> None:
    stage.listens()
    stage.says("cramp", muscle="calf", side="left")
    stage.until_count(4)
    stage.says("ask_time_left")
    stage.until(State.CHECKING)
    stage.listens()
    stage.mumbles()
    stage.says("still_hurts")
    stage.until_count(3)
    stage.says("relief_gone")
    stage.listens()


def test_a_cramp_has_its_place_its_holds_and_its_relief(tmp_path: Path) -> None:
    page = told(tmp_path, one_and_a_half_holds)
    (bout,) = page.bouts
    assert bout.name == "left calf"
    assert bout.positions == ["standing"]
    assert [(len(held.ticks), held.of, held.is_whole) for held in bout.holds] == [
        (10, 10, True),
        (3, 10, False),
    ]
    assert bout.feelings == ["still_hurts", "relief_gone"]
    assert report_text.relief(page, bout).startswith("gone after 2 holds, ")
    assert (page.utterances, page.misses, page.flags, page.returns) == (5, 1, [], 0)


def test_counts_stand_a_second_apart(tmp_path: Path) -> None:
    page = told(tmp_path, one_and_a_half_holds)
    for held in page.bouts[0].holds:
        assert held.ticks == pytest.approx([held.ticks[0] + n for n in range(len(held.ticks))])


def test_counts_lie_where_the_end_of_the_hold_puts_them(tmp_path: Path) -> None:
    stage = Kept(tmp_path / "journal.jsonl", Conditions())
    one_and_a_half_holds(stage)
    stage.ends()
    # Speech that took a third longer than the captions think.
    slow = [_slower(moment, 1.33) for moment in moments(tmp_path / "journal.jsonl")]
    whole, cut = report.page(slow, PACK, None).bouts[0].holds
    end = next(moment.event.at for moment in slow if isinstance(moment.event, HoldFinished))
    assert whole.ticks == pytest.approx([end - 9 + n for n in range(10)])
    stop = next(m.event.at for m in slow if getattr(m.event, "intent", "") == "relief_gone")
    assert cut.ticks == pytest.approx([stop - 2 + n for n in range(3)])


def _slower(moment: Moment, factor: float) -> Moment:
    event = replace(moment.event, at=moment.event.at * factor)
    return replace(moment, recorded=replace(moment.recorded, event=event))


def test_a_hold_that_was_paused_is_one_hold(tmp_path: Path) -> None:
    def talk(stage: Stage) -> None:
        stage.says("cramp", muscle="calf")
        stage.until_count(4)
        stage.says("control_pause")
        stage.waits(3)
        stage.says("control_resume")
        stage.until(State.CHECKING)

    (bout,) = told(tmp_path, talk).bouts
    assert [(len(held.ticks), held.is_whole) for held in bout.holds] == [(10, True)]


def test_no_conversation_makes_more_counts_than_its_holds_have(tmp_path: Path) -> None:
    @given(TURNS)
    def holds_add_up(turns: list[tuple[str, dict[str, str], float]]) -> None:
        (tmp_path / "journal.jsonl").unlink(missing_ok=True)
        page = told(tmp_path, lambda stage: talk_at_random(stage, turns))
        for bout in page.bouts:
            for held in bout.holds:
                assert held.is_whole == (len(held.ticks) == held.of)
                assert 0 < len(held.ticks) <= held.of
        assert drawn(page) is not None

    holds_add_up()


def test_a_red_flag_is_named_with_its_time(tmp_path: Path) -> None:
    def talk(stage: Stage) -> None:
        stage.says("cramp", muscle="hamstring", side="right")
        stage.until_count(2)
        stage.says("redflag_chest_breathing")

    page = told(tmp_path, talk)
    assert [name for _, name in page.flags] == ["chest or breathing"]
    assert report_text.relief(page, page.bouts[0]) == "ended by a red flag"
    assert [row.text for row in page.rows if row.is_alarm] == ["redflag_chest_breathing"]
    assert report_text.headline(page) == "Right hamstring, and a red flag: chest or breathing"


def test_returns_and_other_muscles_are_cramps_of_their_own(tmp_path: Path) -> None:
    def talk(stage: Stage) -> None:
        stage.says("cramp", muscle="calf")
        stage.until_count(9)
        stage.says("relief_gone")
        stage.until(State.IDLE)
        stage.says("came_back")
        stage.until_count(9)
        stage.says("relief_gone")
        stage.until(State.IDLE)
        stage.says("cramp", muscle="hamstring", position="sitting")
        stage.until_count(2)
        stage.says("control_stop")

    page = told(tmp_path, talk)
    assert [(bout.muscle, bout.is_return) for bout in page.bouts] == [
        ("calf", False),
        ("calf", True),
        ("hamstring", False),
    ]
    assert page.returns == 1
    assert report_text.relief(page, page.bouts[-1]) == "stopped"
    assert report_text.title(page, page.bouts[-1]) == "hamstring, sitting"


def test_nothing_coached_is_reported(tmp_path: Path) -> None:
    page = told(tmp_path, Stage.listens)
    assert report_text.headline(page) == "No cramp was coached"
    assert "none" in report_text.text(page)


def test_the_text_holds_every_fact(tmp_path: Path) -> None:
    text = report_text.text(told(tmp_path, one_and_a_half_holds))
    assert text.startswith("Left calf: gone after 2 holds\n")
    for fact in (
        "Sunday 22 November 2026, 12:40",
        "left calf, standing",
        "1 whole, 1 cut at 3 of 10",
        "still there, gone",
        "never",
        "none",
        "1 of 5 utterances",
    ):
        assert fact in text


def drawn(page: Page) -> ET.Element:
    return ET.fromstring(report_svg.draw(page))  # noqa: S314  # our own, and without entities


def words(svg: ET.Element) -> list[str]:
    return ["".join(element.itertext()) for element in svg.iter() if element.tag.endswith("text")]


def test_the_picture_shows_every_line_and_every_count(tmp_path: Path) -> None:
    page = told(tmp_path, one_and_a_half_holds)
    svg = drawn(page)
    shown = words(svg)
    assert shown[0] == report_text.headline(page)
    assert {row.text for row in page.rows if row.held is None} <= set(shown)
    dots = [element for element in svg.iter() if element.tag.endswith("circle")]
    filled = [dot for dot in dots if dot.get("fill") != "none"]
    assert (len(filled), len(dots)) == (13 + 1, 20 + 1)  # and one that says what a dot is
    assert {report_text.state(page, state) for _, state in page.bands} <= set(shown)


def test_nothing_leaves_the_page(tmp_path: Path) -> None:
    def talk(stage: Stage) -> None:
        one_and_a_half_holds(stage)
        stage.waits(3000)

    page = told(tmp_path, talk, hold_seconds=60)
    svg = drawn(page)
    width, height = float(svg.get("width", 0)), float(svg.get("height", 0))
    for element in svg.iter():
        assert 0 <= float(element.get("x", 0)) <= width
        assert 0 <= float(element.get("y", 0)) <= height
        assert float(element.get("x", 0)) + float(element.get("width", "0")) <= width + 0.1


@pytest.mark.parametrize("said", ["<b>&amp;", "\x00\x1b[2J\ud800", "long " * 500])
def test_nothing_said_can_break_the_picture(tmp_path: Path, said: str) -> None:
    def talk(stage: Stage) -> None:
        stage.play.say(said)

    page = told(tmp_path, talk)
    assert any(line.startswith(printable(said).split()[0]) for line in words(drawn(page)))
    report_svg.draw(page).encode()


def test_an_empty_session_has_a_page(tmp_path: Path) -> None:
    page = report.page([], PACK, None)
    assert "does not keep the date" in report_text.text(page)
    assert drawn(page) is not None
    assert not (tmp_path / "journal.jsonl").exists()
