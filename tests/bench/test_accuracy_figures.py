"""The table and the drawing of `bench.hearing.accuracy`, which need no recordings."""

from __future__ import annotations

import xml.etree.ElementTree as ET
from pathlib import Path
from typing import Any

import pytest

from bench.hearing import plot

CURVE = [
    {
        "rejection": step,
        "false starts an hour": 4.0 / (1 + step),
        "false stops an hour": 9.0,
        "starts missed, %": 2.0 + step,
        "stops missed, %": 0.0,
    }
    for step in (0.0, 2.0)
]
FIGURES = {
    "2. clean, intent and slots right, %": 97.0,
    **{f"2. rain, {db} dB, intent and slots right, %": db * 4.5 for db in (20, 10, 5)},
    "4. load, s": 0.04,
}


@pytest.fixture
def results() -> dict[str, Any]:
    peer = {"2. listed lines, clean, right, %": 80.0}
    return {
        "model": "0123456789ab",
        "machine": "a computer",
        "every": 8,
        "minutes": 12.3,
        "figures": {"Charley": FIGURES, "Other": peer},
        "curves": {"Charley": CURVE},
    }


def test_the_table_has_a_row_a_measure_and_a_column_a_recogniser(results: dict[str, Any]) -> None:
    table = plot.table(results)
    assert "| measure | Charley | Other |" in table
    assert "| 2. clean, intent and slots right, % | 97.0 |  |" in table
    assert "| 2. listed lines, clean, right, % |  | 80.0 |" in table
    assert "| 4. load, s | 0.040 |  |" in table
    assert "one in 8 clips" in table


def test_the_table_is_in_the_order_of_the_issue(results: dict[str, Any]) -> None:
    sections = [line[2] for line in plot.table(results).splitlines() if line[2:5] in ("2. ", "4. ")]
    assert sections == sorted(sections)


def test_the_drawing_is_an_svg_that_names_each_noise(results: dict[str, Any]) -> None:
    drawing = ET.fromstring(plot.draw(results))  # noqa: S314
    words = [node.text for node in drawing.iter() if node.tag.endswith("text")]
    assert "rain" in words
    assert "Charley: starts (full: as it is)" in words
    assert len([node for node in drawing.iter() if node.tag.endswith("circle")]) == 4


def test_it_writes_all_three(results: dict[str, Any], tmp_path: Path) -> None:
    plot.write(results, tmp_path / "out")
    assert {path.name for path in (tmp_path / "out").iterdir()} == {
        "accuracy.json",
        "accuracy.md",
        "accuracy.svg",
    }
