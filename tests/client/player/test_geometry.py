"""The covered part of our window is exact, whatever lies over it."""

from __future__ import annotations

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from client.player.geometry import Rect, covered_permille, fitted, union_area

SIDE = 40
rects = st.builds(Rect, st.integers(-10, SIDE), st.integers(-10, SIDE), st.integers(0, 30), st.integers(0, 30))


def painted(parts: list[Rect]) -> int:
    """The area by painting pixels: the oracle."""
    canvas = np.zeros((120, 120), bool)
    for r in parts:
        canvas[r.y + 20 : r.y + 20 + r.height, r.x + 20 : r.x + 20 + r.width] = True
    return int(canvas.sum())


@given(st.lists(rects, max_size=8))
def test_the_union_is_what_paint_would_cover(parts: list[Rect]) -> None:
    """Overlaps count once."""
    assert union_area(parts) == painted(parts)


@given(rects.filter(lambda r: r.area > 0), st.lists(rects, max_size=6))
def test_cover_is_a_share_of_our_window(window: Rect, above: list[Rect]) -> None:
    """0 only when every pixel is seen, 1000 only when none is, and never outside."""
    screen = Rect(0, 0, SIDE, SIDE)
    visible = window.within(screen)
    hidden = window.area - visible.area + painted([r.within(visible) for r in above])
    covered = covered_permille(window, above, screen)
    assert 0 <= covered <= 1000
    assert (covered == 0) == (hidden == 0)
    assert (covered == 1000) == (hidden * 1000 > 999 * window.area)


def test_a_window_pushed_over_the_edge_is_not_seen() -> None:
    """Half beyond the screen is half covered, though nothing lies over it."""
    assert covered_permille(Rect(30, 0, 20, 10), [], Rect(0, 0, SIDE, SIDE)) == 500


@given(*[st.integers(1, 4096)] * 2, st.tuples(st.integers(16, 4096), st.integers(16, 4096)))
def test_a_picture_fits_its_box_and_touches_it(width: int, height: int, box: tuple[int, int]) -> None:
    """Never larger, one side filled, proportions kept to a pixel; fitted again it stays."""
    wide, high = fitted(width, height, box)
    assert 1 <= wide <= box[0]
    assert 1 <= high <= box[1]
    assert wide == box[0] or high == box[1]
    scale = min(box[0] / width, box[1] / height)
    assert abs(wide - width * scale) <= 1.5
    assert abs(high - height * scale) <= 1.5
    assert fitted(wide, high, box) == (wide, high)


@given(rects.filter(lambda r: r.area > 0), st.lists(rects, max_size=4), st.lists(rects, min_size=1, max_size=3))
def test_between_two_monitors_nothing_is_seen(window: Rect, above: list[Rect], monitors: list[Rect]) -> None:
    """What lies on no monitor is hidden, what lies on two that overlap counts once."""
    screen = Rect(-20, -20, 120, 120)
    seen = np.zeros((120, 120), bool)
    for part in monitors:
        cut = part.within(window)
        seen[cut.y + 20 : cut.y + 20 + cut.height, cut.x + 20 : cut.x + 20 + cut.width] = True
    for over in above:
        seen[over.y + 20 : over.y + 20 + over.height, over.x + 20 : over.x + 20 + over.width] = False
    hidden = window.area - int(seen.sum())
    assert covered_permille(window, above, screen, monitors) == -(-hidden * 1000 // window.area)
