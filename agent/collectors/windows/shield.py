"""This process itself: closed to other programs of the same user, and what it takes of the memory."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from agent.collectors.windows import api

# Everything for the system and (elevated) administrators; for all others to see that it runs and to wait for its end.
# OW, "owner rights": else the owner could write himself another list. Our parent keeps the handle that it has.
CLOSED: Final = "D:P(A;;GA;;;SY)(A;;GA;;;BA)(A;;0x101000;;;WD)(A;;0x101000;;;OW)"
REVISION: Final = 1
DACL: Final = 4  # DACL_SECURITY_INFORMATION


def close_to_others() -> None:
    """No reading, writing, stopping or ending by programs of the same user; raises `CollectorError` if refused."""
    descriptor = api.PTR()
    read = api.function(
        "advapi32", "ConvertStringSecurityDescriptorToSecurityDescriptorW", api.BOOL, api.WSTR, api.DWORD, api.PTR,
        api.PTR,
    )  # fmt: skip
    api.check(read(CLOSED, REVISION, ctypes.byref(descriptor), None), "access list")
    try:
        put = api.function("advapi32", "SetKernelObjectSecurity", api.BOOL, api.Handle, api.DWORD, api.PTR)
        api.check(put(api.ourselves(), DACL, descriptor), "access list")
    finally:
        api.function("kernel32", "LocalFree", api.PTR, api.PTR)(descriptor)


class _Counters(ctypes.Structure):
    _fields_ = (
        ("size", api.DWORD), ("faults", api.DWORD),
        *((name, ctypes.c_size_t) for name in (
            "peak", "resident", "peak_paged", "paged", "peak_unpaged", "unpaged", "pagefile", "peak_pagefile",
        )),
    )  # fmt: skip


def resident_bytes() -> int:
    """The memory that this process holds now; raises `CollectorError` where Windows does not say."""
    counters: Any = _Counters(size=ctypes.sizeof(_Counters))
    ask = api.function("kernel32", "K32GetProcessMemoryInfo", api.BOOL, api.Handle, api.PTR, api.DWORD)
    api.check(ask(api.ourselves(), ctypes.byref(counters), counters.size), "memory")
    return int(counters.resident)
