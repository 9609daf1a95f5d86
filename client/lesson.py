"""What a lesson is made of, and how a session of it begins: a grant becomes a fresh state and the first events.

Values and functions without a clock; `client/study.py` runs them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace

from client import session
from client.effects import Log
from client.events import Identified, Marked, Order, Sheet
from client.machine import Machine, rebased
from client.ports import (
    AgentPort,
    Clock,
    ForegroundProbe,
    PlayerPort,
    ProctorPort,
    Sealing,
    SessionStore,
    UnitMedia,
    UploaderPort,
)
from client.state import State
from client.sync.opening import Granted
from client.sync.outbox import KeptConsent
from client.sync.records import Place
from client.telling import described
from client.timeline import Leg
from client.view import Worth
from ledger import answers
from ledger.course import Course
from ledger.credit import Credit
from ledger.desk import Desk
from ledger.events import Body, Consent, Opened, Question
from ledger.policy import Policy
from ledger.schedule import Schedule
from ledger.spans import Meter


@dataclass(frozen=True, slots=True)
class Ports:
    """Everything outside."""

    clock: Clock
    player: PlayerPort
    foreground: ForegroundProbe
    proctor: ProctorPort
    agent: AgentPort
    uploader: UploaderPort


def nobody(_sid: str, _up: bool) -> None:
    """Where nobody can be asked for."""


def unmarked(_granted: Granted, sheet: Sheet) -> Marked:
    """Where nobody marks tests."""
    return Marked(sheet.unit, sheet.attempt, "refused")


@dataclass(frozen=True, slots=True)
class Lesson:
    """What is to be studied, and how a session of it is opened, kept and counted."""

    policy: Policy  # of the registration; the grant's, accommodated, takes its place
    course: Course
    media: Mapping[str, UnitMedia]
    face: bool
    about: str  # the client's line in `opened`
    agent: str  # the agent's
    open: Callable[[bool], Granted]  # slow; True takes over from another device
    book: Callable[[Granted], SessionStore]
    consents: Callable[[], Sequence[KeptConsent]]
    credit: Callable[[], tuple[Credit, Place]]  # slow
    identify: Callable[[Granted, Order, str], Identified]  # slow; never raises
    withdraw: Callable[[str], None]  # slow: take a consent back
    sparing: bool = False  # this computer runs at low load
    mark: Callable[[Granted, Sheet], Marked] = unmarked  # slow; never raises
    hand: Callable[[str, bool], None] = nobody  # slow: raise or lower one's hand in a session
    worth: Callable[[Credit], Worth | None] = lambda _found: None  # class hours and credit points
    way: tuple[Leg, ...] = ()  # a make-up: just these parts; none: the lesson goes on where it stood


@dataclass(slots=True)
class Running:
    """A session that has begun."""

    granted: Granted
    store: SessionStore
    desk: Desk
    base: int  # the clock's mono at `opened`
    size: int = 0
    metered: list[session.Metered] = field(default_factory=list)
    counted: tuple[int, bool, bool] = (0, False, False)  # what the figures were last computed for


def running(lesson: Lesson, granted: Granted, base: int) -> Running:
    """The session that was granted, with its book and its desk; `base`: the clock's mono now."""
    schedule = Schedule(bytes.fromhex(granted.grant.offline_seed), granted.sid, granted.policy)
    meter = Meter(granted.policy, granted.course)
    desk = Desk(schedule, meter, offline=True, recipients=bool(granted.grant.recipients))
    return Running(granted, lesson.book(granted), desk, base)


def fresh(old: State, lesson: Lesson, granted: Granted, place: Place, base: int) -> State:
    """The state in which the session begins at `place`, its moments counted from now on; the machine as it is."""
    grant = granted.grant
    said = next((one for one in lesson.consents() if one.what == "photos" and one.given), None)
    agreed = Consent(said.notice, said.version, said.what, said.given) if said is not None else None
    rules = replace(
        old.rules,
        sid=granted.sid,
        policy=granted.policy,
        session_ms=grant.limits["session_ms"],
        offline_ms=grant.limits["offline_ms"],
        face=grant.reference != "none",
        photos=_photos(granted, base) if agreed else None,
        agreed=agreed,
    )
    return State(
        rules=rules,
        wall=old.wall,
        machine=rebased(old.machine, old.now),
        index=place.index,
        position_ms=place.position_ms,
        seen=place.seen,
        replied=place.replied,
        attempts=place.attempts,
        way=lesson.way,
        ahead_ms=grant.time,
        sync=old.sync,
    )


def sealed(running: Running, log: Log) -> Body:
    """The event's body; the answer to a question sealed to the grant's reviewers, and to nobody where it names none."""
    body, granted = log.body, running.granted
    if not isinstance(body, Question) or log.choice is None:
        return body
    text = answers.seal(log.choice, granted.signer.vkey.name, body, granted.grant.recipients)
    return replace(body, sealed=text)


def _photos(granted: Granted, base: int) -> Sealing | None:
    """To whom photos of this session are sealed; None where nobody may have one."""
    recipients = granted.grant.recipients if granted.grant.reference != "none" else ()
    return Sealing(granted.signer.vkey.name, recipients, base) if recipients else None


def first(lesson: Lesson, granted: Granted, machine: Machine) -> Iterator[Body]:
    """Event 0, and what the learner agreed to."""
    scripted = bool(machine.camera and machine.camera.scripted)
    about = lesson.about
    if machine.camera is not None and machine.camera.available:
        about = f"{about}; camera: {described(machine.camera)}"[:200]
    yield Opened(granted.grant_note, granted.cert_note, about, lesson.agent, granted.grant.models, scripted)
    for said in lesson.consents():
        yield Consent(said.notice, said.version, said.what, said.given)
