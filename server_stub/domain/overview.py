"""What the staff see: classes, their learners, sessions, and credited time."""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from server_stub.domain.enrolment import Enrolment
from server_stub.domain.people import Classroom, People
from server_stub.domain.ports import Records, Transaction


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


@dataclass(frozen=True, slots=True)
class ClassView:
    """One class of the page."""

    class_id: str
    title: str
    learners: tuple[LearnerLine, ...]
    utc_offset_minutes: int  # the programme's local time

    @property
    def sessions(self) -> int:
        """How many sessions were opened."""
        return sum(len(line.sessions) for line in self.learners)

    @property
    def credited_ms(self) -> int:
        """Credited time of all learners."""
        return sum(line.credited_ms for line in self.learners)


class Overview:
    """Reads it together from people and records."""

    def __init__(self, people: People, records: Records, enrolment: Enrolment) -> None:
        self._people, self._records, self._enrolment = people, records, enrolment

    def classes(self) -> list[ClassView]:
        """Every class, in the order in which they were made."""
        return [self.class_view(classroom) for classroom in self._people.classes()]

    def class_view(self, classroom: Classroom) -> ClassView:
        """One class with its learners by name."""
        lines = []
        for registration in self._people.registrations(class_id=classroom.class_id):
            account = self._people.account_of(registration.learner)
            sessions = self._records.read(partial(_sessions, registration=registration.registration))
            credited = sum(line.credited_ms for line in sessions)
            person = account.person if account else ""
            lines.append(LearnerLine(person, registration.learner, registration.real_name, credited, sessions))
        lines.sort(key=lambda line: (line.person, line.learner))
        policy = self._records.read(lambda tx: self._enrolment.policy(tx, classroom.class_id))
        return ClassView(classroom.class_id, classroom.title, tuple(lines), policy.utc_offset_minutes)


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
