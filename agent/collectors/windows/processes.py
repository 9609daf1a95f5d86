"""What the process table needs of Windows: Toolhelp's list, and what a file's resources and signature say."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Final

from agent.collectors.table import Entry
from agent.collectors.windows import clocks, toolhelp
from agent.collectors.windows.arguments import arguments
from agent.collectors.windows.resources import Version, version_of
from agent.collectors.windows.signatures import Signers
from agent.errors import CollectorError
from agent.tables import ProcessRow

MAX_FILES: Final = 2_000
IDLE: Final = (0, 4)  # the idle and the system process are no programs


class SystemProcesses:
    """The processes of this machine; what a file says of itself is read once a file."""

    def __init__(self, versions: Callable[[str], Version] = version_of, signers: Signers | None = None) -> None:
        self._versions = versions
        self._signers = signers if signers is not None else Signers()
        self._files: dict[str, Version] = {}

    def begin(self) -> None:
        """A new look has a new budget for signatures."""
        self._signers.begin()

    def entries(self) -> Sequence[Entry]:
        """Toolhelp's list."""
        return [entry for entry in toolhelp.entries() if entry.pid not in IDLE]

    def began(self, pid: int) -> int:
        """The start on Windows' wall clock."""
        return toolhelp.started_100ns(pid)

    def read(self, entry: Entry) -> ProcessRow:
        """File, arguments, start and version resource."""
        exe, began = toolhelp.exe_of(entry.pid), self.began(entry.pid)
        version = self._version(exe)
        return ProcessRow(
            name=entry.name, exe=exe, cmdline=" ".join(arguments(toolhelp.cmdline_of(entry.pid))), pid=entry.pid,
            started_ms=_since_boot_ms(began), original_name=version.original_name, product=version.product,
        )  # fmt: skip

    def signer(self, row: ProcessRow) -> str | None:
        """Of the file, when it is its turn."""
        return self._signers.of(row.exe)

    def _version(self, exe: str) -> Version:
        if not exe:
            return Version()
        if exe not in self._files:
            if len(self._files) >= MAX_FILES:
                self._files.clear()
            self._files[exe] = self._versions(exe)
        return self._files[exe]


def _since_boot_ms(began_100ns: int) -> int | None:
    try:
        return max(0, began_100ns - clocks.boot_100ns()) // 10_000 if began_100ns else None
    except CollectorError:
        return None
