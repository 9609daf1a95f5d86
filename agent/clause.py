"""One clause of a rule: conditions on the fields of one row, all of which must hold.

    name = ["chromedriver", "geckodriver"]      the program, list entry or text equals one of these
    cmdline = { re = ["--port=[0-9]{1,5}"] }    some pattern is found      (all_re: every pattern is found)
    acts = { min = 8, max = 100 }               a number lies in the range
    regular = true                              a flag is so; an unknown flag matches neither
"""

from __future__ import annotations

import dataclasses
import re
from collections.abc import Mapping
from typing import Any

from agent.errors import PatternError, RuleError
from agent.pattern import compile_bounded, search
from agent.tables import Row, kind_of
from agent.text import program

Shown = dict[str, str | int | bool | None]
_TEXT_KEYS = {"is", "re", "all_re"}
_NUMBER_KEYS = {"min", "max"}
MAX_LISTED = 200  # values or patterns in one condition


@dataclasses.dataclass(frozen=True, slots=True)
class Condition:
    """What one field must be."""

    field: str
    equals: frozenset[str] = frozenset()
    some: tuple[re.Pattern[str], ...] = ()
    every: tuple[re.Pattern[str], ...] = ()
    low: int | None = None
    high: int | None = None
    flag: bool | None = None

    def holds(self, value: Any) -> str | int | bool | None:
        """Return what matched (for the evidence), or None."""
        if isinstance(value, bool):
            return value if value is self.flag else None
        if isinstance(value, int):
            inside = (self.low is None or value >= self.low) and (self.high is None or value <= self.high)
            return value if inside else None
        if isinstance(value, str):
            return self._text_holds((value,))
        if isinstance(value, tuple):
            return self._text_holds(value)
        return None

    def _text_holds(self, texts: tuple[str, ...]) -> str | None:
        shown: str | None = None
        if self.equals:
            shown = next((text for text in texts if program(text) in self.equals), None)
            if shown is None:
                return None
        if self.some:
            shown = _first(self.some, texts)
            if shown is None:
                return None
        for pattern in self.every:
            shown = _first((pattern,), texts)
            if shown is None:
                return None
        return shown


@dataclasses.dataclass(frozen=True, slots=True)
class Clause:
    """Conditions that must all hold for one row."""

    conditions: tuple[Condition, ...]

    def match(self, row: Row) -> Shown | None:
        """Return what matched, by field, or None."""
        shown: Shown = {}
        for condition in self.conditions:
            found = condition.holds(getattr(row, condition.field))
            if found is None:
                return None
            shown[condition.field] = found
        return shown


def parse_clause(data: object, row_type: type[Row], where: str) -> Clause:
    """Read one clause for rows of `row_type`, or raise `RuleError` naming the place `where` and the field."""
    if not isinstance(data, Mapping) or not data:
        raise RuleError(f"{where}: a clause is a table with at least one field")
    return Clause(tuple(_condition(str(field), value, row_type, where) for field, value in data.items()))


def _condition(field: str, value: object, row_type: type[Row], where: str) -> Condition:
    place = f"{where}, field {field!r}"
    kind = kind_of(row_type, field)
    if kind is None:
        raise RuleError(f"{place}: the table {row_type.table!r} has no such field")
    if kind == "flag":
        if not isinstance(value, bool):
            raise RuleError(f"{place}: a flag is true or false")
        return Condition(field, flag=value)
    if isinstance(value, list):
        value = {"is": value}
    if not isinstance(value, Mapping) or not value:
        raise RuleError(f"{place}: expected a list or a table such as {{ re = [...] }}")
    unknown = set(value) - (_NUMBER_KEYS if kind == "number" else _TEXT_KEYS)
    if unknown:
        raise RuleError(f"{place}: a {kind} has no condition {sorted(unknown)[0]!r}")
    if not any(bound not in (None, []) for bound in value.values()):
        raise RuleError(f"{place}: a condition without a value matches everything")
    if kind == "number":
        return Condition(field, low=_number(value.get("min"), place), high=_number(value.get("max"), place))
    return Condition(
        field,
        equals=frozenset(program(text) for text in _texts(value.get("is", []), place)),
        some=_patterns(value.get("re", []), place),
        every=_patterns(value.get("all_re", []), place),
    )


def _first(patterns: tuple[re.Pattern[str], ...], texts: tuple[str, ...]) -> str | None:
    for text in texts:
        for pattern in patterns:
            found = search(pattern, text)
            if found is not None:
                return found
    return None


def _number(value: object, place: str) -> int | None:
    if value is not None and (not isinstance(value, int) or isinstance(value, bool)):
        raise RuleError(f"{place}: a bound is an integer")
    return value


def _patterns(value: object, place: str) -> tuple[re.Pattern[str], ...]:
    try:
        return tuple(compile_bounded(text) for text in _texts(value, place))
    except PatternError as error:
        raise PatternError(f"{place}: {error}") from error


def _texts(value: object, place: str) -> list[str]:
    if not isinstance(value, list) or len(value) > MAX_LISTED or not all(isinstance(text, str) for text in value):
        raise RuleError(f"{place}: expected a list of at most {MAX_LISTED} texts")
    if any(not text.strip() for text in value):
        raise RuleError(f"{place}: an empty text would match what is unknown")
    return value
