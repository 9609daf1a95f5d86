"""The way of one learner through the client: notice, sign-in, real name, face enrolment, overview, lesson, result.

No toolkit and no threads of its own: `page` and `shown` say what stands on the screen, the methods are its buttons, and
`tick` is called about ten times a second. Slow work runs through `work`; whatever goes wrong there comes back as the
page's trouble, with the sentence and the remedy of the error.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any, Final, Literal

from client.arrival import Arrival
from client.config import Config
from client.courses import Opened, Shelf
from client.errors import ClientError, OtherSessionOpenError, SignedOutError, UnsentRecordsError
from client.events import SyncState
from client.identity import Identity, Signed, agree
from client.linking import Linking
from client.own import Own, Stage
from client.player import pages, shown
from client.player.shown import Choices, trouble_of
from client.ports import AgentPort, Clock, ForegroundProbe, PlayerPort, ProctorPort, Transport, UploaderPort
from client.profile import Profile, learners
from client.study import Ports, Study
from client.sync.enrol import Enrolment, Me, Registration, expect_server
from client.view import ResultView, View

Page = Literal[
    "notice", "sign_in", "real_name", "enrol", "today", "lesson", "result", "timeline", "rights", "settings", "ways"
]  # fmt: skip
Shown = (
    shown.Notice | shown.SignIn | shown.RealName | shown.Enrol | shown.Today | View | ResultView
    | pages.Timeline | pages.Rights | pages.Settings | pages.Ways
)  # what the page of that name renders
Work = Callable[[Callable[[], Any]], "Future[Any]"]

STANDING_EVERY_MS: Final = 3_000  # between two looks at how the records stand


@dataclass(frozen=True, slots=True)
class Kit:
    """What the machine gives: made by `client/app.py` with a screen, by tests without."""

    clock: Clock
    transport: Transport  # used by `work` alone
    player: PlayerPort
    foreground: ForegroundProbe
    proctor: ProctorPort
    agent: AgentPort
    uploader: Callable[[Enrolment, Sequence[Registration]], UploaderPort]
    about: str
    agent_about: str
    sparing: bool = False  # this machine runs at low load (client/fit.py)
    saves: Path | None = None  # where copies go that the learner asks for; below the data folder where None
    here: Callable[[str], None] = lambda _learner: None  # who signed in, "" nobody: nobody else touches their records
    others: Callable[[], int] = lambda: 0  # sessions of other learners on this computer that wait to be sent
    beside: Callable[[], Transport] | None = None  # a connection for a thread that is not `work`'s


class Journey:
    """Where the learner is. One instance a window; one learner at a time."""

    def __init__(self, config: Config, kit: Kit, work: Work) -> None:
        self._config, self._kit, self._work = config, kit, work
        self._jobs: list[tuple[Future[Any], Callable[[Any], None]]] = []
        self._choices: Choices | None = None
        self._stood_at = -STANDING_EVERY_MS
        self._signed: Signed | None = None
        self._uploader: UploaderPort | None = None
        self._opened: Opened | None = None
        self.language = config.language
        self.study: Study | None = None
        self.page: Page = "notice"
        self.shown: Shown = shown.Notice()
        stage = Stage(
            lambda: (self.page, self.shown), self._put, self._show, self._later, self.to_today, lambda: self.language
        )
        self.own = Own(stage, kit.clock, config.data, kit.saves)
        self.arrival = Arrival(config, kit, stage, self._later, self._enter)
        self.ask_code, self.enter_code = self.arrival.ask_code, self.arrival.enter_code
        self.other_account = self.arrival.other_account
        self.linking = Linking(kit, stage, self._later)
        who = self.identity = Identity(stage, kit.proctor, self._who)
        self.confirm_name, self.leave_name, self.to_face = who.confirm_name, who.leave_name, who.to_face
        self.start_enrol, self.start_practice, self.without_face = who.start_enrol, who.start_practice, who.without_face
        self._resume()

    @property
    def problem(self) -> shown.Trouble | None:
        """What keeps a lesson from opening or going on; it stands in the way until its button is pressed."""
        error = self.study.problem if self.study is not None else None
        if error is None or isinstance(error, UnsentRecordsError):
            return None  # earlier records are on their way; the lesson says so and opens by itself
        return trouble_of(error, "error.take_over" if isinstance(error, OtherSessionOpenError) else "error.retry")

    def back(self) -> None:
        """From one of the learner's own pages to where one was; from the ways in to the settings, which lead there."""
        if self.page == "ways":
            self.linking.leave_page()
            self.own.to_settings()
        else:
            self.own.back()

    def try_again(self) -> None:
        """The problem's button: go on here, or open once more; after a failure of the disk start over."""
        study = self.study
        if study is None:
            return
        if isinstance(study.problem, OtherSessionOpenError):
            study.take_over()
        elif study.sid:
            self.to_today()
        else:
            study.press("play")

    def captions(self, unit: str) -> Mapping[str, Path]:
        """Language → WebVTT file of a unit of the open course."""
        return self._opened.captions.get(unit, {}) if self._opened is not None else {}

    # --- every tenth of a second --------------------------------------------------------------------------------------

    def tick(self) -> None:
        """Finish slow work, hear the machine, refresh the page."""
        ready = [job for job in self._jobs if job[0].done()]
        self._jobs = [job for job in self._jobs if not job[0].done()]
        for future, done in ready:
            done(future)
        if self.study is not None:
            self._lesson(self.study)
        elif not self.identity.tick() and isinstance(self.shown, shown.Today):
            self._hear_uploader()
            self._announce(self.shown)
        self.own.tick(studying=self.study is not None)
        self.arrival.tick()
        self.linking.tick()

    @property
    def busy(self) -> bool:
        """Whether slow work is on its way."""
        return bool(self._jobs)

    def close(self) -> None:
        """Give the machine back; what is signed is on the disk and is sent at the next start."""
        self._leave_lesson()
        if self._uploader is not None:
            self._uploader.close()

    def _later(self, job: Callable[[], Any], done: Callable[[Any], None], *, again: str = "error.retry") -> None:
        """Run `job` beside the screen; its error becomes the page's trouble."""
        self._show(busy=True, trouble=None)

        def finish(future: Future[Any]) -> None:
            self._show(busy=False)
            try:
                found = future.result()
            except SignedOutError as error:
                self._go("sign_in", self.arrival.page(trouble=trouble_of(error, "")))
            except ClientError as error:
                self._show(trouble=trouble_of(error, again))
            else:
                done(found)

        self._jobs.append((self._work(job), finish))

    def _go(self, page: Page, value: Shown) -> None:
        self.page, self.shown = page, value

    def _put(self, page: Any, value: Any) -> None:
        """One of the learner's own pages."""
        self._go(page, value)

    def _show(self, **changes: Any) -> None:
        """Change what the page shows; a page without such a field stays as it is."""
        names = type(self.shown).__dataclass_fields__
        self.shown = replace(self.shown, **{name: value for name, value in changes.items() if name in names})

    # --- notice and sign-in -------------------------------------------------------------------------------------------

    def _resume(self) -> None:
        """An earlier sign-in of the one learner of this machine goes on where it was."""
        known = learners(self._config.data)
        if len(known) != 1:
            return
        own = self.arrival.own_trust()
        found = Enrolment.resumed(
            self._kit.transport, Profile(self._config.data, known[0]), own_trust=own,
            authority=self._config.authorities,
        )  # fmt: skip
        if found is not None:
            self._go("today", shown.Today("", ()))
            self._enter(found)

    def choose(self, choices: Choices) -> None:
        """The notice was read, both consents were answered."""
        self._choices = choices
        self._go("sign_in", self.arrival.page())
        self.arrival.look()

    def sign_out(self) -> None:
        """End the sign-in here and on the server; records stay and are still sent at the next start."""
        if self._signed is None:
            return

        def ended(_: object) -> None:
            if self._uploader is not None:
                self._uploader.close()
            self._uploader = self._signed = None
            self._kit.here("")
            self.own.leave()
            self.linking.leave()
            self._go("notice", shown.Notice())

        self._later(self._signed.shelf.sign_out, ended)

    # --- who it is ----------------------------------------------------------------------------------------------------

    def _enter(self, enrolment: Enrolment) -> None:
        """Signed in: what the learner chose is signed and kept, what a crash left open is closed and sent."""
        choices, language, kit = self._choices, self.language, self._kit

        def prepare() -> Signed:
            kit.here(enrolment.profile.learner)
            if self._config.server_name:
                expect_server(enrolment.me(), self._config.server_name)
            shelf = Shelf(enrolment, kit.about, kit.agent_about, kit.clock, kit.sparing, kit.beside)
            me = shelf.prepare()
            if choices is not None:
                agree(enrolment, me, choices, language)
            return Signed(enrolment, shelf, me)

        def entered(found: Signed) -> None:
            self._signed = found
            self._uploader = kit.uploader(enrolment, found.me.registrations)
            self.own.enter(enrolment, found.me.registrations)
            if self.linking.enter(enrolment):
                return
            if choices is None:
                self.to_today()
            else:
                self.identity.begin(choices.face)

        self._later(prepare, entered)

    def _who(self) -> Signed:
        assert self._signed is not None
        return self._signed

    # --- overview and lesson ------------------------------------------------------------------------------------------

    def to_today(self) -> None:
        """The overview, with what is counted so far."""
        self._leave_lesson()
        who = self._who()
        known = self.shown.courses if isinstance(self.shown, shown.Today) else ()
        self._go("today", shown.Today(who.me.name, known, sparing=self._kit.sparing))

        def listed(found: tuple[Me, tuple[shown.Course, ...]]) -> None:
            who.me = found[0]
            open_name = found[0].real_name == "open"
            face = bool(who.shelf.gestures)
            self.own.listed(found[1])
            self._show(name=found[0].name, courses=found[1], identity_open=open_name, face=face)

        self._later(who.shelf.overview, listed)

    def send_now(self) -> None:
        """The learner does not want to wait for the next try."""
        if self._uploader is not None:
            self._uploader.hurry()

    def _hear_uploader(self) -> None:
        if self._uploader is None or self._signed is None:
            return
        now = self._kit.clock.mono()
        if now - self._stood_at >= STANDING_EVERY_MS:
            self._stood_at = now
            found, said = self._signed.shelf.standing(self._kit.others())
            self._show(standing=said, waiting=found.waits)
        for signal in self._uploader.poll():
            if isinstance(signal, SyncState):
                self._show(pending=signal.pending, online=signal.online)

    def _announce(self, page: shown.Today) -> None:
        """What is said of live lessons goes on with the clock."""
        courses = tuple(course.at(self._kit.clock.wall()) for course in page.courses)
        if courses != page.courses:
            self._show(courses=courses)

    def open_course(self, registration: str, make_up: str | None = None) -> None:
        """Have the course here, then show the lesson; its session opens when the learner presses Start.

        `make_up`: just the missing parts of this unit ("": of all).
        """
        shelf = self._who().shelf

        def opened(found: Opened) -> None:
            kit, self._opened = self._kit, found
            assert self._uploader is not None
            ports = Ports(kit.clock, kit.player, kit.foreground, kit.proctor, kit.agent, self._uploader)
            try:
                if found.template is not None:
                    kit.proctor.set_reference(found.template, found.follower)
                self.study = Study(ports, found.lesson, self._work)
            except ClientError as error:
                self._show(trouble=trouble_of(error))
                return
            self._go("lesson", self.study.view())

        self._later(lambda: shelf.open(registration, make_up), opened)

    def _lesson(self, study: Study) -> None:
        study.tick()
        if isinstance(study.problem, SignedOutError) and not study.sid:
            self._leave_lesson()
            self._go("sign_in", self.arrival.page(trouble=trouble_of(study.problem, "")))
            return
        if study.other_way and study.over and self._opened is not None:
            registration = self._opened.registration
            self.to_today()
            self.identity.by_code(registration, lambda: self.open_course(registration))
            return
        seen = study.view()
        result = study.result()
        if seen.phase == "done" and result is not None:
            self._leave_lesson()
            self._go("result", result)
        else:
            self._go("lesson", seen)

    def make_up(self) -> None:
        """Study what is missing, from the result."""
        if self._opened is not None:
            registration = self._opened.registration
            self.to_today()
            self.open_course(registration, "")

    def _leave_lesson(self) -> None:
        if self.study is not None:
            self.study = None
            self._kit.player.pause()
            if self._opened is not None:
                self.identity.keep_follower(self._opened.registration)
            self._kit.proctor.close()
            self._kit.agent.close()
            if self._opened is not None:
                self._opened.close()
        self.identity.stop()
