"""Below the picture of a unit of pages: which page it is, one back, and on once its time is over."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.metrics import dp

from client.player.book import Leaf
from client.player.playback import Playback
from client.player.screens.base import Slot
from client.player.widgets import tongue
from client.player.widgets.kit import Push, Row
from client.player.widgets.say import Say


class Leaves(Slot):
    """Takes room only while the unit has pages. `on_seek(ms)` goes to a page that was seen."""

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        self._told: tuple[Any, ...] = ()
        self.seen_ms = 0
        self.waits = False  # the page's time is over

    def tell(self, playback: Playback, on_seek: Callable[[int], None], *, may: bool) -> None:
        """Show where the reader is; `may`: the lesson is under way, and pages may be turned."""
        leaf = playback.leaf
        self.waits = leaf is not None and leaf.waits
        on = leaf is not None and may and (leaf.waits or self._seen(playback, leaf))
        told = (leaf and leaf.number, leaf and leaf.count, on, may, tongue.language)
        if told == self._told:
            return
        self._told = told
        if leaf is None:
            self.hold()
            return
        back = Push(words=tongue.say("lesson.page_back"), kind="quiet", hug=True, disabled=not may or leaf.number == 1)
        forth = Push(words=tongue.say("lesson.page_next"), kind="primary", hug=True, disabled=not on)
        back.bind(on_release=lambda _: on_seek(playback.page_begins(leaf.number - 1)))
        forth.bind(on_release=lambda _: self._forth(playback, leaf, on_seek))
        back.name, forth.name = "lesson.page_back", "lesson.page_next"
        number = Say(words=tongue.say("lesson.page", number=leaf.number, count=leaf.count), halign="center")
        number.pos_hint = {"center_y": 0.5}
        row = Row(wide=True, padding=(0, 0, 0, dp(8)))
        for widget in (back, number, forth):
            row.add_widget(widget)
        self.hold(row)

    def _seen(self, playback: Playback, leaf: Leaf) -> bool:
        return leaf.number < leaf.count and self.seen_ms >= playback.page_begins(leaf.number + 1)

    def _forth(self, playback: Playback, leaf: Leaf, on_seek: Callable[[int], None]) -> None:
        if not playback.turn() and self._seen(playback, leaf):
            on_seek(playback.page_begins(leaf.number + 1))
