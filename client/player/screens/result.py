"""The result: what counted, what does not yet and why, and one button that makes up just those parts."""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, StringProperty

from client.player import i18n
from client.player.screens.base import Screen, kv_of
from client.player.widgets import tongue
from client.player.widgets.kit import Card, Row
from client.player.widgets.say import Say
from client.view import Part, ResultView, Worth

kv_of(__file__)
MOST = 12  # times of photos in one sentence


class PartRow(Row):
    """One stretch that is not counted yet."""

    title = StringProperty("")
    reason = StringProperty("")
    length = StringProperty("")


class WorthCard(Card):
    """Credit points and class hours, and why."""

    wide = BooleanProperty(True)
    figure = StringProperty("")
    hours = StringProperty("")
    hours_caption = StringProperty("")

    def __init__(self, worth: Worth, **kwargs: Any) -> None:
        super().__init__(figure=worth.points, hours=worth.hours,
                         hours_caption=tongue.say("points.class_hours", minutes=worth.minutes), **kwargs)  # fmt: skip
        for said in worth.why:
            self.ids.why.add_widget(Say(words=tongue.say(said)))


class ResultScreen(Screen):
    """Renders `client.view.ResultView`; `on_make_up()` and `on_done()`."""

    def __init__(self, on_make_up: Callable[[], None], on_done: Callable[[], None], **kwargs: Any) -> None:
        self._on_make_up, self._on_done = on_make_up, on_done
        super().__init__(**kwargs)
        self.fbind("wide", self._retell)

    def retell(self) -> None:
        """All figures."""
        shown: ResultView = self.shown
        ids = self.ids
        ids.credited.words = tongue.long(shown.credited_ms)
        ids.how.words = tongue.say(f"result.how_{shown.how}")
        ids.all.words = tongue.long(shown.credited_all_ms)
        ids.checks.words = tongue.say("result.of", some=shown.checks_passed, all=shown.checks_all)
        ids.records.words = str(shown.records)
        ids.sent.words = tongue.say("result.sent" if shown.sent else "result.unsent")
        ids.sent.mood = "good" if shown.sent else "todo"
        ids.photos.words = self._photos(shown.photos)
        ids.worth.hold(*([WorthCard(shown.worth, wide=self.wide)] if shown.worth is not None else []))
        ids.parts.hold(*(self._part(p) for p in shown.parts))
        ids.parts_title.words = tongue.say("result.parts" if shown.parts else "result.parts_none")
        missing = sum(p.to_ms - p.from_ms for p in shown.parts if p.make_up)
        done = ("result.done", "quiet" if missing else "primary", self._on_done)
        ids.actions.offer(*([("result.make_up", "primary", self._on_make_up)] if missing else []), done)
        for push in ids.actions.children:
            if push.name == "result.make_up":
                push.words = tongue.say("result.make_up", time=tongue.long(missing))

    @staticmethod
    def _photos(taken: tuple[int, ...]) -> str:
        """When sealed photos were taken, by this computer's clock; nothing without any."""
        times = [time.strftime("%H:%M", time.localtime(ms / 1000)) for ms in taken]
        listed = ", ".join(times[:MOST]) + (" …" if len(times) > MOST else "")
        return tongue.say("result.photos", count=len(times), times=listed) if times else ""

    @staticmethod
    def _part(part: Part) -> PartRow:
        start, end = i18n.stamp(part.from_ms), i18n.stamp(part.to_ms)
        return PartRow(
            title=tongue.of(part.title),
            reason=tongue.say("result.part", reason=part.reason, **{"from": start, "to": end}),
            length=tongue.long(part.to_ms - part.from_ms),
        )
