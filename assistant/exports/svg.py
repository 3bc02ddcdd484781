"""A drawing as SVG, written by hand: it is text, any browser shows it, and it needs no library."""

from __future__ import annotations

from html import escape

INK, SOFT = "#1d2730", "#66727d"
WIDTH = 1000


class Sheet:
    """Collects the elements of the drawing."""

    def __init__(self) -> None:
        self._parts: list[str] = []

    def text(
        self,
        x: float,
        y: float,
        words: str,
        *,
        size: int = 15,
        colour: str = INK,
        weight: int = 400,
        anchor: str = "start",
        italic: bool = False,
    ) -> None:
        """Write words with their baseline at y."""
        style = ' font-style="italic"' if italic else ""
        self._parts.append(
            f'<text x="{x:.1f}" y="{y:.1f}" font-size="{size}" fill="{colour}" '
            f'font-weight="{weight}" text-anchor="{anchor}"{style}>{escape(clean(words))}</text>'
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

    def path(self, points: str, colour: str) -> None:
        """Fill a shape."""
        self._parts.append(f'<path d="{points}" fill="{colour}"/>')

    def line(self, points: str, colour: str, *, width: float = 2.0, dash: str = "none") -> None:
        """Draw along points such as "10,20 30,40"."""
        self._parts.append(
            f'<polyline points="{points}" fill="none" stroke="{colour}" stroke-width="{width}" '
            f'stroke-dasharray="{dash}"/>'
        )

    def document(self, height: float, title: str, description: str) -> str:
        """Return the whole drawing; title and description are what a screen reader speaks."""
        head = (
            f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:.0f}" '
            f'width="{WIDTH}" height="{height:.0f}" role="img" '
            "font-family=\"system-ui, -apple-system, 'Segoe UI', 'Noto Sans', sans-serif\">"
        )
        return "\n".join([
            head,
            f"<title>{escape(clean(title))}</title>",
            f"<desc>{escape(clean(description))}</desc>",
            f'<rect width="{WIDTH}" height="{height:.0f}" fill="#ffffff"/>',
            *self._parts,
            "</svg>",
            "",
        ])  # fmt: skip


def clean(words: str) -> str:
    """Return words without what XML does not allow, such as control characters."""
    return "".join(char if char.isprintable() else " " for char in words)
