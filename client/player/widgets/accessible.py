"""The window for screen readers: the widget kit as a tree of names, roles and states, through accesskit.

Whatever is on the screen is read out of the widgets that are there, in their order: a new screen is accessible without
a line here. Nothing is computed until a reader asks; then the tree is compared four times a second, and only what
changed is told. What a reader does (press, focus, write) is done on the window's thread, as a finger would.
"""

from __future__ import annotations

import weakref
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, Final

from kivy.clock import Clock
from kivy.core.window import Window
from kivy.uix.label import Label

from client.player.adapters import Adapter, desktop
from client.player.widgets import tongue
from client.player.widgets.kit import (
    Choice,
    Entry,
    Fact,
    Field,
    Figure,
    Matter,
    Meter,
    Overlay,
    Pill,
    Problem,
    Push,
    Reached,
    Tappable,
    Tick,
)

LOOK_S: Final = 0.25
ROOT: Final = 0
RUN: Final = 1 << 32  # added to the number of a line to write in: the text that stands in it


@dataclass(frozen=True, slots=True)
class Spoken:
    """What a reader says of one widget. `where`: left, top, right, bottom in window pixels from the top left."""

    role: str  # a name of accesskit.Role
    name: str
    value: str = ""
    checked: bool | None = None
    amount: float | None = None
    disabled: bool = False
    live: bool = False  # told at once when it changes
    press: bool = False
    where: tuple[float, float, float, float] = (0, 0, 0, 0)


def spoken(widget: Any) -> Spoken | None:
    """What a reader says of a widget; None for what only holds others, or only looks."""
    told = _spoken(widget)
    if told is None or not (told.name or told.role in ("TEXT_INPUT", "PROGRESS_INDICATOR")):
        return None
    left, bottom = widget.to_window(widget.x, widget.y)
    right, top = widget.to_window(widget.right, widget.top)
    height = Window.height
    return Spoken(
        told.role, told.name, told.value, told.checked, told.amount, bool(widget.disabled), told.live, told.press,
        (left, height - top, right, height - bottom),
    )  # fmt: skip


def _spoken(widget: Any) -> Spoken | None:
    match widget:
        case Entry():
            field = _field_of(widget)
            return Spoken("TEXT_INPUT", field.caption or field.hint if field else "", widget.text)
        case Choice():
            return Spoken("RADIO_BUTTON", widget.words, checked=bool(widget.chosen), press=True)
        case Tick():
            return Spoken("CHECK_BOX", widget.words, checked=bool(widget.ticked), press=True)
        case Push() | Tappable():
            said = (getattr(widget, part, "") for part in ("words", "name", "title"))
            words = next((one for one in said if one), "")
            return Spoken("BUTTON", str(words or ""), press=True)
        case Reached() if name := str(getattr(widget, "name", "") or ""):
            return Spoken("SLIDER", name)
        case Meter():
            return Spoken("PROGRESS_INDICATOR", "", amount=round(float(widget.value), 2))
        case Problem():
            return Spoken("ALERT", widget.words, live=True)
        case Pill() | Fact():
            return Spoken("LABEL", widget.words)
        case Matter():
            return Spoken("LABEL", " ".join(part for part in (widget.title, widget.words) if part))
        case Figure():
            return Spoken("LABEL", " ".join(part for part in (widget.caption, widget.words) if part))
        case Label():
            return Spoken("LABEL", getattr(widget, "words", widget.text), live=bool(getattr(widget, "live", False)))
    return None


def _field_of(entry: Any) -> Any:
    widget = entry.parent
    while widget is not None and widget is not widget.parent and not isinstance(widget, Field):
        widget = widget.parent
        if widget is Window:
            return None
    return widget


WHOLE: Final = (Push, Choice, Tick, Pill, Fact, Matter, Figure, Entry, Meter, Problem, Label)  # nothing inside is said


def widgets(root: Any) -> Iterator[Any]:
    """What is said, in reading order; what is not seen is not said."""
    if root.opacity == 0 or root.width <= 1 or root.height <= 1 or (isinstance(root, Overlay) and not root.shown):
        return
    if spoken(root) is not None:
        yield root
    if isinstance(root, WHOLE) or (isinstance(root, Tappable) and spoken(root) is not None):
        return
    for child in reversed(root.children):
        yield from widgets(child)


class Reader:
    """Between one window and the screen readers of this desktop. `close` when the window goes."""

    def __init__(self, root: Any, title: Callable[[], str]) -> None:
        self._root, self._title = root, title
        self._numbers: weakref.WeakKeyDictionary[Any, int] = weakref.WeakKeyDictionary()
        self._next = ROOT + 1
        self._last: dict[int, Spoken] = {}
        self._asked = False
        self._adapter: Adapter | None = desktop(self._activated, self._acted, self._left, _handle)
        self._in_front: bool | None = None  # as the adapter was told
        self._event = Clock.schedule_interval(self._look, LOOK_S) if self._adapter is not None else None

    def close(self) -> None:
        """No more looks."""
        if self._event is not None:
            self._event.cancel()
        self._adapter = None

    # --- called by accesskit, in threads of its own -----------------------------------------------------------------

    def _activated(self) -> Any:
        """A reader came: the whole tree follows at the next look."""
        self._asked, self._in_front = True, None
        self._last = {}
        return None

    def _left(self) -> None:
        self._asked = False

    def _acted(self, request: Any) -> None:
        Clock.schedule_once(lambda _: self._do(request), 0)

    # --- on the window's thread ---------------------------------------------------------------------------------------

    def _do(self, request: Any) -> None:
        import accesskit

        widget = next((w for w, number in self._numbers.items() if number == request.target), None)
        if widget is None or widget.disabled:
            return
        if request.action == accesskit.Action.CLICK and hasattr(widget, "trigger_action"):
            widget.trigger_action(0)
        elif request.action == accesskit.Action.FOCUS and hasattr(widget, "focus"):
            widget.focus = True
        elif request.action == accesskit.Action.SET_VALUE and isinstance(widget, Entry):
            widget.text = ""
            widget.insert_text(str(request.data[1]))

    def _look(self, _: float) -> None:
        if not self._asked or self._adapter is None:
            return
        self._adapter.update(self._changes)
        if self._in_front != bool(Window.focus):
            self._in_front = bool(Window.focus)
            self._adapter.in_front(self._in_front)

    def _changes(self) -> Any:
        import accesskit

        found = {self._number(widget): (widget, spoken(widget)) for widget in widgets(self._root)}
        now = {number: told for number, (_, told) in found.items() if told is not None}
        order = list(now)
        nodes = [(number, _node(told)) for number, told in now.items() if self._last.get(number) != told]
        focus = next((number for number, (widget, _) in found.items() if getattr(widget, "focus", False)), ROOT)
        root = accesskit.Node(accesskit.Role.WINDOW)
        root.set_label(self._title())
        root.set_language(tongue.language)
        root.set_children(order)
        update = accesskit.TreeUpdate(focus)
        update.nodes.append((ROOT, root))
        for number, node in nodes:
            update.nodes.append((number, node))
            if now[number].role == "TEXT_INPUT":
                update.nodes.append((number + RUN, _run(node, number + RUN, now[number])))
        tree = accesskit.Tree(ROOT)
        tree.toolkit_name = "Kivy"
        update.tree = tree
        self._last = now
        return update

    def _number(self, widget: Any) -> int:
        if widget not in self._numbers:
            self._numbers[widget] = self._next
            self._next += 1
        return self._numbers[widget]


def _node(told: Spoken) -> Any:
    import accesskit

    node = accesskit.Node(getattr(accesskit.Role, told.role))
    if told.role == "LABEL":
        node.set_value(told.name)
    else:
        node.set_label(told.name)
    node.set_bounds(accesskit.Rect(*told.where))
    if told.role == "TEXT_INPUT":
        node.add_action(accesskit.Action.SET_VALUE)
    if told.checked is not None:
        node.set_toggled(accesskit.Toggled.TRUE if told.checked else accesskit.Toggled.FALSE)
    if told.amount is not None:
        node.set_min_numeric_value(0.0)
        node.set_max_numeric_value(1.0)
        node.set_numeric_value(told.amount)
    if told.live:
        node.set_live(accesskit.Live.ASSERTIVE)
    if told.disabled:
        node.set_disabled()
    if told.press:
        node.add_action(accesskit.Action.CLICK)
    if told.press or told.role == "TEXT_INPUT":
        node.add_action(accesskit.Action.FOCUS)
    return node


def _run(line: Any, number: int, told: Spoken) -> Any:
    """The text in a line, with the caret at its end; `line` learns of it."""
    import accesskit

    run = accesskit.Node(accesskit.Role.TEXT_RUN)
    run.set_value(told.value)
    run.set_character_lengths([len(char.encode()) for char in told.value])
    run.set_word_lengths([len(told.value)] if told.value else [])
    run.set_text_direction(accesskit.TextDirection.LEFT_TO_RIGHT)
    run.set_bounds(accesskit.Rect(*told.where))
    caret = accesskit.TextPosition(number, len(told.value))
    line.set_children([number])
    line.set_text_selection(accesskit.TextSelection(caret, caret))
    return run


def _handle() -> int:
    """The window's number, as the system counts it."""
    return int(Window.get_window_info().window)
