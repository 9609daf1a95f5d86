"""Charts as inline SVG made on the server: no script, no style, nothing from elsewhere; they print as they are seen.

A table with the same figures stands beside each, so a chart is one picture to a screen reader, with its sentence.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from markupsafe import Markup, escape

BLUE, GREEN, AMBER, GREY, INK, EDGE = "#1D5FD1", "#2E8B57", "#B86B12", "#9AA8BA", "#15233B", "#DCE3EC"
_LABEL, _VALUE, _ROW, _BAR = 150, 70, 24, 14


@dataclass(frozen=True, slots=True)
class Bar:
    """One bar: parts (value, colour) one after the other, in the unit of the chart."""

    label: str
    parts: tuple[tuple[int, str], ...]
    said: str  # the figure as people read it


def bars(
    title: str, items: Sequence[Bar], *, whole: int = 0, mark: int = 0, width: int = 560, label: int = _LABEL
) -> Markup:
    """Horizontal bars on one scale of `whole` (the largest bar, if 0); `mark`: a line across, e.g. at 80 %.

    `label`: how wide the labels are; what is longer is cut."""
    top = max(whole, 1, *(sum(value for value, _ in item.parts) for item in items)) if items else 1
    room, height = width - label - _VALUE, len(items) * _ROW + 8
    body = []
    for y, item in enumerate(items):
        body.append(_text(0, y * _ROW + 17, _cut(item.label, label), INK))
        x = float(label)
        for value, colour in item.parts:
            wide = value * room / top
            body.append(_rect(x, y * _ROW + 6, wide, _BAR, colour))
            x += wide
        body.append(_text(x + 6, y * _ROW + 17, item.said, INK))
    if mark:
        x = label + mark * room / top
        body.append(f'<line x1="{x:.1f}" y1="0" x2="{x:.1f}" y2="{height}" stroke="{AMBER}" stroke-dasharray="4 3"/>')
    return _svg(title, "".join(body), width, height)


def columns(title: str, values: Sequence[tuple[str, int]], *, width: int = 560, height: int = 180) -> Markup:
    """Upright columns, for a spread."""
    top, base = max([1, *(value for _, value in values)]), height - 24
    step = width / max(1, len(values))
    body = [f'<line x1="0" y1="{base}" x2="{width}" y2="{base}" stroke="{EDGE}"/>']
    for index, (label, value) in enumerate(values):
        tall = value * (base - 20) / top
        x = index * step + step * 0.15
        body.append(_rect(x, base - tall, step * 0.7, tall, BLUE))
        body.append(_text(index * step + step / 2, base - tall - 4, str(value) if value else "", INK, middle=True))
        body.append(_text(index * step + step / 2, height - 8, label, INK, middle=True))
    return _svg(title, "".join(body), width, height)


def _cut(text: str, room: int) -> str:
    """What fits: a Chinese character is as wide as it is high, others about half."""
    used = 0
    for at, letter in enumerate(text):
        used += 6 if letter.isascii() else 12
        if used > room - 18:
            return text[:at] + "…"
    return text


def _svg(title: str, body: str, width: int, height: int) -> Markup:
    """`body` is made of numbers and escaped texts alone."""
    name = escape(title)
    head = f'<svg class="chart" role="img" aria-label="{name}" viewBox="0 0 {width} {height}" width="{width}">'
    return Markup(f"{head}<title>{name}</title>{body}</svg>")  # noqa: S704


def _rect(x: float, y: float, wide: float, tall: float, colour: str) -> str:
    return f'<rect x="{x:.1f}" y="{y:.1f}" width="{max(0.0, wide):.1f}" height="{max(0.0, tall):.1f}" fill="{colour}"/>'


def _text(x: float, y: float, text: str, colour: str, *, middle: bool = False) -> str:
    anchor = ' text-anchor="middle"' if middle else ""
    return f'<text x="{x:.1f}" y="{y:.1f}" font-size="12" fill="{colour}"{anchor}>{escape(text)}</text>'
