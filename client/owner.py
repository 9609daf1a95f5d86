"""Whose a file is on Windows: by the security descriptor of the open file, so that nobody swaps it in between."""

from __future__ import annotations

import ctypes
from typing import Any, Final

FILE_OBJECT: Final = 1  # SE_FILE_OBJECT
OWNER: Final = 1  # OWNER_SECURITY_INFORMATION
ADMINISTRATORS: Final = frozenset({
    "S-1-5-18",  # the system: what software distribution writes as
    "S-1-5-32-544",  # administrators: what an elevated one writes as
    "S-1-5-80-956008885-3418522649-1831038044-1853292631-2271478464",  # TrustedInstaller
})  # fmt: skip


def owner_of(handle: int) -> str:
    """The owner's SID of an open file (a descriptor of the C library), as text; `OSError` where nobody tells."""
    import msvcrt  # mypy: this module is typed for every system, and called on Windows alone

    system: Any = msvcrt
    load: Any = getattr(ctypes, "WinDLL")  # noqa: B009 - there on Windows alone
    advapi, kernel = load("advapi32"), load("kernel32")
    sid, descriptor, text = ctypes.c_void_p(), ctypes.c_void_p(), ctypes.c_wchar_p()
    failed = advapi.GetSecurityInfo(
        ctypes.c_void_p(system.get_osfhandle(handle)), FILE_OBJECT, OWNER, ctypes.byref(sid), None, None, None,
        ctypes.byref(descriptor),
    )  # fmt: skip
    if failed:
        raise OSError(failed, "whose it is cannot be told")
    try:
        if not advapi.ConvertSidToStringSidW(sid, ctypes.byref(text)):
            raise OSError("whose it is cannot be told")
        return str(text.value)
    finally:
        kernel.LocalFree.argtypes = [ctypes.c_void_p]
        kernel.LocalFree(text)
        kernel.LocalFree(descriptor)
