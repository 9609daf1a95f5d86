"""A course as credit needs it: which units, in which order, how long, and the files by hash that make them up.

`course.toml` is parsed strictly (docs/http-api.md, last section); the SHA-256 of its bytes is what a grant calls
`course`. File names are plain names in the package's own folder: nothing here can lead out of it.
"""

from __future__ import annotations

import dataclasses
import datetime
import hashlib
import re
import tomllib
from collections.abc import Callable, Mapping
from typing import Any, Final

from ledger.errors import FormatError
from ledger.program import typed

MAX_COURSE_BYTES: Final = 1024 * 1024
MAX_UNITS: Final = 1000
MAX_UNIT_MS: Final = 8 * 3_600_000  # a lesson of more than a working day is a mistake in the unit of time
MAX_QUESTIONS: Final = 200
MAX_CHAPTERS: Final = 100
MAX_CHAPTER_TITLE: Final = 80  # characters: one line of a list

_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9_-]{0,99}(?:\.[A-Za-z0-9_-]{1,20}){0,3}")
_DEVICE: Final = re.compile(
    r"(?:con|prn|aux|nul|com[0-9]|lpt[0-9])(?:\..*)?", re.IGNORECASE
)  # files nowhere on Windows
_HASH: Final = re.compile(r"[0-9a-f]{64}")
_STREAM: Final = re.compile(r"[a-z0-9](?:[a-z0-9-]{0,62}[a-z0-9])?")  # a folder's name on every system
EPOCH: Final = datetime.datetime(1970, 1, 1, tzinfo=datetime.UTC)
AGE: Final = (1_577_836_800, 4_102_444_800)  # 2020 to 2100, seconds: anything else is a mistake
_LANGUAGE: Final = re.compile(r"[a-z]{2,3}(?:-[A-Za-z0-9]{2,8}){0,2}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


class CourseError(FormatError):
    """A course.toml is malformed, contradicts itself, or names a file outside its own folder."""

    code = "TS-L-073"
    remedy = (
        f"Ask the course provider for the package again; `{typed('client')} course lint` names what is wrong with it."
    )
    zh = "课程包格式不正确。请向课程提供方重新获取课程包。"


@dataclasses.dataclass(frozen=True, slots=True)
class Text:
    """One sentence in both languages of the product."""

    zh: str
    en: str

    def in_(self, language: str) -> str:
        """The sentence in `language`: `zh…` is Chinese, everything else English."""
        return self.zh if language.startswith("zh") else self.en


@dataclasses.dataclass(frozen=True, slots=True)
class Question:
    """An in-lesson question at `at_ms`; which choice is right stands on the server alone."""

    id: str
    at_ms: int
    point: str
    prompt: Text
    choices: tuple[Text, ...]


@dataclasses.dataclass(frozen=True, slots=True)
class Test:
    """The questions at the end of a unit, taken together; passed with this share of right answers. Credit knows nothing
    of it: it can be repeated, and takes no minute away."""

    pass_permille: int
    questions: tuple[Question, ...]  # their `at_ms` is the unit's end


@dataclasses.dataclass(frozen=True, slots=True)
class Chapter:
    """A named part of a unit, from `at_ms` to the next one's: a place to go back to. It changes nothing in credit."""

    at_ms: int
    title: Text


@dataclasses.dataclass(frozen=True, slots=True)
class Live:
    """A lesson that is given once, at a planned time: its position is programme time, ms since `starts_ms` (epoch)."""

    stream: str  # which of the server's streams
    starts_ms: int


@dataclasses.dataclass(frozen=True, slots=True)
class Unit:
    """One lesson: `duration_ms` bounds what can be credited for it.

    `lower` is the same lesson as a smaller picture, for old computers; "" where the package has none. `chapters` are
    none, or begin at 0 and follow one another. A `live` unit has no file: `media` and `media_sha256` are "".
    """

    id: str
    title: Text
    duration_ms: int
    media: str
    media_sha256: str
    captions: Mapping[str, str]
    captions_sha256: Mapping[str, str]
    questions: tuple[Question, ...]
    lower: str = ""
    lower_sha256: str = ""
    chapters: tuple[Chapter, ...] = ()
    live: Live | None = None
    test: Test | None = None

    @property
    def asked(self) -> tuple[Question, ...]:
        """Every question of the unit: those within the lesson, then those of its test."""
        return self.questions + (self.test.questions if self.test is not None else ())

    def files(self) -> dict[str, str]:
        """Every file that it names → its sha256."""
        pairs = {self.media: self.media_sha256, self.lower: self.lower_sha256}
        captions = {name: self.captions_sha256[language] for language, name in self.captions.items()}
        return {name: digest for name, digest in (pairs | captions).items() if name}


@dataclasses.dataclass(frozen=True, slots=True)
class Course:
    """A course; the order of `units` is the order in which they are studied and listed."""

    id: str
    version: int
    title: Text
    units: tuple[Unit, ...]
    sha256: str = ""

    def unit(self, name: str) -> Unit:
        """The unit called `name`; `CourseError` if there is none."""
        for unit in self.units:
            if unit.id == name:
                return unit
        raise CourseError(f"course {self.id}: no unit {name[:64]!r}")

    def files(self) -> dict[str, str]:
        """Every file of the package but course.toml itself → its sha256."""
        found: dict[str, str] = {}
        for unit in self.units:
            found |= unit.files()
        return found


def parse(data: bytes) -> Course:
    """Return the course that the bytes of a course.toml state, or raise `CourseError` naming the field."""
    if len(data) > MAX_COURSE_BYTES:
        raise CourseError(f"course: {len(data)} bytes, more than {MAX_COURSE_BYTES}")
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise CourseError(f"course: no TOML: {str(error)[:200]}") from error
    _keys(table, "course", {"id", "version", "title", "unit"})
    course = Course(
        id=_string(table["id"], "course id", _NAME),
        version=_number(table["version"], "version", 1, 2**31),
        title=_text(table["title"], "course title"),
        units=tuple(_unit(item) for item in _list(table["unit"], "unit", 1, MAX_UNITS)),
        sha256=hashlib.sha256(data).hexdigest(),
    )
    _unique([unit.id for unit in course.units], "unit")
    _unique_files(course)
    return course


def safe_name(name: str) -> str:
    """Return `name` if it is a plain file name of a course package, or raise `CourseError`."""
    if not isinstance(name, str) or not _FILE.fullmatch(name) or _DEVICE.fullmatch(name) or name == "course.toml":
        raise CourseError(f"course: {str(name)[:80]!r} is no plain file name")
    return name


# What only a file can have: a live picture waits for nobody, and nobody goes back in it
_FILED: Final = {"captions", "captions_sha256", "lower", "lower_sha256", "chapter", "question"}


def _unit(table: Any) -> Unit:
    live = isinstance(table, dict) and "live" in table
    own = {"live"} if live else {"media", "media_sha256"}
    _keys(table, "unit", {"id", "title", "duration_ms"} | own, {"test"} | (set() if live else _FILED))
    name = _string(table["id"], "unit id", _NAME)
    duration = _number(table["duration_ms"], f"{name}: duration_ms", 1, MAX_UNIT_MS)
    captions = _map(table.get("captions", {}), f"{name}: captions", safe_name)
    hashes = _map(
        table.get("captions_sha256", {}), f"{name}: captions_sha256", lambda value: _string(value, name, _HASH)
    )
    if set(captions) != set(hashes):
        raise CourseError(f"unit {name}: captions and captions_sha256 name different languages")
    if ("lower" in table) != ("lower_sha256" in table):
        raise CourseError(f"unit {name}: lower and lower_sha256 belong together")
    questions = tuple(_question(item, duration) for item in _list(table.get("question", []), name, 0, MAX_QUESTIONS))
    test = _test(table["test"], name, duration) if "test" in table else None
    _unique([question.id for question in (*questions, *(test.questions if test else ()))], f"unit {name}: question")
    return Unit(
        id=name,
        title=_text(table["title"], f"{name}: title"),
        duration_ms=duration,
        media="" if live else safe_name(table["media"]),
        media_sha256="" if live else _string(table["media_sha256"], f"{name}: media_sha256", _HASH),
        captions=captions,
        captions_sha256=hashes,
        questions=questions,
        lower=safe_name(table["lower"]) if "lower" in table else "",
        lower_sha256=_string(table["lower_sha256"], f"{name}: lower_sha256", _HASH) if "lower" in table else "",
        chapters=_chapters(table.get("chapter", []), name, duration),
        live=_live(table["live"], name) if live else None,
        test=test,
    )


def _test(table: Any, unit: str, duration: int) -> Test:
    where = f"{unit}: test"
    _keys(table, where, {"pass_permille", "question"})
    asked = _list(table["question"], f"{where}: question", 1, MAX_QUESTIONS)
    mark = _number(table["pass_permille"], f"{where}: pass_permille", 0, 1000)
    return Test(mark, tuple(_question(item, duration, at_the_end=True) for item in asked))


def _live(table: Any, unit: str) -> Live:
    """The stream, and the planned start as TOML writes a moment: with its offset from UTC, to the second."""
    where = f"{unit}: live"
    _keys(table, where, {"stream", "starts"})
    starts = table["starts"]
    if not isinstance(starts, datetime.datetime) or starts.tzinfo is None or starts.microsecond:
        raise CourseError(f"{where}: starts is no moment with its offset, as 2026-11-24T19:30:00+08:00")
    seconds = int((starts - EPOCH).total_seconds())
    return Live(_string(table["stream"], f"{where}: stream", _STREAM), _number(seconds, where, *AGE) * 1000)


def _chapters(value: Any, unit: str, duration: int) -> tuple[Chapter, ...]:
    """The first begins with the unit, each later one after the one before it, all before the unit's end."""
    found: list[Chapter] = []
    for number, table in enumerate(_list(value, f"{unit}: chapter", 0, MAX_CHAPTERS), 1):
        where = f"{unit}: chapter {number}"
        _keys(table, where, {"at_ms", "title"})
        least, most = (found[-1].at_ms + 1, duration - 1) if found else (0, 0)
        title = _text(table["title"], f"{where}: title")
        if max(len(title.zh), len(title.en)) > MAX_CHAPTER_TITLE:
            raise CourseError(f"{where}: title of more than {MAX_CHAPTER_TITLE} characters")
        found.append(Chapter(_number(table["at_ms"], f"{where}: at_ms", least, most), title))
    return tuple(found)


def _question(table: Any, duration: int, *, at_the_end: bool = False) -> Question:
    _keys(table, "question", {"id", "point", "prompt", "choices"} | (set() if at_the_end else {"at_ms"}))
    name = _string(table["id"], "question id", _NAME)
    return Question(
        id=name,
        at_ms=duration if at_the_end else _number(table["at_ms"], f"{name}: at_ms", 0, duration),
        point=_string(table["point"], f"{name}: point", _NAME),
        prompt=_text(table["prompt"], f"{name}: prompt"),
        choices=tuple(_text(item, f"{name}: choice") for item in _list(table["choices"], f"{name}: choices", 2, 8)),
    )


def _keys(table: Any, where: str, needed: set[str], optional: frozenset[str] | set[str] = frozenset()) -> None:
    if not isinstance(table, dict):
        raise CourseError(f"{where}: no table")
    missing, unknown = sorted(needed - set(table)), sorted(set(table) - needed - optional)
    if missing:
        raise CourseError(f"{where}: missing field {missing[0]!r}")
    if unknown:
        raise CourseError(f"{where}: unknown field {unknown[0][:64]!r}")


def _string(value: Any, where: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise CourseError(f"{where}: {str(value)[:80]!r} is not of its form")
    return value


def _number(value: Any, where: str, low: int, high: int) -> int:
    if type(value) is not int or not low <= value <= high:
        raise CourseError(f"{where}: {str(value)[:40]} is not between {low} and {high}")
    return value


def _text(value: Any, where: str) -> Text:
    _keys(value, where, {"zh", "en"})
    for sentence in value.values():
        if not isinstance(sentence, str) or not 0 < len(sentence) <= 500 or _CONTROL.search(sentence):
            raise CourseError(f"{where}: no plain sentence of 1 to 500 characters")
    return Text(zh=value["zh"], en=value["en"])


def _list(value: Any, where: str, least: int, most: int) -> list[Any]:
    if not isinstance(value, list) or not least <= len(value) <= most:
        raise CourseError(f"{where}: wants a list of {least} to {most}")
    return value


def _map(value: Any, where: str, read: Callable[[Any], str]) -> dict[str, str]:
    if not isinstance(value, dict) or len(value) > 64:
        raise CourseError(f"{where}: no table of languages")
    return {_string(key, where, _LANGUAGE): read(item) for key, item in value.items()}


def _unique(names: list[str], where: str) -> None:
    if len(set(names)) != len(names):
        raise CourseError(f"{where}: the same id twice")


def _unique_files(course: Course) -> None:
    """One name, one content: also where a file system folds case."""
    seen: dict[str, tuple[str, str]] = {}
    for unit in course.units:
        pairs = [(unit.media, unit.media_sha256)] if unit.media else []
        pairs += [(unit.lower, unit.lower_sha256)] if unit.lower else []
        pairs += [(name, unit.captions_sha256[language]) for language, name in unit.captions.items()]
        for name, digest in pairs:
            if seen.setdefault(name.lower(), (name, digest)) != (name, digest):
                raise CourseError(f"course: the file {name!r} stands there with two contents")
