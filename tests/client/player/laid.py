"""What a screen looks like to a ruler: words that are cut, that lie over others, or beyond an edge; too small targets.

Nothing is drawn: the layout is settled by the toolkit's clock alone, so that every screen can be measured in every
state, at every size, size of text and language.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import combinations
from typing import Any

NEAR = 1.5  # px: rounding
TURNS = 12  # of the clock: words break lines, boxes grow, columns follow
_LATIN = re.compile(r"[A-Za-z]+")
Box = tuple[float, float, float, float]  # left, bottom, right, top


def settle(root: Any) -> None:
    """Let sizes and line breaks come to rest, without drawing."""
    from kivy.clock import Clock

    last: list[Any] = []
    for turn in range(TURNS * 4):
        Clock.tick_draw()
        Clock.tick()
        now = [(w.x, w.y, w.width, w.height) for w in root.walk()]
        if now == last and turn >= TURNS // 2:
            return
        last = now


def seen(root: Any) -> Iterator[tuple[Any, tuple[Any, ...]]]:
    """Every widget that is seen, with those it stands in, from the root down."""
    stack: list[tuple[Any, tuple[Any, ...]]] = [(root, ())]
    while stack:
        widget, above = stack.pop()
        if widget.opacity == 0 or (type(widget).__name__ == "Overlay" and not widget.shown):
            continue
        yield widget, above
        stack.extend((child, (*above, widget)) for child in widget.children)


def box(widget: Any) -> Box:
    """Where a widget lies in the window."""
    left, bottom = widget.to_window(*widget.pos)
    return left, bottom, left + widget.width, bottom + widget.height


def faults(root: Any) -> list[str]:
    """Everything that is wrong, in words; nothing where all is well."""
    found, words, targets = [], [], []
    for widget, above in seen(root):
        kind = type(widget).__name__
        if kind == "Say" and widget.words:
            words.append((widget, above))
            found += _cut(widget, above)
        elif _target(widget):
            targets.append((widget, above))
            found += _small(widget)
    return [*found, *_over(words, "words"), *_over(targets, "targets")]


def _target(widget: Any) -> bool:
    kind = hasattr(widget, "trigger_action") or hasattr(widget, "insert_text") or hasattr(widget, "on_seek")
    return kind and widget.width > 0 and bool(not widget.disabled or getattr(widget, "words", ""))


def _cut(say: Any, above: tuple[Any, ...]) -> Iterator[str]:
    """Words that do not have the room they need, or stand beyond the box that holds them."""
    wide, high = say.texture_size
    if wide > say.width + NEAR or high > say.height + NEAR:
        yield f"cut: {say.words[:30]!r} needs {wide}×{high}, has {say.width:.0f}×{say.height:.0f}"
    torn = _latin(say.words) - _latin(say.text)
    if torn and not say.one_line:
        yield f"torn: {sorted(torn)[0]!r} in {say.width:.0f} px"
    if say.one_line and say.is_shortened:
        yield f"shortened: {say.words[:30]!r}"
    yield from _beyond(say, above, say.words)


def _latin(words: str) -> set[str]:
    """The Latin words of a text; an address may break anywhere."""
    return {word for piece in words.split() if "/" not in piece for word in _LATIN.findall(piece)}


def _beyond(widget: Any, above: tuple[Any, ...], words: str) -> Iterator[str]:
    left, bottom, right, top = box(widget)
    scrolls = False
    for holder in reversed(above):
        low_x, low_y, high_x, high_y = box(holder)
        if left < low_x - NEAR or right > high_x + NEAR:
            yield f"beyond the side of {type(holder).__name__}: {words[:30]!r}"
            return
        scrolls = scrolls or type(holder).__name__ in ("Page", "ScrollView", "Sheet")
        if not scrolls and (bottom < low_y - NEAR or top > high_y + NEAR):
            yield f"beyond the height of {type(holder).__name__}: {words[:30]!r}"
            return


def _small(widget: Any) -> Iterator[str]:
    from kivy.metrics import dp

    if min(widget.width, widget.height) < dp(48) - 0.5:
        yield f"small target: {getattr(widget, 'words', '')!r} {widget.width:.0f}×{widget.height:.0f}"


def _over(items: list[tuple[Any, tuple[Any, ...]]], what: str) -> Iterator[str]:
    """Two of a layer that share ground; what lies over the picture on purpose is a layer of its own."""
    placed = [(widget, above, _layer(above), _clipped(widget, above)) for widget, above in items]
    for (one, over_one, layer, a), (two, over_two, other, b) in combinations(placed, 2):
        if layer is not other or one in over_two or two in over_one or a is None or b is None:
            continue
        if min(a[2], b[2]) - max(a[0], b[0]) > NEAR and min(a[3], b[3]) - max(a[1], b[1]) > NEAR:
            yield f"{what} over each other: {_words(one)!r} and {_words(two)!r}"


def _words(widget: Any) -> str:
    return str(getattr(widget, "words", "") or getattr(widget, "name", ""))[:30]


def _layer(above: tuple[Any, ...]) -> Any:
    return next((holder for holder in above if type(holder).__name__ in ("Overlay", "Header", "Layer")), None)


def _clipped(widget: Any, above: tuple[Any, ...]) -> Box | None:
    """What is seen of it through the scrolling pages that hold it."""
    left, bottom, right, top = box(widget)
    for holder in above:
        if type(holder).__name__ in ("Page", "ScrollView", "Sheet"):
            low_x, low_y, high_x, high_y = box(holder)
            left, bottom, right, top = max(left, low_x), max(bottom, low_y), min(right, high_x), min(top, high_y)
    return (left, bottom, right, top) if right > left and top > bottom else None
