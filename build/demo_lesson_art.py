"""The drawings of the demo lesson: an extinguisher, a fire and the four steps, as functions of time.

Every drawing is made at twice its size and halved, so that edges are smooth. Coordinates are in picture pixels.
"""

from __future__ import annotations

import math
from collections.abc import Sequence

from PIL import Image, ImageDraw

SUPER = 2  # drawn at twice the size, then halved: cheap anti-aliasing
INK, MUTED, BLUE, GREEN, AMBER = "#15233B", "#5B6B82", "#1D5FD1", "#1E8E5A", "#C96A12"
GROUND, CARD, EDGE, SKY = "#F5F7FA", "#FFFFFF", "#E3E8EF", "#EAF1FD"
RED, RED_DARK, STEEL, STEEL_DARK, HOSE = "#D8402F", "#B5301F", "#9AA7B8", "#6B7A90", "#2B3648"
FLAMES = ("#F97316", "#FBA524", "#FDE08A")
CANVAS = (560, 500)
FLOOR = 462

Point = tuple[float, float]


def ease(x: float) -> float:
    """Smooth start and end; 0 below 0, 1 above 1."""
    x = min(1.0, max(0.0, x))
    return x * x * (3 - 2 * x)


class Pen:
    """A drawing surface in picture pixels that keeps the doubling to itself."""

    def __init__(self, size: tuple[int, int], ground: str) -> None:
        self.image = Image.new("RGB", (size[0] * SUPER, size[1] * SUPER), ground)
        self._draw = ImageDraw.Draw(self.image)

    def box(self, xy: Sequence[float], fill: str, radius: float = 0, edge: str | None = None, width: int = 1) -> None:
        """A rectangle, rounded by `radius`."""
        self._draw.rounded_rectangle([v * SUPER for v in xy], radius * SUPER, fill, edge, width * SUPER)

    def shape(self, points: Sequence[Point], fill: str) -> None:
        """A filled polygon."""
        self._draw.polygon([(x * SUPER, y * SUPER) for x, y in points], fill)

    def disc(self, centre: Point, radius: float, fill: str | None, edge: str | None = None, width: float = 1) -> None:
        """A circle."""
        (x, y), r = centre, radius
        area = [(x - r) * SUPER, (y - r) * SUPER, (x + r) * SUPER, (y + r) * SUPER]
        self._draw.ellipse(area, fill, edge, round(width * SUPER))

    def stroke(self, points: Sequence[Point], colour: str, width: float) -> None:
        """A line with round joints and ends."""
        self._draw.line([(x * SUPER, y * SUPER) for x, y in points], colour, round(width * SUPER), joint="curve")
        for end in (points[0], points[-1]):
            self.disc(end, width / 2 - 0.25, colour)

    def arrow(self, start: Point, end: Point, colour: str, width: float = 7) -> None:
        """A straight arrow with a filled head."""
        angle = math.atan2(end[1] - start[1], end[0] - start[0])
        head = width * 2.6
        neck = (end[0] - head * 0.8 * math.cos(angle), end[1] - head * 0.8 * math.sin(angle))
        self.stroke([start, neck], colour, width)
        wings = [(end[0] - head * math.cos(angle + a), end[1] - head * math.sin(angle + a)) for a in (0.5, -0.5)]
        self.shape([end, *wings], colour)

    def done(self) -> Image.Image:
        """The finished picture at its real size."""
        return self.image.reduce(SUPER)


def curve(a: Point, b: Point, c: Point, d: Point, steps: int = 28) -> list[Point]:
    """Points of a cubic Bézier curve."""
    out = []
    for i in range(steps + 1):
        t = i / steps
        k = ((1 - t) ** 3, 3 * t * (1 - t) ** 2, 3 * t * t * (1 - t), t**3)
        out.append((sum(w * p[0] for w, p in zip(k, (a, b, c, d), strict=True)),
                    sum(w * p[1] for w, p in zip(k, (a, b, c, d), strict=True))))  # fmt: skip
    return out


def flame(pen: Pen, base: Point, size: float, t: float) -> None:
    """A fire of `size` (1 = full) standing on `base`, flickering with `t` seconds."""
    if size <= 0.03:
        return
    for layer, (colour, scale) in enumerate(zip(FLAMES, (1.0, 0.68, 0.38), strict=True)):
        for tongue, (dx, tall, wide) in enumerate(((-46, 0.66, 46), (44, 0.74, 48), (0, 1.0, 66))):
            phase = tongue * 2.1 + layer * 0.7
            height = 215 * tall * scale * size * (1 + 0.07 * math.sin(7.3 * t + phase))
            _tongue(
                pen, (base[0] + dx * size * (0.5 + scale / 2), base[1]), height, wide * scale * size, colour, t, phase
            )


def _tongue(pen: Pen, base: Point, height: float, half: float, colour: str, t: float, phase: float) -> None:
    left, right = [], []
    for i in range(25):
        y = i / 24
        profile = math.sin(math.pi * (0.22 + 0.78 * y)) ** 0.9 * (1 - 0.25 * y)
        sway = 13 * y * y * math.sin(5.1 * t + 3 * y + phase)
        left.append((base[0] - half * profile + sway, base[1] - height * y))
        right.append((base[0] + half * profile + sway, base[1] - height * y))
    pen.shape([*left, *reversed(right)], colour)


def extinguisher(pen: Pen, at: Point, lever: float = 0.0, pin: float | None = 0.0, size: float = 1.0) -> Point:
    """An extinguisher standing at `at`, and where its valve opens.

    `lever` 0 open … 1 pressed; `pin` px pulled out, None when it is gone.
    """

    def p(x: float, y: float) -> Point:
        return at[0] + x * size, at[1] + y * size

    def box(x1: float, y1: float, x2: float, y2: float, fill: str, radius: float) -> None:
        pen.box([*p(x1, y1), *p(x2, y2)], fill, radius * size)

    box(-56, -250, 56, 0, RED, 34)
    box(-56, -210, -34, -20, RED_DARK, 11)
    box(-34, -168, 44, -66, "#FFFFFF", 8)
    for row in range(3):
        pen.box([*p(-22, -152 + 28 * row), *p(32 - 14 * row, -142 + 28 * row)], (RED, STEEL, EDGE)[row], 4 * size)
    box(-20, -282, 20, -240, STEEL, 8)
    box(-34, -304, 34, -276, STEEL_DARK, 8)
    pen.disc(p(0, -262), 13 * size, "#FFFFFF", STEEL_DARK, 3 * size)
    pen.stroke([p(0, -262), p(6, -269)], GREEN, 3 * size)
    pen.stroke([p(-30, -296), p(-84, -288)], HOSE, 12 * size)  # the handle that stays
    lift = 34 * (1 - lever)
    pen.stroke([p(24, -306), p(-90, -306 - lift)], RED, 13 * size)
    if pin is not None:
        pen.stroke([p(20 - pin, -292), p(-48 - pin, -292)], AMBER, 5 * size)
        pen.disc(p(-62 - pin, -292), 13 * size, None, AMBER, 5 * size)
    return p(34, -290)


def hose(pen: Pen, valve: Point, nozzle: Point, aim: float) -> Point:
    """The hose from the valve to a nozzle that points along `aim` (radians, 0 = right). Returns the nozzle's tip."""
    back = (nozzle[0] - 70 * math.cos(aim), nozzle[1] - 70 * math.sin(aim))
    pen.stroke(curve(valve, (valve[0] + 80, valve[1] + 8), back, nozzle), HOSE, 11)
    tip = (nozzle[0] + 44 * math.cos(aim), nozzle[1] + 44 * math.sin(aim))
    side = (-math.sin(aim), math.cos(aim))
    corners = ((nozzle, 7), (tip, 14), (tip, -14), (nozzle, -7))
    pen.shape([(at[0] + side[0] * wide, at[1] + side[1] * wide) for at, wide in corners], HOSE)
    return tip


def spray(pen: Pen, tip: Point, target: Point, strength: float, t: float) -> None:
    """Powder from the nozzle to the target: puffs that travel and grow."""
    count = 26
    for i in range(count):
        way = ((i / count) + t * 1.4) % 1.0
        spread = 30 * way * math.sin(i * 2.4)
        x = tip[0] + (target[0] - tip[0]) * way
        y = tip[1] + (target[1] - tip[1]) * way + spread
        pen.disc((x, y), (4 + 20 * way) * strength, ("#DDE5EF", "#E9EEF5", "#D3DDE9")[i % 3])


def tick(pen: Pen, centre: Point, size: float, growth: float) -> None:
    """A green disc with a white tick that grows in."""
    if growth <= 0.1:
        return
    r = size * growth
    pen.disc(centre, r, GREEN)
    x, y = centre
    pen.stroke(
        [(x - 0.45 * r, y + 0.02 * r), (x - 0.12 * r, y + 0.36 * r), (x + 0.48 * r, y - 0.34 * r)], "#FFFFFF", 0.17 * r
    )


def floor(pen: Pen) -> None:
    """The line that everything stands on."""
    pen.box([24, FLOOR, CANVAS[0] - 24, FLOOR + 6], EDGE, 3)


# --- one picture a scene, `t` seconds after its start -----------------------------------------------------------------


def title(t: float) -> Image.Image:
    """The extinguisher beside a fire."""
    pen = Pen(CANVAS, CARD)
    pen.disc((280, 250), 222, SKY)
    floor(pen)
    flame(pen, (400, FLOOR), 0.82, t)
    valve = extinguisher(pen, (190, FLOOR))
    hose(pen, valve, (262, 330), 1.2)
    return pen.done()


def judge(t: float) -> Image.Image:
    """A small fire in a bin, and the way out."""
    pen = Pen(CANVAS, CARD)
    floor(pen)
    pen.box([60, 60, 300, 176], GREEN, 14)
    pen.box([206, 80, 270, 158], "#FFFFFF", 4)
    pen.box([216, 90, 260, 158], GREEN, 2)
    step = 8 * math.sin(3 * t)
    pen.arrow((88 + step, 118), (186 + step, 118), "#FFFFFF", 12)
    flame(pen, (405, 372), 0.62, t)
    pen.shape([(340, 350), (470, 350), (452, FLOOR), (358, FLOOR)], STEEL_DARK)
    pen.box([332, 340, 478, 358], STEEL, 6)
    extinguisher(pen, (150, FLOOR), size=0.78)
    return pen.done()


def pull(t: float) -> Image.Image:
    """The head of the extinguisher, near; the pin comes out."""
    pen = Pen(CANVAS, CARD)
    way = ease((t % 3.6 - 0.6) / 1.2)
    extinguisher(pen, (372, 690), pin=way * 62, size=1.62)
    if way < 0.98:
        pen.arrow((196 - way * 70, 282), (110 - way * 40, 282), BLUE, 10)
    tick(pen, (96, 96), 40, ease((way - 0.9) * 10) * min(1.0, (3.6 - t % 3.6) * 4))
    return pen.done()


def aim(t: float) -> Image.Image:
    """The nozzle turns from the top of the flames to their base."""
    pen = Pen(CANVAS, CARD)
    floor(pen)
    way = ease((t - 1.0) / 2.2)
    flame(pen, (440, FLOOR), 0.85, t)
    valve = extinguisher(pen, (120, FLOOR), pin=None)
    angle = -0.42 + way * 0.72
    tip = hose(pen, valve, (232, 300), angle)
    reach = 222.0
    for i in range(6):
        a, b = i / 6, (i + 0.5) / 6
        pen.stroke([(tip[0] + reach * k * math.cos(angle), tip[1] + reach * k * math.sin(angle)) for k in (a, b)],
                   BLUE if way > 0.97 else STEEL, 4)  # fmt: skip
    if way > 0.97:
        pen.disc((440, FLOOR - 46), 40 + 4 * math.sin(4 * t), None, BLUE, 6)
        tick(pen, (96, 70), 36, ease((t - 3.3) * 3))
    return pen.done()


def squeeze(t: float) -> Image.Image:
    """The lever goes down and the powder comes."""
    pen = Pen(CANVAS, CARD)
    floor(pen)
    way = ease((t - 1.0) / 0.8)
    flame(pen, (440, FLOOR), 0.85 - 0.1 * ease((t - 2) / 5), t)
    valve = extinguisher(pen, (140, FLOOR), lever=way, pin=None)
    tip = hose(pen, valve, (246, 318), 0.34)
    if way > 0.6:
        spray(pen, tip, (430, FLOOR - 40), ease((t - 1.6) / 0.8), t)
    if way < 0.99:
        pen.arrow((66, 48), (66, 110), BLUE, 10)
    return pen.done()


def sweep(t: float) -> Image.Image:
    """From side to side until the fire is out."""
    pen = Pen(CANVAS, CARD)
    floor(pen)
    left = 1 - ease((t - 1.2) / 5.0)
    side = math.sin(2.6 * t)
    flame(pen, (430, FLOOR), 0.8 * left, t)
    valve = extinguisher(pen, (130, FLOOR), lever=1, pin=None)
    tip = hose(pen, valve, (236, 318), 0.36 + 0.13 * side)
    if left > 0.02:
        spray(pen, tip, (430 + 62 * side, FLOOR - 30), 1.0, t)
        pen.arrow((430, 486), (430 + 74 * (1 if side > 0 else -1), 486), BLUE, 6)
    tick(pen, (430, 350), 60, ease((t - 6.4) * 2.5))
    return pen.done()
