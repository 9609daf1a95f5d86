"""The chapters of the unit on the screen: which one it is, and back to every one whose beginning was seen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout

from client.player import i18n, lines
from client.player.screens.base import Slot, kv_of
from client.player.widgets import tongue
from client.player.widgets.kit import Tappable
from client.player.widgets.say import Say
from client.view import Chapter, UnitView

kv_of(__file__)


class Part(Tappable, BoxLayout):
    """One chapter. `title` is what is read, `name` what a screen reader says; disabled until its beginning was seen."""

    title = StringProperty("")
    name = StringProperty("")
    begins = StringProperty("")
    at_ms = NumericProperty(0)
    here = BooleanProperty(False)  # it is on the screen now


class Chapters(Slot):
    """Takes room only while the unit has chapters. `on_seek(ms)` goes to the beginning of one that was seen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._held: tuple[tuple[Chapter, ...], str] = ((), "")
        self._parts: list[Part] = []

    def tell(self, unit: UnitView | None, on_seek: Callable[[int], None], *, may: bool) -> None:
        """Show where the learner is; `may`: the session allows to go back. Rows stay, so that focus stays, too."""
        chapters = unit.chapters if unit is not None else ()
        if self._held != (chapters, tongue.language):
            self._held = (chapters, tongue.language)
            self._parts = [_part(number, chapter, on_seek) for number, chapter in enumerate(chapters, 1)]
            heading = [Say(words=tongue.say("lesson.chapters"), strong=True)] if chapters else []
            self.hold(*heading, *self._parts)
        if unit is None:
            return
        for number, (part, name) in enumerate(zip(self._parts, lines.chapters(unit, tongue.language), strict=True), 1):
            part.name, part.here = name, unit.chapter == number
            part.disabled = not may or part.at_ms > unit.seen_ms


def _part(number: int, chapter: Chapter, on_seek: Callable[[int], None]) -> Part:
    part = Part(begins=i18n.stamp(chapter.at_ms), at_ms=chapter.at_ms)
    part.title = f"{number}. {tongue.of(chapter.title)}"
    part.bind(on_release=lambda _: on_seek(chapter.at_ms))
    return part
