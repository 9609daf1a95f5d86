"""One course, unit by unit: a bar with its legend, and the same as a list that a keyboard or a reader can walk."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any, Final

from kivy.graphics import Color, Rectangle
from kivy.metrics import dp
from kivy.properties import BooleanProperty, ListProperty, NumericProperty, StringProperty
from kivy.uix.boxlayout import BoxLayout
from kivy.uix.widget import Widget

from client.player import i18n, theme
from client.player.pages import Timeline
from client.player.screens.base import Screen, kv_of
from client.player.widgets import look, tongue
from client.player.widgets.kit import Card, Push, Tappable
from client.timeline import Stretch, UnitLine, legs, length

# kind → token of its colour, and how much of the bar's height it fills: told apart without seeing colours
KINDS: Final = {
    "credited": ("GREEN", 1.0), "waiting": ("BLUE", 0.7), "unproven": ("AMBER", 0.45), "unseen": ("EDGE", 0.2),
}  # fmt: skip
MOST: Final = 30  # stretches of a unit in the list


kv_of(__file__)


class Strip(Widget):
    """A unit from its begin to its end; every stretch at least as wide as a hair."""

    stretches = ListProperty([])
    tint = BooleanProperty(False)  # follows the colours of now

    def __init__(self, **kwargs: Any) -> None:
        super().__init__(**kwargs)
        for name in ("pos", "size", "stretches", "tint"):
            self.fbind(name, self._draw)

    def _draw(self, *_: Any) -> None:
        self.canvas.clear()
        if not self.stretches:
            return
        whole = max(self.stretches[-1].to_ms, 1)
        with self.canvas:
            for stretch in self.stretches:
                token, share = KINDS[stretch.kind]
                Color(*theme.rgba(look.colour(token)))
                left = self.x + self.width * stretch.from_ms / whole
                wide = max(self.width * stretch.ms / whole - dp(1), dp(2))
                high = self.height * share
                Rectangle(pos=(left, self.center_y - high / 2), size=(wide, high))


class Legend(BoxLayout):
    """What a colour and a height mean, and how much there is of it."""

    words = StringProperty("")
    ink = StringProperty("")
    share = NumericProperty(1)
    limit = NumericProperty(0)


class StretchRow(Tappable, BoxLayout):
    """One stretch in words."""

    title = StringProperty("")
    reason = StringProperty("")
    length = StringProperty("")
    ink = StringProperty("")

    @property
    def words(self) -> str:
        """All of it, as a reader says it."""
        return " · ".join(part for part in (self.title, self.reason, self.length) if part)


class UnitCard(Card):
    """One unit."""

    title = StringProperty("")
    figures = StringProperty("")


class TimelineScreen(Screen):
    """Renders `Timeline`; `on_make_up(registration, unit)`: "" for all units."""

    def __init__(self, on_make_up: Callable[[str, str], None], **kwargs: Any) -> None:
        self._on_make_up = on_make_up
        super().__init__(**kwargs)

    def retell(self) -> None:
        """Every unit again; this screen changes seldom."""
        shown: Timeline = self.shown
        course = shown.course
        self.ids.title.words = tongue.of(course.title)
        self.ids.trouble.tell(shown.trouble)
        missing = length(legs(course.lines))
        whole = [self._push("timeline.make_up_all", missing, "", "primary", shown.busy)] if missing else []
        several = len([line for line in course.lines if legs(course.lines, line.unit)]) > 1
        self.ids.all.hold(*(whole if several or not missing else []))
        first = missing > 0 and not several
        self.ids.units.hold(*(self._card(line, first, shown.busy) for line in course.lines))

    def _card(self, line: UnitLine, first: bool, busy: bool) -> UnitCard:
        done, whole = tongue.long(line.sum("credited")), tongue.long(line.duration_ms)
        card = UnitCard(title=tongue.of(line.title), figures=tongue.say("today.credited", done=done, all=whole))
        card.ids.strip.stretches = list(line.stretches)
        for legend in self._legend(line):
            card.ids.legend.add_widget(legend)
        for row in self._rows(line, busy):
            card.ids.rows.add_widget(row)
        missing = length(legs(self.shown.course.lines, line.unit))
        if missing:
            kind = "primary" if first else "quiet"
            card.ids.main.add_widget(self._push("timeline.make_up", missing, line.unit, kind, busy))
        return card

    def _legend(self, line: UnitLine) -> Iterator[Legend]:
        for kind, (token, share) in KINDS.items():
            ms = line.sum(kind)  # type: ignore[arg-type]
            if ms:
                words = tongue.say(f"timeline.{kind}", time=tongue.long(ms))
                ink = look.colour("MUTED" if kind == "unseen" else token)
                yield Legend(words=words, ink=ink, share=max(share, 0.3), limit=dp(260))

    def _rows(self, line: UnitLine, busy: bool) -> Iterator[StretchRow]:
        for stretch in line.stretches[:MOST]:
            yield self._row(line, stretch, busy)
        more = len(line.stretches) - MOST
        if more > 0:
            yield StretchRow(title=tongue.say("timeline.more", count=more))

    def _row(self, line: UnitLine, stretch: Stretch, busy: bool) -> StretchRow:
        start, end = i18n.stamp(stretch.from_ms), i18n.stamp(stretch.to_ms)
        row = StretchRow(
            title=tongue.say(f"timeline.row_{stretch.kind}", **{"from": start, "to": end}),
            reason=tongue.of(stretch.why) if stretch.why is not None else "",
            length=tongue.long(stretch.ms),
            ink=look.colour(KINDS[stretch.kind][0]),
        )
        row.name = f"stretch {stretch.from_ms}"
        if stretch.kind == "unproven" and not busy:
            row.bind(on_release=lambda _: self._on_make_up(self.shown.course.registration, line.unit))
        return row

    def _push(self, key: str, ms: int, unit: str, kind: str, busy: bool) -> Push:
        push = Push(words=tongue.say(key, time=tongue.long(ms)), kind=kind, icon="again", disabled=busy)
        push.name = key
        push.bind(on_release=lambda _: self._on_make_up(self.shown.course.registration, unit))
        return push
