"""How far learners are: credited and played time, units, attendance, class hours, credit points. Computed from the same
signed events as everything else; kept in memory for as long as nothing of a registration changed.
"""

from __future__ import annotations

import threading
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from functools import partial

from ledger import course
from ledger.course import Course
from ledger.credit import Credit
from ledger.policy import Policy
from server_stub.domain.people import Registration
from server_stub.domain.ports import Transaction
from server_stub.domain.settle import Settler
from server_stub.domain.work import Bench

_MOST_KEPT = 20_000  # registrations in memory


@dataclass(frozen=True, slots=True)
class Progress:
    """One registration. Times in ms; `units`: unit → (credited, length); `days`: local days on which time counted."""

    learner: str
    registration: str
    credited_ms: int = 0
    played_ms: int = 0
    whole_ms: int = 0
    sessions: int = 0
    heard_at: int = 0
    units: Mapping[str, tuple[int, int]] = field(default_factory=dict)
    reasons: Mapping[str, int] = field(default_factory=dict)  # why time was not credited → ms
    checks: Mapping[str, int] = field(default_factory=dict)  # outcome → how many
    hours_tenths: int = 0
    points: int = 0

    @property
    def permille(self) -> int:
        """The share of the course that is credited."""
        return self.credited_ms * 1000 // self.whole_ms if self.whole_ms else 0

    def complete(self, permille: int) -> bool:
        """Whether of every unit at least this share is credited: the theory is done."""
        return bool(self.units) and all(done * 1000 >= permille * whole for done, whole in self.units.values())


class Figures:
    """Reads and remembers."""

    def __init__(self, bench: Bench, settler: Settler) -> None:
        self._bench, self._settler = bench, settler
        self._kept: dict[str, tuple[object, Progress]] = {}
        self._lock = threading.Lock()

    def of_class(self, class_id: str) -> list[Progress]:
        """Everybody of a class."""
        return [self.of(item) for item in self._bench.people.registrations(class_id=class_id)]

    def of(self, registration: Registration) -> Progress:
        """One registration as it stands by what is logged."""
        seen = self._bench.read(partial(self._state, registration=registration))
        with self._lock:
            known = self._kept.get(registration.registration)
        if known is not None and known[0] == seen:
            return known[1]
        found = self._bench.read(partial(self._compute, registration=registration))
        with self._lock:
            if len(self._kept) >= _MOST_KEPT:
                self._kept.clear()
            self._kept[registration.registration] = (seen, found)
        return found

    def rules(self, class_id: str) -> tuple[Policy, Course]:
        """The programme's rules and course in force in a class."""
        return self._bench.read(partial(self._rules, class_id=class_id))

    def _state(self, tx: Transaction, registration: Registration) -> object:
        """What a figure rests on: while it is the same, so is the figure."""
        sids = tx.events.sessions(registration=registration.registration)
        found = [tx.events.progress(sid) for sid in sids]
        return self._settler.tables(tx, registration.class_id), [
            (item.sid, item.size, item.state, item.logged_size, item.settled_ms, item.settled_size) for item in found
        ]

    def _rules(self, tx: Transaction, class_id: str) -> tuple[Policy, Course]:
        enrolment = self._bench.enrolment
        return enrolment.policy(tx, class_id), course.parse(enrolment.in_force(tx, class_id, "course"))

    def _compute(self, tx: Transaction, registration: Registration) -> Progress:
        _, lessons = self._rules(tx, registration.class_id)
        whole = sum(unit.duration_ms for unit in lessons.units)
        sids = tx.events.sessions(registration=registration.registration)
        heard = max((tx.events.progress(sid).heard_at for sid in sids), default=0)
        worth = self._settler.worth(tx, registration.registration)
        empty = {unit.id: (0, unit.duration_ms) for unit in lessons.units}
        if worth is None:
            return Progress(registration.learner, registration.registration, whole_ms=whole, sessions=len(sids),
                            heard_at=heard, units=empty)  # fmt: skip
        found = worth.credit
        units = {unit.unit: (unit.credited_ms, unit.duration_ms) for unit in found.units}
        return Progress(
            registration.learner, registration.registration, found.credited_ms,
            sum(item.played_ms for item in found.sessions), whole, len(sids), heard, empty | units, _reasons(found),
            _checks(found), hours_tenths=worth.hours_tenths, points=worth.points_tenths,
        )  # fmt: skip


def _reasons(found: Credit) -> dict[str, int]:
    total: dict[str, int] = {}
    for session in found.sessions:
        for part in session.not_credited:
            total[part.reason] = total.get(part.reason, 0) + part.ms
    return total


def _checks(found: Credit) -> dict[str, int]:
    total: dict[str, int] = {}
    for session in found.sessions:
        for check in session.checks:
            total[check.outcome] = total.get(check.outcome, 0) + 1
    return total


def median(values: Sequence[int]) -> int:
    """The middle one, 0 of none."""
    return sorted(values)[len(values) // 2] if values else 0
