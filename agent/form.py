"""How the tables of a rules pack are read: each helper returns a checked value or raises `RuleError` with the place."""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Any, Final

from agent.clause import Clause, parse_clause
from agent.errors import RuleError
from agent.tables import TABLES, Row

MAX_TEXT: Final = 400
ID: Final = re.compile(r"[a-z][a-z0-9]{0,23}(?:\.[a-z0-9]{1,24}(?:-[a-z0-9]{1,24}){0,4}){1,3}")


def table_of(data: object, where: str, known: set[str], required: set[str]) -> dict[str, Any]:
    """The table, with all `required` and no unknown field, or `RuleError`."""
    if not isinstance(data, Mapping):
        raise RuleError(f"{where}: expected a table")
    name = f"{where}: {data.get('id')!r}"
    unknown, missing = set(map(str, data)) - known, required - set(data)
    if unknown or missing:
        what = f"unknown field {sorted(unknown)[0]!r}" if unknown else f"missing field {sorted(missing)[0]!r}"
        raise RuleError(f"{name}: {what}")
    return dict(data)


def row_type_of(table: Mapping[str, Any], place: str) -> type[Row]:
    """The row type of the table that an entry names."""
    return TABLES[one_of(table, "table", tuple(TABLES), place)]


def clauses_of(value: object, row_type: type[Row], place: str) -> tuple[Clause, ...]:
    """One to fifty clauses for rows of `row_type`."""
    if not isinstance(value, list) or not 1 <= len(value) <= 50:
        raise RuleError(f"{place}: expected a list of 1 to 50 clauses")
    return tuple(parse_clause(item, row_type, f"{place} {number}") for number, item in enumerate(value, 1))


def one_of(table: Mapping[str, Any], key: str, allowed: tuple[str, ...], place: str) -> str:
    """The value of `key`, one of `allowed`."""
    value = table[key]
    if not isinstance(value, str) or value not in allowed:
        raise RuleError(f"{place}: {key} is one of {', '.join(allowed)}")
    return value


def count_of(value: object, place: str) -> int:
    """A whole number from 1 on."""
    if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value < 1_000_000:
        raise RuleError(f"{place}: a whole number from 1 on")
    return value


def match_of(pattern: re.Pattern[str], value: object, place: str) -> str:
    """An id of the form group.some-name."""
    if not isinstance(value, str) or pattern.fullmatch(value) is None or len(value) > 64:
        raise RuleError(f"{place}: {str(value)[:40]!r} is not of the form group.some-name")
    return value


def text_of(value: object, place: str) -> str:
    """A text of 1 to `MAX_TEXT` characters."""
    if not isinstance(value, str) or not value.strip() or len(value) > MAX_TEXT:
        raise RuleError(f"{place}: a text of 1 to {MAX_TEXT} characters")
    return value
