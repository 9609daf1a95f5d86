"""How much of our window lies under other windows: exact areas of rectangles, in integers."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from itertools import pairwise


@dataclass(frozen=True, slots=True)
class Rect:
    """A rectangle of the screen in pixels; one without area is nothing."""

    x: int
    y: int
    width: int
    height: int

    @property
    def area(self) -> int:
        """Pixels inside."""
        return max(self.width, 0) * max(self.height, 0)

    def within(self, other: Rect) -> Rect:
        """The part of this one that lies in the other."""
        left, top = max(self.x, other.x), max(self.y, other.y)
        right = min(self.x + self.width, other.x + other.width)
        bottom = min(self.y + self.height, other.y + other.height)
        return Rect(left, top, max(right - left, 0), max(bottom - top, 0))


def union_area(rects: Iterable[Rect]) -> int:
    """Pixels in at least one of the rectangles."""
    parts = [r for r in rects if r.area]
    edges = sorted({e for r in parts for e in (r.x, r.x + r.width)})
    total = 0
    for left, right in pairwise(edges):
        height, reached = 0, None
        for r in sorted((r for r in parts if r.x <= left and right <= r.x + r.width), key=lambda r: r.y):
            bottom = r.y + r.height
            top = r.y if reached is None else max(r.y, reached)
            height += max(bottom - top, 0)
            reached = bottom if reached is None else max(reached, bottom)
        total += height * (right - left)
    return total


def covered_permille(window: Rect, above: Iterable[Rect], screen: Rect, monitors: Iterable[Rect] = ()) -> int:
    """Per mille of `window` that cannot be seen: under `above`, or beyond the edge of `screen`. 1000 if it has no area.

    Where `monitors` are known, what lies on none of them cannot be seen either.

    Any hidden pixel counts: one pixel is 1, never rounded to 0.
    """
    if not window.area:
        return 1000
    parts = [window.within(screen).within(m) for m in monitors] or [window.within(screen)]
    over = list(above)
    covers = [r.within(part) for r in over for part in parts]
    hidden = window.area - union_area(parts) + union_area(covers)
    return -(-hidden * 1000 // window.area)


def fitted(width: int, height: int, box: tuple[int, int]) -> tuple[int, int]:
    """The largest size of the proportions `width`:`height` within `box`, in whole pixels, at least 1 by 1.

    A pixel that only rounding would leave free is filled.
    """
    wide, high = max(box[0], 1), max(box[1], 1)
    if width * high > height * wide:
        fits = max(round(wide * height / width), 1)
        return wide, high if abs(high - fits) <= 1 else fits
    fits = max(round(high * width / height), 1)
    return wide if abs(wide - fits) <= 1 else fits, high
