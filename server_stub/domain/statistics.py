"""Figures of a class, an institution, a district: attendance, progress, hours, points, pass rates, who is behind; and
what goes outside: tables, reminders, masked lists that stay open for three working days.
"""

from __future__ import annotations

import datetime
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server_stub.domain import plan
from server_stub.domain.application import Application, Applications
from server_stub.domain.certificates import EXAM, Issued
from server_stub.domain.certificates import KIND as COMPLETION
from server_stub.domain.citizen import masked
from server_stub.domain.duties import EVERYWHERE, Place, Right
from server_stub.domain.figures import Figures, Progress
from server_stub.domain.houserules import HouseRules
from server_stub.domain.office import class_place, stated
from server_stub.domain.papers import Paper, fresh, required
from server_stub.domain.people import Account, Classroom
from server_stub.domain.tables_out import Rows
from server_stub.domain.warnings.inspector import WARNING
from server_stub.domain.work import Bench
from server_stub.domain.work_errors import NotEligibleError

REMINDER, PUBLICATION = "reminder", "publication"
OPEN_WORKING_DAYS: Final = 3
QUIET_MS: Final = 7 * 86_400_000  # without a plan: whoever has not been heard of for a week is behind
REMIND_AGAIN_MS: Final = 20 * 3_600_000  # one reminder a day
MOST: Final = 3_000  # learners whose progress one page computes


@dataclass(frozen=True, slots=True)
class Line:
    """One learner of a class; `due` per mille by the plan as of today."""

    name: str
    account: str
    progress: Progress
    due: int
    behind: bool
    selected: bool  # attendance is at least what the programme says
    reminded_at: int


@dataclass(frozen=True, slots=True)
class ClassFigures:
    """One class. Shares in per mille; None where there is nothing to take a share of."""

    class_id: str
    title: str
    learners: int
    selected: int
    attendance: int
    median: int
    credited_ms: int
    played_ms: int
    hours_tenths: int
    points: int
    exams: int
    passed: int
    completions: int
    cases: int
    warnings: int
    checks: Mapping[str, int]
    reasons: Mapping[str, int]

    @property
    def pass_permille(self) -> int | None:
        """Of the exams that were taken."""
        return self.passed * 1000 // self.exams if self.exams else None


@dataclass(frozen=True, slots=True)
class Published:
    """A masked list as it was put out. `until`: the last day on which it is open."""

    title: str
    by: str
    until: str
    rows: tuple[tuple[str, ...], ...]


class Statistics:
    """Counts, reminds, publishes."""

    def __init__(self, bench: Bench, figures: Figures, applications: Applications, rules: HouseRules) -> None:
        self._bench, self._figures, self._applications, self._rules = bench, figures, applications, rules

    # --- one class ----------------------------------------------------------------------------------------------------

    def lines(self, account: Account, class_id: str) -> list[Line]:
        """Everybody of a class that the account may see, those who are furthest behind first."""
        bench = self._bench
        bench.office.require(account, Right.SEE, class_id)
        policy, _ = self._figures.rules(class_id)
        due, now = self._due(class_id), bench.clock()
        reminded = {paper.about: paper.made for paper in reversed(
            bench.papers.find(REMINDER, places=[class_place(class_id)], limit=20_000))}  # fmt: skip
        found = []
        for item in self._figures.of_class(class_id):
            known = bench.people.account_of(item.learner)
            quiet = due is None and item.permille < 1000 and now - item.heard_at > QUIET_MS
            behind = quiet if due is None else item.permille < due
            found.append(Line(
                known.person if known else "", known.name if known else "", item, due or 0, behind,
                item.permille >= policy.attendance_permille, reminded.get(item.learner, 0),
            ))  # fmt: skip
        return sorted(found, key=lambda line: (not line.behind, line.progress.permille, line.account))

    def _due(self, class_id: str) -> int | None:
        """The share of the theory that should be done by the end of yesterday; None without a plan."""
        paper = self._applications.of(class_id)
        if paper is None:
            return None
        lessons = [item for item in paper.read(Application).lessons if item.part == "theory"]
        past = [item for item in lessons if item.day < self._bench.today().isoformat()]
        whole = plan.hours(lessons)
        return plan.hours(past) * 1000 // whole if whole else None

    def of_class(self, room: Classroom) -> ClassFigures:
        """The figures of one class."""
        progress = self._figures.of_class(room.class_id)
        policy, _ = self._figures.rules(room.class_id)
        place = class_place(room.class_id)
        exams, papers = self._count(EXAM, place), self._bench.papers
        shares = sorted(item.permille for item in progress)
        selected = sum(share >= policy.attendance_permille for share in shares)
        return ClassFigures(
            room.class_id, room.title, len(progress), selected, selected * 1000 // len(progress) if progress else 0,
            shares[len(shares) // 2] if shares else 0, sum(item.credited_ms for item in progress),
            sum(item.played_ms for item in progress), sum(item.hours_tenths for item in progress),
            sum(item.points for item in progress), sum(exams.values()), exams.get("passed", 0),
            self._count(COMPLETION, place).get("issued", 0),
            len(papers.find("case", places=[place], states=("open", "proposed", "appealed"))),
            self._count(WARNING, place).get("open", 0),
            _sum(item.checks for item in progress), _sum(item.reasons for item in progress),
        )  # fmt: skip

    def _count(self, kind: str, place: str) -> dict[str, int]:
        return {state: number for (at, state), number in self._bench.papers.count(kind).items() if at == place}

    # --- many classes -------------------------------------------------------------------------------------------------

    def places(self, account: Account) -> list[tuple[str, str]]:
        """(key, name) of the institutions and districts whose figures the account may see."""
        tree, duties = self._bench.office.tree(), self._bench.office.duties(account)
        found = [(item.key, item.name) for item in tree.places.values() if item.kind in ("district", "institution")
                 and tree.may(duties, Right.FIGURES, item.key)]  # fmt: skip
        return sorted(found)

    def below(self, account: Account, place: str) -> tuple[list[ClassFigures], bool]:
        """The figures of every class at a place ("" all that the account may see), and whether all were computed."""
        bench = self._bench
        if place:
            bench.office.require_place(account, Right.FIGURES, place)
        tree = bench.office.tree()
        rooms = [item for item in bench.office.classes(account, Right.FIGURES)
                 if place == EVERYWHERE or place in tree.chain(class_place(item.class_id))]  # fmt: skip
        counts, left = bench.registry.counts(), MOST
        found: list[ClassFigures] = []
        for room in rooms:
            left -= counts.get(room.class_id, 0)
            if left < 0:
                return found, False
            found.append(self.of_class(room))
        return found, True

    def by_place(self, account: Account, found: Sequence[ClassFigures]) -> list[tuple[Place, list[ClassFigures]]]:
        """The same by district and institution: every one that the account may see and that has a class among them."""
        tree, seen = self._bench.office.tree(), self.places(account)
        groups: dict[str, list[ClassFigures]] = {key: [] for key, _ in seen}
        for item in found:
            for key in tree.chain(class_place(item.class_id)):
                if key in groups:
                    groups[key].append(item)
        return [(tree.places[key], items) for key, items in groups.items() if items]

    def overview(self, account: Account, place: str, words: Mapping[str, str]) -> Rows:
        """The classes of a place as rows for a spreadsheet, with the district and the institution of each."""
        found, _ = self.below(account, place)
        tree = self._bench.office.tree()
        keys = ("class", "class_id", "stat_institution", "stat_district", "learners", "stat_selected",
                "stat_median_unit", "stat_credited_unit", "stat_played_unit", "stat_hours", "stat_points",
                "stat_exams", "stat_passed",
                "stat_completions", "stat_cases", "stat_warnings")  # fmt: skip
        rows: list[list[str | int | float]] = [[words[key] for key in keys]]
        for item in found:
            around = [tree.places[key] for key in tree.chain(class_place(item.class_id)) if key in tree.places]
            above = {one.kind: one.name for one in around}
            rows.append([
                item.title, item.class_id, above.get("institution", ""), above.get("district", ""), item.learners,
                item.selected, item.median / 10, item.credited_ms // 6000 / 10, item.played_ms // 6000 / 10,
                item.hours_tenths / 10, item.points / 10, item.exams, item.passed, item.completions, item.cases,
                item.warnings,
            ])  # fmt: skip
        return rows

    # --- reminders ----------------------------------------------------------------------------------------------------

    def remind(self, account: Account, class_id: str) -> int:
        """A reminder on the own page of everybody who is behind and was not reminded today; how many."""
        bench = self._bench
        bench.office.require(account, Right.STEER, class_id)
        now = bench.clock()
        wanted = [line for line in self.lines(account, class_id)
                  if line.behind and now - line.reminded_at > REMIND_AGAIN_MS]  # fmt: skip
        if wanted:
            bench.office.audit(account, "reminded who is behind", class_id, f"{len(wanted)} learners", class_id)
            place = class_place(class_id)
            bench.papers.put(*(
                fresh(REMINDER, place, line.progress.learner, "new", now,
                      {"permille": line.progress.permille, "due": line.due}) for line in wanted
            ))  # fmt: skip
        return len(wanted)

    def reminders_of(self, learner: str) -> Sequence[Paper]:
        """A learner's reminders, latest first: for the learner's own page."""
        return self._bench.papers.find(REMINDER, about=[learner], limit=20)

    # --- tables -------------------------------------------------------------------------------------------------------

    def table(self, account: Account, class_id: str, words: Mapping[str, str]) -> Rows:
        """The class as rows for a spreadsheet, in the words of a language."""
        head = [words[key] for key in ("name", "account", "stat_progress", "stat_credited_unit", "stat_played_unit",
                                       "stat_hours", "stat_points", "stat_selected", "stat_behind")]  # fmt: skip
        rows: list[list[str | int | float]] = [list(head)]
        for line in self.lines(account, class_id):
            item = line.progress
            rows.append([
                line.name, line.account, item.permille / 10, item.credited_ms // 6000 / 10, item.played_ms // 6000 / 10,
                item.hours_tenths / 10, item.points / 10, words["stat_yes"] if line.selected else words["stat_no"],
                words["stat_yes"] if line.behind else words["stat_no"],
            ])  # fmt: skip
        return rows

    def matching(self, account: Account, class_id: str, reason: str) -> Rows:
        """Whole identity numbers of those who completed, for matching with other departments (R3.8): for a stated
        reason that the class log keeps first."""
        bench = self._bench
        bench.office.require(account, Right.REVEAL, class_id)
        papers = bench.papers.find(COMPLETION, places=[class_place(class_id)], states=["issued"], limit=20_000)
        bench.office.audit(account, "exported identity numbers", f"{len(papers)} people", stated(reason), class_id)
        rows: list[list[str | int | float]] = [["姓名", "身份证号", "证书编号"]]
        for paper in papers:
            person = bench.registry.person(paper.about)
            if person is not None and person.sealed:
                number = bench.sealer.open(person.sealed, person.learner).decode()
                rows.append([person.name, number, paper.read(Issued).serial])
        return rows

    # --- masked lists -------------------------------------------------------------------------------------------------

    def publish(self, account: Account, class_id: str) -> Paper:
        """Put out the masked list of those who completed; it stays open for three working days (R3.8)."""
        bench = self._bench
        room = bench.office.require(account, Right.IMPORT, class_id)
        papers = bench.papers.find(COMPLETION, places=[class_place(class_id)], states=["issued"], limit=20_000)
        rows = tuple(sorted(self._masked(paper) for paper in papers))
        if not rows:
            raise NotEligibleError("nobody has completed yet")
        until = self._rules.working_days(bench.today(), OPEN_WORKING_DAYS)
        bench.office.audit(account, "published a list", class_id, f"{len(rows)} people until {until}", class_id)
        value = Published(room.title, account.name, until.isoformat(), rows)
        return bench.keep(PUBLICATION, class_place(class_id), "", "open", value)

    def _masked(self, paper: Paper) -> tuple[str, ...]:
        person = self._bench.registry.person(paper.about)
        number = self._bench.sealer.open(person.sealed, person.learner).decode() if person and person.sealed else ""
        return masked_name(person.name if person else ""), masked(number), paper.read(Issued).serial

    def published(self, paper: str) -> tuple[Paper, Published, bool]:
        """A list, and whether it is open today; of one that is over only that it was."""
        found = required(self._bench.papers.get(PUBLICATION, paper))
        value = found.read(Published)
        is_open = self._bench.today() <= datetime.date.fromisoformat(value.until)
        return found, value if is_open else Published(value.title, "", value.until, ()), is_open

    def publications(self, class_id: str) -> list[tuple[Paper, Published]]:
        """The lists of a class, latest first."""
        found = self._bench.papers.find(PUBLICATION, places=[class_place(class_id)], limit=20)
        return [(paper, paper.read(Published)) for paper in found]


def masked_name(name: str) -> str:
    """What a published list shows of a name: its first character, and how many follow."""
    return name[:1] + "*" * max(1, len(name) - 1) if name else "*"


def _sum(parts: Iterable[Mapping[str, int]]) -> dict[str, int]:
    total: dict[str, int] = {}
    for part in parts:
        for key, value in part.items():
            total[key] = total.get(key, 0) + value
    return total
