"""What all screens have in common: they render a value, again whenever the language or the width changes."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from kivy.lang import Builder
from kivy.metrics import dp
from kivy.properties import BooleanProperty, NumericProperty, ObjectProperty
from kivy.uix.anchorlayout import AnchorLayout
from kivy.uix.boxlayout import BoxLayout

from client.player import theme
from client.player.shown import Trouble
from client.player.widgets import look, tongue
from client.player.widgets.kit import Column, Problem, Push
from client.player.widgets.say import Between, gap

Builder.load_file(str(Path(__file__).with_name("base.kv")))


def kv_of(module_file: str) -> None:
    """Load the .kv beside a screen's module."""
    Builder.load_file(str(Path(module_file).with_suffix(".kv")))


class Screen(BoxLayout):
    """A screen: `render(shown)` shows a value; equal values cost nothing."""

    shown = ObjectProperty(None, allownone=True)
    wide = BooleanProperty(True)
    opaque = BooleanProperty(True)  # False: the screen paints its own ground (each layer costs without a GPU)

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self.fbind("width", self._measure)
        self._measure()

    def render(self, shown: Any) -> None:
        """Show `shown` from now on."""
        if shown != self.shown:
            self.shown = shown
            self.retell()

    def retell(self) -> None:
        """Say everything again, in the language of now. Screens override this."""

    def on_parent(self, _: Any, parent: Any) -> None:
        """Follow the language, the colours and the size of text only while on the stage."""
        for what, name in ((tongue, "language"), (look, "dark"), (look, "scale")):
            what.funbind(name, self._retell)
            if parent is not None:
                what.fbind(name, self._retell)
        if parent is not None:
            self._retell()

    def _retell(self, *_: Any) -> None:
        if self.shown is not None:
            self.retell()

    def _measure(self, *_: Any) -> None:
        self.wide = self.width >= dp(theme.WIDE)


class Footer(AnchorLayout):
    """A bar at the bottom that does not scroll; children given in kv go into its column."""

    column = ObjectProperty(None)
    widest = NumericProperty(0)

    def add_widget(self, widget: Any, *args: Any, **kwargs: Any) -> None:
        """The first child is its own column, all others stand in it."""
        if self.column is None:
            super().add_widget(widget, *args, **kwargs)
        else:
            self.column.add_widget(widget, *args, **kwargs)


class Slot(Between, Column):
    """Room that is taken only while there is something in it."""

    room = NumericProperty(0)  # the gap beside it, which it takes back while it is empty

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._follow_gap()

    def _gap_moved(self, *_: Any) -> None:
        self.room = gap(self.parent)

    def hold(self, *widgets: Any) -> None:
        """Hold these and nothing else."""
        if list(widgets) != self.children[::-1]:
            self.clear_widgets()
            for widget in widgets:
                self.add_widget(widget)


class TroubleSlot(Slot):
    """Holds an error while there is one; its button dispatches `on_press`."""

    __events__ = ("on_press",)

    def on_press(self) -> None:
        """The learner pressed the button of the error."""

    def tell(self, trouble: Trouble | None) -> None:
        """Show this error, or none."""
        if trouble is None:
            self.hold()
            return
        words, action = tongue.of(trouble.sentence), tongue.say(trouble.action) if trouble.action else ""
        problem = Problem(words=words, code=trouble.code)
        if action:
            push = Push(words=action, kind="quiet", hug=True)
            push.name = trouble.action
            push.bind(on_release=lambda _: self.dispatch("on_press"))
            problem.add_widget(push)
        self.hold(problem)


class Actions(Slot):
    """The buttons below a screen, made anew only when they are other ones."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._told: tuple[Any, ...] = ()

    def offer(self, *buttons: tuple[str, str, Callable[[], None]], busy: bool = False) -> None:
        """Show (key of the words, kind, what to do) from top to bottom; `busy` holds them all."""
        told = (tongue.language, busy, *(b[:2] for b in buttons))
        if told != self._told:
            self._told = told
            self.hold(*(self._push(*b, busy) for b in buttons))

    @staticmethod
    def _push(key: str, kind: str, act: Callable[[], None], busy: bool) -> Push:
        push = Push(words=tongue.say(key), kind=kind, disabled=busy)
        push.name = key
        push.bind(on_release=lambda _: act())
        return push
