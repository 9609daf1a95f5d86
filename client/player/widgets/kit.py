"""The widget kit: cards, buttons, choices, pills, fields, meters. Looks stand in kit.kv, colours in `theme`."""

from __future__ import annotations

from typing import Any

from kivy.clock import Clock
from kivy.metrics import dp, sp
from kivy.properties import (
    BooleanProperty,
    NumericProperty,
    ObjectProperty,
    OptionProperty,
    StringProperty,
)
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.behaviors import ButtonBehavior, FocusBehavior
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.floatlayout import FloatLayout
from kivy.uix.scrollview import ScrollView
from kivy.uix.textinput import TextInput
from kivy.uix.widget import Widget

from client.player import theme
from client.player.widgets.look import MOODS, look
from client.player.widgets.say import char_width, natural


class Column(BoxLayout):
    """A stack as high as what it holds."""


class Row(BoxLayout):
    """Side by side on a wide screen, below each other on a narrow one; as high as what it holds."""

    wide = BooleanProperty(True)


class Card(Column):
    """White, rounded, with a hair of an edge."""

    ground = StringProperty("")  # "": the colour of a card
    edge = StringProperty("")


class Page(ScrollView):
    """A scrolling page with one column of readable width in its middle; children given in kv go into the column."""

    column = ObjectProperty(None)
    widest = NumericProperty(dp(theme.COLUMN))

    def add_widget(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """The first child is the frame of the page itself, all others stand in its column."""
        if self.column is None:
            super().add_widget(widget, *args, **kwargs)
        else:
            self.column.add_widget(widget, *args, **kwargs)


def reachable(root: Any) -> list[Any]:
    """What the keyboard can reach below `root`, in reading order: what is seen and not held back, nothing else."""
    found: list[Any] = []
    if root.opacity == 0 or (isinstance(root, Overlay) and not root.shown):
        return found
    if isinstance(root, FocusBehavior) and not root.disabled and root.width > 0:
        found.append(root)
    for child in reversed(root.children):
        found += reachable(child)
    return found


def _top(widget: Any) -> Any:
    while widget.parent is not None and widget.parent is not widget.get_root_window():
        widget = widget.parent
    return widget


class Walked(FocusBehavior):
    """Tab goes to what is seen next and on from the last to the first; what comes into reach is scrolled into sight."""

    def get_focus_next(self) -> Any:
        """The next in reading order."""
        return self._beside(1)

    def get_focus_previous(self) -> Any:
        """The one before."""
        return self._beside(-1)

    def _beside(self, step: int) -> Any:
        order = reachable(_top(self))
        return order[(order.index(self) + step) % len(order)] if self in order else next(iter(order), None)

    def into_sight(self) -> None:
        """Scroll the page so far that this is seen."""
        parent = self.parent
        while parent is not None and parent is not parent.parent:
            if isinstance(parent, ScrollView) and parent.children and parent.children[0].height > parent.height:
                parent.scroll_to(self, padding=dp(24), animate=False)
            parent = parent.parent if parent is not self.get_root_window() else None


class Reached(Walked):
    """What the keyboard can reach; it shows where it is."""

    ring = BooleanProperty(False)  # shown when the keyboard came here, not after a tap
    name = StringProperty("")  # what it is for, where it shows no words
    _tapped = False

    def on_touch_down(self, touch: Any) -> bool:
        """A tap takes the focus without its ring."""
        self._tapped = True
        try:
            return bool(super().on_touch_down(touch))
        finally:
            self._tapped = False

    def on_focus(self, _: Any, focus: bool) -> None:
        """Show where the keyboard is."""
        self.ring = focus and not self._tapped
        if self.ring:
            self.into_sight()


class Tappable(ButtonBehavior, Reached):
    """What can be tapped, and reached and pressed by keyboard."""

    def keyboard_on_key_down(self, window: Any, keycode: tuple[int, str], text: str, modifiers: list[str]) -> bool:
        """Enter and space press."""
        if keycode[1] in ("enter", "numpadenter", "spacebar") and not self.disabled:
            self.trigger_action(0)
            return True
        return bool(super().keyboard_on_key_down(window, keycode, text, modifiers))


class Push(Tappable, AnchorLayout):
    """A button; `kind` says how loud: primary is the single next action of a screen."""

    words = StringProperty("")
    icon = StringProperty("")
    kind = OptionProperty("primary", options=["primary", "quiet", "plain", "night"])
    hug = BooleanProperty(False)  # as narrow as its words
    large = BooleanProperty(False)  # the one thing to do on a page
    share = NumericProperty(1)  # of the room that the buttons of a row have together

    @property
    def needs(self) -> float:
        """Px that its words (`name`, where an icon stands for them now) need to stay on one line, without the icon."""
        return float(natural(self.name or self.words, sp(theme.BODY) * look.scale) + dp(16))

    colours = ObjectProperty(look.push("primary", False, "normal"))  # ground, ink, edge


class Choice(Tappable, AnchorLayout):
    """One of several answers; `chosen` is a word of its own, not only a colour."""

    words = StringProperty("")
    chosen = BooleanProperty(False)


class Tick(Tappable, BoxLayout):
    """A sentence that the learner ticks."""

    words = StringProperty("")
    ticked = BooleanProperty(False)

    def on_release(self) -> None:
        """Tick or untick."""
        self.ticked = not self.ticked


class Pill(BoxLayout):
    """A word on a tint: green, amber, grey or blue; at most `limit` px wide where that is not 0."""

    words = StringProperty("")
    limit = NumericProperty(0)
    mood = OptionProperty("plain", options=list(MOODS))
    look = ObjectProperty(look.mood("plain"))


class Fact(BoxLayout):
    """One line with an icon in its mood (or another icon): "window in front"."""

    words = StringProperty("")
    icon = StringProperty("")
    mood = OptionProperty("good", options=list(MOODS))
    look = ObjectProperty(look.mood("good"))


class Tile(Widget):
    """An icon on a tinted square."""

    icon = StringProperty("")
    side = NumericProperty(40)


class Matter(BoxLayout):
    """An icon, a heading and a sentence."""

    icon = StringProperty("")
    title = StringProperty("")
    words = StringProperty("")


class Figure(BoxLayout):
    """A large figure with a small caption."""

    words = StringProperty("")
    caption = StringProperty("")
    points = NumericProperty(theme.HEAD)
    ink = StringProperty("")


class Meter(Widget):
    """How far: `value` of 1 in blue, `second` of 1 paler behind it."""

    value = NumericProperty(0)
    second = NumericProperty(0)
    ink = StringProperty("")
    ground = StringProperty("")


class Field(BoxLayout):
    """A labelled line to write in."""

    caption = StringProperty("")
    hint = StringProperty("")
    value = StringProperty("")
    digits = BooleanProperty(False)
    __events__ = ("on_enter",)

    def on_enter(self) -> None:
        """Enter was pressed."""


class Entry(Walked, TextInput):
    """The line of a `Field`: at most `most` characters."""

    only_digits = BooleanProperty(False)
    most = NumericProperty(64)

    def insert_text(self, substring: str, from_undo: bool = False) -> None:
        """Codes are digits, six at most; everything else has no control characters and ends somewhere."""
        text = "".join(c for c in substring if c.isprintable() or (c == "\n" and self.multiline))
        if self.only_digits:
            text = "".join(c for c in text if c in "0123456789")
        room = int(6 if self.only_digits else self.most) - len(self.text) + len(self.selection_text)
        super().insert_text(text[: max(room, 0)], from_undo=from_undo)


class Letter(Entry):
    """A sheet to write some lines on; Tab leaves it."""


class Problem(Card):
    """An error for people: one sentence with its remedy, the code small."""

    words = StringProperty("")
    code = StringProperty("")


class Header(BoxLayout):
    """The bar on top of every screen: where one is, the settings, the other language. A title that the bar has no room
    for is not cut: the page says it itself."""

    title = StringProperty("")
    can_back = BooleanProperty(False)
    can_set = BooleanProperty(False)
    scale = NumericProperty(1.0)
    fits = BooleanProperty(True)  # the title, beside the buttons
    __events__ = ("on_back", "on_language", "on_settings")

    def __init__(self, **kwargs: Any) -> None:
        self._measure = Clock.create_trigger(self._compare, -1)
        super().__init__(**kwargs)
        for name in ("title", "width", "scale"):
            self.fbind(name, self._measure)
        self.ids.bar.fbind("minimum_width", self._measure)

    def _compare(self, *_: Any) -> None:
        wide = sum(char_width(c, sp(18) * self.scale) for c in self.title)
        self.fits = wide + self.ids.bar.minimum_width + dp(8) < self.width

    def on_back(self) -> None:
        """The arrow was pressed."""

    def on_language(self) -> None:
        """The other language was asked for."""

    def on_settings(self) -> None:
        """The settings were asked for."""


class Sheet(ScrollView):
    """What lies over the picture: in the middle while there is room for it, to be scrolled where there is not."""

    body = ObjectProperty(None)

    def add_widget(self, widget: Widget, *args: Any, **kwargs: Any) -> None:
        """The first child is the frame itself, all others stand in it."""
        if self.body is None:
            super().add_widget(widget, *args, **kwargs)
        else:
            self.body.add_widget(widget, *args, **kwargs)


class Overlay(FloatLayout):
    """A dark cover over the picture that takes every touch while it is shown."""

    shown = BooleanProperty(False)
    night = NumericProperty(0.78)
    round = NumericProperty(0.01)

    def on_parent(self, _: Any, parent: Any) -> None:
        """What is not shown is not drawn at all."""
        if parent is not None:
            self.on_shown(self, self.shown)

    def on_shown(self, _: Any, shown: bool) -> None:
        """Draw it, above everything before it, or leave it out."""
        if self.parent is None:
            return
        drawn = self.canvas in self.parent.canvas.children
        if shown and not drawn:
            self.parent.canvas.add(self.canvas)
        elif drawn and not shown:
            self.parent.canvas.remove(self.canvas)

    def on_touch_down(self, touch: Any) -> bool:
        """Its own buttons first; nothing below it is reached."""
        if not self.shown:
            return False
        return bool(super().on_touch_down(touch)) or bool(self.collide_point(*touch.pos))
