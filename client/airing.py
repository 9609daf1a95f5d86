"""When a live lesson can be studied: now, later, or never again but from its recording. Pure."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

Airing = Literal["later", "on", "over"]
EARLY_MS: Final = 10 * 60_000  # before its planned start one may sit down and wait
TAIL_MS: Final = 60_000  # the picture reaches a screen some seconds late


def airing(starts_ms: int | None, duration_ms: int, wall: int) -> Airing:
    """Where a unit that is planned for `starts_ms` stands at `wall` (both epoch ms); "on" for one that is not live."""
    if starts_ms is None:
        return "on"
    if wall < starts_ms - EARLY_MS:
        return "later"
    return "on" if wall <= starts_ms + duration_ms + TAIL_MS else "over"


def first_choice(missing: Sequence[bool], planned: Sequence[tuple[int | None, int]], wall: int | None) -> int | None:
    """Which unit to go on with, None when none can be: a live one that is on goes first, it cannot be studied later.

    `missing`: which have anything left; `planned`: (start or None, duration) of each. Without a `wall` none is live.
    """
    open_ = [index for index, left in enumerate(missing) if left]
    live = [index for index in open_ if planned[index][0] is not None]
    if wall is not None:
        on = [index for index in live if airing(*planned[index], wall) == "on"]
        if on:
            return on[0]
    return next((index for index in open_ if index not in live), None)


def moment(starts_ms: int, wall: int, offset_minutes: int) -> str:
    """A planned start for the screen, in the programme's local time: 19:30, or 11-24 19:30 on another day."""
    here = timedelta(minutes=offset_minutes)
    starts = datetime.fromtimestamp(starts_ms / 1000, UTC) + here
    today = datetime.fromtimestamp(wall / 1000, UTC) + here
    return f"{starts:%H:%M}" if starts.date() == today.date() else f"{starts:%m-%d %H:%M}"
