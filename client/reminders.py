"""Reminders that the learner set: which one is due now, and which passed while this program was closed. Pure.

A closed program reminds nobody, and the screen says so: there is no service that runs in the background. What was
missed is told once, at the next start, without reproach.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from client.preferences import Reminder

LATE_MS: Final = 10 * 60_000  # told later than this, it is no reminder any more but one that was missed
LOOK_BACK: Final = timedelta(days=7)  # every reminder has a moment in a week


@dataclass(frozen=True, slots=True)
class Due:
    """A reminder to be told: its moment in local time; `missed`: this program was not running then."""

    at: datetime
    missed: bool


def due(reminders: Iterable[Reminder], heard: datetime, now: datetime) -> Due | None:
    """The latest reminder in (heard, now], or None. Both are local times with their zone; `heard` later than `now`
    (the clock was set back) tells nothing twice."""
    moments = [at for one in reminders if (at := _last(one, now)) is not None and at > heard]
    if not moments:
        return None
    at = max(moments)
    return Due(at, (now - at) > timedelta(milliseconds=LATE_MS))


def following(reminders: Iterable[Reminder], now: datetime) -> datetime | None:
    """When the next one comes, in local time."""
    found = []
    for one in reminders:
        for ahead in range(8):
            at = _at(one, now + timedelta(days=ahead))
            if at > now and at.weekday() in one.days:
                found.append(at)
                break
    return min(found, default=None)


def _last(one: Reminder, now: datetime) -> datetime | None:
    """Its latest moment that is not in the future."""
    for back in range(LOOK_BACK.days + 1):
        at = _at(one, now - timedelta(days=back))
        if at <= now and at.weekday() in one.days:
            return at
    return None


def _at(one: Reminder, day: datetime) -> datetime:
    return day.replace(hour=one.minute // 60, minute=one.minute % 60, second=0, microsecond=0)
