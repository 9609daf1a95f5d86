"""A list of learners, judged row by row before anything is changed. Pure: what is known comes in, a plan comes out."""

from __future__ import annotations

import datetime
import hashlib
import re
import unicodedata
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from server_stub.domain import citizen
from server_stub.domain.citizen import Damaged
from server_stub.domain.errors import SheetError, UnreadableError
from server_stub.domain.registry import Person
from server_stub.domain.sheets import Sheet
from server_stub.domain.signin import account_name

COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {  # as NFKC, lower case, without spaces and what stands in brackets
    "name": ("姓名", "名字", "学员姓名", "学员", "name", "fullname", "learner"),
    "identity": ("身份证号", "身份证号码", "身份证", "证件号码", "证件号", "公民身份号码", "idnumber", "id", "identity",
                 "idno", "idcard", "identitynumber"),
    "phone": ("手机号", "手机号码", "手机", "联系电话", "电话", "phone", "mobile", "phonenumber", "tel"),
    "account": ("账号", "帐号", "登录名", "用户名", "account", "username", "user", "login"),
    "employer": ("单位", "工作单位", "用人单位", "所在单位", "企业", "公司", "employer", "company"),
}  # fmt: skip
MAX_NAME: Final = 100


@dataclass(frozen=True, slots=True)
class Row:
    """One person as the list says it; "" for what it does not say."""

    number: int  # in the file
    name: str = ""
    identity: str = ""
    phone: str = ""
    account: str = ""
    employer: str = ""


@dataclass(frozen=True, slots=True)
class Problem:
    """Why a row cannot be imported: a code for the page's words, and what the words name."""

    code: str
    about: str = ""


@dataclass(frozen=True, slots=True)
class Line:
    """A row and what would become of it: new | enrol | change | same | problem. `changes`: field, before, after."""

    row: Row
    state: str
    person: Person | None = None  # as it would be; its sealed number is filled in by the importer
    problems: tuple[Problem, ...] = ()
    changes: tuple[tuple[str, str, str], ...] = ()
    enrols: bool = False


@dataclass(frozen=True, slots=True)
class Plan:
    """All lines, and the columns that the list has and nobody reads."""

    lines: tuple[Line, ...]
    ignored: tuple[str, ...]

    def count(self, state: str) -> int:
        """How many lines are in this state."""
        return sum(line.state == state for line in self.lines)

    @property
    def digest(self) -> str:
        """The hash of what a preview shows: confirmed is what was seen."""
        shown = repr([
            (line.row, line.state, line.problems, line.changes, line.enrols, line.person.account if line.person else "")
            for line in self.lines
        ])  # fmt: skip
        return hashlib.sha256(shown.encode()).hexdigest()


def rows(sheet: Sheet) -> tuple[tuple[Row, ...], tuple[str, ...]]:
    """The people of a sheet, and the titles of columns that are left out; `SheetError` without a line of titles."""
    if not sheet.rows:
        raise SheetError("the list is empty")
    titles = sheet.rows[0][1]
    fields = {index: field for index, title in enumerate(titles) if (field := _field(title))}
    named = list(fields.values())
    if "name" not in named or not {"phone", "account", "identity"} & set(named):
        raise SheetError("the first line names no column for the name (姓名), or none for phone, account or id number")
    twice = next((field for field in named if named.count(field) > 1), None)
    if twice:
        both = ", ".join(titles[index][:40] for index, field in fields.items() if field == twice)
        raise SheetError(f"two columns are for the same thing: {both}")
    found = tuple(
        Row(number, **{field: _cell(cells, index) for index, field in fields.items()})
        for number, cells in sheet.rows[1:]
    )
    ignored = tuple(title for index, title in enumerate(titles) if title and index not in fields)
    return found, ignored


def _cell(cells: Sequence[str], index: int) -> str:
    return unicodedata.normalize("NFKC", cells[index]).strip() if index < len(cells) else ""


def _field(title: str) -> str:
    text = re.sub(r"\(.*?\)|[\s*:_.-]", "", unicodedata.normalize("NFKC", title).lower())
    return next((field for field, names in COLUMNS.items() if text in names), "")


class Judge:
    """Judges rows against each other and against who is known; `digest` is the keyed hash of an identity number."""

    def __init__(
        self,
        class_id: str,
        known: Sequence[Person],
        employers: Mapping[str, str],
        digest: Callable[[str], str],
        today: datetime.date,
    ) -> None:
        """`employers`: name or key → key of the places that may be named."""
        self._class_id, self._employers, self._digest, self._today = class_id, employers, digest, today
        self._by_account = {person.account: person for person in known}
        self._by_identity = {person.identity: person for person in known if person.identity}
        self._seen: dict[str, int] = {}  # what must be in a list once → the row in which it was

    def line(self, row: Row) -> Line:
        """What becomes of one row; rows are given in their order."""
        problems: list[Problem] = []
        name = self._name(row, problems)
        number = _clean(citizen.identity, row.identity, self._today, problems=problems)
        phone = _clean(citizen.phone, row.phone, problems=problems)
        employer = self._employer(row, problems)
        account = self._account(row, number, phone, problems)
        self._once(row, number, account, problems)
        known = self._who(account, number, problems)
        if problems:
            return Line(row, "problem", problems=tuple(problems))
        if known is None:
            person = Person(account, "", name, phone, employer, self._digest(number))
            return Line(row, "new", person, enrols=True)
        person = replace(
            known, name=name, phone=phone or known.phone, employer=employer or known.employer,
            identity=self._digest(number) or known.identity,
        )  # fmt: skip
        changes = _changes(known, person)
        enrols = self._class_id not in known.classes
        state = "change" if changes else "enrol" if enrols else "same"
        return Line(row, state, person, changes=changes, enrols=enrols)

    def _name(self, row: Row, problems: list[Problem]) -> str:
        name = " ".join(row.name.split())
        if not name:
            problems.append(Problem("name_missing"))
        elif len(name) > MAX_NAME or not name.isprintable() or any(character.isdigit() for character in name):
            problems.append(Problem("name_form", name[:40]))
        return name

    def _employer(self, row: Row, problems: list[Problem]) -> str:
        if not row.employer:
            return ""
        key = self._employers.get(row.employer.lower(), "")
        if not key:
            problems.append(Problem("employer_unknown", row.employer[:60]))
        return key

    def _account(self, row: Row, number: str, phone: str, problems: list[Problem]) -> str:
        """The account that the row names, else that of the person who has the number, else the phone number."""
        if row.account:
            try:
                if citizen.is_scientific(row.account):
                    problems.append(Problem("account_scientific", row.account[:40]))
                return account_name(row.account)
            except UnreadableError:
                problems.append(Problem("account_form", row.account[:40]))
                return ""
        known = self._by_identity.get(self._digest(number)) if number else None
        if known is not None:
            return known.account
        if not phone and not problems:
            problems.append(Problem("no_account"))
        return phone

    def _once(self, row: Row, number: str, account: str, problems: list[Problem]) -> None:
        for code, what in (("twice_identity", number), ("twice_account", account)):
            if what:
                first = self._seen.setdefault(f"{code}{what}", row.number)
                if first != row.number:
                    problems.append(Problem(code, str(first)))

    def _who(self, account: str, number: str, problems: list[Problem]) -> Person | None:
        known = self._by_account.get(account)
        owner = self._by_identity.get(self._digest(number)) if number else None
        if known is not None and not known.learner:
            problems.append(Problem("account_staff", account))
        elif owner is not None and owner.account != account:
            problems.append(Problem("person_elsewhere", owner.account))
        elif known is not None and number and known.identity and known.identity != self._digest(number):
            problems.append(Problem("account_other_person", account))
        return known


def _clean(read: Callable[..., str], text: str, *more: object, problems: list[Problem]) -> str:
    if not text:
        return ""
    try:
        return read(text, *more)
    except Damaged as damage:
        problems.append(Problem(damage.code, text[:40]))
        return ""


def _changes(before: Person, after: Person) -> tuple[tuple[str, str, str], ...]:
    """Field, before, after; of identity numbers only that one is there now."""
    pairs = [(field, getattr(before, field), getattr(after, field)) for field in ("name", "phone", "employer")]
    changed = [(field, old, new) for field, old, new in pairs if old != new]
    if before.identity != after.identity:
        changed.append(("identity", "", ""))
    return tuple(changed)
