"""A class's teaching plan, and what it must keep to: shares of theory and of study on the spot, named topics, practice
after theory, changes three days ahead. Pure; the numbers stand in plan_rules.toml.
"""

from __future__ import annotations

import datetime
import itertools
import re
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Final

from server_stub.domain.sheets import split
from server_stub.domain.work_errors import PlanError, TooLateError

HOW: Final = {"online": ("online", "线上", "网络"), "live": ("live", "直播"), "offline": ("offline", "线下", "现场")}
PART: Final = {"theory": ("theory", "理论"), "practice": ("practice", "实操", "实训")}
TOPICS: Final = {
    "law": ("law", "法律", "法律知识"), "safety": ("safety", "安全生产", "work safety"), "fire": ("fire", "消防"),
    "drugs": ("drugs", "禁毒防艾", "禁毒", "防艾"), "rights": ("rights", "妇女儿童权益", "妇女儿童"),
}  # fmt: skip
MAX_LESSONS: Final = 400
COLUMNS: Final = 8
_DAY: Final = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
_TIMES: Final = re.compile(r"((?:[01][0-9]|2[0-3]):[0-5][0-9])\s*[-–~至]\s*((?:[01][0-9]|2[0-3]):[0-5][0-9])")


@dataclass(frozen=True, slots=True)
class Lesson:
    """One lesson of the plan; `hours` are class hours. Theory ends before practice begins."""

    day: str
    begins: str
    ends: str
    how: str
    part: str
    hours: int
    topic: str
    teacher: str
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Rules:
    """plan_rules.toml; shares per mille."""

    theory_min: int
    practical_offline_min: int
    change_days: int
    topics: tuple[str, ...]
    online_max: Mapping[str, int]


@dataclass(frozen=True, slots=True)
class Problem:
    """One rule that a plan breaks: a code (a word of the pages), and what it is about."""

    code: str
    about: str = ""


@cache
def rules() -> Rules:
    """The rules in force."""
    table = tomllib.loads((Path(__file__).parent / "plan_rules.toml").read_text(encoding="utf-8"))
    del table["version"]
    return Rules(**(table | {"topics": tuple(table["topics"])}))


def hours(lessons: Sequence[Lesson], *, part: str = "", online: bool | None = None) -> int:
    """Class hours of the lessons of one part, or of those that are (not) studied away from the classroom."""
    return sum(
        item.hours for item in lessons
        if part in ("", item.part) and online in (None, item.how != "offline")
    )  # fmt: skip


def read(text: str) -> tuple[Lesson, ...]:
    """The lessons of a pasted table: day, times, how, part, hours, topic, teacher, tags; `PlanError` names the row."""
    found = []
    for number, cells in split(text):
        if number == 1 and not _DAY.fullmatch(cells[0]):
            continue  # the names of the columns
        found.append(_lesson(number, [*cells, *[""] * COLUMNS][:COLUMNS]))
    if not 0 < len(found) <= MAX_LESSONS:
        raise PlanError(f"a plan has 1 to {MAX_LESSONS} lessons, this has {len(found)}")
    return tuple(sorted(found, key=lambda item: (item.day, item.begins, item.teacher)))


def _lesson(number: int, cells: Sequence[str]) -> Lesson:
    day, times, how, part, amount, topic, teacher, tags = cells
    span = _TIMES.fullmatch(times)
    try:
        datetime.date.fromisoformat(day)
    except ValueError as error:
        raise PlanError(f"row {number}: {day[:20]!r} is no day (2026-12-01)") from error
    if span is None or span[1] >= span[2]:
        raise PlanError(f"row {number}: {times[:20]!r} is no span of time (09:00-11:00)")
    if not (amount.isascii() and amount.isdigit() and 0 < int(amount[:4]) <= 12):
        raise PlanError(f"row {number}: {amount[:20]!r} is no number of class hours (1 to 12)")
    if not topic or not teacher or len(topic) > 100 or len(teacher) > 60:
        raise PlanError(f"row {number}: topic and teacher are named")
    words = [word for word in re.split(r"[\s、/+]+", tags) if word]
    return Lesson(
        day, span[1], span[2], _known(HOW, how, number), _known(PART, part, number), int(amount), topic, teacher,
        tuple(dict.fromkeys(_known(TOPICS, word, number) for word in words)),
    )  # fmt: skip


def _known(words: Mapping[str, tuple[str, ...]], text: str, number: int) -> str:
    for key, spellings in words.items():
        if text.lower() in spellings:
            return key
    raise PlanError(f"row {number}: {text[:20]!r} is none of {', '.join(names[0] for names in words.values())}")


def table(lessons: Sequence[Lesson]) -> str:
    """The lessons as `read` takes them."""
    return "".join(
        "\t".join((item.day, f"{item.begins}-{item.ends}", item.how, item.part, str(item.hours), item.topic,
                   item.teacher, "+".join(item.tags))) + "\n"
        for item in lessons
    )  # fmt: skip


def check(lessons: Sequence[Lesson], trade: str, *, practical: bool, teachers: Sequence[str]) -> list[Problem]:
    """Every rule that the plan breaks."""
    given = rules()
    whole = hours(lessons)
    found = list(_shares(lessons, trade, given, whole, practical=practical))
    taught = {tag for item in lessons for tag in item.tags}
    found += [Problem("topic_missing", topic) for topic in given.topics if topic not in taught]
    found += [Problem("teacher_unknown", name) for name in sorted({item.teacher for item in lessons} - set(teachers))]
    theory = [(item.day, item.ends) for item in lessons if item.part == "theory"]
    early = [item for item in lessons if item.part == "practice" and theory and (item.day, item.begins) < max(theory)]
    found += [Problem("practice_early", f"{item.day} {item.topic}") for item in early]
    return found + list(_clashes(lessons))


def _shares(
    lessons: Sequence[Lesson], trade: str, given: Rules, whole: int, *, practical: bool
) -> Iterator[Problem]:
    theory, away = hours(lessons, part="theory"), hours(lessons, online=True)
    if theory * 1000 < given.theory_min * whole:
        yield Problem("theory_short", f"{theory}/{whole}")
    if any(item.part == "practice" and item.how != "offline" for item in lessons):
        yield Problem("practice_online")
    if away * 1000 > given.online_max.get(trade, given.online_max["other"]) * whole:
        yield Problem("online_long", f"{away}/{whole}")
    if practical and (whole - away) * 1000 < given.practical_offline_min * whole:
        yield Problem("offline_short", f"{whole - away}/{whole}")


def _clashes(lessons: Sequence[Lesson]) -> Iterator[Problem]:
    """Nobody teaches two lessons at once."""
    by_teacher: dict[str, list[Lesson]] = {}
    for item in lessons:
        by_teacher.setdefault(item.teacher, []).append(item)
    for name, own in by_teacher.items():
        own.sort(key=lambda item: (item.day, item.begins))
        for one, next_ in itertools.pairwise(own):
            if one.day == next_.day and next_.begins < one.ends:
                yield Problem("teacher_twice", f"{name} {one.day}")


def check_change(before: Sequence[Lesson], after: Sequence[Lesson], today: datetime.date) -> list[Lesson]:
    """The lessons that change, or `TooLateError`: one of them is, or was to be, less than three days from today."""
    moved = sorted(set(before) ^ set(after), key=lambda item: (item.day, item.begins))
    first = (today + datetime.timedelta(days=rules().change_days)).isoformat()
    late = [item for item in moved if item.day < first]
    if late:
        raise TooLateError(f"{late[0].day} {late[0].begins} {late[0].topic}: can be changed from {first} on")
    return moved
