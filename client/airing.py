"""When a live lesson can be studied: now, later, or never again but from its recording. Pure."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from client.view import Sentence, Value, Words

Airing = Literal["later", "on", "over"]
EARLY_MS: Final = 10 * 60_000  # before its planned start one may sit down and wait
TAIL_MS: Final = 60_000  # the picture reaches a screen some seconds late
MINUTE: Final = 60_000
SOON_MS: Final = 60 * MINUTE  # from here on the minutes to the start are said
ANNOUNCED: Final = 2  # live lessons of a course that the overview names: the next ones


@dataclass(frozen=True, slots=True)
class Planned:
    """A live unit of which something is left: its planned start (epoch ms) and length (ms)."""

    title: Words
    starts_ms: int
    duration_ms: int


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


def announced(planned: Sequence[Planned], wall: int, offset_minutes: int) -> tuple[Sentence, ...]:
    """What the overview says of a course's live lessons at `wall` (epoch ms): the one that is on, the next ones.

    Times are the programme's local time; what is over is said nowhere here: its recording is a lesson like any other.
    """
    return tuple(_announced(sorted(planned, key=lambda item: item.starts_ms), wall, offset_minutes))[:ANNOUNCED]


def _announced(planned: Sequence[Planned], wall: int, offset: int) -> Iterator[Sentence]:
    for item in planned:
        ends = item.starts_ms + item.duration_ms
        given: dict[str, Value] = {"unit": item.title, "time": moment(item.starts_ms, wall, offset)}
        left = item.starts_ms - wall
        if wall >= ends:
            continue
        if left <= 0:
            yield Sentence("today.live_on", {"unit": item.title, "until": moment(ends, wall, offset)})
        elif left > SOON_MS:
            yield Sentence("today.live_at", given)
        else:
            key = "today.live_soon" if left <= EARLY_MS else "today.live_in"
            yield Sentence(key, {**given, "minutes": -(-left // MINUTE)})
