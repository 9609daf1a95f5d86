"""Practice questions with answers and explanations, brought by list: looked at, confirmed, all of them or nothing."""

from __future__ import annotations

import json
import re
import secrets
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger import course as courses
from ledger.course import Course, Question, Text
from server_stub.domain import sheets
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, SetupError, SheetError, StalePreviewError
from server_stub.domain.people import Account
from server_stub.domain.practice import MAX_TEXT, AnswerFiles, Bank, Key, parse, write
from server_stub.domain.registry import Draft
from server_stub.domain.sheets import Sheet
from server_stub.domain.work import Bench

DRAFT_MS: Final = 60 * 60 * 1000
LETTERS: Final = "ABCDEFGH"
_BOUND: Final = "practice"
_COLUMNS: Final[Mapping[str, tuple[str, ...]]] = {
    "unit": ("课时", "课程单元", "单元", "unit", "lesson"),
    "prompt": ("题目", "题干", "试题", "question", "prompt"),
    "answer": ("答案", "正确答案", "标准答案", "answer", "key"),
    "why": ("解析", "说明", "答案解析", "why", "explanation"),
    **{letter: (f"选项{letter}".lower(), letter.lower(), f"choice{letter}".lower()) for letter in LETTERS},
}


@dataclass(frozen=True, slots=True)
class Preview:
    """What a list holds: the bank that it would become, and the rows that cannot be read (row, word of the pages)."""

    bank: Bank
    problems: tuple[tuple[int, str], ...]

    @property
    def digest(self) -> str:
        """The hash of what is shown."""
        return sha256(write(self.bank) + repr(self.problems).encode()).hexdigest()


def read(data: bytes, course: Course) -> Preview:
    """A list or an answer file for this course; `SheetError` for neither."""
    if data.lstrip()[:1] == b"[":
        try:
            return fitting(parse(data), course)
        except SetupError as error:
            raise SheetError(str(error)) from error
    return _from_sheet(sheets.read(data), course)


def fitting(bank: Bank, course: Course) -> Preview:
    """The list with what does not fit: keys must be of this course's units, and of its questions or brought along."""
    problems = []
    for unit, keys in bank.keys.items():
        own = {question.id for question in bank.more.get(unit, ())}
        taught = {question.id for item in course.units if item.id == unit for question in item.asked}
        if unit not in {item.id for item in course.units}:
            problems.append((0, "practice_unit"))
        elif own & taught or set(keys) - own - taught:
            problems.append((0, "practice_question"))
    return Preview(bank, tuple(problems))


def _from_sheet(sheet: Sheet, course: Course) -> Preview:
    if not sheet.rows:
        raise SheetError("the list is empty")
    fields = {at: name for at, title in enumerate(sheet.rows[0][1]) if (name := _field(title))}
    if not {"prompt", "answer", "A", "B"} <= set(fields.values()) or len(set(fields.values())) != len(fields):
        raise SheetError("the first line names 题目, 选项A, 选项B … and 答案 (question, A, B … and answer), each once")
    keys: dict[str, dict[str, Key]] = {}
    more: dict[str, tuple[Question, ...]] = {}
    problems: list[tuple[int, str]] = []
    for number, cells in sheet.rows[1:]:
        row = {name: _plain(cells[at]) for at, name in fields.items() if at < len(cells)}
        found = _row(row, course, f"p{number}")
        if isinstance(found, str):
            problems.append((number, found))
            continue
        unit, question, key = found
        keys.setdefault(unit, {})[question.id] = key
        more[unit] = (*more.get(unit, ()), question)
    return Preview(Bank(keys, more), tuple(problems))


def _row(row: Mapping[str, str], course: Course, name: str) -> tuple[str, Question, Key] | str:
    """The unit, the question and its key; or the word that says what is wrong."""
    wanted = row.get("unit", "")
    unit = next((item.id for item in course.units if wanted in ("", item.id, item.title.zh, item.title.en)), "")
    choices = [row.get(letter, "") for letter in LETTERS]
    while choices and not choices[-1]:
        choices.pop()
    texts = [row.get("prompt", ""), *choices]
    if not unit:
        return "practice_unit"
    if len(choices) < 2 or not all(0 < len(text) <= MAX_TEXT for text in texts):
        return "practice_choices"
    answer = row.get("answer", "").upper()
    if len(answer) != 1 or answer not in LETTERS[: len(choices)]:
        return "practice_answer"
    why = row.get("why", "")[:MAX_TEXT]
    question = Question(name, 0, "practice", _both(texts[0]), tuple(map(_both, choices)))
    return unit, question, Key(LETTERS.index(answer), _both(why) if why else None)


def _both(text: str) -> Text:
    return Text(text, text)


def _plain(text: str) -> str:
    said = "".join(" " if unicodedata.category(letter) in ("Cc", "Cf", "Cs", "Zl", "Zp") else letter for letter in text)
    return " ".join(said.split())


def _field(title: str) -> str:
    text = re.sub(r"\(.*?\)|[\s*:_.-]", "", unicodedata.normalize("NFKC", title).lower())
    return next((field for field, names in _COLUMNS.items() if text in names), "")


class PracticeDesk:
    """Takes lists in. The questions of a course serve all its classes: who brings them may import into each."""

    def __init__(self, bench: Bench, files: AnswerFiles) -> None:
        self._bench, self._files = bench, files

    def course(self, class_id: str) -> Course:
        """The course in force in a class; its `sha256` names the file."""
        return self._bench.read(lambda tx: courses.parse(self._bench.enrolment.in_force(tx, class_id, "course")))

    def known(self, account: Account, class_id: str) -> Bank:
        """What learners can practise with now."""
        self._bench.office.require(account, Right.IMPORT, class_id)
        return self._files.of(self.course(class_id).sha256)

    def look(self, account: Account, class_id: str, data: bytes) -> str:
        """Read a list; the draft's identifier. Nothing is changed. `SheetError` for no list."""
        self._classes(account, class_id)
        return keep(self._bench, account, read(data, self.course(class_id)), f"{_BOUND}/{class_id}", DRAFT_MS)

    def again(self, account: Account, class_id: str, draft: str) -> Preview:
        """A draft of this account for this class; `NotThereError` for any other, and when it expired."""
        self._classes(account, class_id)
        return kept(self._bench, account.name, draft, f"{_BOUND}/{class_id}")

    def confirm(self, account: Account, class_id: str, draft: str, *, leave_out: bool) -> Bank:
        """Put the questions in the place of those before; an audit leaf in every class of the course comes first."""
        found = self.again(account, class_id, draft)
        if found.problems and not leave_out:
            raise SheetError(f"{len(found.problems)} questions cannot be taken as they are")
        self.put(account, self.course(class_id), self._classes(account, class_id), found, "practice")
        self._bench.registry.drop_drafts(self._bench.clock(), draft)
        return found.bank

    def put(self, account: Account, course: Course, classes: Sequence[str], found: Preview, why: str) -> None:
        """Keep a list for a course, after an audit leaf in all of its classes; `StalePreviewError` for another's."""
        if fitting(found.bank, course).problems:
            raise StalePreviewError("the class has another course since the list was read")
        said = f"{found.bank.count} questions of course {course.sha256[:16]}; list {found.digest}"
        self._bench.office.audit(account, "put practice questions", said, why, *classes)
        self._files.put(course.sha256, found.bank)

    def of(self, course: str) -> Bank:
        """What learners of a course can practise with now, by its sha256."""
        return self._files.of(course)

    def taught(self) -> dict[str, tuple[Course, list[str]]]:
        """Every course that is in force in a class, by its sha256, with the classes that have it."""
        found: dict[str, tuple[Course, list[str]]] = {}
        for room in self._bench.people.classes():
            course = self.course(room.class_id)
            found.setdefault(course.sha256, (course, []))[1].append(room.class_id)
        return found

    def _classes(self, account: Account, class_id: str) -> Sequence[str]:
        """The classes that have the same course; `NotAllowedError` or `NotThereError` unless the account may import
        into each of them."""
        self._bench.office.require(account, Right.IMPORT, class_id)
        rooms = self.taught()[self.course(class_id).sha256][1]
        for other in rooms:
            self._bench.office.require(account, Right.IMPORT, other)
        return rooms


def keep(bench: Bench, account: Account, found: Preview, place: str, lasts_ms: int) -> str:
    """Keep a list that was read, sealed, for `lasts_ms`; the draft's identifier. `SheetError` for one of nothing."""
    if not found.bank.count and not found.problems:
        raise SheetError("the list has no question")
    draft, text = secrets.token_hex(16), json.dumps([write(found.bank).decode(), found.problems]).encode()
    sealed, until = bench.sealer.seal(text, _bound(draft)), bench.clock() + lasts_ms
    bench.registry.drop_drafts(bench.clock())
    bench.registry.keep_draft(Draft(draft, account.name, place[:64], until, sealed, found.digest))
    return draft


def kept(bench: Bench, by: str, draft: str, place: str) -> Preview:
    """A list that this account brought to this place; `NotThereError` for any other, and when it expired."""
    found = bench.registry.draft(draft)
    if found is None or found.by != by or found.expires <= bench.clock():
        raise NotThereError("this preview has expired, or is not yours")
    if found.class_id != place[:64]:
        raise NotThereError("this preview is of something else")
    text, problems = json.loads(bench.sealer.open(found.sealed, _bound(draft)))
    return Preview(parse(text.encode()), tuple((number, word) for number, word in problems))


def _bound(draft: str) -> str:
    return f"{_BOUND}/{draft}"
