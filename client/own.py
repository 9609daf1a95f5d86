"""The learner's own pages beside the lessons: a course's timeline, the rights, the settings; and the reminders.

One instance a window, driven by the journey: `stage` puts values on the screen and runs slow work, `enter` says who is
signed in. Nothing here touches a session.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any, Final

from client import rights
from client.errors import ClientError, DiskError
from client.notify import Notifier, notifier
from client.player import i18n
from client.player.pages import Goal, Rights, Settings, Timeline
from client.player.shown import Course, Today, trouble_of
from client.ports import Clock
from client.preferences import Looks, Reminder, Wishes, load_looks, load_wishes, save_looks, save_wishes
from client.reminders import Due, due, following
from client.sync.enrol import Enrolment, Registration
from client.today import local
from client.view import Sentence

EVERY_DAY: Final = tuple(range(7))
FIRST_MINUTE: Final = 19 * 60 + 30
STEP_MINUTES: Final = 15
FIRST_GOAL: Final = timedelta(days=30)
LATEST_GOAL: Final = timedelta(days=730)


@dataclass(frozen=True, slots=True)
class Stage:
    """The window's page, as the journey owns it."""

    here: Callable[[], tuple[str, Any]]  # the page, and what it shows
    put: Callable[[str, Any], None]
    change: Callable[..., None]
    later: Callable[[Callable[[], Any], Callable[[Any], None]], None]
    home: Callable[[], None]
    language: Callable[[], str]


@dataclass(frozen=True, slots=True)
class _Who:
    """Who is signed in."""

    enrolment: Enrolment
    registrations: tuple[Registration, ...]

    @property
    def folder(self) -> Path:
        return self.enrolment.profile.folder


class Own:
    """See the module."""

    def __init__(
        self, stage: Stage, clock: Clock, data: Path, saves: Path | None = None, outside: Notifier | None = None
    ) -> None:
        """`data`: the machine's folder; `saves`: where copies go (the user's downloads, else below `data`)."""
        self._stage, self._clock, self._data = stage, clock, data
        self._saves = saves or data / "exports"
        self._outside = outside or notifier()
        self._who: _Who | None = None
        self._courses: tuple[Course, ...] = ()
        self._wishes = Wishes()
        self._before: tuple[str, Any] | None = None
        self.looks = load_looks(data)

    def enter(self, enrolment: Enrolment, registrations: Sequence[Registration]) -> None:
        """Somebody signed in."""
        self._who = _Who(enrolment, tuple(registrations))
        self._wishes = load_wishes(self._who.folder)
        if not self._wishes.heard:
            self._wishes = replace(self._wishes, heard=self._clock.wall())

    def leave(self) -> None:
        """Nobody is signed in; nothing of the learner stays in memory here."""
        self._who, self._courses, self._wishes = None, (), Wishes()

    def listed(self, courses: tuple[Course, ...]) -> None:
        """The overview knows these courses now."""
        self._courses = courses

    # --- timeline -----------------------------------------------------------------------------------------------------

    def to_timeline(self, registration: str) -> None:
        """One course, unit by unit."""
        found = next((course for course in self._courses if course.registration == registration), None)
        if found is not None:
            self._stage.put("timeline", Timeline(found))

    # --- rights -------------------------------------------------------------------------------------------------------

    def to_rights(self) -> None:
        """Everything that is known of the learner."""
        if self._who is not None:
            self._stage.put("rights", Rights(busy=True))
            self._gather(None)

    def _gather(self, done: Sentence | None) -> None:
        who, courses = self._known(), self._courses

        def found(value: Rights) -> None:
            if self._stage.here()[0] == "rights":
                self._stage.put("rights", replace(value, done=done))

        self._stage.later(lambda: rights.gather(who.enrolment, who.registrations, courses), found)

    def decide(self, what: str, given: bool) -> None:
        """Give or withdraw a consent."""
        who, language = self._known(), self._stage.language()
        said = Sentence("rights.given" if given else "rights.withdrawn")
        self._stage.later(
            lambda: rights.decide(who.enrolment, who.registrations, what, language, given=given),
            lambda _: self._gather(said),
        )

    def write(self, what: str, text: str) -> None:
        """Send a statement, an appeal or a request for deletion; each class of the learner gets its own."""
        who = self._known()
        wanted = who.registrations if what == "deletion" else who.registrations[:1]

        def send() -> bool:
            """Whether somebody will look at words of it: it is sent all the same, and its writer is told."""
            sent = [rights.write(who.enrolment, registration, what, text) for registration in wanted]
            return any(one.marked for one in sent)

        def told(marked: bool) -> None:
            self._gather(Sentence("rights.wrote_marked" if marked else "rights.wrote"))

        self._stage.later(send, told)

    def save(self, what: str, text: str = "") -> None:
        """Save copies ("copy") or bundles for an appeal ("appeal") of every class."""
        who, day, language = self._known(), self._today(), self._stage.language()

        def make() -> list[Path]:
            if what == "copy":
                return [rights.copy(who.enrolment, one, self._saves, day) for one in who.registrations]
            return [
                rights.bundle(who.enrolment, one, self._saves, day, language, text) for one in who.registrations
            ]

        def made(paths: list[Path]) -> None:
            if paths:
                names = ", ".join(path.name for path in paths)
                said = Sentence("rights.saved", {"names": names, "folder": str(paths[0].parent)})
                self._gather(said)

        self._stage.later(make, made)

    # --- settings -----------------------------------------------------------------------------------------------------

    def to_settings(self) -> None:
        """Colours, size of text, reminders, goals; the way back leads to where one was."""
        here = self._stage.here()
        if here[0] != "settings":
            self._before = self._before if here[0] == "ways" else here
            self._stage.put("settings", self._settings())

    def back(self) -> None:
        """From one of these pages to where one was."""
        before, self._before = self._before, None
        if self._stage.here()[0] == "settings" and before is not None and before[0] not in ("today", "result"):
            self._stage.put(*before)
        else:
            self._stage.home()

    def set_looks(self, looks: Looks) -> None:
        """Light or dark, larger or smaller text: at once, and for the next start."""
        self.looks = looks
        self._keep(lambda: save_looks(self._data, looks))

    def set_reminders(self, reminders: tuple[Reminder, ...]) -> None:
        """These from now on; nothing that lies behind is told."""
        self._wish(replace(self._wishes, reminders=reminders, heard=self._clock.wall()))

    def set_goal(self, registration: str, day: date | None) -> None:
        """The day to be through by, or none."""
        goals = {name: due_ for name, due_ in self._wishes.goals.items() if name != registration}
        if day is not None:
            goals[registration] = min(max(day, self._today()), self._today() + LATEST_GOAL)
        self._wish(replace(self._wishes, goals=goals))

    def _wish(self, wishes: Wishes) -> None:
        self._wishes = wishes
        who = self._known()
        self._keep(lambda: save_wishes(who.folder, wishes))

    def _keep(self, save: Callable[[], None]) -> None:
        trouble = None
        try:
            save()
        except DiskError as error:
            trouble = trouble_of(error, "")
        if self._stage.here()[0] == "settings":
            self._stage.put("settings", replace(self._settings(), trouble=trouble))

    def _settings(self) -> Settings:
        now = self._now()
        coming = following(self._wishes.reminders, now)
        goals = tuple(self._goal(course) for course in self._courses if not course.complete)
        return Settings(
            looks=self.looks,
            reminders=self._wishes.reminders,
            goals=goals if self._who else (),
            today=self._today(),
            following=coming.strftime("%m-%d %H:%M") if coming else "",
            outside=self._outside.here,
            signed_in=self._who is not None,
        )

    def _goal(self, course: Course) -> Goal:
        fixed = course.due is not None and not course.own_goal
        day = course.due if fixed else self._wishes.goals.get(course.registration)
        return Goal(course.registration, course.title, day, fixed)

    # --- reminders ----------------------------------------------------------------------------------------------------

    def tick(self, studying: bool) -> None:
        """Tell a reminder that is due, once; whoever is studying needs none."""
        if self._who is None or not self._wishes.reminders:
            return
        found = due(self._wishes.reminders, local(self._wishes.heard), self._now())
        if found is None:
            return
        self._wishes = replace(self._wishes, heard=self._clock.wall())
        who, wishes = self._who, self._wishes
        with suppress(ClientError):  # told now; perhaps told again at the next start
            save_wishes(who.folder, wishes)
        if not studying:
            self._tell(found)

    def _tell(self, found: Due) -> None:
        said = Sentence("bell.missed" if found.missed else "bell.now", {"at": found.at.strftime("%m-%d %H:%M")})
        if isinstance(self._stage.here()[1], Today):
            self._stage.change(bell=said)
        if not found.missed:
            self._outside.tell(i18n.say(self._stage.language(), "app.name"), i18n.say(self._stage.language(), said))

    # --- small things -------------------------------------------------------------------------------------------------

    def _known(self) -> _Who:
        assert self._who is not None
        return self._who

    def _now(self) -> datetime:
        return local(self._clock.wall())

    def _today(self) -> date:
        return self._now().date()
