"""Icons: our own strokes as white textures, tinted where they stand."""

from __future__ import annotations

import tomllib
from functools import cache
from pathlib import Path
from typing import Any

from kivy.graphics.texture import Texture
from kivy.properties import NumericProperty, StringProperty
from kivy.uix.widget import Widget
from PIL import Image, ImageDraw

SUPER = 4


@cache
def strokes() -> dict[str, list[str]]:
    """Icon → its strokes on the 24-by-24 grid."""
    return tomllib.loads(Path(__file__).with_name("icons.toml").read_text(encoding="utf-8"))


def draw(name: str, side: int, weight: float) -> Image.Image:
    """An icon as a mask of `side` pixels; `weight` is the stroke in grid units."""
    scale = side * SUPER / 24
    image = Image.new("L", (side * SUPER, side * SUPER), 0)
    pen = ImageDraw.Draw(image)
    for stroke in strokes().get(name, strokes()["unknown"]):
        kind, *numbers = stroke.split()
        _stroke(pen, kind, [float(n) for n in numbers], scale, max(1, round(weight * scale)))
    return image.reduce(SUPER)


def _stroke(pen: ImageDraw.ImageDraw, kind: str, grid: list[float], scale: float, width: int) -> None:
    numbers = [v * scale for v in grid]
    match kind:
        case "line":
            points = list(zip(numbers[::2], numbers[1::2], strict=True))
            pen.line(points, 255, width, joint="curve")
            for x, y in (points[0], points[-1]):
                pen.ellipse([x - width / 2, y - width / 2, x + width / 2, y + width / 2], 255)
        case "poly":
            pen.polygon(list(zip(numbers[::2], numbers[1::2], strict=True)), 255)
        case "dot" | "ring":
            x, y, r = numbers
            grow = width / 2 if kind == "ring" else 0
            area = [x - r - grow, y - r - grow, x + r + grow, y + r + grow]
            pen.ellipse(area, None if kind == "ring" else 255, 255, width)
        case "arc":
            pen.arc(numbers[:4], grid[4], grid[5], 255, width)
        case "frame":
            pen.rounded_rectangle(numbers[:4], numbers[4], None, 255, width)


@cache
def texture(name: str, side: int, weight: float) -> Texture:
    """A white texture with the icon in its alpha."""
    mask = draw(name, side, weight)
    white = Image.new("L", mask.size, 255)
    data = Image.merge("RGBA", (white, white, white, mask)).transpose(Image.Transpose.FLIP_TOP_BOTTOM).tobytes()
    made: Any = Texture.create(size=mask.size, colorfmt="rgba")
    made.blit_buffer(data, colorfmt="rgba", bufferfmt="ubyte")
    return made


class Glyph(Widget):
    """One icon, `side` dp, in one colour."""

    icon = StringProperty("")
    side = NumericProperty(20)
    ink = StringProperty("")
    weight = NumericProperty(1.9)

    def texture_of(self, name: str, pixels: float, weight: float) -> Any:
        """For kv."""
        return texture(name, max(1, int(pixels)), weight) if name else None
