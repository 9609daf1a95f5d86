"""The slides of the demo lesson: its words in both languages, and the picture of any moment."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import demo_lesson_art as art
from PIL import Image, ImageDraw, ImageFont

SIZE = (1280, 720)
FPS = 25
FONT = "/usr/share/fonts/truetype/wqy/wqy-microhei.ttc"
FADE_S = 0.4
STEPS = (("P", "拔", "Pull"), ("A", "瞄", "Aim"), ("S", "压", "Squeeze"), ("S", "扫", "Sweep"))


@dataclass(frozen=True)
class Scene:
    """One slide: when it stands, its words in both languages, and the drawing beside them."""

    start: float
    end: float
    zh: str
    en: str
    points: tuple[tuple[str, str], ...]
    draw: Callable[[float], Image.Image] | None
    step: int = -1  # index into STEPS


SCENES = (
    Scene(
        0,
        6,
        "灭火器的正确使用",
        "How to use a fire extinguisher",
        (("记住四步：拔、瞄、压、扫", "Four steps: Pull, Aim, Squeeze, Sweep"),),
        art.title,
    ),
    Scene(
        6,
        16,
        "先判断，再动手",
        "Check before you act",
        (
            ("火势很小，烟雾不大", "The fire is small, with little smoke"),
            ("身后就是安全出口", "The way out is behind you"),
            ("已经呼救，并拨打 119", "You called for help: dial 119"),
        ),
        art.judge,
    ),
    Scene(
        16,
        25,
        "拔：拔掉保险销",
        "Pull the pin",
        (
            ("站在上风处，距火 2–3 米", "Stand upwind, 2–3 metres away"),
            ("提起灭火器，拔掉保险销", "Lift it and pull out the pin"),
            ("拔销时不要按压手柄", "Do not squeeze while pulling"),
        ),
        art.pull,
        0,
    ),
    Scene(
        25,
        34,
        "瞄：对准火焰根部",
        "Aim at the base",
        (
            ("一手握住喷管前端", "Hold the hose near its end"),
            ("对准火焰的根部", "Point it at the base of the fire"),
            ("不要喷向火苗的顶端", "Not at the top of the flames"),
        ),
        art.aim,
        1,
    ),
    Scene(
        34,
        43,
        "压：压下手柄",
        "Squeeze the lever",
        (
            ("用力压下手柄，持续喷射", "Squeeze firmly and keep spraying"),
            ("保持瓶身直立", "Keep the cylinder upright"),
            ("只能喷十几秒，不要浪费", "It lasts some ten seconds only"),
        ),
        art.squeeze,
        2,
    ),
    Scene(
        43,
        52,
        "扫：左右来回扫射",
        "Sweep from side to side",
        (
            ("沿火焰根部左右扫射", "Sweep along the base of the fire"),
            ("火势减小后逐步向前", "Step forward as it dies down"),
            ("火灭后继续观察，防止复燃", "Watch it: it may flare up again"),
        ),
        art.sweep,
        3,
    ),
    Scene(
        52,
        60,
        "记住：拔、瞄、压、扫",
        "Remember PASS",
        (("火势变大或看不见出口，立即撤离", "If it grows or the way out is lost, leave at once"),),
        None,
    ),
)
DURATION_S = SCENES[-1].end


def font(size: int) -> ImageFont.FreeTypeFont:
    """The one font, at `size` picture pixels."""
    return ImageFont.truetype(FONT, size)


def heading(
    draw: ImageDraw.ImageDraw, xy: tuple[float, float], text: str, size: int, colour: str, weight: float = 1
) -> None:
    """Text with a stroke of its own colour: the font has one weight only."""
    draw.text(xy, text, colour, font(size), stroke_width=weight, stroke_fill=colour)


def slide(scene: Scene, shown: int) -> Image.Image:
    """The still part of a slide with the first `shown` points."""
    pen = art.Pen(SIZE, art.GROUND)
    for i in range(len(STEPS)):
        done = scene.draw is None or 0 <= i <= scene.step
        pen.box([72 + 76 * i, 52, 136 + 76 * i, 60], art.BLUE if done else art.EDGE, 4)
    if scene.draw is not None:
        pen.box([648, 96, 1224, 612], art.CARD, 20, art.EDGE)
    image = pen.done()
    draw = ImageDraw.Draw(image)
    if scene.draw is None:
        _recap(image, draw, scene)
        return image
    top = 108 if scene.step >= 0 else 132
    if scene.step >= 0:
        letter, _, word = STEPS[scene.step]
        draw.rounded_rectangle([72, top, 144, top + 72], 16, art.BLUE)
        draw.text((108, top + 35), letter, "white", font(44), anchor="mm", stroke_width=1)
        draw.text((164, top + 36), f"第 {scene.step + 1} 步 · {word}", art.BLUE, font(26), anchor="lm")
        top += 104
    heading(draw, (70, top), scene.zh, 52, art.INK)
    draw.text((72, top + 72), scene.en, art.MUTED, font(28))
    for i, (zh, en) in enumerate(scene.points[:shown]):
        y = top + 150 + 92 * i
        draw.ellipse([74, y + 12, 86, y + 24], art.BLUE)
        draw.text((104, y), zh, art.INK, font(30))
        draw.text((104, y + 42), en, art.MUTED, font(20))
    return image


def _recap(image: Image.Image, draw: ImageDraw.ImageDraw, scene: Scene) -> None:
    heading(draw, (70, 96), scene.zh, 52, art.INK)
    draw.text((72, 168), scene.en, art.MUTED, font(28))
    for i, (letter, zh, en) in enumerate(STEPS):
        x = 72 + 288 * i
        card = art.Pen((264, 236), art.GROUND)
        card.box([0, 0, 263, 235], art.CARD, 18, art.EDGE)
        image.paste(card.done(), (x, 236))
        draw.text((x + 132, 306), letter, art.BLUE, font(76), anchor="mm", stroke_width=2)
        draw.text((x + 132, 386), zh, art.INK, font(40), anchor="mm", stroke_width=1)
        draw.text((x + 132, 434), en, art.MUTED, font(24), anchor="mm")
    zh, en = scene.points[0]
    draw.rounded_rectangle([72, 508, 1208, 604], 16, "#FBF1E6")
    draw.text((100, 526), zh, "#8A4508", font(30))
    draw.text((100, 568), en, "#8A4508", font(20))


class Stage:
    """Gives the picture of any moment; still slides are drawn once."""

    def __init__(self) -> None:
        self._slides: dict[tuple[int, int], Image.Image] = {}

    def picture(self, t: float) -> Image.Image:
        """The lesson's picture at `t` seconds, faded from the scene before."""
        index = next(i for i, s in enumerate(SCENES) if t < s.end)
        image = self._scene(index, t)
        since = t - SCENES[index].start
        if index and since < FADE_S:
            before = self._scene(index - 1, SCENES[index - 1].end - 1 / FPS)
            image = Image.blend(before, image, art.ease(since / FADE_S))
        return image

    def _slide(self, index: int, shown: int) -> Image.Image:
        if (index, shown) not in self._slides:
            self._slides[index, shown] = slide(SCENES[index], shown)
        return self._slides[index, shown]

    def _scene(self, index: int, t: float) -> Image.Image:
        scene = SCENES[index]
        since = t - scene.start
        beat = 1.6  # a new point every 1.6 s
        shown = min(len(scene.points), int(max(0.0, since - 0.6) / beat) + (since >= 0.6))
        image = self._slide(index, shown)
        age = since - 0.6 - beat * (shown - 1)
        if shown and age < FADE_S:
            image = Image.blend(self._slide(index, shown - 1), image, art.ease(age / FADE_S))
        image = image.copy()
        if scene.draw is not None:
            image.paste(scene.draw(since), (656, 104))
        return image
