"""The collectors: one a table; each returns its table's rows, or raises `CollectorError`: unknown, never a guess.

Here alone is decided which operating system's code runs. Collectors read; they start no program, open no port and
change nothing on the host.
"""

from __future__ import annotations

import dataclasses
import os
import sys
from collections.abc import Callable, Sequence
from typing import Final

from agent.errors import CollectorError
from agent.tables import Row
from agent.texts import Text

QUICK_MS: Final = 2_000  # the cadence of design: what is cheap and urgent …
SLOW_MS: Final = 30_000  # … and what is dear or seldom changes
RARE_MS: Final = 300_000


@dataclasses.dataclass(slots=True)
class Context:
    """What collectors are told from outside; the client may change it while the agent runs."""

    client_pid: int = 0  # 0: no client beside us
    camera: str = ""  # name of the camera in use
    in_client: bool | None = None  # our window has the foreground
    patient: bool = False  # a single look, for which nobody waits: long work is done at once
    texts: tuple[Text, ...] = ()  # what the rules in force ask of a script's text


@dataclasses.dataclass(frozen=True, slots=True)
class Collector:
    """One source of rows: `collect(now_ms)` is called about every `every_ms` on the monotonic clock."""

    name: str
    every_ms: int
    collect: Callable[[int], Sequence[Row]]

    def look(self, now_ms: int) -> Sequence[Row]:
        """The rows of `collect`, or `CollectorError`; whatever else a source raises makes it unknown, never us fall."""
        try:
            return self.collect(now_ms)
        except CollectorError:
            raise
        except Exception as error:
            raise CollectorError(f"failed with {type(error).__name__}") from error


def platform() -> str:
    """This machine's platform as rules name it: windows, darwin, linux or android; "any" elsewhere."""
    if hasattr(sys, "getandroidapilevel"):  # Android calls itself linux, too
        return "android"
    known = {"linux": "linux", "win32": "windows", "cygwin": "windows", "darwin": "darwin"}
    return known.get(str(sys.platform), "any")


def collectors(context: Context) -> tuple[Collector, ...]:
    """All sources of this machine."""
    if platform() == "linux":
        from agent.collectors import linux

        return linux.collectors(context)
    if platform() == "windows":
        from agent.collectors import windows

        return windows.collectors(context)
    if platform() == "darwin":
        from agent.collectors import macos

        return macos.collectors(context)
    if platform() == "android":
        from agent.collectors import android

        return android.collectors(context)
    from agent.collectors import portable

    return portable.collectors(context)


def uptime_ms() -> int:
    """The kernel's own uptime, sleep included, where a library that bends time cannot lie; else `CollectorError`."""
    if platform() == "windows":
        from agent.collectors.windows import clocks

        return clocks.uptime_ms()
    if platform() == "darwin":
        from agent.collectors.macos import clocks as mac_clocks

        return mac_clocks.uptime_ms()
    from agent.collectors.linux import clocks as linux_clocks

    return linux_clocks.uptime_ms()


def parent_pid() -> int:
    """The process that started this one; 0 where the system does not say."""
    if platform() == "windows":  # not os.getppid: Python asks there by PssCaptureSnapshot, without which it aborts
        from agent.collectors.windows import toolhelp

        return toolhelp.parent_pid()
    return os.getppid()


def resident_bytes() -> int:
    """The memory that this process holds now, or `CollectorError`."""
    if platform() != "windows":
        raise CollectorError("memory: this system is not asked")
    from agent.collectors.windows import shield

    return shield.resident_bytes()


def harden() -> None:
    """Close this process to programs of the same user where the system can; `CollectorError` where it does not."""
    if platform() == "windows":
        from agent.collectors.windows import shield

        shield.close_to_others()
