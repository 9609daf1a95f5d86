"""What works on this computer, and for the rest one remedy each; a file for support that names nobody."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from kivy.properties import OptionProperty, StringProperty

from client.player.health import Health, Line
from client.player.screens.base import Screen, kv_of
from client.player.widgets import tongue
from client.player.widgets.kit import Fact, Row

kv_of(__file__)
COLON: Final = {"zh": "：", "en": ": "}


class DoctorLine(Row):
    """One thing to do: what, how it is, and the remedy."""

    title = StringProperty("")
    todo = StringProperty("")
    level = OptionProperty("warn", options=["warn", "fail"])

    def on_kv_post(self, _: Any) -> None:
        """The pill's word, once the pill is there."""
        self.ids.pill.words = tongue.say(f"doctor.{self.level}")
        self.ids.pill.mood = "todo"


class DoctorScreen(Screen):
    """Renders `Health`; `on_again()`, `on_bundle()` for a support bundle, `on_done()`."""

    def __init__(
        self, on_again: Callable[[], None], on_bundle: Callable[[], None], on_done: Callable[[], None], **kwargs: Any
    ) -> None:
        self._on_again, self._on_bundle, self._on_done = on_again, on_bundle, on_done
        super().__init__(**kwargs)

    def retell(self) -> None:
        """The verdict, what is to be done, and below it what is well."""
        shown: Health = self.shown
        todo = [*shown.of("fail"), *shown.of("warn")]
        key = "busy" if shown.busy else "fails" if shown.of("fail") else "warns" if todo else "fine"
        self.ids.verdict.words = tongue.say(f"doctor.{key}", count=len(shown.of("fail")) or len(todo))
        self.ids.lead.words = tongue.say("doctor.lead")
        self.ids.open.hold(*(self._open(line) for line in todo))
        self.ids.todo.opacity = 1 if todo else 0
        self.ids.good.hold(*(Fact(words=self._said(line)) for line in shown.of("ok")))
        self.ids.kept.words = tongue.say("doctor.kept", file=shown.kept) if shown.kept else ""
        self.ids.actions.offer(
            ("doctor.done", "primary", self._on_done),
            ("doctor.again", "quiet", self._on_again),
            ("doctor.bundle", "quiet", self._on_bundle),
            busy=shown.busy,
        )

    def _open(self, line: Line) -> DoctorLine:
        return DoctorLine(title=self._said(line), todo=tongue.of(line.remedy), level=line.level)

    @staticmethod
    def _said(line: Line) -> str:
        name = tongue.of(line.name)
        return f"{name[:1].upper()}{name[1:]}{COLON[tongue.language]}{tongue.of(line.says)}"
