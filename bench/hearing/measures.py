"""Figures by name, from the benches of hearing."""

from __future__ import annotations

from collections.abc import Callable

Figures = dict[str, float]
REJECTIONS = (0.0, 2.0, 4.0, 7.0)
"""Steps of the trade-off: `[unk]` as often as usual, then four times as often, and so on."""


def share(part: int, whole: int) -> float:
    """Return a share in %; 0 if the whole is 0."""
    return 100 * part / whole if whole else 0.0


def reporter(figures: Figures, name: str, say: Callable[[str], None]) -> Callable[[Figures], None]:
    """Return a function that keeps figures and prints them."""

    def report(found: Figures) -> None:
        figures.update(found)
        for what, value in found.items():
            say(f"{name:24} {what:64} {value:8.3g}")

    return report
