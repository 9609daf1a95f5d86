"""The clocks of Windows against each other, and all against the page that the kernel shares with every process.

A tool that bends time for a program ("speed hack") replaces the functions that tell it. The shared page
(KUSER_SHARED_DATA, ntddk.h) is no function: the kernel writes it, a program can only read it.
"""

from __future__ import annotations

import ctypes
import struct
import time
from collections import deque
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from agent.clocks import clock_row
from agent.collectors.windows import api
from agent.errors import CollectorError
from agent.tables import Row

WINDOW_MS: Final = 60_000
CLOSE_MS: Final = 60
TRIES: Final = 4
PAGE: Final = 0x7FFE0000
PAGE_BYTES: Final = 0x3B8
INTERRUPT_TIME, SYSTEM_TIME, BIAS = 0x08, 0x14, 0x3B0
_SPLIT: Final = struct.Struct("<III")  # KSYSTEM_TIME: low, high, high again; written from behind
UNIX_EPOCH_100NS: Final = 116_444_736_000_000_000  # 1970 in Windows' count from 1601


class Shared(NamedTuple):
    """What the kernel says, in 100 ns: its uptime with sleep, how much of that asleep, the wall clock from 1601."""

    uptime: int
    asleep: int
    wall: int


class Reading(NamedTuple):
    """All clocks at one moment, in ms; `told` are those that functions tell, each counting sleep."""

    wall: int
    told: tuple[int, ...]
    boot: int
    uptime: int
    kernel_wall: int


def parse_shared(data: bytes) -> Shared | None:
    """Read the shared page; None if it was being written meanwhile, or is too short."""
    if len(data) < PAGE_BYTES:
        return None
    values = []
    for at in (INTERRUPT_TIME, SYSTEM_TIME):
        low, high, again = _SPLIT.unpack_from(data, at)
        if high != again:
            return None
        values.append(high << 32 | low)
    return Shared(values[0], struct.unpack_from("<Q", data, BIAS)[0], values[1])


def shared() -> Shared:
    """The kernel's clocks now, or `CollectorError`."""
    api.library("ntdll")  # nowhere else is that page
    for _ in range(TRIES):
        found = parse_shared(ctypes.string_at(PAGE, PAGE_BYTES))
        if found is not None:
            return found
    raise CollectorError("clocks: the kernel's page is always being written")


def boot_100ns() -> int:
    """When the machine started, on Windows' wall clock."""
    now = shared()
    return now.wall - now.uptime


def uptime_ms() -> int:
    """How long the kernel runs, sleep included."""
    return shared().uptime // 10_000


def read_clocks() -> Reading:
    """All clocks, read again if the process was held up between them."""
    unbiased = ctypes.c_uint64()
    ask = api.function("kernel32", "QueryUnbiasedInterruptTime", api.BOOL, api.PTR)
    ticks = api.function("kernel32", "GetTickCount64", api.ULONGLONG)
    for _ in range(TRIES):
        before = shared()
        wall, counter, boot = time.time_ns() // 1_000_000, time.perf_counter_ns() // 1_000_000, ticks()
        awake = unbiased.value if ask(ctypes.byref(unbiased)) else before.uptime - before.asleep
        after = shared()
        if (after.uptime - before.uptime) // 10_000 <= CLOSE_MS:
            break
    told = (counter, boot, (awake + before.asleep) // 10_000)
    return Reading(wall, told, boot, after.uptime // 10_000, (after.wall - UNIX_EPOCH_100NS) // 10_000)


class Clocks:
    """How far the clocks advanced since the oldest reading of the window."""

    def __init__(self, read: Callable[[], Reading] = read_clocks) -> None:
        self._read = read
        self._readings: deque[Reading] = deque(maxlen=64)

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row, or none as long as there is nothing to compare with."""
        now = self._read()
        while len(self._readings) > 1 and now.uptime - self._readings[0].uptime > WINDOW_MS:
            self._readings.popleft()
        self._readings.append(now)
        first = self._readings[0]
        if first is now:
            return []
        uptime = now.uptime - first.uptime
        advances = [later - earlier for earlier, later in zip(first.told, now.told, strict=True)]
        mono = max(advances, key=lambda advance: abs(advance - uptime))  # the one that is bent, if one is
        offset = now.wall - now.kernel_wall
        return [clock_row(now.wall - first.wall, mono, now.boot - first.boot, uptime, offset_ms=offset)]
