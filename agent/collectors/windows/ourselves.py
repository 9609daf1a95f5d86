"""What Windows tells of our own processes: a debugger's presence, the loaded libraries, memory that runs what is
written into it.
"""

from __future__ import annotations

import contextlib
import ctypes
import os

from agent.collectors.windows import api, toolhelp


class SystemSelves:
    """The processes of this machine that are ours."""

    def debugged(self, pid: int) -> bool:
        """IsDebuggerPresent for ourselves, and the kernel's own word (the debug port) for both."""
        if pid == os.getpid() and api.function("kernel32", "IsDebuggerPresent", api.BOOL)():
            return True
        answer = api.BOOL()
        with _opened(pid, api.QUERY) as handle:
            ask = api.function("kernel32", "CheckRemoteDebuggerPresent", api.BOOL, api.Handle, api.PTR)
            api.check(ask(handle, ctypes.byref(answer)), "debugger")
        return bool(answer.value)

    def loaded(self, pid: int) -> tuple[tuple[str, ...], int]:
        """The module list and the memory map."""
        with _opened(pid, api.QUERY | api.VM_READ) as handle:
            return toolhelp.modules_of(handle), toolhelp.writable_code(handle)


def _opened(pid: int, access: int) -> contextlib.AbstractContextManager[api.Handle]:
    """Our own handle without asking: the agent is closed to everybody (shield.py)."""
    return contextlib.nullcontext(api.ourselves()) if pid == os.getpid() else api.process(pid, access)
