"""The notice (培训须知), the learner's promise, and two separate consents: nothing is ticked beforehand."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from client.player.screens.base import Screen, kv_of
from client.player.shown import Choices, Notice
from client.player.widgets import tongue

kv_of(__file__)
UNDECIDED, DECLINED, AGREED = -1, 0, 1


class NoticeScreen(Screen):
    """Renders `Notice`; `on_done(Choices)` once everything is answered."""

    read = BooleanProperty(False)
    promised = BooleanProperty(False)
    face = NumericProperty(UNDECIDED)
    photos = NumericProperty(UNDECIDED)
    missing = StringProperty("")
    ready = BooleanProperty(False)

    def __init__(self, on_done: Callable[[Choices], None], **kwargs: Any) -> None:
        self._on_done = on_done
        super().__init__(**kwargs)
        for name in ("read", "promised", "face", "photos"):
            self.fbind(name, self._look)
        self.render(Notice())

    def retell(self) -> None:
        """The trouble, and what is still open."""
        self.ids.trouble.tell(self.shown.trouble)
        self._look()

    def done(self) -> None:
        """Continue was pressed."""
        if self.ready:
            self._on_done(Choices(self.read, self.promised, self.face == AGREED, self.photos == AGREED))

    def _look(self, *_: Any) -> None:
        still_open = [
            key
            for key, is_open in (
                ("notice.missing_read", not self.read),
                ("notice.missing_promise", not self.promised),
                ("notice.missing_face", self.face == UNDECIDED),
                ("notice.missing_photos", self.photos == UNDECIDED),
            )
            if is_open
        ]
        self.missing = tongue.say(still_open[0] if still_open else "notice.ready")
        self.ready = not still_open and not self.shown.busy
