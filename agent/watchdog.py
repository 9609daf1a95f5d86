"""The agent watches its own cost: over budget it looks less often and says so. Pure but for `measure`."""

from __future__ import annotations

import contextlib
import ctypes
import dataclasses
import sys
import time
from pathlib import Path
from typing import Final

from agent.collectors import resident_bytes
from agent.errors import CollectorError

WINDOW_MS: Final = 30_000  # osquery's watchdog uses 12 s; a lesson is long, a burst of new programs is short
MAX_SLOWDOWN: Final = 8  # a look every 16 s is the least that still means something
SELDOM: Final = ("yara_x.", "_rust.")  # script texts and signatures: every 300 s, if at all
MADV_DONTNEED: Final = 4  # of a private file mapping: drop the pages, keep the mapping
RSS_BUDGET: Final = 60 * 1024 * 1024
CALM_WINDOWS: Final = 4  # below half the budget for this long: quicker again


@dataclasses.dataclass(frozen=True, slots=True)
class Cost:
    """What the process has used so far: CPU ms since its start, and resident bytes now."""

    cpu_ms: int
    rss: int


def measure() -> Cost:
    """This process's cost; `rss` is 0 where the platform does not tell."""
    return Cost(round(time.process_time() * 1000), _rss())


def give_back() -> None:
    """Hand back to the system what the C library keeps of freed memory, and code that is seldom run; Linux alone."""
    if not sys.platform.startswith("linux"):
        return
    with contextlib.suppress(OSError, AttributeError, ValueError):
        library = ctypes.CDLL(None)
        library.malloc_trim(0)
        for start, end in _seldom(Path("/proc/self/maps").read_text("utf-8", "replace")):
            library.madvise(ctypes.c_void_p(start), ctypes.c_size_t(end - start), MADV_DONTNEED)


def _seldom(maps: str) -> list[tuple[int, int]]:
    """Where the code of such libraries lies: mapped from its file, never written, and read from there again at need."""
    ranges = []
    for line in maps.splitlines():
        place, rights, *rest = line.split(maxsplit=5)
        if rights == "r-xp" and rest[-1].rsplit("/", 1)[-1].startswith(SELDOM):
            start, _, end = place.partition("-")
            ranges.append((int(start, 16), int(end, 16)))
    return ranges


def _rss() -> int:
    try:
        pages = int(Path("/proc/self/statm").read_text("ascii").split()[1])
    except (OSError, ValueError, IndexError):
        return _told()
    return pages * 4096


def _told() -> int:
    try:
        return resident_bytes()
    except CollectorError:
        return 0


def budget_permille(processes: int) -> int:
    """CPU allowed, per mille of one core: 10 at 150 processes, 30 at 1,000 and more."""
    return min(30, 10 + 20 * max(0, processes - 150) // 850)


class Watchdog:
    """Decides how much longer than planned the agent waits between looks."""

    def __init__(self, now_ms: int, cost: Cost) -> None:
        self.slowdown = 1
        self._since = now_ms
        self._cost = cost
        self._calm = 0
        self._first = True
        self._heavy = False

    def step(self, now_ms: int, cost: Cost, processes: int) -> str | None:
        """Account for the time since the last window; return a sentence when the pace changed, else None."""
        passed = now_ms - self._since
        if passed < WINDOW_MS:
            return None
        used = 1000 * (cost.cpu_ms - self._cost.cpu_ms) // passed
        self._since, self._cost = now_ms, cost
        if self._first:  # loading rules and reading every process once is the start, not the pace
            self._first = False
            return None
        budget = budget_permille(processes)
        if cost.rss > RSS_BUDGET and not self._heavy:
            self._heavy = True
            return f"agent uses {cost.rss >> 20} MiB, budget {RSS_BUDGET >> 20} MiB"
        if used > budget and self.slowdown < MAX_SLOWDOWN:
            self._calm, self.slowdown = 0, self.slowdown * 2
            return f"agent used {used} permille of a core, budget {budget}: it looks {self.slowdown} times less often"
        self._calm = self._calm + 1 if used * 2 < budget else 0
        if self._calm >= CALM_WINDOWS and self.slowdown > 1:
            self._calm, self.slowdown = 0, self.slowdown // 2
            return f"agent used {used} permille of a core: its pace is now 1/{self.slowdown} of the planned one"
        return None
