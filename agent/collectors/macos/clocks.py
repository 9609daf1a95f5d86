"""The clocks of macOS against each other: one that stops in sleep, one that does not, and the wall's."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from agent.clocks import clock_row
from agent.errors import CollectorError
from agent.tables import Row

AWAKE: Final = "CLOCK_UPTIME_RAW"
WITH_SLEEP: Final = "CLOCK_MONOTONIC_RAW"  # counts on in sleep, and nobody slews it (clock_gettime(3))


class Reading(NamedTuple):
    """Three clocks at one moment, in ms."""

    wall: int
    awake: int
    boot: int


def read_clocks() -> Reading:
    """The clocks, or `CollectorError` where this is no macOS."""
    awake, boot = (getattr(time, name, None) for name in (AWAKE, WITH_SLEEP))
    ask: Any = getattr(time, "clock_gettime_ns", None)
    if awake is None or boot is None or ask is None:
        raise CollectorError("clocks: this is no macOS")
    return Reading(time.time_ns() // 1_000_000, ask(awake) // 1_000_000, ask(boot) // 1_000_000)


def uptime_ms() -> int:
    """How long the machine runs, sleep included."""
    return read_clocks().boot


class Clocks:
    """How far the clocks advanced since the last look."""

    def __init__(self, read: Callable[[], Reading] = read_clocks) -> None:
        self._read = read
        self._last: Reading | None = None

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row, or none as long as there is nothing to compare with."""
        now, before = self._read(), self._last
        self._last = now
        if before is None:
            return []
        wall, awake, boot = (later - earlier for earlier, later in zip(before, now, strict=True))
        return [clock_row(wall, awake, boot, None)]
