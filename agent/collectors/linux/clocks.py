"""The clocks of Linux against each other; /proc/uptime is read as a file, where a preloaded library cannot lie."""

from __future__ import annotations

import re
import time
from collections import deque
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.clocks import clock_row
from agent.errors import CollectorError
from agent.tables import Row

WINDOW_MS: Final = 60_000  # a jump stays visible this long, a slow drift grows to be seen
CLOSE_MS: Final = 60  # the four readings belong together if uptime moved no more meanwhile
TRIES: Final = 3

_BOOT_TIME = re.compile(rb"^btime (\d{1,12})$", re.MULTILINE)

Reading = tuple[int, int, int, int]  # wall, monotonic, boottime, /proc/uptime in ms


def uptime_ms(path: Path = Path("/proc/uptime")) -> int:
    """The kernel's own uptime, suspend included; raises `CollectorError` where it cannot be read."""
    try:
        return round(float(path.read_text("ascii").split()[0]) * 1000)
    except (OSError, ValueError, IndexError) as error:
        raise CollectorError(f"clocks: {error}") from error


class Clocks:
    """How far the clocks advanced since the oldest reading of the window."""

    def __init__(self) -> None:
        self._readings: deque[Reading] = deque(maxlen=64)

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row, or none as long as there is nothing to compare with."""
        now = read_clocks()
        while len(self._readings) > 1 and now[3] - self._readings[0][3] > WINDOW_MS:
            self._readings.popleft()
        self._readings.append(now)
        first = self._readings[0]
        if first is now:
            return []
        wall, mono, boot, uptime = (later - earlier for earlier, later in zip(first, now, strict=True))
        return [clock_row(wall, mono, boot, uptime, offset_ms=now[0] - boot_time_ms() - now[3])]


def boot_time_ms(path: Path = Path("/proc/stat")) -> int:
    """When the kernel started, by its own wall clock, to the second; raises `CollectorError` if it is not told."""
    try:
        with path.open("rb") as file:
            found = _BOOT_TIME.search(file.read())
    except OSError as error:
        raise CollectorError(f"clocks: {error}") from error
    if found is None:
        raise CollectorError("clocks: the kernel does not tell when it started")
    return int(found.group(1)) * 1000


def read_clocks() -> Reading:
    """All four clocks at one moment: read again if the process was held up between them."""
    for _ in range(TRIES):
        before = uptime_ms()
        reading = (
            round(time.time() * 1000),
            round(time.clock_gettime(time.CLOCK_MONOTONIC) * 1000),
            round(time.clock_gettime(time.CLOCK_BOOTTIME) * 1000),
            uptime_ms(),
        )
        if reading[3] - before <= CLOSE_MS:
            break
    return reading
