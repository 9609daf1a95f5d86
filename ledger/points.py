"""Class hours and credit points: what credited time is worth by the programme's rules. Pure, integers, the same
answer everywhere; a versioned table says which rule gives how many points (R1.8).
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Final

from ledger.classlog import ClassLog
from ledger.credit import Credit
from ledger.errors import PolicyError
from ledger.policy import Policy

MAX_TABLE_BYTES: Final = 16 * 1024
_FIELDS: Final = ("version", "hour_tenths", "unit_tenths", "unit_complete_permille", "course_tenths", "check_tenths")


@dataclass(frozen=True, slots=True)
class Rules:
    """A rule table: tenths of a point for what was earned."""

    version: int
    hour_tenths: int  # for each whole class hour
    unit_tenths: int  # for each unit of which `unit_complete_permille` is credited
    unit_complete_permille: int
    course_tenths: int  # once, when every unit is complete
    check_tenths: int  # for each passed check


def parse(data: bytes) -> Rules:
    """The table that these bytes state, or `PolicyError` naming the field."""
    if len(data) > MAX_TABLE_BYTES:
        raise PolicyError(f"points: {len(data)} bytes, more than {MAX_TABLE_BYTES}")
    try:
        table: Mapping[str, object] = tomllib.loads(data.decode())
    except (ValueError, RecursionError) as error:
        raise PolicyError(f"points: no TOML: {str(error)[:200]}") from error
    wrong = sorted(set(table) ^ set(_FIELDS))
    if wrong:
        raise PolicyError(f"points: missing or unknown field {wrong[0][:64]!r}")
    values: dict[str, int] = {}
    for name in _FIELDS:
        value = table[name]
        if type(value) is not int or not 0 <= value <= 100_000:
            raise PolicyError(f"points: {name} = {str(value)[:40]!r} is not allowed")
        values[name] = value
    return Rules(**values)


def shipped() -> bytes:
    """The table that comes with the program, as a class log names it."""
    return resources.files("ledger").joinpath("presets", "points.toml").read_bytes()


def named(log: ClassLog, granted_at: int) -> str | None:
    """SHA-256 of the table for a registration whose first session was granted at this entry: the one in force there,
    else the first that was logged afterwards (nobody's points change by a later table); None where no table is."""
    history = log.policies.get("points", [])
    return log.in_force("points", granted_at) or (history[0][1].sha256 if history else None)


@cache
def standard() -> Rules:
    """The table that is shipped."""
    return parse(shipped())


def class_hours(credited_ms: int, policy: Policy) -> int:
    """Tenths of class hours (学时) that this credited time is; cut, never rounded up."""
    tenths = credited_ms * 10 // (policy.class_hour_minutes * 60_000)
    return tenths if policy.class_hour_rounding == "tenth" else tenths // 10 * 10


@dataclass(frozen=True, slots=True)
class Earned:
    """One rule of the table: it gave `each_tenths` of a point, `times` of at most `most` times (0: no such end)."""

    rule: str  # hours | units | course | checks
    times: int
    most: int
    each_tenths: int

    @property
    def tenths(self) -> int:
        """What it came to."""
        return self.times * self.each_tenths


def explain(found: Credit, policy: Policy, rules: Rules) -> tuple[Earned, ...]:
    """Why one registration has the points that it has: every rule of the table, in its order."""
    complete = [unit.credited_ms * 1000 >= rules.unit_complete_permille * unit.duration_ms for unit in found.units]
    passed = sum(check.outcome == "passed" for session in found.sessions for check in session.checks)
    return (
        Earned("hours", class_hours(found.credited_ms, policy) // 10, 0, rules.hour_tenths),
        Earned("units", sum(complete), len(complete), rules.unit_tenths),
        Earned("course", int(bool(complete) and all(complete)), 1, rules.course_tenths),
        Earned("checks", passed, 0, rules.check_tenths),
    )


def count(found: Credit, policy: Policy, rules: Rules) -> int:
    """Tenths of credit points (学分) of one registration."""
    return sum(earned.tenths for earned in explain(found, policy, rules))
