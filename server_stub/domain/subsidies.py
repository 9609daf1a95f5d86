"""Subsidies that other offices paid, by list (R3.8): looked at first, then confirmed, all of it or nothing.

A number is kept as its keyed hash alone: the list answers whether a person was paid before, and names nobody.
"""

from __future__ import annotations

import datetime
import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from hashlib import sha256
from typing import Final

from server_stub.domain import citizen, sheets
from server_stub.domain.duties import Right
from server_stub.domain.eligibility import SUBSIDY, Subsidy
from server_stub.domain.errors import NotAllowedError, NotThereError, SheetError, StalePreviewError
from server_stub.domain.office import stated
from server_stub.domain.papers import Paper, fresh, required
from server_stub.domain.people import Account
from server_stub.domain.registry import Draft, Person
from server_stub.domain.sheets import Sheet
from server_stub.domain.work import Bench

DRAFT_MS: Final = 60 * 60 * 1000
SHOWN: Final = 200
_MANY: Final = 500
FIRST_YEAR: Final = 2000  # no list of skill subsidies reaches back further
_NO_CLASS: Final = ""  # such a draft belongs to no class, and no class's import opens it
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "identity": ("身份证号", "身份证号码", "身份证", "证件号码", "公民身份号码", "idnumber", "identity"),
    "trade": ("工种", "职业", "职业工种", "培训工种", "项目", "trade", "occupation"),
    "level": ("等级", "级别", "技能等级", "培训等级", "level", "skilllevel"),
    "year": ("年份", "年度", "补贴年度", "year"),
}
_LEVELS: Final = {  # as lists write them; 1 is the highest
    "1": ("1", "一级", "一级/高级技师", "高级技师"), "2": ("2", "二级", "二级/技师", "技师"),
    "3": ("3", "三级", "三级/高级工", "高级工", "高级"), "4": ("4", "四级", "四级/中级工", "中级工", "中级"),
    "5": ("5", "五级", "五级/初级工", "初级工", "初级"),
}  # fmt: skip


@dataclass(frozen=True, slots=True)
class Row:
    """One payment as the list says it; "" for what it does not say."""

    number: int  # in the file
    identity: str = ""
    trade: str = ""
    level: str = ""
    year: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row and what would become of it: new | same | problem. `problem` is a word of the pages."""

    row: Row
    state: str
    problem: str = ""
    about: str = ""  # the keyed hash
    value: Subsidy | None = None


@dataclass(frozen=True, slots=True)
class Plan:
    """All rows, judged."""

    lines: tuple[Line, ...]

    def count(self, state: str) -> int:
        """How many rows are in this state."""
        return sum(line.state == state for line in self.lines)

    @property
    def digest(self) -> str:
        """The hash of what a preview shows: confirmed is what was seen."""
        shown = [[line.row.number, line.state, line.problem, line.about, str(line.value)] for line in self.lines]
        return sha256(json.dumps(shown).encode()).hexdigest()


def rows(sheet: Sheet) -> tuple[Row, ...]:
    """The payments of a sheet by the titles of its first line; without titles the columns are number, trade, level,
    year. `SheetError` for a sheet that has neither, or nobody below its titles."""
    if not sheet.rows:
        raise SheetError("the list is empty")
    titles = [_field(cell) for cell in sheet.rows[0][1]]
    has_titles = "identity" in titles
    if has_titles and sorted(filter(None, titles)) != sorted(_COLUMNS):
        raise SheetError("the first line names 身份证号, 工种, 等级 and 年份 (number, trade, level, year), each once")
    if not has_titles and not sheet.rows[0][1][0][:1].isdigit():
        raise SheetError("the first line names no column 身份证号 (identity number)")
    fields = titles if has_titles else list(_COLUMNS)
    found = tuple(
        Row(number, **{field: _cell(cells[at]) for at, field in enumerate(fields) if field and at < len(cells)})
        for number, cells in sheet.rows[has_titles:]
    )
    if not found:
        raise SheetError("the list has a line of titles and nobody below it")
    return found


def _cell(text: str) -> str:
    return " ".join(unicodedata.normalize("NFKC", text).split())


def _field(title: str) -> str:
    text = re.sub(r"\(.*?\)|[\s*:_.-]", "", unicodedata.normalize("NFKC", title).lower())
    return next((field for field, names in _COLUMNS.items() if text in names), "")


def read_row(row: Row, today: datetime.date) -> tuple[str, Subsidy]:
    """The number and what was paid; `citizen.Damaged` with the code of what is wrong."""
    number = citizen.identity(row.identity, today)
    if not 0 < len(row.trade) <= 60 or not row.trade.isprintable():
        raise citizen.Damaged("sub_trade")
    level = next((key for key, names in _LEVELS.items() if row.level.replace(" ", "") in names), "")
    if not level:
        raise citizen.Damaged("sub_level")
    year = re.fullmatch(r"([0-9]{4})(?:年|\.0)?", row.year, re.ASCII)
    if year is None or not FIRST_YEAR <= int(year[1]) <= today.year:
        raise citizen.Damaged("sub_year")
    return number, Subsidy(row.trade, int(level), int(year[1]), "list")


class Subsidies:
    """Takes lists in, shows what is kept, takes a wrong entry out; whoever may see identity numbers may do this."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def look(self, account: Account, data: bytes) -> tuple[str, Plan]:
        """A draft's identifier and what would become of every row; nothing is changed. `SheetError` for no list."""
        bench = self._bench
        bench.office.require_anywhere(account, Right.REVEAL)
        found = rows(sheets.read(data))
        plan, now, draft = self._judge(found), bench.clock(), secrets.token_hex(16)
        text = json.dumps([[row.number, row.identity, row.trade, row.level, row.year] for row in found]).encode()
        sealed = bench.sealer.seal(text, _bound(draft))
        bench.registry.drop_drafts(now)
        bench.registry.keep_draft(Draft(draft, account.name, _NO_CLASS, now + DRAFT_MS, sealed, plan.digest))
        return draft, plan

    def again(self, account: Account, draft: str) -> tuple[Draft, Plan]:
        """A draft of this account and its plan as of now; `NotThereError` for any other, and when it expired."""
        bench = self._bench
        bench.office.require_anywhere(account, Right.REVEAL)
        kept = bench.registry.draft(draft)
        if kept is None or kept.by != account.name or kept.class_id != _NO_CLASS or kept.expires <= bench.clock():
            raise NotThereError("this preview has expired, or is not yours")
        return kept, self._judge([Row(*row) for row in json.loads(bench.sealer.open(kept.sealed, _bound(draft)))])

    def confirm(self, account: Account, draft: str, *, leave_out: bool) -> Plan:
        """Keep what is new. Rows with a problem are left out only if `leave_out` says so, else nothing is done.

        An audit leaf in every class in which somebody of the list is enrolled comes first. `StalePreviewError` when
        other than what was shown would happen.
        """
        bench, (kept, plan) = self._bench, self.again(account, draft)
        if plan.digest != kept.shown:
            bench.registry.drop_drafts(bench.clock(), draft)
            raise StalePreviewError("the list of subsidies was changed since the preview")
        if plan.count("problem") and not leave_out:
            raise SheetError(f"{plan.count('problem')} rows cannot be taken as they are")
        new = [line for line in plan.lines if line.state == "new"]
        said = f"{len(new)} of {len(plan.lines)}; list {plan.digest}"
        why = "a list of another office"
        bench.office.audit(account, "took in paid subsidies", said, why, *self._touched({line.about for line in new}))
        bench.papers.put(*(
            fresh(SUBSIDY, "", line.about, "paid", bench.clock(), replace(line.value, by=account.name))
            for line in new if line.value is not None
        ))  # fmt: skip
        bench.registry.drop_drafts(bench.clock(), draft)
        return plan

    def latest(self, account: Account, number: str = "") -> list[tuple[Paper, Subsidy, Person | None]]:
        """What is kept, latest first, of one identity number or of all; with the learner where the account may see
        one who has this number."""
        bench = self._bench
        bench.office.require_anywhere(account, Right.REVEAL)
        about = None
        if number.strip():
            about = [bench.sealer.digest(citizen.plain(number))]
        papers = bench.papers.find(SUBSIDY, about=about, limit=SHOWN)
        known = {person.identity: person for person in bench.registry.known([], {paper.about for paper in papers})}
        seen = {item.class_id for item in bench.office.classes(account)}
        shown = {key: person for key, person in known.items() if seen & set(person.classes)}
        return [(paper, paper.read(Subsidy), shown.get(paper.about)) for paper in papers]

    def remove(self, account: Account, paper: str, reason: str) -> None:
        """Take a wrong entry of a list out again, for a stated reason; what a class's proof entered stays."""
        bench = self._bench
        bench.office.require_anywhere(account, Right.REVEAL)
        found = required(bench.papers.get(SUBSIDY, paper))
        value = found.read(Subsidy)
        if value.source != "list":
            raise NotAllowedError("this entry belongs to a completion proof: revoke that one")
        touched = self._touched({found.about})
        if account.name != value.by and not bench.office.sees_all(account, Right.REVEAL) and not any(
            bench.office.may(account, Right.REVEAL, class_id) for class_id in touched
        ):
            raise NotAllowedError("this entry is about nobody of the classes of this account")
        said = f"{value.trade} {value.level} ({value.year}) {found.about[:16]}"
        bench.office.audit(account, "took out a paid subsidy", said, stated(reason), *touched)
        bench.papers.drop([paper])

    def _touched(self, about: set[str]) -> list[str]:
        """The classes in which somebody with one of these numbers is enrolled, in order."""
        people = self._bench.registry.known([], about) if about else []
        return sorted({class_id for person in people for class_id in person.classes})

    def _judge(self, found: Sequence[Row]) -> Plan:
        bench = self._bench
        read = [self._read(row) for row in found]
        about = sorted({line.about for line in read if line.about})
        known: set[tuple[str, tuple[str, int, int]]] = set()
        for at in range(0, len(about), _MANY):
            papers = bench.papers.find(SUBSIDY, about=about[at : at + _MANY], limit=100_000)
            known |= {(paper.about, _what(paper.read(Subsidy))) for paper in papers}
        lines = []
        for line in read:
            key = (line.about, _what(line.value)) if line.value is not None else None
            lines.append(replace(line, state="same") if key in known else line)
            if key is not None:
                known.add(key)
        return Plan(tuple(lines))

    def _read(self, row: Row) -> Line:
        try:
            number, value = read_row(row, self._bench.today())
        except citizen.Damaged as damage:
            return Line(row, "problem", damage.code)
        return Line(row, "new", about=self._bench.sealer.digest(number), value=value)


def _what(value: Subsidy) -> tuple[str, int, int]:
    """Two entries of one person that agree in this are the same payment."""
    return value.trade, value.level, value.year


def _bound(draft: str) -> str:
    return f"subsidies/{draft}"
