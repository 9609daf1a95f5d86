"""Clocks against each other: what a preloaded library bends, what suspend explains, what is left over. Pure."""

from __future__ import annotations

from typing import Final

from agent.tables import ClockRow

# /proc/uptime has 10 ms ticks and the readings are not simultaneous; a busy machine adds more
SLACK_MS: Final = 500
SLACK_PERMILLE: Final = 20


def clock_row(
    wall_ms: int, mono_ms: int, boot_ms: int | None, uptime_ms: int | None, synchronised: bool | None = None,
    offset_ms: int = 0,
) -> ClockRow:  # fmt: skip
    """Compare how far four clocks advanced in one window.

    `mono` may stand still during suspend, `boot` and `uptime` do not; `wall` may be set by a person or a time service.
    `uptime` comes from a file that libraries which fake time do not serve: it decides.
    """
    truth = uptime_ms if uptime_ms is not None else boot_ms
    bent = False
    if uptime_ms is not None:
        slack = SLACK_MS + SLACK_PERMILLE * max(uptime_ms, mono_ms) // 1000
        ahead = mono_ms - uptime_ms > slack  # no honest clock runs faster than the kernel's
        # slower than the kernel's while the wall clock agrees with it: suspend would have moved the wall clock on
        behind = uptime_ms - mono_ms > slack and abs(wall_ms - mono_ms) <= slack
        bent = ahead or behind
    expected = truth if truth is not None else mono_ms
    jump = 0 if bent else abs(wall_ms - expected)
    return ClockRow(
        wall_ms=wall_ms, mono_ms=mono_ms, boot_ms=boot_ms, uptime_ms=uptime_ms, jump_ms=jump, bent=bent,
        offset_ms=abs(offset_ms), synchronised=synchronised,
    )  # fmt: skip
