"""Completion proofs: issued when theory, practice and exam are done and nothing stands against it; numbered, signed by
the grant key, named in the class log; revoked by an entry of the class log.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from ledger import completion
from ledger.completion import Completion, person_hash
from server_stub.domain import plan, sheets
from server_stub.domain.application import Application, Applications
from server_stub.domain.duties import Right
from server_stub.domain.eligibility import SUBSIDY, Eligibility, Subsidy
from server_stub.domain.errors import NotThereError, SheetError
from server_stub.domain.figures import Figures
from server_stub.domain.office import class_place, stated
from server_stub.domain.opening import Opening
from server_stub.domain.papers import Paper, fresh, required
from server_stub.domain.people import Account, Registration
from server_stub.domain.work import Bench, class_of, day_of, in_state
from server_stub.domain.work_errors import NotEligibleError

KIND, EXAM = "completion", "exam"
PASS_TENTHS: Final = 600
_POINTS: Final = re.compile(r"([0-9]{1,3})(?:\.([0-9]))?")


@dataclass(frozen=True, slots=True)
class Exam:
    """A result of the final exam; tenths of a point out of 100."""

    score_tenths: int
    by: str


@dataclass(frozen=True, slots=True)
class Issued:
    """A proof that was issued: the note as it stands in its QR code."""

    serial: str
    note: str
    digest: str
    vkey: str  # who signed it: the grant key of that day
    by: str
    revoked_by: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True)
class Standing:
    """What a learner still lacks for a proof: codes (words of the pages); () and no paper: it can be issued."""

    learner: str
    lacks: tuple[str, ...]
    score_tenths: int
    practice_hours: int
    paper: Paper | None


class Certificates:
    """Says who has completed, and certifies it."""

    def __init__(
        self, bench: Bench, applications: Applications, eligibility: Eligibility, figures: Figures, opening: Opening
    ) -> None:
        self._bench, self._applications, self._eligibility = bench, applications, eligibility
        self._figures, self._opening = figures, opening

    # --- exams --------------------------------------------------------------------------------------------------------

    def take_results(self, account: Account, class_id: str, data: bytes) -> int:
        """Take in the results of the final exam: account and points (0 to 100) a line; all of it, or `SheetError`."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        known = {item.learner for item in bench.people.registrations(class_id=class_id)}
        found: dict[str, int] = {}
        for number, cells in sheets.read(data).rows:
            name, score = cells[0], cells[1] if len(cells) > 1 else ""
            person = bench.people.account(name.lower())
            tenths = _tenths(score)
            if tenths is None and number == 1:
                continue  # the names of the columns
            if tenths is None or person is None or person.learner not in known:
                raise SheetError(f"row {number}: an account of this class and points from 0 to 100")
            found[person.learner] = tenths
        bench.office.audit(account, "took in exam results", class_id, f"{len(found)} results", class_id)
        place, now = class_place(class_id), bench.clock()
        before = bench.papers.find(EXAM, places=[place], about=found, limit=100_000)
        same = {paper.about for paper in before if paper.read(Exam).score_tenths == found[paper.about]}
        new = {learner: tenths for learner, tenths in found.items() if learner not in same}
        bench.decisions.results(class_id, new, PASS_TENTHS)
        bench.papers.drop([paper.paper for paper in before])
        bench.papers.put(*(
            fresh(EXAM, place, learner, ("failed", "passed")[tenths >= PASS_TENTHS], now, Exam(tenths, account.name))
            for learner, tenths in found.items()
        ))  # fmt: skip
        return len(found)

    def exam(self, class_id: str, learner: str) -> Paper | None:
        """A learner's result."""
        found = self._bench.papers.find(EXAM, places=[class_place(class_id)], about=[learner], limit=1)
        return found[0] if found else None

    # --- proofs -------------------------------------------------------------------------------------------------------

    def standing(self, class_id: str) -> list[Standing]:
        """Everybody of an open class, and what each still lacks."""
        paper = self._applications.of(class_id)
        if paper is None or paper.state not in ("open", "closed"):
            return []
        value = paper.read(Application)
        papers = self._bench.papers.find(KIND, places=[class_place(class_id)], limit=100_000)
        issued = {item.about: item for item in reversed(papers)}  # the latest of each
        return [
            self._standing(item, value, issued.get(item.learner))
            for item in self._bench.people.registrations(class_id=class_id)
        ]

    def _standing(self, item: Registration, value: Application, issued: Paper | None) -> Standing:
        policy, _ = self._figures.rules(item.class_id)
        lacks = [] if self._figures.of(item).complete(policy.attendance_permille) else ["theory"]
        practised = self._opening.practice_hours(item.class_id, item.learner)
        lacks += ["practice"] if practised < plan.hours(value.lessons, part="practice") else []
        exam = self.exam(item.class_id, item.learner)
        lacks += [] if exam is not None and exam.state == "passed" else ["exam"]
        lacks += [reason.code for reason in self._eligibility.reasons(item, value.trade, value.level)
                  if issued is None or issued.state == "revoked"]  # fmt: skip
        score = exam.read(Exam).score_tenths if exam else 0
        return Standing(item.learner, tuple(lacks), score, practised, issued)

    def issue(self, account: Account, class_id: str, learner: str) -> Paper:
        """Certify one learner; the class log names the proof before it exists. `NotEligibleError` with what lacks."""
        bench = self._bench
        bench.office.require(account, Right.IMPORT, class_id)
        application = in_state(required(self._applications.of(class_id)), "open", "closed").read(Application)
        found = next((item for item in self.standing(class_id) if item.learner == learner), None)
        if found is None:
            raise NotThereError("no such learner in this class")
        if found.paper is not None and found.paper.state == "issued":
            return found.paper
        if found.lacks:
            raise NotEligibleError(f"not complete yet: {', '.join(found.lacks)}")
        value = self._value(application, found, class_id)
        reason = f"{value.serial} sha256 {value.digest}"
        bench.office.audit(account, completion.ISSUED, learner, reason, class_id)
        signed = completion.sign(value, bench.keyring.grant)
        issued = Issued(value.serial, signed.decode(), value.digest, str(bench.keyring.grant.vkey), account.name)
        place, now = class_place(class_id), bench.clock()
        number = len(bench.papers.find(KIND, places=[place], about=[learner]))
        name = sha256(f"{KIND} {place} {learner} {number}".encode()).hexdigest()[:32]  # of two at once one is kept
        paper = replace(fresh(KIND, place, learner, "issued", now, issued), paper=name)
        person = required_person(bench, learner)
        paid = Subsidy(application.trade, application.level, bench.today().year, class_id)
        return bench.papers.put(paper, fresh(SUBSIDY, "", person, "class", now, paid))[0]

    def _value(self, application: Application, found: Standing, class_id: str) -> Completion:
        bench = self._bench
        person = bench.registry.person(found.learner)
        if person is None or not person.sealed:
            raise NotEligibleError("no identity number is kept of this learner")
        number, salt = bench.sealer.open(person.sealed, person.learner).decode(), secrets.token_hex(16)
        registration = bench.people.registrations(learner=found.learner, class_id=class_id)[0]
        days = [lesson.day for lesson in application.lessons]
        tree, today = bench.office.tree(), bench.today()
        at = tree.places.get(class_place(class_id))
        institution = tree.places[at.parent].name if at and at.parent in tree.places else bench.server
        count = sum(bench.papers.count(KIND).values()) + 1
        return Completion(
            serial=f"TS{today.year}-{count:06d}-{secrets.token_hex(2).upper()}", class_=bench.keyring.origin(class_id),
            name=person.name[:60], salt=salt, id=person_hash(salt, number), project=bench.titles()[class_id][:100],
            trade=application.trade, level=application.level, begins=min(days), ends=max(days),
            institution=institution[:100], issued=day_of(bench.clock()).isoformat(),
            filing=application.digest[:16], theory_tenths=self._figures.of(registration).hours_tenths,
            practice_tenths=found.practice_hours * 10, score_tenths=found.score_tenths,
        )  # fmt: skip

    def revoke(self, account: Account, paper: str, reason: str) -> Paper:
        """Take a proof back, by somebody who may decide; the class log says so from then on."""
        bench = self._bench
        found = in_state(bench.one(account, Right.DECIDE, KIND, paper), "issued")
        value = found.read(Issued)
        said = f"{value.serial} sha256 {value.digest}: {stated(reason)}"
        bench.office.audit(account, completion.REVOKED, found.about, said, class_of(found))
        new = replace(value, revoked_by=account.name, reason=stated(reason))
        return bench.change(found, new, "revoked")

    def one(self, account: Account, paper: str) -> tuple[Paper, Issued]:
        """A proof of a class that the account may see."""
        found = self._bench.one(account, Right.SEE, KIND, paper)
        return found, found.read(Issued)

    def of_learner(self, learner: str) -> Sequence[Paper]:
        """A learner's own proofs."""
        return self._bench.papers.find(KIND, about=[learner])


def required_person(bench: Bench, learner: str) -> str:
    """The keyed hash of a learner's identity number, or `NotEligibleError`."""
    person = bench.registry.person(learner)
    if person is None or not person.identity:
        raise NotEligibleError("no identity number is kept of this learner")
    return person.identity


def _tenths(text: str) -> int | None:
    """Points with at most one decimal, in tenths; None for anything that is no number from 0 to 100."""
    found = _POINTS.fullmatch(text.strip())
    tenths = int(found[1]) * 10 + int(found[2] or 0) if found else 1001
    return tenths if tenths <= 1000 else None
