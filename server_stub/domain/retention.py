"""How long things are kept: clocks that run by themselves, and holds that stop them for one learner.

What a case still needs, and whatever somebody put on hold for a stated reason, stays until that is over.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Protocol

from server_stub.domain.classlog import ClassLogs
from server_stub.domain.duties import Right
from server_stub.domain.erasure import Eraser
from server_stub.domain.errors import NotThereError
from server_stub.domain.houserules import HouseRules
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper
from server_stub.domain.people import Account
from server_stub.domain.portraits import PortraitStore
from server_stub.domain.ports import Transaction
from server_stub.domain.warnings.forget import blacken
from server_stub.domain.work import DELETION, Bench, in_state

HOLD: Final = "hold"
DAY_MS: Final = 86_400_000
CASES_HOLD: Final = ("open", "proposed", "decided", "appealed")
CASES_OVER: Final = ("closed", "kept", "reversed")


class Forgetting(Protocol):
    """What the people's database forgets of somebody."""

    def contact(self, learner: str) -> None:
        """Telephone and employer."""

    def person(self, learner: str) -> None:
        """Name, identity number and its hash; the pseudonym stays."""


@dataclass(frozen=True, slots=True)
class Hold:
    """Somebody says that what is about a learner stays for now, and why."""

    by: str
    reason: str
    ended_by: str = ""


@dataclass(frozen=True, slots=True)
class Deleted:
    """What was erased at once, and what goes later. `receipt` is the signed note."""

    by: str
    receipt: str
    later: int  # ms: on this day name and identity number go, too


@dataclass(frozen=True, slots=True)
class Clock:
    """One retention clock: days, and how much it will erase or has to keep now."""

    name: str
    days: int
    due: int


class Retention:
    """Runs the clocks."""

    def __init__(
        self, bench: Bench, rules: HouseRules, logs: ClassLogs, eraser: Eraser, forgetting: Forgetting,
        portraits: PortraitStore,
    ) -> None:  # fmt: skip
        self._bench, self._rules, self._logs, self._eraser = bench, rules, logs, eraser
        self._forgetting, self._portraits = forgetting, portraits
        self._swept = 0

    def clocks(self) -> list[Clock]:
        """Every retention clock, with how many things it stops for today."""
        due = {"photos": len(self._old_photos()) + len(self._old_portraits()),
               "cases": len(self._old("case", "cases", CASES_OVER)),
               "tips": len(self._old("tip", "tips")), "notices": len(self._old("reminder", "notices")),
               "impact": len(self._old("impact", "impact"))}  # fmt: skip
        return [Clock(name, days, due.get(name, 0)) for name, days in sorted(self._rules.retention_days.items())]

    # --- holds --------------------------------------------------------------------------------------------------------

    def hold(self, account: Account, learner: str, reason: str) -> Paper:
        """Nothing about this learner is erased for now."""
        classes = classes_of(self._bench, account, Right.DECIDE, learner)
        self._bench.office.audit(account, "put on hold", learner, stated(reason), *classes)
        return self._bench.keep(HOLD, "", learner, "held", Hold(account.name, stated(reason)))

    def end_hold(self, account: Account, learner: str, reason: str) -> None:
        """The hold ends."""
        classes = classes_of(self._bench, account, Right.DECIDE, learner)
        for paper in self._bench.papers.find(HOLD, about=[learner], states=["held"]):
            self._bench.office.audit(account, "ended a hold", learner, stated(reason), *classes)
            self._bench.change(paper, replace(paper.read(Hold), ended_by=account.name), "ended")

    def held(self, learner: str) -> list[str]:
        """Why nothing of a learner is erased now: holds, and cases that are not over."""
        papers = self._bench.papers
        found = [paper.read(Hold).reason for paper in papers.find(HOLD, about=[learner], states=["held"])]
        return found + [paper.data["title"] for paper in papers.find("case", about=[learner], states=CASES_HOLD)]

    def forget_warnings(self, learner: str) -> int:
        """No warning names this learner any longer, but one that names somebody on hold; how many were changed."""
        holds = self._bench.papers.find(HOLD, states=["held"], limit=100_000)
        sids = self._bench.read(lambda tx: frozenset(tx.events.sessions(learner=learner)))
        return blacken(self._bench, learner, sids, frozenset(paper.about for paper in holds))

    def until(self, learner: str) -> int:
        """When the last of the learner's class records need not be kept any longer, ms."""
        made = {item.class_id: item.made for item in self._bench.people.classes()}
        mine = [item.class_id for item in self._bench.people.registrations(learner=learner)]
        last = [max(made.get(item, 0), self._ended(item)) for item in mine]

        def heard(tx: Transaction) -> list[int]:
            return [tx.events.progress(sid).heard_at for sid in tx.events.sessions(learner=learner)]

        return max([*last, *self._bench.read(heard)], default=0) + self._rules.retention_days["archives"] * DAY_MS

    def _ended(self, class_id: str) -> int:
        """When a class that was applied for was closed: its retention begins then, ms; while it is open, now; else 0
        (a class of the operator's has no end but its last segment)."""
        found = self._bench.papers.find("application", places=[class_place(class_id)], limit=1)
        if not found:
            return 0
        return {"closed": found[0].changed, "open": self._bench.clock()}.get(found[0].state, 0)

    def courses(self) -> list[tuple[str, str, int]]:
        """(class, course's hash, ms until which it is kept at least) of every course that was ever in force (R4.5)."""
        keep = self._rules.retention_days["courses"] * DAY_MS

        def look(tx: Transaction) -> list[tuple[str, str, int]]:
            found = []
            for class_id in sorted(self._bench.titles()):
                heard = [tx.events.progress(sid).heard_at for sid in tx.events.sessions(class_id=class_id)]
                for _, leaf in self._logs.log(tx, class_id).policies.get("course", []):
                    found.append((class_id, leaf.sha256, max([leaf.at, self._ended(class_id), *heard]) + keep))
            return found

        return self._bench.read(look)

    # --- clocks that run ----------------------------------------------------------------------------------------------

    def tick(self) -> int:
        """Once an hour: erase what its clock says; how much it was."""
        now = self._bench.clock()
        self._portraits.drop_drafts(now)
        if now - self._swept < 3_600_000:
            return 0
        self._swept = now
        return self.sweep()

    def sweep(self) -> int:
        """Erase what is older than its retention and not held; the last of those who asked for deletion go, too."""
        count = sum(self._sweep_photos(class_id) for class_id in sorted(self._bench.titles()))
        count += sum(self._portraits.drop(learner) for learner in self._old_portraits())
        over = [*self._old("case", "cases", CASES_OVER), *self._old("tip", "tips"),
                *self._old("reminder", "notices"), *self._old("impact", "impact")]  # fmt: skip
        count += self._bench.papers.drop([paper.paper for paper in over if not self._is_held(paper)])
        for paper in self._bench.papers.find(DELETION, states=["waiting"], limit=10_000):
            later = max(paper.read(Deleted).later, self.until(paper.about))  # a class may have run on
            if later <= self._bench.clock() and not self.held(paper.about):
                self._forgetting.person(paper.about)
                self.forget_warnings(paper.about)
                self._portraits.drop(paper.about)
                self._bench.change(in_state(paper, "waiting"), paper.read(Deleted), "done")
                count += 1
        return count

    def _is_held(self, paper: Paper) -> bool:
        return bool(paper.about) and bool(self._bench.papers.find(HOLD, about=[paper.about], states=["held"]))

    def _old(self, kind: str, clock: str, states: Sequence[str] | None = None) -> list[Paper]:
        until = self._bench.clock() - self._rules.retention_days[clock] * DAY_MS
        found = self._bench.papers.find(kind, states=states, limit=100_000)
        return [paper for paper in found if paper.changed <= until]

    def _sweep_photos(self, class_id: str) -> int:
        held = self._held_sessions(class_id)
        if not self._old_photos(class_id, held):
            return 0
        until = self._bench.clock() - self._rules.retention_days["photos"] * DAY_MS
        done = self._eraser.old_photos(class_id, until, "the retention of photos is over", hold=held)
        return sum(receipt is not None for receipt in done.values())

    def _old_photos(self, class_id: str = "", held: Sequence[str] = ()) -> list[str]:
        """Sessions with photos that are older than their retention."""
        until = self._bench.clock() - self._rules.retention_days["photos"] * DAY_MS

        def look(tx: Transaction) -> list[str]:
            return [
                sid for sid in tx.photos.older(until)
                if sid not in held and (session := tx.events.session(sid)) is not None
                and class_id in ("", session.class_id) and tx.events.progress(sid).state != "open"
            ]  # fmt: skip

        return self._bench.read(look)

    def _old_portraits(self) -> list[str]:
        """Learners whose reference photo is older than the retention of photos, and not on hold."""
        until = self._bench.clock() - self._rules.retention_days["photos"] * DAY_MS
        return [learner for learner in self._portraits.older(until) if not self.held(learner)]

    def _held_sessions(self, class_id: str) -> list[str]:
        """Sessions of learners on hold, and those that a case is about."""
        papers = self._bench.papers
        learners = {paper.about for paper in papers.find(HOLD, states=["held"], limit=100_000)}
        cases = papers.find("case", places=[class_place(class_id)], states=CASES_HOLD, limit=100_000)
        own = {paper.data["sid"] for paper in cases if paper.data["sid"]}

        def look(tx: Transaction) -> list[str]:
            found = set(own)
            for learner in learners:
                found |= set(tx.events.sessions(class_id=class_id, learner=learner))
            return sorted(found)

        return self._bench.read(look)


def classes_of(bench: Bench, account: Account, right: Right, learner: str) -> list[str]:
    """The learner's classes in which the account may do this; `NotThereError` for nobody's learner."""
    person = bench.office.person(account, learner)
    found = [item for item in person.classes if bench.office.may(account, right, item)]
    if not found:
        bench.office.require_anywhere(account, right)
        raise NotThereError("no such learner")
    return found
