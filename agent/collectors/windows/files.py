"""Which scripts interpreters run on Windows: arguments as programs read them, and the folder that they work in."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final

from agent.collectors.windows import toolhelp
from agent.collectors.windows.arguments import arguments
from agent.tables import ProcessRow

SYSTEM: Final = tuple(
    folder + "\\" for name in ("SystemRoot", "ProgramFiles", "ProgramFiles(x86)") if (folder := os.environ.get(name))
)


def told(row: ProcessRow) -> tuple[Sequence[str], str]:
    """Arguments and working folder of a process; nothing of another user's."""
    return arguments(toolhelp.cmdline_of(row.pid))[1:], toolhelp.folder_of(row.pid)
