"""Practice questions that a provider hands in for its own courses: somebody else looks before anybody practises them.

A course is a provider's own by a reviewed file (`Providers.own_titles`). What is handed in lies sealed for `WAITS_MS`;
whoever may import into every class of the course takes it or returns it with a reason, and never who handed it in.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger.course import Course
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, SheetError
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper, required
from server_stub.domain.people import Account
from server_stub.domain.practice_desk import DRAFT_MS, PracticeDesk, Preview, fitting, keep, kept, read
from server_stub.domain.providers import Providers
from server_stub.domain.work import Bench, in_state
from server_stub.domain.work_errors import SecondPersonError

KIND: Final = "questions"
WAITING, TAKEN, RETURNED = "waiting", "taken", "returned"
WAITS_MS: Final = 30 * 86_400_000


@dataclass(frozen=True, slots=True)
class Handed:
    """A list on its way: `course` by sha256, `by` and `decided_by` are accounts, `reason` is the reviewer's."""

    provider: str
    course: str
    title: str
    draft: str
    digest: str
    count: int
    by: str
    decided_by: str = ""
    reason: str = ""


class HandedIn:
    """Takes lists from providers, shows them to reviewers, and puts what one of these accepted."""

    def __init__(self, bench: Bench, desk: PracticeDesk, providers: Providers) -> None:
        self._bench, self._desk, self._providers = bench, desk, providers

    # --- the provider -------------------------------------------------------------------------------------------------

    def courses(self, account: Account, provider: str) -> list[Course]:
        """The provider's own courses that are in force in a class, by title; the errors of `own_titles`."""
        own = self._providers.own_titles(account, provider)
        found = [course for course, _ in self._desk.taught().values() if course.title.zh in own]
        return sorted(found, key=lambda course: (course.title.zh, course.sha256))

    def course(self, account: Account, provider: str, digest: str) -> Course:
        """One of them, or `NotThereError`."""
        found = next((one for one in self.courses(account, provider) if one.sha256 == digest), None)
        if found is None:
            raise NotThereError("this provider has no such course in a class")
        return found

    def look(self, account: Account, provider: str, digest: str, data: bytes) -> str:
        """Read a list; the draft's identifier. Nothing is handed in yet. `SheetError` for no list."""
        found = read(data, self.course(account, provider, digest))
        return keep(self._bench, account, found, _place(provider, digest), DRAFT_MS)

    def again(self, account: Account, provider: str, digest: str, draft: str) -> Preview:
        """A draft of this account for this course; `NotThereError` for any other, and when it expired."""
        self.course(account, provider, digest)
        return kept(self._bench, account.name, draft, _place(provider, digest))

    def hand_in(self, account: Account, provider: str, digest: str, draft: str, *, leave_out: bool) -> Paper:
        """Hand in what was seen; learners practise with what was there before until somebody has taken it."""
        bench, course = self._bench, self.course(account, provider, digest)
        found = self.again(account, provider, digest, draft)
        if (found.problems and not leave_out) or fitting(found.bank, course).problems:
            raise SheetError(f"{len(found.problems)} questions cannot be taken as they are")
        found = Preview(found.bank, ())
        lasting = keep(bench, account, found, _place(provider, digest), WAITS_MS)
        bench.office.audit(account, "handed in practice questions", f"{provider}: {course.title.zh}",
                           f"{found.bank.count} questions; list {found.digest}")  # fmt: skip
        value = Handed(provider, digest, course.title.zh, lasting, found.digest, found.bank.count, account.name)
        bench.registry.drop_drafts(bench.clock(), draft)
        return bench.keep(KIND, class_place(self._desk.taught()[digest][1][0]), "", WAITING, value)

    def of_provider(self, account: Account, provider: str, digest: str) -> list[tuple[Paper, Handed]]:
        """What was handed in for a course of the provider's, the latest first."""
        self.course(account, provider, digest)
        papers = ((paper, paper.read(Handed)) for paper in self._bench.papers.find(KIND, limit=1000))
        return [(paper, value) for paper, value in papers if (value.provider, value.course) == (provider, digest)]

    # --- the reviewer -------------------------------------------------------------------------------------------------

    def waiting(self, account: Account, class_id: str) -> list[tuple[Paper, Handed]]:
        """What waits for the course of a class into which the account may import, the oldest first."""
        self._bench.office.require(account, Right.IMPORT, class_id)
        digest = self._desk.course(class_id).sha256
        alive = self._bench.clock() - WAITS_MS
        found = self._bench.papers.find(KIND, states=[WAITING], limit=1000)
        papers = ((paper, paper.read(Handed)) for paper in reversed(found) if paper.made > alive)
        return [(paper, value) for paper, value in papers if value.course == digest]

    def one(self, account: Account, name: str) -> tuple[Paper, Handed, Preview, Course]:
        """A list that waits, for whoever may import into every class of its course; `NotThereError` else."""
        paper = required(self._bench.papers.get(KIND, name))
        value = paper.read(Handed)
        course, _ = self._taught(account, value)
        in_state(paper, WAITING)
        found = kept(self._bench, value.by, value.draft, _place(value.provider, value.course))
        return paper, value, found, course

    def decide(self, account: Account, name: str, *, take: bool, reason: str) -> None:
        """Put the questions in the place of those before, or return them; never by who handed them in."""
        paper, value, found, course = self.one(account, name)
        if value.by == account.name:
            raise SecondPersonError("somebody else looks at what one has handed in")
        bench, said = self._bench, stated(reason)
        if take:
            by = bench.sealer.pseudonym(value.by)
            why = f"{said}; handed in by {by}, provider {value.provider}"
            self._desk.put(account, course, self._taught(account, value)[1], found, why)
        else:
            bench.office.audit(account, "returned practice questions", f"{value.provider}: {value.title}", said,
                               *self._taught(account, value)[1])  # fmt: skip
        bench.change(paper, replace(value, decided_by=account.name, reason=said), TAKEN if take else RETURNED)
        bench.registry.drop_drafts(bench.clock(), value.draft)

    def _taught(self, account: Account, value: Handed) -> tuple[Course, Sequence[str]]:
        course, classes = self._desk.taught().get(value.course, (None, []))
        if course is None:
            raise NotThereError("no class has this course any more")
        for class_id in classes:
            self._bench.office.require(account, Right.IMPORT, class_id)
        return course, classes


def _place(provider: str, digest: str) -> str:
    return f"hand/{sha256(f'{provider} {digest}'.encode()).hexdigest()[:59]}"
