"""What the staff see: classes, their learners, sessions, and credited time."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial

from ledger import course
from ledger.course import Unit
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.people import Classroom, People
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.registry import Person, Registry


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session as the page lists it; times in ms since the epoch."""

    sid: str
    state: str
    begun: int
    heard: int
    events: int
    credited_ms: int
    settled: bool
    unread: int | None  # from this event on nothing counts
    forks: int  # contradicting checkpoints that its own key signed, kept as evidence


@dataclass(frozen=True, slots=True)
class LearnerLine:
    """One registration with its sessions, latest first."""

    person: str
    learner: str
    real_name: str
    credited_ms: int
    sessions: tuple[SessionLine, ...]
    account: str = ""


@dataclass(frozen=True, slots=True)
class Summary:
    """One class as the first page lists it."""

    class_id: str
    title: str
    learners: int
    sessions: int
    open: int
    credited_ms: int


@dataclass(frozen=True, slots=True)
class ClassView:
    """One class with some of its learners."""

    total: Summary
    learners: tuple[LearnerLine, ...]
    utc_offset_minutes: int  # the programme's local time


class Overview:
    """Reads it together from people, registry and records."""

    def __init__(self, people: People, registry: Registry, records: Records, enrolment: Enrolment) -> None:
        self._people, self._registry, self._records, self._enrolment = people, registry, records, enrolment

    def summaries(self, classes: Sequence[Classroom]) -> list[Summary]:
        """The figures of these classes, whatever their size, by three queries."""
        counts = self._registry.counts()
        totals = self._records.read(lambda tx: tx.events.totals())
        return [
            Summary(item.class_id, item.title, counts.get(item.class_id, 0), *totals.get(item.class_id, (0, 0, 0)))
            for item in classes
        ]

    def registered(self, class_id: str) -> int:
        """How many learners a class has."""
        return self._registry.counts().get(class_id, 0)

    def facts(self, class_id: str) -> tuple[int, dict[str, dict[str, str]]]:
        """The programme's offset from UTC in minutes, and the titles of the course's units by language."""
        return self._records.read(partial(self._facts, class_id=class_id))

    def lessons(self, class_id: str) -> tuple[Unit, ...]:
        """The units of the course that is in force."""
        data = self._records.read(lambda tx: self._enrolment.in_force(tx, class_id, "course"))
        return course.parse(data).units

    def _facts(self, tx: Transaction, class_id: str) -> tuple[int, dict[str, dict[str, str]]]:
        offset = self._enrolment.policy(tx, class_id).utc_offset_minutes
        lessons = course.parse(self._enrolment.in_force(tx, class_id, "course"))
        return offset, {unit.id: {"zh": unit.title.zh, "en": unit.title.en} for unit in lessons.units}

    def class_view(self, classroom: Classroom, people: Sequence[Person]) -> ClassView:
        """These learners of one class, in the order given, with their sessions in it."""
        lines = []
        for person in people:
            for item in self._people.registrations(learner=person.learner, class_id=classroom.class_id):
                sessions = self._records.read(partial(_sessions, registration=item.registration))
                credited = sum(line.credited_ms for line in sessions)
                line = LearnerLine(person.name, person.learner, item.real_name, credited, sessions, person.account)
                lines.append(line)
        policy = self._records.read(lambda tx: self._enrolment.policy(tx, classroom.class_id))
        total = self.summaries([classroom])[0]
        return ClassView(total, tuple(lines), policy.utc_offset_minutes)


def _sessions(tx: Transaction, registration: str) -> tuple[SessionLine, ...]:
    found = []
    for sid in reversed(tx.events.sessions(registration=registration)):
        session, progress = tx.events.session(sid), tx.events.progress(sid)
        assert session is not None
        settled = progress.settled_size == progress.size and not progress.unsettled
        line = SessionLine(
            sid, progress.state, session.granted_at, progress.heard_at, progress.size, progress.settled_ms, settled,
            progress.unread, len(tx.events.forks(sid)),
        )  # fmt: skip
        found.append(line)
    return tuple(found)
