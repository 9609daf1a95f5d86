"""How long, how near, how many: the measures by which figures are put together. Data beside the rules, with them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields

from server_stub.domain.errors import SetupError


@dataclass(frozen=True, slots=True)
class Measures:
    """All in ms or plain counts; `measures.toml` states every one of them."""

    window_ms: int  # what is looked at together: sessions that were granted so long ago at most
    overlap_ms: int  # two lessons of one learner that play at once for less are a device that was slow to pause
    boot_ms: int  # two sessions are of one machine when it was started at moments so near
    apart_ms: int  # in two countries within less: nobody travels so fast
    together_ms: int  # sessions that begin within it began together
    harvest_ms: int  # an answer so soon after another account's last try
    close_ms: int  # two answers to one item so near in time are close
    week_ms: int  # attendance is compared week by week
    rapid_permille: int  # of an item's median time: a shorter answer was given before it could be read
    even_checks: int  # spread of the time that checks take is told from so many on

    def __post_init__(self) -> None:
        for field in fields(self):
            value = getattr(self, field.name)
            if type(value) is not int or not 0 < value <= 10**12:
                raise SetupError(f"measures: {field.name} is a number of ms or a count above 0")


def from_table(table: object) -> Measures:
    """Read the measures, or raise `SetupError` naming what is missing or unknown."""
    names = {field.name for field in fields(Measures)}
    if not isinstance(table, Mapping) or set(table) != names:
        wrong = sorted(set(table) ^ names) if isinstance(table, Mapping) else sorted(names)
        raise SetupError(f"measures: missing or unknown {', '.join(map(str, wrong))[:200]}")
    return Measures(**table)
