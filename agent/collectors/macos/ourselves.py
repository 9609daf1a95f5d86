"""What macOS tells of our own processes: a debugger's presence, and the images that are loaded into this one."""

from __future__ import annotations

import ctypes
import os
from typing import Final

from agent.collectors.macos import api, libproc
from agent.errors import CollectorError

MAX_IMAGES: Final = 4_096


class SystemSelves:
    """The processes of this machine that are ours."""

    def debugged(self, pid: int) -> bool:
        """P_TRACED, or a signature that was let go of for a debugger."""
        found = libproc.info(pid)
        if found is None:
            raise CollectorError(f"process {pid} is gone")
        return found.traced or libproc.code_debugged(pid)

    def loaded(self, pid: int) -> tuple[tuple[str, ...], int]:
        """Images of this very process; another's are not told to a program without special rights: unknown."""
        if pid != os.getpid():
            raise CollectorError("images of another process are not told")
        count = api.function("System", "_dyld_image_count", ctypes.c_uint32)()
        name = api.function("System", "_dyld_get_image_name", ctypes.c_char_p, ctypes.c_uint32)
        found = (name(index) for index in range(min(count, MAX_IMAGES)))
        return tuple(sorted({path.decode("utf-8", "replace") for path in found if path})), 0
