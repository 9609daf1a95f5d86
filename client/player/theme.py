"""The look: few colours, an 8-px rhythm, four sizes of type; every pair of ink and ground is proven readable."""

from __future__ import annotations

from typing import Final

GROUND, CARD, EDGE = "#F5F7FA", "#FFFFFF", "#E3E8EF"
INK, MUTED = "#15233B", "#5B6B82"
BLUE, BLUE_DOWN, BLUE_TINT = "#1D5FD1", "#174DAB", "#EAF1FD"
GREEN, GREEN_TINT, GREEN_INK = "#1E8E5A", "#E6F4EC", "#12633E"
AMBER, AMBER_TINT, AMBER_INK = "#C96A12", "#FBF1E6", "#8A4508"
GREY_TINT, NIGHT, SNOW = "#EDF1F6", "#0E1626", "#FFFFFF"
OFF_INK = "#55647A"  # words of a button that waits for something

SMALL, BODY, HEAD, TITLE = 14, 16, 20, 24  # sp
UNIT, RADIUS, TARGET = 8, 12, 48  # dp; nothing to tap is smaller than TARGET
PANEL, COLUMN, BAR = 280, 720, 56  # dp: side panel, widest column of text, top bar
WIDE = 820  # dp: from here on two columns

# (ink, ground) as the widgets use them; a test holds each to 4.5:1 (WCAG 2.2, 1.4.3)
PAIRS: Final = (
    (INK, GROUND), (INK, CARD), (MUTED, GROUND), (MUTED, CARD), (BLUE, CARD), (BLUE, GROUND), (BLUE, BLUE_TINT),
    (SNOW, BLUE), (SNOW, BLUE_DOWN), (GREEN_INK, GREEN_TINT), (AMBER_INK, AMBER_TINT), (OFF_INK, GREY_TINT),
    (MUTED, GREY_TINT), (INK, GREY_TINT), (INK, BLUE_TINT), (INK, AMBER_TINT), (INK, GREEN_TINT), (SNOW, NIGHT),
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
