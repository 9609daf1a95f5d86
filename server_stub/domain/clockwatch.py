"""Whether a witness's clock goes: credit is bounded by it, so one that stands still would take honest time away.

A witness may be wrong by any constant; differences alone count. What is watched is its distance from our own steady
clock, which no adjustment of the day's time moves.
"""

from __future__ import annotations

import threading
from collections.abc import Callable
from typing import Final

from ledger.keys import Vkey

BEHIND_MS: Final = 2_000  # a cosignature's time is cut to seconds, and the answer takes its way
AHEAD_MS: Final = 3_600_000  # beyond our own clock by more is no clock at all
REMEMBERED_MS: Final = 24 * 3_600_000  # no session lasts longer; an adjusted clock counts again after that


class ClockWatch:
    """Remembers each witness's distance for a day. `steady` and `wall` give ms."""

    def __init__(self, steady: Callable[[], int], wall: Callable[[], int]) -> None:
        self._steady, self._wall = steady, wall
        self._lock = threading.Lock()
        self._best: dict[Vkey, tuple[int, int]] = {}  # greatest distance, and until when it is remembered

    def check(self, key: Vkey, time: int) -> None:
        """Return quietly, or raise `ValueError`: `key`, which states `time` (s), saw as much time pass as we."""
        now = self._steady()
        if time * 1000 > self._wall() + AHEAD_MS:
            raise ValueError("its clock is more than an hour ahead")
        distance = time * 1000 - now
        with self._lock:
            best, until = self._best.get(key, (distance, 0))
            if now < until and distance < best - BEHIND_MS:
                raise ValueError(f"its clock lost {best - distance} ms")
            if now >= until or distance >= best:
                self._best[key] = (distance, now + REMEMBERED_MS)
