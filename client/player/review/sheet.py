"""`review.toml` beside `course.toml`: whose the course is, the proof of rights, the points taught, the question bank.

It is for reviewers; nothing of it reaches a learner. Hostile until parsed: only `ReviewError` leaves `parse`.
"""

from __future__ import annotations

import datetime
import re
import tomllib
from dataclasses import dataclass
from typing import Any, Final

from client.player.errors import ReviewError

FILE: Final = "review.toml"
MAX_BYTES: Final = 4 << 20
MAX_ITEMS: Final = 20_000
KINDS: Final = ("single", "multiple", "judge", "blank", "short")  # what sorts of questions there are
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_FILE: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,99}")
_HASH: Final = re.compile(r"[0-9a-f]{64}")
ALL: Final = "*"


@dataclass(frozen=True, slots=True)
class Right:
    """A proof of rights: for which files ("*": all), who holds them, until when (None: for good), by which document."""

    files: tuple[str, ...]
    holder: str
    document: str
    sha256: str
    until: datetime.date | None = None


@dataclass(frozen=True, slots=True)
class Point:
    """One point (考点) and the unit that teaches it."""

    id: str
    unit: str


@dataclass(frozen=True, slots=True)
class Item:
    """One question of the bank."""

    id: str
    kind: str
    point: str


@dataclass(frozen=True, slots=True)
class Sheet:
    """The whole file."""

    provider: str
    class_hour_minutes: int
    rights: tuple[Right, ...]
    points: tuple[Point, ...]
    items: tuple[Item, ...]


def parse(data: bytes) -> Sheet:
    """What the bytes of a review.toml state, or `ReviewError` naming the field."""
    if len(data) > MAX_BYTES:
        raise ReviewError(f"{FILE}: {len(data)} bytes, more than {MAX_BYTES}")
    try:
        table = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise ReviewError(f"{FILE}: no TOML: {str(error)[:200]}") from error
    _keys(table, FILE, {"provider", "class_hour_minutes"}, {"right", "point", "item"})
    minutes = table["class_hour_minutes"]
    if type(minutes) is not int or minutes not in (45, 60):
        raise ReviewError(f"{FILE}: class_hour_minutes is 45 or 60")
    sheet = Sheet(
        _words(table["provider"], "provider"), minutes,
        tuple(_right(item, f"right {number}") for number, item in _each(table.get("right", []), "right")),
        tuple(_point(item, f"point {number}") for number, item in _each(table.get("point", []), "point")),
        tuple(_item(item, f"item {number}") for number, item in _each(table.get("item", []), "item")),
    )  # fmt: skip
    for what, names in (("point", [one.id for one in sheet.points]), ("item", [one.id for one in sheet.items])):
        twice = next((name for name in names if names.count(name) > 1), None) if len(set(names)) < len(names) else None
        if twice:
            raise ReviewError(f"{FILE}: {what} {twice} stands there twice")
    return sheet


def _each(value: Any, where: str) -> list[tuple[int, Any]]:
    if not isinstance(value, list) or len(value) > MAX_ITEMS:
        raise ReviewError(f"{where}: no list of up to {MAX_ITEMS}")
    return list(enumerate(value, 1))


def _right(table: Any, where: str) -> Right:
    _keys(table, where, {"files", "holder", "document", "sha256"}, {"until"})
    files = [name for _, name in _each(table["files"], where)]
    until = table.get("until")
    if until is not None and (type(until) is not datetime.date):
        raise ReviewError(f"{where}: until is a day, as 2028-12-31")
    named = [ALL if name == ALL else _form(name, where, _FILE) for name in files]
    document, digest = _form(table["document"], where, _FILE), _form(table["sha256"], where, _HASH)
    return Right(tuple(named), _words(table["holder"], where), document, digest, until)


def _point(table: Any, where: str) -> Point:
    _keys(table, where, {"id", "unit"})
    return Point(_form(table["id"], where, _NAME), _form(table["unit"], where, _NAME))


def _item(table: Any, where: str) -> Item:
    _keys(table, where, {"id", "kind", "point"})
    if table["kind"] not in KINDS:
        raise ReviewError(f"{where}: {str(table['kind'])[:40]!r} is none of {', '.join(KINDS)}")
    return Item(_form(table["id"], where, _NAME), table["kind"], _form(table["point"], where, _NAME))


def _keys(table: Any, where: str, needed: set[str], optional: set[str] | frozenset[str] = frozenset()) -> None:
    if not isinstance(table, dict):
        raise ReviewError(f"{where}: no table")
    wrong = sorted((needed - set(table)) | (set(table) - needed - optional))
    if wrong:
        raise ReviewError(f"{where}: missing or unknown field {wrong[0][:64]!r}")


def _form(value: Any, where: str, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise ReviewError(f"{where}: {str(value)[:60]!r} is not of its form")
    return value


def _words(value: Any, where: str) -> str:
    if not isinstance(value, str) or not 0 < len(value) <= 200 or not value.isprintable():
        raise ReviewError(f"{where}: a name of 1 to 200 characters")
    return value
