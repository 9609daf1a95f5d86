"""Who may take part in a subsidised class: looked at when the class applies, again before it opens and before a
completion is certified. What is found is a reason beside a name, for a person to clear up.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from server_stub.domain.duties import Right
from server_stub.domain.office import class_place
from server_stub.domain.papers import Paper
from server_stub.domain.people import Account, Registration
from server_stub.domain.registry import Person
from server_stub.domain.work import Bench

CHECKED, SUBSIDY = "eligibility", "subsidy"
MIN_AGE: Final = 16


@dataclass(frozen=True, slots=True)
class Reason:
    """Why a learner is not eligible yet: a code (a word of the pages) and what it is about."""

    learner: str
    code: str  # no_identity | identity_open | too_young | subsidy_same | subsidy_lower | other_class
    about: str = ""


@dataclass(frozen=True, slots=True)
class Checked:
    """One check of a whole roster; `roster` is the hash of who was on it."""

    by: str
    roster: str
    learners: int
    reasons: tuple[Reason, ...]


@dataclass(frozen=True, slots=True)
class Subsidy:
    """A subsidy that was paid: for one trade and level (1 is the highest)."""

    trade: str
    level: int
    year: int
    source: str  # a class, or "list": of another office
    by: str = ""  # who brought that list


def repeated(trade: str, level: int, before: Iterable[Subsidy]) -> tuple[str, str] | None:
    """Why no second subsidy is paid (R3.8): the same trade and level, or a lower level after a higher one."""
    for known in before:
        if known.trade != trade:
            continue
        said = f"{known.trade} {known.level} ({known.year})"
        if known.level == level:
            return "subsidy_same", said
        if known.level < level:  # the smaller number is the higher skill
            return "subsidy_lower", said
    return None


def age(number: str, today: datetime.date) -> int:
    """Years on a day, by an identity number of 18 characters."""
    born = datetime.date(int(number[6:10]), int(number[10:12]), int(number[12:14]))
    return today.year - born.year - ((today.month, today.day) < (born.month, born.day))


class Eligibility:
    """Looks at rosters and keeps what it found."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def check(self, account: Account, class_id: str, trade: str, level: int) -> Checked:
        """Look at everybody of a class now; the result is kept, its figures stand in the class log."""
        bench = self._bench
        bench.office.require(account, Right.SEE, class_id)
        roster = bench.people.registrations(class_id=class_id)
        reasons = tuple(reason for item in roster for reason in self.reasons(item, trade, level))
        found = Checked(account.name, digest(roster), len(roster), reasons)
        said = f"{len(roster)} learners, {len({item.learner for item in reasons})} with a reason, roster {found.roster}"
        bench.office.audit(account, "checked who is eligible", class_id, said, class_id)
        bench.keep(CHECKED, class_place(class_id), "", "clear" if not reasons else "open", found)
        return found

    def reasons(self, item: Registration, trade: str, level: int) -> list[Reason]:
        """Why one learner is not eligible for this trade and level."""
        bench, learner = self._bench, item.learner
        person = bench.registry.person(learner)
        if person is None or not person.identity:
            return [Reason(learner, "no_identity")]
        found = [] if item.real_name != "open" else [Reason(learner, "identity_open")]
        number = bench.sealer.open(person.sealed, learner).decode() if person.sealed else ""
        if number and age(number, bench.today()) < MIN_AGE:
            found.append(Reason(learner, "too_young"))
        before = [paid for paid in self.subsidies(person) if paid.source != item.class_id]
        again = repeated(trade, level, before)
        if again is not None:
            found.append(Reason(learner, *again))
        return found + [Reason(learner, "other_class", other) for other in self._elsewhere(item, trade, level)]

    def _elsewhere(self, item: Registration, trade: str, level: int) -> list[str]:
        """Other classes of the same trade and level in which the learner is enrolled."""
        others = [other.class_id for other in self._bench.people.registrations(learner=item.learner)
                  if other.class_id != item.class_id]  # fmt: skip
        if not others:
            return []
        papers = self._bench.papers.find(
            "application", places=[class_place(other) for other in others], states=("submitted", "approved", "open")
        )
        return [paper.place for paper in papers if (paper.data["trade"], paper.data["level"]) == (trade, level)]

    def subsidies(self, person: Person) -> list[Subsidy]:
        """What is known to have been paid for a person, whatever account or class."""
        if not person.identity:
            return []
        return [paper.read(Subsidy) for paper in self._bench.papers.find(SUBSIDY, about=[person.identity])]

    def latest(self, class_id: str) -> Paper | None:
        """The last check of a class."""
        found = self._bench.papers.find(CHECKED, places=[class_place(class_id)], limit=1)
        return found[0] if found else None


def digest(roster: Sequence[Registration]) -> str:
    """What a check calls the roster that it looked at."""
    return sha256("\n".join(sorted(item.learner for item in roster)).encode()).hexdigest()
