"""What every part of supervision works with: the drawer of papers, the office's rights and journal, and the clock."""

from __future__ import annotations

import datetime
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final, TypeVar

from server_stub.domain.decisions import Decisions
from server_stub.domain.duties import Right
from server_stub.domain.enrolment import Enrolment
from server_stub.domain.keyring import Keyring
from server_stub.domain.office import Office, class_place
from server_stub.domain.papers import Paper, Papers, changed, fresh, required
from server_stub.domain.people import Account, People
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.registry import Registry
from server_stub.domain.sealing import Sealer
from server_stub.domain.signin import Clock
from server_stub.domain.work_errors import WrongStateError

T = TypeVar("T")
DELETION: Final = "deletion"  # a paper about what was erased of a learner
CHINA_MINUTES = 480


@dataclass(frozen=True, slots=True)
class Bench:
    """Shared tools; nothing of it decides anything."""

    server: str
    papers: Papers
    people: People
    registry: Registry
    records: Records
    decisions: Decisions
    office: Office
    enrolment: Enrolment
    keyring: Keyring
    sealer: Sealer
    clock: Clock

    def today(self) -> datetime.date:
        """The day in China: what plans and working days are counted by."""
        return day_of(self.clock())

    def keep(self, kind: str, place: str, about: str, state: str, value: object) -> Paper:
        """Keep a new paper."""
        return self.papers.put(fresh(kind, place, about, state, self.clock(), value))[0]

    def change(self, paper: Paper, value: object, state: str = "") -> Paper:
        """Keep what a paper says now."""
        return self.papers.put(changed(paper, self.clock(), value, state))[0]

    def one(self, account: Account, right: Right, kind: str, paper: str) -> Paper:
        """A paper of a class in which the account may do this; `NotThereError` for one that it may not see."""
        found = required(self.papers.get(kind, paper))
        self.office.require(account, right, class_of(found))
        return found

    def mine(self, account: Account, right: Right, kind: str, **wanted: object) -> list[Paper]:
        """The papers of this kind of all classes in which the account may do this, latest first."""
        places = None if self.office.sees_all(account, right) else [
            class_place(item.class_id) for item in self.office.classes(account, right)
        ]  # fmt: skip
        return list(self.papers.find(kind, places=places, **wanted))  # type: ignore[arg-type]

    def erased(self) -> Mapping[str, int]:
        """Learner → when what is kept of them was erased last, ms."""
        found: dict[str, int] = {}
        for paper in self.papers.find(DELETION, limit=100_000):
            found[paper.about] = max(found.get(paper.about, 0), paper.made)
        return found

    def titles(self) -> Mapping[str, str]:
        """What the classes are called, by class ID."""
        return {item.class_id: item.title for item in self.people.classes()}

    def read(self, job: Callable[[Transaction], T]) -> T:
        """One look at the records."""
        return self.records.read(job)


def class_of(paper: Paper) -> str:
    """The class that a paper of a class belongs to."""
    return paper.place.partition("/")[2]


def in_state(paper: Paper, *states: str) -> Paper:
    """The paper, or `WrongStateError`: the step is for one of these states."""
    if paper.state not in states:
        raise WrongStateError(f"this is {paper.state}, the step is for {' or '.join(states)}")
    return paper


def day_of(ms: int, offset_minutes: int = CHINA_MINUTES) -> datetime.date:
    """The local day of a moment."""
    shift = datetime.timedelta(minutes=offset_minutes)
    return datetime.datetime.fromtimestamp(ms / 1000, datetime.timezone(shift)).date()
