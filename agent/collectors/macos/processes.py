"""What the process table needs of macOS: libproc's list, and what the kernel says of a file's signature."""

from __future__ import annotations

import struct
from collections.abc import Sequence

from agent.collectors.macos import api, libproc
from agent.collectors.table import Entry
from agent.errors import CollectorError
from agent.tables import ProcessRow


class SystemProcesses:
    """The processes of this machine."""

    def __init__(self) -> None:
        self._began: dict[int, int] = {}
        self._boot_us: int | None = None

    def begin(self) -> None:
        """The start of the machine is asked for anew: it moves when the wall clock is set."""
        try:
            self._boot_us = parse_moment(api.sysctl("kern.boottime"))
        except CollectorError:
            self._boot_us = None

    def entries(self) -> Sequence[Entry]:
        """libproc's list; a process's own file names it where that may be seen."""
        found = [info for pid in libproc.pids() if (info := libproc.info(pid)) is not None]
        self._began = {info.pid: info.began_us for info in found}
        return [Entry(info.pid, info.parent, info.name) for info in found]

    def began(self, pid: int) -> int:
        """The start on the wall clock."""
        return self._began.get(pid, 0)

    def read(self, entry: Entry) -> ProcessRow:
        """File, arguments, start."""
        began = self.began(entry.pid)
        since = max(0, began - self._boot_us) // 1000 if began and self._boot_us is not None else None
        return ProcessRow(
            name=entry.name, exe=libproc.path_of(entry.pid), cmdline=libproc.arguments_of(entry.pid), pid=entry.pid,
            started_ms=since,
        )  # fmt: skip

    def signer(self, row: ProcessRow) -> str | None:
        """The developer team."""
        return libproc.team_of(row.pid)


def parse_moment(data: bytes) -> int | None:
    """A timeval (64-bit seconds, 32-bit µs and padding) in µs; None for other bytes."""
    if len(data) < 12:
        return None
    seconds, micros = struct.unpack_from("<qi", data)
    return int(seconds) * 1_000_000 + int(micros) if seconds >= 0 and 0 <= micros < 1_000_000 else None
