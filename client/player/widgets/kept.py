"""Parts of a screen that are drawn once and kept as a picture: they cost one rectangle until something in them changes.

Without a GPU every redraw of the window is processor time, and beside a lesson the window is redrawn with each picture.
"""

from __future__ import annotations

from math import ceil, floor
from typing import Any

from kivy.graphics import Canvas, ClearBuffers, ClearColor, Color, Fbo, Rectangle, Translate
from kivy.properties import ColorProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from client.player.widgets.kit import Column


class Kept(Widget):
    """Mixed into a layout: its children are drawn into a picture, anew only when one of them changes.

    `ground` is what shows between them; it has no holes.
    """

    ground = ColorProperty((1, 1, 1, 1))

    def __init__(self, **kwargs: Any) -> None:
        self.canvas = Canvas()
        with self.canvas:
            self._inside = Fbo(size=(1, 1), with_stencilbuffer=True)  # a scrolling part cuts with it
            self._tint = Color(1, 1, 1, 1)
            self._shown = Rectangle(size=(1, 1))
        with self._inside.before:
            self._clear = ClearColor(1, 1, 1, 1)
            ClearBuffers(clear_color=True, clear_stencil=True)
            self._moved = Translate(0, 0)
        super().__init__(**kwargs)
        for name in ("pos", "size", "ground"):
            self.fbind(name, self._lay)
        self._lay()

    def add_widget(self, *args: Any, **kwargs: Any) -> None:
        """A child belongs into the picture."""
        self._within(lambda: super(Kept, self).add_widget(*args, **kwargs))

    def remove_widget(self, *args: Any, **kwargs: Any) -> None:
        """And out of it again."""
        self._within(lambda: super(Kept, self).remove_widget(*args, **kwargs))

    def _within(self, act: Any) -> None:
        outside, self.canvas = self.canvas, self._inside
        try:
            act()
        finally:
            self.canvas = outside

    def _lay(self, *_: Any) -> None:
        at = (floor(self.x), floor(self.y))
        size = (max(ceil(self.x + self.width) - at[0], 1), max(ceil(self.y + self.height) - at[1], 1))
        if self._inside.size != size:
            self._inside.size = size
            self._inside.texture.min_filter = self._inside.texture.mag_filter = "nearest"
        self._shown.texture = self._inside.texture
        self._shown.size, self._shown.pos = size, at
        self._moved.xy = (-at[0], -at[1])
        self._clear.rgba = self.ground
        self._inside.ask_update()


class KeptBox(Kept, BoxLayout):
    """A box kept as a picture."""


class KeptColumn(Kept, Column):
    """A stack kept as a picture."""
