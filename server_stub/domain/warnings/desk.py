"""What people do with warnings: look, set aside for a reason, open a review case; and answer the daily report."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final, Protocol

from server_stub.domain.duties import EVERYWHERE, Right
from server_stub.domain.errors import NotThereError
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, required
from server_stub.domain.people import Account
from server_stub.domain.warnings.inspector import REPORT, WARNING, Inspector, Report, Warned
from server_stub.domain.work import class_of, day_of, in_state

STATES: Final = ("open", "case", "aside")
LISTED: Final = 300


class CaseBook(Protocol):
    """Where review cases are kept (`domain.cases`)."""

    def open(
        self, class_id: str, learner: str, source: str, title: str, *, sid: str = "", key: str = "", by: str = "system"
    ) -> Paper:
        """The case for this `key`, a new one unless there is one."""  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """One warning as the page lists it."""

    paper: Paper
    warned: Warned

    @property
    def class_id(self) -> str:
        """Its class; "" where it concerns a place."""
        return class_of(self.paper) if self.paper.place.startswith("class/") else ""


class WarningDesk:
    """Every look needs the right to decide in the class; every act leaves an audit leaf first."""

    def __init__(self, inspector: Inspector, cases: CaseBook) -> None:
        self.inspector, self._bench, self._cases = inspector, inspector.bench, cases

    def listed(self, account: Account, state: str = "open", class_id: str = "") -> list[Listed]:
        """The warnings that the account may see, the heaviest first."""
        office = self._bench.office
        office.require_anywhere(account, Right.DECIDE)
        if class_id:
            office.require(account, Right.DECIDE, class_id)
        tree, duties = office.tree(), office.duties(account)
        papers = self._bench.papers.find(WARNING, states=[state] if state in STATES else None, limit=100_000)
        seen = [paper for paper in papers if tree.may(duties, Right.DECIDE, paper.place)]
        found = [Listed(paper, paper.read(Warned)) for paper in seen if not class_id or class_of(paper) == class_id]
        found.sort(key=lambda item: (-item.warned.score, -item.warned.last_at, item.paper.paper))
        return found[:LISTED]

    def look(self, account: Account, paper: str) -> Listed:
        """One warning; `NotThereError` for one of elsewhere."""
        found = required(self._bench.papers.get(WARNING, paper))
        office = self._bench.office
        if not office.tree().may(office.duties(account), Right.DECIDE, found.place):
            raise NotThereError("no such warning")
        return Listed(found, found.read(Warned))

    def set_aside(self, account: Account, paper: str, reason: str) -> None:
        """Nothing follows from it, for a stated reason; newer events may open it again."""
        found, why = self.look(account, paper), stated(reason)
        in_state(found.paper, "open")
        self._audit(account, "set a warning aside", found, why)
        self._decide(account, found, why, "aside")

    def open_cases(self, account: Account, paper: str, reason: str) -> list[str]:
        """A review case for each learner it names, or one for the class; the names of their papers."""
        found, why = self.look(account, paper), stated(reason)
        in_state(found.paper, "open")
        class_id = found.class_id
        if not class_id:
            raise NotThereError("a case belongs to a class: open it from a warning of one of the classes")
        self._audit(account, "opened a case from a warning", found, why)
        title = f"{found.warned.words['zh']['title']}（{found.warned.rule} v{found.warned.version}）：{why}"[:300]
        made = [
            self._cases.open(
                class_id, learner, "warning", title, sid=_session(found, learner), key=f"{paper}/{learner}",
                by=account.name,
            ).paper
            for learner in found.warned.learners or ("",)
        ]  # fmt: skip
        self._decide(account, found, why, "case", made[0])
        return made

    def _decide(self, account: Account, found: Listed, why: str, state: str, case: str = "") -> None:
        leaf = max((ref.leaf for ref in found.warned.refs), default=-1)
        value = replace(found.warned, decided_by=account.name, decided_at=self._bench.clock(), reason=why, case=case,
                        decided_leaf=leaf)  # fmt: skip
        self._bench.change(found.paper, value, state)

    def _audit(self, account: Account, did: str, found: Listed, why: str) -> None:
        classes = (found.class_id,) if found.class_id else ()
        self._bench.office.audit(account, did, f"{found.warned.rule} {found.paper.paper}", why, *classes)

    # --- reports ------------------------------------------------------------------------------------------------------

    def reports(self, account: Account) -> list[tuple[Paper, Report]]:
        """The daily self-inspections, latest first; of the classes that the account may see."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        papers = self._bench.papers.find(REPORT, limit=60)
        return [(paper, self._scoped(account, paper.read(Report))) for paper in papers]

    def report(self, account: Account, paper: str) -> tuple[Paper, Report]:
        """One of them."""
        self._bench.office.require_anywhere(account, Right.DECIDE)
        found = required(self._bench.papers.get(REPORT, paper))
        return found, self._scoped(account, found.read(Report))

    def _scoped(self, account: Account, report: Report) -> Report:
        """Without the classes, and what was said of them, that are not this account's."""
        office = self._bench.office
        tree, duties = office.tree(), office.duties(account)
        if tree.may(duties, Right.DECIDE, EVERYWHERE):
            return report
        mine = {place: count for place, count in report.by_class.items() if tree.may(duties, Right.DECIDE, place)}
        said = tuple(item for item in report.feedback if tree.may(duties, Right.DECIDE, item["place"]))
        return replace(report, by_class=mine, found={}, feedback=said)

    def feed_back(self, account: Account, paper: str, class_id: str, text: str) -> None:
        """What was found out about an abnormal class, beside the report (R2.6); audited."""
        office = self._bench.office
        office.require(account, Right.DECIDE, class_id)
        found = required(self._bench.papers.get(REPORT, paper))
        report, said = found.read(Report), stated(text)
        office.audit(account, "answered a self-inspection", report.day, said, class_id)
        line = {"at": str(self._bench.clock()), "by": account.name, "place": f"class/{class_id}", "text": said}
        self._bench.change(found, replace(report, feedback=(*report.feedback, line)), "answered")

    def inspect_now(self, account: Account) -> int:
        """Inspect at once, by hand; audited in the journal."""
        office = self._bench.office
        office.require_anywhere(account, Right.DECIDE)
        office.audit(account, "inspected by hand", day_of(self._bench.clock()).isoformat(), "page")
        return self.inspector.now()


def _session(found: Listed, learner: str) -> str:
    """The session that shows it, where one learner is named."""
    return found.warned.refs[0].sid if found.warned.refs and len(found.warned.learners) == 1 and learner else ""
