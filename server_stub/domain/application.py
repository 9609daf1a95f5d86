"""A class before it begins: applied for with plan, teachers, resources, assessment and commitments, looked at by a
supervisor who is somebody else, changed three days ahead. What was handed in and decided is hashed into the class log.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Any, Final

from server_stub.domain import plan
from server_stub.domain.duties import Right
from server_stub.domain.errors import UnreadableError
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper
from server_stub.domain.people import Account
from server_stub.domain.plan import Lesson, Problem
from server_stub.domain.shape import to_data
from server_stub.domain.work import Bench, in_state
from server_stub.domain.work_errors import PlanError, SecondPersonError

KIND: Final = "application"
COMMITMENTS: Final = ("institution", "provider")  # who sign before the class; learners sign on their own devices
MAX_TEXT: Final = 2000


@dataclass(frozen=True, slots=True)
class Signed:
    """A commitment: who of the staff gave it for whom, when, and the hash of the text."""

    party: str
    by: str
    at: int
    sha256: str


@dataclass(frozen=True, slots=True)
class Application:
    """What an institution asks for. `level` 1 is the highest skill level, 5 the lowest."""

    trade: str
    level: int
    practical: bool
    assessment: str
    teachers: tuple[str, ...]
    resources: tuple[str, ...]
    lessons: tuple[Lesson, ...]
    commitments: tuple[Signed, ...] = ()
    submitted_by: str = ""
    decided_by: str = ""
    reason: str = ""
    opened_at: int = 0

    @property
    def problems(self) -> list[Problem]:
        """Every rule that the plan breaks, and what is missing."""
        names = [line.partition("，")[0].partition(",")[0].strip() for line in self.teachers]
        found = plan.check(self.lessons, self.trade, practical=self.practical, teachers=names)
        found += [Problem("no_assessment")] if not self.assessment else []
        found += [Problem("no_resources")] if not self.resources else []
        missing = set(COMMITMENTS) - {item.party for item in self.commitments}
        return found + [Problem("no_commitment", party) for party in COMMITMENTS if party in missing]

    @property
    def ends(self) -> str:
        """The day of the last lesson, "" without any."""
        return max((item.day for item in self.lessons), default="")

    @property
    def digest(self) -> str:
        """What the class log calls this application."""
        line = json.dumps(to_data(self), sort_keys=True, ensure_ascii=False, separators=(",", ":"))
        return sha256(line.encode()).hexdigest()


class Applications:
    """One a class; the states are draft, submitted, returned, approved, open, closed."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def of(self, class_id: str) -> Paper | None:
        """The class's application; None where none was begun."""
        found = self._bench.papers.find(KIND, places=[class_place(class_id)], limit=1)
        return found[0] if found else None

    def last_day(self, class_id: str) -> str:
        """The day of the last lesson of a class whose plan was approved, "" where there is none."""
        found = self.of(class_id)
        return found.read(Application).ends if found and found.state in ("approved", "open", "closed") else ""

    def look(self, account: Account, class_id: str) -> tuple[Paper | None, Application | None]:
        """The application of a class that the account may see."""
        self._bench.office.require(account, Right.SEE, class_id)
        found = self.of(class_id)
        return found, found.read(Application) if found else None

    def save(self, account: Account, class_id: str, given: dict[str, str]) -> Paper:
        """Begin or change an application that is not handed in; `PlanError` for a plan that cannot be read."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        known = self.of(class_id)
        before = in_state(known, "draft", "returned").read(Application) if known else None
        value = self._read(given, before.commitments if before else ())
        if known is None:
            return bench.keep(KIND, class_place(class_id), "", "draft", value)
        return bench.change(known, value)

    def _read(self, given: dict[str, str], signed: tuple[Signed, ...]) -> Application:
        trade = " ".join(given.get("trade", "").split())
        level = given.get("level", "")
        if not 0 < len(trade) <= 60 or level not in ("1", "2", "3", "4", "5"):
            raise UnreadableError("a class is for a trade and a skill level, 1 to 5")
        return Application(
            trade, int(level), given.get("practical") == "yes", given.get("assessment", "").strip()[:MAX_TEXT],
            _lines(given.get("teachers", "")), _lines(given.get("resources", "")),
            plan.read(given.get("lessons", "")), signed,
        )  # fmt: skip

    def commit(self, account: Account, class_id: str, party: str, text: str) -> Paper:
        """A party's commitment is signed, by whoever acts for it; `text` is what the page showed."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        found = in_state(self._known(class_id), "draft", "returned")
        value = found.read(Application)
        if party not in COMMITMENTS:
            raise UnreadableError(f"nobody commits as {party[:20]!r}")
        digest = sha256(text.encode()).hexdigest()
        signed = Signed(party, account.name, bench.clock(), digest)
        others = tuple(item for item in value.commitments if item.party != party)
        bench.office.audit(account, "signed a commitment", party, f"text {digest}", class_id)
        return bench.change(found, replace(value, commitments=(*others, signed)))

    def submit(self, account: Account, class_id: str) -> Paper:
        """Hand it in: only a plan that breaks no rule, with everything signed."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        found = in_state(self._known(class_id), "draft", "returned")
        value = replace(found.read(Application), submitted_by=account.name, decided_by="", reason="")
        if value.problems:
            raise PlanError("; ".join(f"{item.code} {item.about}".strip() for item in value.problems[:6]))
        bench.office.audit(account, "applied for a class", class_id, f"application {value.digest}", class_id)
        return bench.change(found, value, "submitted")

    def decide(self, account: Account, class_id: str, *, approve: bool, reason: str) -> Paper:
        """A supervisor approves or returns it; never whoever handed it in."""
        bench = self._bench
        bench.office.require(account, Right.DECIDE, class_id)
        found = in_state(self._known(class_id), "submitted")
        value = found.read(Application)
        if value.submitted_by == account.name:
            raise SecondPersonError("who handed an application in does not decide it")
        did, state = ("approved a class", "approved") if approve else ("returned an application", "returned")
        bench.office.audit(account, did, class_id, f"{stated(reason)} (application {value.digest})", class_id)
        return bench.change(found, replace(value, decided_by=account.name, reason=stated(reason)), state)

    def change_plan(self, account: Account, class_id: str, text: str, reason: str) -> Sequence[Lesson]:
        """Change the plan of an approved or open class, three days ahead (R1.10); the lessons that moved."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        found = in_state(self._known(class_id), "approved", "open")
        before = found.read(Application)
        after = replace(before, lessons=plan.read(text))
        moved = plan.check_change(before.lessons, after.lessons, bench.today())
        if after.problems:
            raise PlanError("; ".join(f"{item.code} {item.about}".strip() for item in after.problems[:6]))
        if moved:
            bench.office.audit(account, "changed a plan", class_id, f"{stated(reason)} (now {after.digest})", class_id)
            bench.change(found, after)
        return moved

    def _known(self, class_id: str) -> Paper:
        found = self.of(class_id)
        if found is None:
            raise UnreadableError("this class has no application yet")
        return found

    def standing(self, class_id: str) -> str:
        """The state of the class's application; "open" for a class that never needed one (made by the operator)."""
        found = self.of(class_id)
        return found.state if found else "open"


def _lines(text: str) -> tuple[str, ...]:
    found = [" ".join(line.split()) for line in text.splitlines() if line.strip()]
    if len(found) > 100 or any(len(line) > 200 for line in found):
        raise UnreadableError("at most 100 lines of 200 characters each")
    return tuple(found)


def form(value: Application | None) -> dict[str, Any]:
    """An application as its form shows it."""
    if value is None:
        return {"trade": "", "level": 5, "practical": False, "assessment": "", "teachers": "", "resources": "",
                "lessons": ""}  # fmt: skip
    return {
        "trade": value.trade, "level": value.level, "practical": value.practical, "assessment": value.assessment,
        "teachers": "\n".join(value.teachers), "resources": "\n".join(value.resources),
        "lessons": plan.table(value.lessons),
    }  # fmt: skip
