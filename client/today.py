"""What is left to study and how much of it today: pure figures from what `ledger.credit` counted and a calendar.

The share of a day is a proposal: nothing depends on it, nothing is lost by another rhythm. It is what is left, spread
evenly over the days to the deadline, in steps of five minutes, and never more than the programme counts in one day.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

MINUTE: Final = 60_000
STEP: Final = 5 * MINUTE
EASY: Final = 45 * MINUTE  # a day's share where there is no deadline: about one class hour
LAST_MS: Final = 253_370_764_800_000  # 9999-01-01 UTC
CLOSE_DAYS: Final = 3  # from here on the deadline is said in amber


@dataclass(frozen=True, slots=True)
class Need:
    """What one course still asks for. `due`: the last day of the class, or the learner's own goal; None: none."""

    all_ms: int
    credited_ms: int
    today_ms: int = 0  # credited in sessions of today
    due: date | None = None
    cap_ms: int = 0  # what the programme counts in one day at most; 0: no limit


@dataclass(frozen=True, slots=True)
class Plan:
    """The proposal. `share_ms`: for the whole of today; `left_today_ms`: of it, still to study."""

    left_ms: int
    share_ms: int
    left_today_ms: int
    days: int | None  # to the deadline, today included; 0: it is over; None: no deadline
    enough: bool  # whether the days left suffice, at what the programme counts in one day

    @property
    def close(self) -> bool:
        """Whether the deadline is near, or over, with something left."""
        return self.left_ms > 0 and self.days is not None and (self.days <= CLOSE_DAYS or not self.enough)


def plan(need: Need, today: date) -> Plan:
    """How much to study today so that an even rhythm reaches the deadline."""
    left = max(0, need.all_ms - need.credited_ms)
    at_dawn = left + need.today_ms
    days = None if need.due is None else max(0, (need.due - today).days + 1)
    even = EASY if days is None else -(-at_dawn // max(days, 1))
    share = min(-(-even // STEP) * STEP, at_dawn)
    if need.cap_ms:
        share = min(share, need.cap_ms)
    if not left:
        share = min(share, need.today_ms)
    enough = days is None or not left or (days > 0 and (not need.cap_ms or at_dawn <= days * need.cap_ms))
    return Plan(left, share, max(0, min(share - need.today_ms, left)), days, enough)


def _in_calendar(ms: int) -> int:
    """`ms`, or the nearest moment that a calendar has in every zone: a server may say any number."""
    return min(max(ms, 0), LAST_MS)


def day_of(ms: int, utc_offset_minutes: int) -> date:
    """The calendar day of a moment (ms since the epoch) where the programme is."""
    return datetime.fromtimestamp(_in_calendar(ms) / 1000, timezone(timedelta(minutes=utc_offset_minutes))).date()


def credited_on(day: date, sessions: Mapping[str, int], begun: Mapping[str, int], utc_offset_minutes: int) -> int:
    """Ms credited in the sessions that began on `day`: sid → credited ms, sid → ms since the epoch at its begin."""
    return sum(ms for sid, ms in sessions.items() if sid in begun and day_of(begun[sid], utc_offset_minutes) == day)


def local(ms: int) -> datetime:
    """A moment in this computer's own time zone, as people here read clocks."""
    return datetime.fromtimestamp(ms / 1000, UTC).astimezone()
