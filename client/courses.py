"""One learner's courses on this machine: what the overview says, and everything a lesson needs, made ready beside the
screen.

Every method but `close` is slow (network, disk, hashing) and runs in one worker thread; what a `Lesson` holds for the
screen's thread opens its own connection to the records there.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from client.airing import Planned
from client.errors import ClientError
from client.player import course as packages
from client.player import shown
from client.ports import Clock, Transport
from client.preferences import load_wishes
from client.profile import Profile
from client.sitting import Sitting
from client.study import Lesson
from client.sync.content import ContentKeys
from client.sync.enrol import Enrolment, Me, Registration
from client.sync.live import LiveFeed
from client.sync.logbook import recover
from client.sync.outbox import Outbox
from client.sync.rebuild import mend, refill, wants_refill
from client.sync.records import Records
from client.sync.standing import Standing, sentences, standing
from client.sync.worth import Basis, basis
from client.timeline import legs, length, timeline
from client.today import Need, credited_on, day_of, plan
from client.view import Sentence, Words
from client.worth import worth
from ledger import policy as policies
from ledger.course import Course, Unit
from ledger.credit import Credit
from ledger.errors import LedgerError
from ledger.policy import Policy


@dataclass(frozen=True, slots=True)
class Opened:
    """A course that is here, ready to be studied."""

    registration: str
    lesson: Lesson
    template: bytes | None  # the learner's face template, for the proctor; memory only
    follower: bytes  # what followed it since; memory only
    captions: dict[str, dict[str, Path]]  # unit → language → file
    close: Callable[[], None]


class Shelf:
    """The courses of one signed-in learner."""

    def __init__(
        self,
        enrolment: Enrolment,
        about: str,
        agent_about: str,
        clock: Clock,
        sparing: bool = False,
        beside: Callable[[], Transport] | None = None,
    ) -> None:
        """`sparing`: lessons with the smaller picture, where they have one. `beside`: connections for other threads."""
        self._enrolment, self._about, self._agent_about, self._clock = enrolment, about, agent_about, clock
        self._sparing, self._beside = sparing, beside
        self._me: Me | None = None
        self._bases: dict[str, Basis] = {}
        self.gestures: tuple[str, ...] = ()
        self.enrol_ms = 0

    @property
    def profile(self) -> Profile:
        """The learner's folder on this machine."""
        return self._enrolment.profile

    def prepare(self) -> Me:
        """Mend what a crash left damaged, close what it left open; fetch who this is and how the face is enrolled."""
        mend(self.profile.outbox)
        outbox = Outbox(self.profile.outbox)
        try:
            recover(outbox, self.profile.seal, self._clock.wall)
        finally:
            outbox.close()
        self._me = self._enrolment.me()
        if wants_refill(self.profile.outbox):
            with suppress(ClientError), closing(Outbox(self.profile.outbox)) as outbox:
                refill(self._enrolment, outbox, self._me.registrations)  # or at the next start
        if self._me.registrations:
            policy = self._policy(self._me.registrations[0])
            self.gestures, self.enrol_ms = tuple(policy.gestures), policy.deadlines_ms["liveness"]
        return self._me

    def overview(self) -> tuple[Me, tuple[shown.Course, ...]]:
        """Who this is, and every course with what is counted so far by this device's own records and the server's."""
        self._me = self._enrolment.me()
        return self._me, tuple(self._course(item) for item in self._me.registrations)

    def standing(self, others: int) -> tuple[Standing, tuple[Sentence, ...]]:
        """How this learner's records stand, and in words; `others`: sessions of others that wait on this computer."""
        with closing(Outbox(self.profile.outbox)) as outbox:
            found = standing(outbox)
        said = sentences(found, self._clock.wall())
        return found, (*said, Sentence("sync.others", {"sessions": others})) if others else said

    def sign_out(self) -> None:
        """End the token; records stay."""
        self._enrolment.sign_out()

    def open(self, registration_id: str, make_up: str | None = None) -> Opened:
        """Fetch and check the course, and make the lesson of it; `make_up`: of the missing parts of one unit ("": of
        all) alone."""
        registration = self._registration(registration_id)
        profile, course = self.profile, self._enrolment.course(registration.course)
        package = packages.open_package(self._enrolment.fetch_course(registration.course), registration.course)
        policy, keys = self._policy(registration), ContentKeys()
        records = Records(profile.outbox, registration.registration, course, policy)
        feeds = {unit.id: self._feed(unit) for unit in course.units if unit.live is not None}
        media = {unit.id: package.media(unit.id, "zh", self._sparing, keys) for unit in course.units}
        media |= {name: replace(media[name], live=feed) for name, feed in feeds.items()}
        sitting = Sitting(
            self._enrolment, registration, records, keys, feeds, self._clock, lambda: self._basis(registration),
            encrypted=package.encrypted,
        )  # fmt: skip
        lesson = Lesson(
            policy=policy,
            course=course,
            media=media,
            face=registration.reference != "none",
            about=self._about,
            agent=self._agent_about,
            open=sitting.open,
            book=sitting.book,
            consents=sitting.consents,
            credit=sitting.credit,
            identify=sitting.identified,
            mark=sitting.mark,
            withdraw=sitting.withdraw,
            sparing=self._sparing,
            way=() if make_up is None else legs(timeline(records.credit(), course), make_up),
            hand=sitting.raise_hand,
            worth=sitting.worth,
        )
        template = profile.template(registration.registration)
        captions = {unit: dict(item.captions) for unit, item in media.items()}
        follower = profile.follower(registration.registration) if template else b""
        return Opened(registration.registration, lesson, template, follower, captions, sitting.close)

    def _feed(self, unit: Unit) -> LiveFeed:
        return LiveFeed(self._enrolment.api, self._beside, unit, self._clock)

    # --- small things -------------------------------------------------------------------------------------------------

    def _registration(self, registration_id: str) -> Registration:
        self._me = self._enrolment.me()
        return next(item for item in self._me.registrations if item.registration == registration_id)

    def _policy(self, registration: Registration) -> Policy:
        return policies.parse(self._enrolment.document(registration.policy))

    def _basis(self, registration: Registration) -> Basis | None:
        """By what points are counted here; it never changes once it is known."""
        found = self._bases.get(registration.registration)
        if found is None:
            with closing(Outbox(self.profile.outbox)) as outbox:
                found = basis(self._enrolment, outbox, registration)
        if found is not None:
            self._bases[registration.registration] = found
        return found

    def _course(self, registration: Registration) -> shown.Course:
        try:
            policy, course = self._policy(registration), self._enrolment.course(registration.course)
        except LedgerError:
            return shown.Course(registration.registration, Words(registration.title, registration.title), 0, 0, 0)
        records = Records(self.profile.outbox, registration.registration, course, policy)
        credit = records.credit()
        place = records.place(credit, self._clock.wall())
        counted_by = self._basis(registration)
        whole = sum(unit.duration_ms for unit in course.units)
        counted = max(sum(unit.credited_ms for unit in credit.units), 0)
        lines = timeline(credit, course)
        following = _title(course, place.index) if counted < whole else None
        return shown.Course(
            registration=registration.registration,
            title=Words(course.title.zh, course.title.en),
            units=len(course.units),
            credited_ms=min(max(counted, registration.credited_ms), whole),
            all_ms=whole,
            make_up_ms=length(legs(lines)),
            next_unit=following,
            lines=lines,
            cap_ms=policy.daily_cap_ms,
            window=policy.study_window,
            worth=worth(credit, counted_by.policy, counted_by.table) if counted_by is not None else None,
            planned=tuple(_live(course, credit)),
            utc_offset_minutes=policy.utc_offset_minutes,
            **self._planned(registration, policy, records, credit, whole),
        ).at(self._clock.wall())

    def _planned(
        self, registration: Registration, policy: Policy, records: Records, credit: Credit, whole: int
    ) -> dict[str, Any]:
        """The deadline (the class's, else the learner's own goal) and the share of today."""
        offset, goals = policy.utc_offset_minutes, load_wishes(self.profile.folder).goals
        today = day_of(self._clock.wall(), offset)
        goal = goals.get(registration.registration)
        due = day_of(registration.ends, offset) if registration.ends else goal
        counted = max(credit.credited_ms, registration.credited_ms)
        earned = {session.sid: session.credited_ms for session in credit.sessions}
        now = credited_on(today, earned, records.begun, offset)
        need = Need(whole, min(counted, whole), now, due, policy.daily_cap_ms)
        return {"plan": plan(need, today), "due": due, "own_goal": not registration.ends and goal is not None}


def _title(course: Course, index: int) -> Words:
    title = course.units[index].title
    return Words(title.zh, title.en)


def _live(course: Course, credit: Credit) -> Iterator[Planned]:
    """The live lessons of which something is left to earn."""
    for unit, counted in zip(course.units, credit.units, strict=True):
        if unit.live is not None and counted.credited_ms < unit.duration_ms:
            yield Planned(Words(unit.title.zh, unit.title.en), unit.live.starts_ms, unit.duration_ms)
