"""Which scripts interpreters run on Linux: arguments and working folder out of /proc."""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from typing import Final

from agent.collectors import files
from agent.tables import ProcessRow

SYSTEM: Final = ("/usr/", "/lib/", "/opt/", "/snap/", "/nix/")
MAX_CMDLINE: Final = 32_768


class Files(files.Files):
    """One row a script, and one a name beside it."""

    def __init__(self, processes: Callable[[], Sequence[ProcessRow]], root: str = "/proc") -> None:
        self._root = root
        super().__init__(processes, self._told_by_proc, SYSTEM)

    def _told_by_proc(self, row: ProcessRow) -> tuple[Sequence[str], str]:
        try:
            with open(f"{self._root}/{row.pid}/cmdline", "rb") as file:
                words = file.read(MAX_CMDLINE).split(b"\0")[1:]
            return [os.fsdecode(word) for word in words], os.readlink(f"{self._root}/{row.pid}/cwd")
        except OSError:
            return (), ""
