"""The window's frame: header on top, one screen below it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kivy.core.window import Window
from kivy.uix.boxlayout import BoxLayout

from client.player.widgets import tongue
from client.player.widgets.kept import KeptBox
from client.player.widgets.kit import Header, reachable

TAB: Final = 9  # its key code


class Shell(BoxLayout):
    """Root of the window. `show(screen, title)` puts a screen on the stage; the header switches the language and, where
    `may_set` is true, leads to the settings."""

    def __init__(
        self,
        on_language: Callable[[str], None] | None = None,
        on_settings: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        super().__init__(orientation="vertical", **kwargs)
        self._on_language = on_language
        self._back: Callable[[], None] | None = None
        self._title: Callable[[], str] = lambda: tongue.say("app.name")
        self.header = Header()
        self.header.bind(
            on_language=self._switch, on_back=self._go_back, on_settings=lambda _: on_settings()
        )
        self.screen: Any = None
        top = KeptBox(size_hint_y=None, height=self.header.height)
        self.header.bind(height=top.setter("height"))
        top.add_widget(self.header)
        self.add_widget(top)
        tongue.fbind("language", self._entitle)
        self._entitle()
        Window.bind(on_key_down=self._first)

    def _first(self, _window: Any, key: int, *_: Any) -> bool:
        """The first Tab goes to the screen's first button; from there on each knows the next."""
        order = reachable(self.screen) if key == TAB and self.screen is not None else []
        if not order or any(getattr(widget, "focus", False) for widget in reachable(self)):
            return False
        order[0].focus = True
        return True

    def show(self, screen: Any, title: Callable[[], str] | None = None, back: Callable[[], None] | None = None) -> None:
        """Put `screen` on the stage; `title` is asked again when the language changes; `back` shows the arrow."""
        if screen is not self.screen:
            if self.screen is not None:
                self.remove_widget(self.screen)
            self.screen = screen
            self.add_widget(screen)
        self._back, self.header.can_back = back, back is not None
        self._title = title or (lambda: tongue.say("app.name"))
        self._entitle()

    def may_set(self, may: bool) -> None:
        """Whether the settings can be reached from here."""
        self.header.can_set = may

    def _entitle(self, *_: Any) -> None:
        self.header.title = self._title()

    def _go_back(self, *_: Any) -> None:
        if self._back is not None:
            self._back()

    def _switch(self, *_: Any) -> None:
        tongue.other()
        if self._on_language is not None:
            self._on_language(tongue.language)
