"""Words on the screen: as high as they need to be, broken into lines as Chinese and Latin want it."""

from __future__ import annotations

from functools import cache
from typing import Any

from kivy.clock import Clock
from kivy.core.text import Label as CoreLabel
from kivy.metrics import sp
from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.label import Label

from client.player import theme
from client.player.wrap import wrap

SLACK = 2  # px: the widths of characters add up to a little more or less than a line


@cache
def _ruler(font_size: float) -> CoreLabel:
    return CoreLabel(font_size=font_size)


@cache
def char_width(char: str, font_size: float) -> float:
    """How wide a character is, in px."""
    return float(_ruler(font_size).get_extents(char)[0])


def natural(words: str, font_size: float) -> float:
    """How wide words are where nothing breaks them, in px."""
    lines = words.split("\n")
    return max((sum(char_width(c, font_size) for c in line) for line in lines), default=0) + SLACK + 1


def gap(parent: Any) -> float:
    """The room between two children of a column: what is empty takes it back."""
    return float(parent.spacing) if getattr(parent, "orientation", "") == "vertical" else 0.0


class Between:
    """What stands between others and takes the gap back while it is empty: `_gap_moved` hears when that gap changes.

    A column's `spacing` is set after its children were made, and a row becomes a column on a narrow screen.
    """

    _stack: Any = None

    def _follow_gap(self) -> None:
        self.fbind("parent", self._stood)  # type: ignore[attr-defined]  # of every widget
        self._stood(self, self.parent)  # type: ignore[attr-defined]

    def _stood(self, _: Any, parent: Any) -> None:
        names = {"spacing": self._gap_moved, "orientation": self._gap_moved}
        if self._stack is not None:
            self._stack.unbind(**names)
        self._stack = parent if isinstance(parent, BoxLayout) else None
        if self._stack is not None:
            self._stack.bind(**names)  # bound methods are held weakly: nobody is kept alive by it
        self._gap_moved()

    def _gap_moved(self, *_: Any) -> None:
        """The gap may be another one: what follows is each widget's own."""


class Say(Between, Label):
    """`words` in one ink. `fit`: no wider than the words (at most `limit` px); otherwise as wide as it is given."""

    words = StringProperty("")
    ink = StringProperty("")  # "": that of plain words
    points = NumericProperty(theme.BODY)  # sp
    strong = BooleanProperty(False)
    fit = BooleanProperty(False)
    limit = NumericProperty(0)
    one_line = BooleanProperty(False)  # cut with an ellipsis instead of breaking
    live = BooleanProperty(False)  # a screen reader says it at once when it changes
    scale = NumericProperty(1.0)  # of all text, as the learner set it

    def __init__(self, **kwargs: Any) -> None:
        self._lay_out = Clock.create_trigger(self._break_lines, -1)
        super().__init__(**kwargs)
        for name in ("words", "width", "points", "scale", "fit", "limit", "one_line", "strong", "parent"):
            self.fbind(name, self._lay_out)
        self._follow_gap()
        self._break_lines()

    def _gap_moved(self, *_: Any) -> None:
        if not self.words:
            self._lay_out()

    def _break_lines(self, *_: Any) -> None:
        size = sp(self.points) * self.scale
        self.font_size = size
        room = float(self.width)  # type: ignore[has-type]  # the toolkit's own property
        if self.fit:
            whole = natural(self.words, size)
            room = min(whole, self.limit) if self.limit else whole
            self.width = room
        if self.one_line:
            self.text, self.shorten, self.text_size = self.words, True, (room, None)
        else:
            self.shorten, self.text_size = False, (room, None)
            self.text = "\n".join(wrap(self.words, max(room - SLACK, size), lambda c: char_width(c, size)))
        self.line_height = 1.32 if "\n" in self.text else 1.0
        self.texture_update()
        self.height = self.texture_size[1] if self.words else -gap(self.parent)
