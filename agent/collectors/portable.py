"""Processes, clocks and extensions by psutil and the standard library: for systems without a backend of their own."""

from __future__ import annotations

import time
from collections.abc import Sequence

import psutil

from agent.clocks import clock_row
from agent.collectors import QUICK_MS, RARE_MS, SLOW_MS, Collector, Context
from agent.errors import CollectorError
from agent.tables import ProcessRow, Row

MAX_CMDLINE = 32_768


class Processes:
    """The process table, read anew only for processes that were not there before."""

    def __init__(self) -> None:
        self._known: dict[tuple[int, float], ProcessRow] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """Rows of all processes that this user may see."""
        try:
            running = list(psutil.process_iter())
        except (psutil.Error, OSError) as error:
            raise CollectorError(f"processes: {error}") from error
        seen: dict[tuple[int, float], ProcessRow] = {}
        for process in running:
            try:
                key = (process.pid, process.create_time())
                seen[key] = self._known.get(key) or _row(process)
            except (psutil.Error, OSError):
                continue  # gone, or another user's: unknown
        self._known = seen
        return list(seen.values())


def _row(process: psutil.Process) -> ProcessRow:
    with process.oneshot():
        return ProcessRow(
            name=_try(process.name), exe=_try(process.exe), pid=process.pid,
            cmdline=" ".join(_try_list(process))[:MAX_CMDLINE],
        )  # fmt: skip


def _try(read: object) -> str:
    try:
        return str(read()) if callable(read) else ""
    except (psutil.Error, OSError):  # Wine and locked-down hosts raise plain OSError
        return ""


def _try_list(process: psutil.Process) -> list[str]:
    try:
        return list(process.cmdline())
    except (psutil.Error, OSError):
        return []


class Clocks:
    """Wall against monotonic clock since the last look."""

    def __init__(self) -> None:
        self._last: tuple[int, int] | None = None

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """One row: how far both clocks advanced."""
        now = (round(time.time() * 1000), round(time.monotonic() * 1000))
        before, self._last = self._last or now, now
        return [clock_row(now[0] - before[0], now[1] - before[1], None, None)]


def collectors(context: Context) -> tuple[Collector, ...]:
    """The sources that work anywhere."""
    from agent.collectors.extensions import Extensions
    from agent.collectors.installed import Installed
    from agent.collectors.scripts import Scripts

    extensions = Extensions()
    return (
        Collector("extensions", RARE_MS, extensions.collect),
        Collector("scripts", SLOW_MS, Scripts(context, lambda: extensions.rows).collect),
        Collector("installed", RARE_MS, Installed().collect),
        Collector("processes", QUICK_MS, Processes().collect),
        Collector("clocks", QUICK_MS, Clocks().collect),
    )
