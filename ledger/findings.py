"""How each step of a verification ended, and what was found: the four words, kept apart."""

from __future__ import annotations

import enum
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from ledger.errors import LedgerError


class Status(enum.StrEnum):
    """How a step or a part of it ended.

    refused: bytes, signatures, order or form, so the archive or its keeper is at fault; not credited: well signed, but
    worth 0 ms; not checkable: what the step needs is not here.
    """

    OK = "ok"
    REFUSED = "refused"
    NOT_CREDITED = "not credited"
    NOT_CHECKABLE = "not checkable"


_WORST_FIRST = (Status.REFUSED, Status.NOT_CHECKABLE, Status.NOT_CREDITED)

TITLES: dict[str, str] = {
    "0": "trust file",
    "1": "class checkpoint",
    "1 freshness": "nothing newer was seen",
    "2": "class log, entry by entry",
    "2 bodies": "documents that it names",
    "2 vouchers": "supervisors and evidence keys",
    "3": "keys, certificates, grants",
    "4": "events hashed again",
    "5": "receipts, earlier checkpoints, nothing left out",
    "6": "events: form, order, times",
    "7": "checks against the revealed seeds",
    "8": "credited time",
    "8 points": "class hours and credit points",
    "8 witnessed": "credited time within witnessed time",
    "8 summary": "summary files",
    "10": "sealed evidence",
}


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that is not simply ok; `sid` and `index` name session and event (or class-log entry) where known."""

    step: str
    status: Status
    message: str
    code: str = ""
    sid: str | None = None
    index: int | None = None


@dataclass(slots=True)
class Step:
    """One step: how much it looked at, and how it ended."""

    number: str
    checked: int = 0
    reached: bool = False
    findings: list[Finding] = field(default_factory=list)

    @property
    def title(self) -> str:
        """What the step is about."""
        return TITLES[self.number]

    @property
    def status(self) -> Status:
        """The gravest of its findings; a step that was never reached is not checkable."""
        found = {finding.status for finding in self.findings}
        for status in _WORST_FIRST:
            if status in found:
                return status
        return Status.OK if self.reached else Status.NOT_CHECKABLE


class Refused(Exception):
    """A step refused; what depends on it is not done."""


class Findings:
    """Collects what the steps find."""

    def __init__(self) -> None:
        self.steps = {number: Step(number) for number in TITLES}

    @contextmanager
    def step(self, number: str, sid: str | None = None) -> Iterator[None]:
        """Do one step: count it when it ends quietly; turn a `LedgerError` into a finding and raise `Refused`."""
        self.reach(number)
        try:
            yield
        except LedgerError as error:
            self.refuse(number, error, sid)
            raise Refused from error
        self.steps[number].checked += 1

    def refuse(self, number: str, error: LedgerError, sid: str | None = None) -> None:
        """Record a refusal."""
        self.steps[number].findings.append(Finding(number, Status.REFUSED, str(error), error.code, sid, error.index))

    def add(
        self, number: str, status: Status, message: str, *, sid: str | None = None, index: int | None = None
    ) -> None:
        """Record what was found and is no refusal."""
        self.steps[number].findings.append(Finding(number, status, message, "", sid, index))

    def reach(self, *numbers: str) -> None:
        """These steps are being done, even if they find nothing to look at."""
        for number in numbers:
            self.steps[number].reached = True

    def count(self, number: str, n: int = 1) -> None:
        """`n` more things were looked at and found good."""
        self.steps[number].checked += n

    def merge(self, other: Findings) -> None:
        """Put in what was found elsewhere, after what was found here; what was found already is not repeated."""
        for number, step in other.steps.items():
            own = self.steps[number]
            known = set(own.findings)
            own.findings += [finding for finding in step.findings if finding not in known]
            own.checked += step.checked
            own.reached |= step.reached

    @property
    def refused(self) -> bool:
        """Whether any step refused."""
        return any(step.status is Status.REFUSED for step in self.steps.values())

    def all(self) -> Iterator[Finding]:
        """Everything found, in the order of the steps."""
        for step in self.steps.values():
            yield from step.findings
