"""The machine's own clock: never falls, and counts suspended time where the OS can tell."""

from __future__ import annotations

import time


def boot_ms() -> int:
    """Ms since some fixed moment of this boot; the same in every process of this machine."""
    source = getattr(time, "CLOCK_BOOTTIME", None)
    return time.monotonic_ns() // 1_000_000 if source is None else time.clock_gettime_ns(source) // 1_000_000
