"""The overview: courses with what is counted, one large button for the next lesson, what waits for the network."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from client.player.screens.base import Screen, kv_of
from client.player.shown import Course, Today
from client.player.widgets import tongue
from client.player.widgets.kit import Card, Fact, Pill, Push

kv_of(__file__)


class CourseCard(Card):
    """One course."""

    title = StringProperty("")
    figures = StringProperty("")
    units = StringProperty("")
    share = NumericProperty(0)


class TodayScreen(Screen):
    """Renders `Today`; `on_open(registration)`, `on_reload()`, `on_face()`."""

    may_face = BooleanProperty(False)

    def __init__(
        self, on_open: Callable[[str], None], on_reload: Callable[[], None], on_face: Callable[[], None], **kwargs: Any
    ) -> None:
        self._on_open, self._on_reload, self._on_face = on_open, on_reload, on_face
        super().__init__(**kwargs)

    def retell(self) -> None:
        """Everything again; this screen changes seldom."""
        shown: Today = self.shown
        self.ids.hello.words = tongue.say("today.hello", name=shown.name)
        self.may_face = shown.face and not shown.busy
        self.ids.trouble.tell(shown.trouble)
        self.ids.state.hold(*self._state(shown))
        primary = next((c.registration for c in shown.courses if not c.complete), "")
        cards = [self._card(c, shown.busy, c.registration == primary) for c in shown.courses]
        self.ids.courses.hold(*cards)
        self.ids.empty.hold(*([] if cards or shown.busy or shown.trouble else [self._empty()]))

    def _state(self, shown: Today) -> list[Fact]:
        said = []
        if shown.busy:
            said.append(("today.loading", "unknown"))
        if shown.pending:
            said.append(("today.sending" if shown.online else "today.unsent", "good" if shown.online else "todo"))
        if shown.identity_open:
            said.append(("today.identity_open", "todo"))
        if shown.sparing:
            said.append(("today.sparing", "unknown"))
        return [Fact(words=tongue.say(key, count=shown.pending), mood=mood) for key, mood in said]

    def _card(self, course: Course, busy: bool, first: bool) -> CourseCard:
        share = course.credited_ms / max(course.all_ms, 1)
        done, whole = tongue.long(course.credited_ms), tongue.long(course.all_ms)
        following = course.next_unit
        units = (
            tongue.say("today.next", count=course.units, unit=following)
            if following is not None
            else tongue.say("today.units", count=course.units)
        )
        card = CourseCard(
            title=tongue.of(course.title), share=share, units=units,
            figures=tongue.say("today.credited", done=done, all=whole),
        )  # fmt: skip
        state, mood = (
            ("complete", "good") if course.complete else ("progress", "plain") if share else ("fresh", "plain")
        )
        card.ids.pills.add_widget(Pill(words=tongue.say(f"today.{state}"), mood=mood))
        if course.make_up_ms:
            words = tongue.say("today.make_up", time=tongue.long(course.make_up_ms))
            card.ids.pills.add_widget(Pill(words=words, mood="todo"))
        push = Push(words=self._label(course, share), kind="primary" if first else "quiet", disabled=busy, icon="play")
        push.name = "today.open"
        push.bind(on_release=lambda _: self._on_open(course.registration))
        card.add_widget(push)
        return card

    @staticmethod
    def _label(course: Course, share: float) -> str:
        if course.complete:
            return tongue.say("today.again")
        return tongue.say("today.continue" if share else "today.start")

    def _empty(self) -> Card:
        card = EmptyCard()
        card.ids.reload.bind(on_release=lambda _: self._on_reload())
        return card


class EmptyCard(Card):
    """No course yet."""
