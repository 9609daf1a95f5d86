"""The settings: colours, size of text, reminders, goals. Every choice holds at once; nothing is sent anywhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import date, timedelta
from functools import partial
from typing import Any, Final

from kivy.metrics import dp
from kivy.properties import BooleanProperty, StringProperty
from kivy.uix.widget import Widget

from client.player.pages import Goal, Settings
from client.player.screens.base import Screen, kv_of
from client.player.widgets import look, tongue
from client.player.widgets.kit import Card, Choice, Fact, Push
from client.player.widgets.say import Say
from client.preferences import DAY_MINUTES, DAYS, MOST, SCALES, Looks, Reminder

kv_of(__file__)
STEP_MINUTES: Final = 15
FIRST: Final = Reminder(19 * 60 + 30, tuple(range(DAYS)))
FIRST_GOAL: Final = timedelta(days=30)
STEPS: Final = (-7, -1, 1, 7)


class ReminderCard(Card):
    """One reminder."""

    clock = StringProperty("")

    @staticmethod
    def beside(width: float, scale: float) -> int:
        """How many of the seven days stand beside each other in a card of this width, so that each stays a word."""
        room = width / dp(scale)
        return 7 if room >= 480 else 4 if room >= 308 else 3 if room >= 268 else 2


class GoalCard(Card):
    """The goal of one course."""

    title = StringProperty("")
    day = StringProperty("")
    wide = BooleanProperty(True)


class SettingsScreen(Screen):
    """Renders `Settings`; `on_looks(Looks)`, `on_reminders(reminders)`, `on_goal(registration, day)`,
    `on_sign_out()`, `on_ways()`."""

    def __init__(
        self,
        on_looks: Callable[[Looks], None],
        on_reminders: Callable[[tuple[Reminder, ...]], None],
        on_goal: Callable[[str, date | None], None],
        on_sign_out: Callable[[], None],
        on_ways: Callable[[], None] = lambda: None,
        **kwargs: Any,
    ) -> None:
        self._on_looks, self._on_reminders, self._on_goal = on_looks, on_reminders, on_goal
        self._on_sign_out, self._on_ways = on_sign_out, on_ways
        super().__init__(**kwargs)
        self.fbind("wide", self._retell)

    def retell(self) -> None:
        """Everything again; the keyboard stays where it was."""
        shown: Settings = self.shown
        focused = next((w.name for w in self.walk(restrict=True) if getattr(w, "focus", False)), "")
        self.ids.trouble.tell(shown.trouble)
        self._fill(self.ids.colours, self._colours(shown.looks))
        self._fill(self.ids.scales, self._scales(shown.looks))
        self.ids.own.hold(*(self._own(shown) if shown.signed_in else ()))
        again = next((w for w in self.walk(restrict=True) if focused and getattr(w, "name", "") == focused), None)
        if again is not None:
            again.focus = True

    @staticmethod
    def _fill(grid: Any, widgets: Iterator[Widget]) -> None:
        grid.clear_widgets()
        for widget in widgets:
            grid.add_widget(widget)

    # --- looks ------------------------------------------------------------------------------------------------------

    def _colours(self, looks: Looks) -> Iterator[Choice]:
        for dark in (False, True):
            words = tongue.say("settings.dark" if dark else "settings.light")
            chosen = Looks(dark, looks.scale)
            yield self._choice(f"dark {dark}", words, looks.dark == dark, partial(self._on_looks, chosen))

    def _scales(self, looks: Looks) -> Iterator[Choice]:
        for scale in SCALES:
            chosen = Looks(looks.dark, scale)
            words = tongue.say("settings.scale", percent=scale)
            yield self._choice(f"scale {scale}", words, looks.scale == scale, partial(self._on_looks, chosen))

    # --- reminders and goals ----------------------------------------------------------------------------------------

    def _own(self, shown: Settings) -> Iterator[Widget]:
        yield self._reminders(shown)
        if shown.goals:
            yield self._goals(shown)
        yield self._push("ways.title", "quiet", self._on_ways)
        yield self._push("app.sign_out", "quiet", self._on_sign_out)

    def _reminders(self, shown: Settings) -> Card:
        card = Card(spacing="12dp")
        card.add_widget(Say(words=tongue.say("settings.reminders"), strong=True))
        for number, reminder in enumerate(shown.reminders):
            card.add_widget(self._reminder(shown.reminders, number, reminder))
        if shown.following:
            card.add_widget(Fact(words=tongue.say("settings.following", at=shown.following), mood="plain", icon="bell"))
        if len(shown.reminders) < MOST:
            card.add_widget(
                self._push("settings.add", "quiet", lambda: self._on_reminders((*shown.reminders, FIRST)))
            )
        key = "settings.honest" if shown.outside else "settings.honest_inside"
        card.add_widget(Say(words=tongue.say(key), points=14, ink=look.colour("MUTED")))
        return card

    def _reminder(self, all_: tuple[Reminder, ...], number: int, one: Reminder) -> ReminderCard:
        card = ReminderCard(clock=one.clock)

        def replaced(*new: Reminder) -> Callable[[Any], None]:
            return lambda _: self._on_reminders((*all_[:number], *new, *all_[number + 1 :]))

        for name, step in (("sooner", -STEP_MINUTES), ("later", STEP_MINUTES)):
            push = card.ids[name]
            push.name = f"{name} {number}"
            push.bind(on_release=replaced(Reminder((one.minute + step) % DAY_MINUTES, one.days)))
        card.ids.drop.name = f"remove {number}"
        card.ids.drop.bind(on_release=replaced())
        for day in range(DAYS):
            days = tuple(sorted(set(one.days) ^ {day})) or one.days
            choice = self._choice(f"day {number} {day}", tongue.say(f"settings.day_{day}"), day in one.days, None)
            choice.bind(on_release=replaced(Reminder(one.minute, days)))
            card.ids.days.add_widget(choice)
        return card

    def _goals(self, shown: Settings) -> Card:
        card = Card(spacing="12dp")
        card.add_widget(Say(words=tongue.say("settings.goals"), strong=True))
        card.add_widget(Say(words=tongue.say("settings.goals_lead"), points=14, ink=look.colour("MUTED")))
        for goal in shown.goals:
            card.add_widget(self._goal(goal, shown.today))
        return card

    def _goal(self, goal: Goal, today: date) -> GoalCard:
        day = goal.due.isoformat() if goal.due is not None else tongue.say("settings.no_goal")
        if goal.fixed:
            day = tongue.say("settings.fixed_goal", day=day)
        card = GoalCard(title=tongue.of(goal.title), day=day, wide=self.wide)
        for push in self._steps(goal, today) if not goal.fixed else ():
            card.ids.steps.add_widget(push)
        return card

    def _steps(self, goal: Goal, today: date) -> Iterator[Push]:
        name = goal.registration
        if goal.due is None:
            yield self._push("settings.set_goal", "quiet", lambda: self._on_goal(name, today + FIRST_GOAL))
            return
        for step in STEPS:
            day = goal.due + timedelta(days=step)
            words = tongue.say("settings.days", days=f"+{step}" if step > 0 else f"−{-step}")
            push = self._push(words, "quiet", partial(self._on_goal, name, day))
            push.name = f"goal {name[:8]} {step}"
            yield push
        yield self._push("settings.clear_goal", "plain", lambda: self._on_goal(name, None))

    # --- small things -----------------------------------------------------------------------------------------------

    @staticmethod
    def _choice(name: str, words: str, chosen: bool, act: Callable[[], None] | None) -> Choice:
        choice = Choice(words=words, chosen=chosen)
        choice.name = name
        if act is not None:
            choice.bind(on_release=lambda _: act())
        return choice

    @staticmethod
    def _push(key: str, kind: str, act: Callable[[], None]) -> Push:
        push = Push(words=tongue.say(key), kind=kind)
        push.name = key
        push.bind(on_release=lambda _: act())
        return push
