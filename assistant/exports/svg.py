"""A drawing as SVG, written as text: any browser shows it, and it needs no library."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from html import escape

from assistant.content.ui_text import printable

INK, SOFT = "#1d2730", "#66727d"
WIDTH = 1000


class SvgPage:
    """Collects the elements of a drawing; lengths are in pixels.

    The page is white, unless `dark` maps light colours to dark ones: then it is transparent, and
    readers who prefer dark pages see the dark colours.
    """

    def __init__(
        self, width: float = WIDTH, *, size: int = 15, dark: Mapping[str, str] | None = None
    ) -> None:
        """`size` is the default font size, in pixels."""
        self.width = width
        self._size = size
        self._dark = dark
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int | None = None,
        colour: str = INK,
        weight: int = 400,
        anchor: str = "start",
        italic: bool = False,
    ) -> None:
        """Write words with their baseline at y."""
        style = ' font-style="italic"' if italic else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size or self._size}" fill="{colour}" '
            f'font-weight="{weight}" text-anchor="{anchor}"{style}>'
            f"{escape(printable(words))}</text>"
        )

    def box(
        self, x: float, y: float, width: float, height: float, colour: str, *, radius: float = 0
    ) -> None:
        """Fill a rectangle."""
        self._parts.append(
            f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, width):.1f}" height="{height:.1f}" '
            f'rx="{radius}" fill="{colour}"/>'
        )

    def dot(self, x: float, y: float, radius: float, colour: str, *, is_full: bool = True) -> None:
        """Draw a circle, full or as a ring."""
        paint = f'fill="{colour}"' if is_full else f'fill="none" stroke="{colour}"'
        self._parts.append(f'<circle cx="{x:.1f}" cy="{y:.1f}" r="{radius:.1f}" {paint}/>')

    def path(self, outline: str, colour: str) -> None:
        """Fill the shape that the SVG path commands in `outline` describe."""
        self._parts.append(f'<path d="{outline}" fill="{colour}"/>')

    def line(
        self,
        points: Iterable[tuple[float, float]],
        colour: str,
        *,
        width: float = 2.0,
        dash: str = "none",
    ) -> None:
        """Draw along points; `dash` is in SVG's form, such as "5 4"."""
        along = " ".join(f"{x:.1f},{y:.1f}" for x, y in points)
        self._parts.append(
            f'<polyline points="{along}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-dasharray="{dash}"/>'
        )

    def document(self, height: float, title: str, description: str = "") -> str:
        """Return the whole drawing; screen readers speak title and description."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {self.width:g} {height:.0f}" '
            f'width="{self.width:g}" height="{height:.0f}" role="img" '
            "font-family=\"system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif\">"
        )
        return "\n".join([
            head,
            f"<title>{escape(printable(title))}</title>",
            *([f"<desc>{escape(printable(description))}</desc>"] if description else []),
            self._page(height),
            *self._parts,
            "</svg>",
            "",
        ])  # fmt: skip

    def _page(self, height: float) -> str:
        """Return the background: a white page, or the style rules for a dark one."""
        if self._dark is None:
            return f'<rect width="{self.width:g}" height="{height:.0f}" fill="#ffffff"/>'
        rules = (
            f'[fill="{light}"]{{fill:{dark}}}[stroke="{light}"]{{stroke:{dark}}}'
            for light, dark in self._dark.items()
        )
        return f"<style>@media(prefers-color-scheme:dark){{{''.join(rules)}}}</style>"
