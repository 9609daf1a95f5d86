"""The overview: what is left and how much of it today, one large button for the next lesson, what waits."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date
from typing import Any

from kivy.properties import BooleanProperty, NumericProperty, StringProperty

from client.player.screens.base import Screen, kv_of
from client.player.shown import Course, Today
from client.player.widgets import tongue
from client.player.widgets.kit import Card, Fact, Pill, Push
from client.today import Plan
from client.view import Sentence

kv_of(__file__)
ALWAYS = ("00:00", "24:00")


class CourseCard(Card):
    """One course."""

    title = StringProperty("")
    figures = StringProperty("")
    units = StringProperty("")
    share = NumericProperty(0)
    wide = BooleanProperty(True)


class EmptyCard(Card):
    """No course yet."""


class TodayScreen(Screen):
    """Renders `Today`; `on_open(registration)`, `on_make_up(registration)`, `on_timeline(registration)`, `on_reload()`,
    `on_face()`, `on_rights()`."""

    def __init__(
        self,
        on_open: Callable[[str], None],
        on_reload: Callable[[], None],
        on_face: Callable[[], None],
        on_make_up: Callable[[str], None] = lambda _: None,
        on_timeline: Callable[[str], None] = lambda _: None,
        on_rights: Callable[[], None] = lambda: None,
        on_send: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        self._on_open, self._on_reload, self._on_face = on_open, on_reload, on_face
        self._on_make_up, self._on_timeline, self._on_rights = on_make_up, on_timeline, on_rights
        self._on_send = on_send
        super().__init__(**kwargs)
        self.fbind("wide", self._retell)

    def retell(self) -> None:
        """Everything again; this screen changes seldom."""
        shown: Today = self.shown
        self.ids.hello.words = tongue.say("today.hello", name=shown.name) if shown.name else ""
        self.ids.trouble.tell(shown.trouble)
        self.ids.state.hold(*self._state(shown))
        primary = next((c.registration for c in shown.courses if not c.complete), "")
        cards = [self._card(c, shown.busy, c.registration == primary) for c in shown.courses]
        self.ids.courses.hold(*cards)
        self.ids.empty.hold(*([] if cards or shown.busy or shown.trouble else [self._empty()]))
        self.ids.foot.clear_widgets()
        for push in self._foot(shown):
            self.ids.foot.add_widget(push)

    def _state(self, shown: Today) -> list[Fact]:
        said: list[tuple[str | Sentence, str]] = []
        if shown.bell is not None:
            said.append((shown.bell, "plain"))
        if shown.busy:
            said.append(("today.loading", "unknown"))
        if shown.standing:
            said += [(one, "todo" if shown.waiting and not shown.online else "plain") for one in shown.standing]
        elif shown.pending:
            said.append(("today.sending" if shown.online else "today.unsent", "good" if shown.online else "todo"))
        if shown.identity_open:
            said.append(("today.identity_open", "todo"))
        if shown.sparing:
            said.append(("today.sparing", "unknown"))
        icons = {"bell.now": "bell", "bell.missed": "bell", "today.loading": "clock"}
        return [
            Fact(words=tongue.say(key, count=shown.pending), mood=mood, icon=icons.get(_key(key), ""))
            for key, mood in said
        ]

    def _foot(self, shown: Today) -> Iterator[Push]:
        if shown.waiting:
            yield self._push("sync.send_now", "plain", "again", self._on_send, shown.busy)
        if shown.face:
            yield self._push("today.face", "plain", "look", self._on_face, shown.busy)
        if shown.name:
            yield self._push("today.rights", "plain", "scales", self._on_rights, shown.busy)

    # --- one course -------------------------------------------------------------------------------------------------

    def _card(self, course: Course, busy: bool, first: bool) -> CourseCard:
        share = course.credited_ms / max(course.all_ms, 1)
        card = CourseCard(title=tongue.of(course.title), share=share, units=self._units(course), wide=self.wide,
                          figures=self._figures(course))  # fmt: skip
        for words, mood in self._pills(course, share):
            card.ids.pills.add_widget(Pill(words=words, mood=mood))
        for words, mood, icon in (*_live(course), *_planned(course)):
            card.ids.plan.add_widget(Fact(words=words, mood=mood, icon=icon))
        kind = "primary" if first else "quiet"
        push = self._push(self._label(course, share), kind, "play", lambda: self._on_open(course.registration), busy)
        push.large, push.name = first, "today.open"
        card.ids.main.add_widget(push)
        for other in self._others(course, busy):
            card.ids.more.add_widget(other)
        return card

    def _others(self, course: Course, busy: bool) -> Iterator[Push]:
        name = course.registration
        if course.make_up_ms:
            push = self._push("today.make_up_now", "quiet", "again", lambda: self._on_make_up(name), busy)
            push.words = tongue.say("today.make_up_now", time=tongue.long(course.make_up_ms))
            yield push
        if course.lines:
            yield self._push("today.timeline", "quiet", "list", lambda: self._on_timeline(name), busy)

    @staticmethod
    def _units(course: Course) -> str:
        if course.next_unit is not None:
            return tongue.say("today.next", count=course.units, unit=course.next_unit)
        return tongue.say("today.units", count=course.units)

    @staticmethod
    def _figures(course: Course) -> str:
        done, whole = tongue.long(course.credited_ms), tongue.long(course.all_ms)
        said = tongue.say("today.credited", done=done, all=whole)
        left = course.plan.left_ms if course.plan is not None else 0
        return f"{said} · {tongue.say('today.left', time=tongue.long(left))}" if left else said

    @staticmethod
    def _pills(course: Course, share: float) -> Iterator[tuple[str, str]]:
        state = "complete" if course.complete else "progress" if share else "fresh"
        yield tongue.say(f"today.{state}"), "good" if course.complete else "plain"
        if course.make_up_ms:
            yield tongue.say("today.make_up", time=tongue.long(course.make_up_ms)), "todo"

    @staticmethod
    def _label(course: Course, share: float) -> str:
        return "today.again" if course.complete else "today.continue" if share else "today.start"

    @staticmethod
    def _push(key: str, kind: str, icon: str, act: Callable[[], None], busy: bool) -> Push:
        push = Push(words=tongue.say(key), kind=kind, icon=icon, disabled=busy)
        push.name = key
        push.bind(on_release=lambda _: act())
        return push

    def _empty(self) -> Card:
        card = EmptyCard()
        card.ids.reload.bind(on_release=lambda _: self._on_reload())
        return card


LIVE_MOODS = {"today.live_at": "unknown", "today.live_in": "plain"}  # the others ask for something now


def _live(course: Course) -> Iterator[tuple[str, str, str]]:
    """Live lessons: the one that is on, the next ones. Who opens the course in time need do nothing else."""
    for said in course.live:
        yield tongue.say(said), LIVE_MOODS.get(said.key, "todo"), "live"


def _planned(course: Course) -> Iterator[tuple[str, str, str]]:
    """The deadline, the share of today, and what limits a day: said before the lesson."""
    plan = course.plan
    if plan is None or not plan.left_ms:
        return
    if course.due is not None and plan.days is not None:
        yield _deadline(course.due, plan, course.own_goal), "todo" if plan.close else "unknown", "calendar"
    if plan.left_today_ms:
        key = "today.share" if plan.left_today_ms == plan.share_ms else "today.share_left"
        yield tongue.say(key, time=tongue.long(plan.share_ms), left=tongue.long(plan.left_today_ms)), "plain", "clock"
    else:
        yield tongue.say("today.share_done"), "good", ""
    if course.cap_ms and course.window != ALWAYS:
        hours = {"from": course.window[0], "to": course.window[1]}
        yield tongue.say("today.limits", time=tongue.long(course.cap_ms), **hours), "unknown", "notice"
    elif course.cap_ms:
        yield tongue.say("today.cap", time=tongue.long(course.cap_ms)), "unknown", "notice"
    elif course.window != ALWAYS:
        yield tongue.say("today.window", **{"from": course.window[0], "to": course.window[1]}), "unknown", "notice"


def _key(said: str | Sentence) -> str:
    return said.key if isinstance(said, Sentence) else said


def _deadline(due: date, plan: Plan, own: bool) -> str:
    if plan.days == 0:
        return tongue.say("today.goal_over" if own else "today.due_over", day=due.isoformat())
    if not plan.enough:
        return tongue.say("today.tight", day=due.isoformat())
    return tongue.say("today.goal" if own else "today.due", day=due.isoformat(), days=plan.days or 0)
