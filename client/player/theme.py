"""The look: few colours in a light and a dark table, an 8-px rhythm, four sizes of type; every pair is proven readable.

Screens never name a colour: they name what it is for (`INK` on `CARD`), and `client.player.widgets.look` says which
colour that is now. The dark table is no inversion: what shines in the light one is dimmed, and words on it are dark.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

LIGHT: Final[Mapping[str, str]] = {
    "GROUND": "#F5F7FA", "CARD": "#FFFFFF", "EDGE": "#E3E8EF", "INK": "#15233B", "MUTED": "#5B6B82",
    "BLUE": "#1D5FD1", "BLUE_DOWN": "#174DAB", "BLUE_TINT": "#EAF1FD", "ON_BLUE": "#FFFFFF",
    "GREEN": "#1E8E5A", "GREEN_TINT": "#E6F4EC", "GREEN_INK": "#12633E",
    "AMBER": "#C96A12", "AMBER_TINT": "#FBF1E6", "AMBER_INK": "#8A4508",
    "GREY_TINT": "#EDF1F6", "OFF_INK": "#55647A",  # words of a button that waits for something
    "NIGHT": "#0E1626", "NIGHT_EDGE": "#3A4A66", "SNOW": "#FFFFFF", "SKY": "#9CC2FF",  # over the picture
}  # fmt: skip
DARK: Final[Mapping[str, str]] = {
    "GROUND": "#0F151F", "CARD": "#18202D", "EDGE": "#2C3748", "INK": "#E8EDF5", "MUTED": "#A3B2C7",
    "BLUE": "#7EB0FF", "BLUE_DOWN": "#A5C8FF", "BLUE_TINT": "#1C2F4F", "ON_BLUE": "#0B1B36",
    "GREEN": "#4CC38A", "GREEN_TINT": "#17332A", "GREEN_INK": "#8FE0B8",
    "AMBER": "#F0A04B", "AMBER_TINT": "#3A2A18", "AMBER_INK": "#F6C58D",
    "GREY_TINT": "#232D3C", "OFF_INK": "#A9B6C9",
    "NIGHT": "#06090F", "NIGHT_EDGE": "#3A4A66", "SNOW": "#FFFFFF", "SKY": "#9CC2FF",
}  # fmt: skip

SMALL, BODY, HEAD, TITLE = 14, 16, 20, 24  # sp
UNIT, RADIUS, TARGET = 8, 12, 48  # dp; nothing to tap is smaller than TARGET
ICON_ROOM = 28  # dp: an icon in a button, and what parts it from the words
PANEL, COLUMN, BAR = 280, 720, 56  # dp: side panel, widest column of text, top bar
WIDE = 820  # dp: from here on two columns
SCALES: Final = (1.0, 1.25, 1.5, 2.0)  # of the text

# (ink, ground) as the widgets use them; a test holds each to 4.5:1 in both tables (WCAG 2.2, 1.4.3)
PAIRS: Final = (
    ("INK", "GROUND"), ("INK", "CARD"), ("MUTED", "GROUND"), ("MUTED", "CARD"), ("BLUE", "CARD"), ("BLUE", "GROUND"),
    ("BLUE", "BLUE_TINT"), ("ON_BLUE", "BLUE"), ("ON_BLUE", "BLUE_DOWN"), ("GREEN_INK", "GREEN_TINT"),
    ("AMBER_INK", "AMBER_TINT"), ("AMBER_INK", "CARD"), ("AMBER_INK", "GROUND"), ("OFF_INK", "GREY_TINT"),
    ("OFF_INK", "CARD"), ("OFF_INK", "GROUND"), ("MUTED", "GREY_TINT"), ("INK", "GREY_TINT"), ("INK", "BLUE_TINT"),
    ("INK", "AMBER_TINT"), ("INK", "GREEN_TINT"), ("GREEN_INK", "CARD"), ("SNOW", "NIGHT"), ("SKY", "NIGHT"),
)  # fmt: skip
# Shapes that tell something: 3:1 (WCAG 2.2, 1.4.11)
SHAPES: Final = (
    ("BLUE", "CARD"), ("BLUE", "GROUND"), ("GREEN", "CARD"), ("GREEN", "GROUND"), ("AMBER", "CARD"), ("GREEN", "EDGE"),
    ("AMBER", "GROUND"), ("GREEN", "GREEN_TINT"), ("AMBER", "AMBER_TINT"), ("SNOW", "NIGHT_EDGE"),
)  # fmt: skip

Rgba = tuple[float, float, float, float]


def rgba(colour: str, alpha: float = 1.0) -> Rgba:
    """`#RRGGBB` as the toolkit wants it."""
    red, green, blue = (int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5))
    return red, green, blue, alpha


def luminance(colour: str) -> float:
    """Relative luminance (WCAG 2.2)."""

    def linear(v: float) -> float:
        return v / 12.92 if v <= 0.04045 else ((v + 0.055) / 1.055) ** 2.4

    red, green, blue = (linear(v) for v in rgba(colour)[:3])
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """Contrast ratio of two colours, 1 to 21."""
    bright, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (bright + 0.05) / (dark + 0.05)
