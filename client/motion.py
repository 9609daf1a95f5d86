"""The running span: from the moment the picture really moves to the moment anything changes (wire-format, "Spans").

Pure. A span claims only what was shown: clock and media agree within 250 ms, so a picture that ran ahead is claimed up
to what the clock allows and no further.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Final

from client.events import Progress
from ledger.events import Played

ALLOWANCE_MS: Final = 250  # study-session.md: (to − from) · 1000 ≤ rate · (mono − start + 250)
JUMP_MS: Final = 1_500  # a position this far off is a seek, not drift of the sound card's clock
SETTLE_MS: Final = 3_000  # after a seek the player may still tell its old place for a moment


@dataclass(frozen=True, slots=True)
class Still:
    """The picture stands. `told` is the reason that the log holds; "" before the first start and within a change."""

    told: str = ""


@dataclass(frozen=True, slots=True)
class Starting:
    """Told to play; the picture does not move yet, or not from `expect` yet."""

    since: int
    expect: int


@dataclass(frozen=True, slots=True)
class Running:
    """A span is open: it began at mono `start` at media position `from_ms`; `last` is the newest word of the player."""

    start: int
    from_ms: int
    shown: int
    rate: int
    last: Progress
    last_at: int


Motion = Still | Starting | Running


def begin(progress: Progress, now: int, from_ms: int) -> Running:
    """A span that begins now at `from_ms`, where the one before ended: nothing falls between the two."""
    return Running(now, from_ms, progress.shown, progress.rate, progress, now)


def moved(starting: Starting, progress: Progress, position_ms: int, now: int, logged_at: int) -> Running:
    """The span of a picture that moves since it was told to, heard of only now.

    From where the lesson stood, if what was shown since then explains the place; from the place itself after a jump.
    It begins no earlier than the order to play and the last event.
    """
    shown_ms = progress.position_ms - position_ms
    if not 0 <= shown_ms <= progress.rate * (now - starting.since) // 1000 + ALLOWANCE_MS:
        return begin(progress, max(now, logged_at), progress.position_ms)
    since = max(starting.since, logged_at, now - shown_ms * 1000 // progress.rate)
    return replace(begin(progress, since, position_ms), last_at=max(now, logged_at))


def joined(progress: Progress, now: int, logged_at: int) -> Running:
    """The span of a live picture that moves: from where it is. What went by before is nobody's."""
    return begin(progress, max(now, logged_at), progress.position_ms)


def arrived(starting: Starting, progress: Progress, now: int) -> bool:
    """Whether the picture moves from where it should."""
    near = abs(progress.position_ms - starting.expect) <= JUMP_MS
    return progress.playing and (near or now - starting.since > SETTLE_MS)


def advance(running: Running, progress: Progress, now: int) -> tuple[Running, bool]:
    """The span with the player's newest word, and whether it goes on: it may have stopped, jumped, changed rate."""
    back = progress.position_ms < running.last.position_ms - ALLOWANCE_MS
    if back or progress.position_ms - _allowed(running, now) > JUMP_MS:
        return running, False
    newest = replace(running, last=progress, last_at=now)
    return newest, progress.playing and not progress.ended and progress.rate == running.rate


def end(running: Running, duration_ms: int) -> tuple[Played | None, int]:
    """The span's event (None when it showed nothing) and the media position that it reaches; its mono is `last_at`."""
    to = min(running.last.position_ms, _allowed(running, running.last_at), duration_ms)
    if to <= running.from_ms or running.last_at <= running.start:
        return None, running.from_ms
    shown = max(0, running.last.shown - running.shown)
    return Played(running.last.unit, running.from_ms, to, running.rate, running.start, shown), to


def _allowed(running: Running, now: int) -> int:
    """The furthest position that a span up to `now` can claim."""
    return running.from_ms + running.rate * (now - running.start + ALLOWANCE_MS) // 1000
