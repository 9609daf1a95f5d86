"""Windows' dialogue for opening a file, without a toolkit: comdlg32's GetOpenFileNameW."""

from __future__ import annotations

import ctypes
from ctypes import wintypes
from pathlib import Path
from typing import Final

LONG: Final = 32_768  # characters for the names of all chosen files
MANY, EXPLORER, EXISTS, STAY = 0x200, 0x80000, 0x1000, 0x8


class _Asked(ctypes.Structure):
    """OPENFILENAMEW, as commdlg.h has it."""

    _fields_ = (
        ("lStructSize", wintypes.DWORD), ("hwndOwner", wintypes.HWND), ("hInstance", wintypes.HINSTANCE),
        ("lpstrFilter", wintypes.LPCWSTR), ("lpstrCustomFilter", wintypes.LPWSTR), ("nMaxCustFilter", wintypes.DWORD),
        ("nFilterIndex", wintypes.DWORD), ("lpstrFile", ctypes.c_void_p), ("nMaxFile", wintypes.DWORD),
        ("lpstrFileTitle", wintypes.LPWSTR), ("nMaxFileTitle", wintypes.DWORD), ("lpstrInitialDir", wintypes.LPCWSTR),
        ("lpstrTitle", wintypes.LPCWSTR), ("Flags", wintypes.DWORD), ("nFileOffset", wintypes.WORD),
        ("nFileExtension", wintypes.WORD), ("lpstrDefExt", wintypes.LPCWSTR), ("lCustData", wintypes.LPARAM),
        ("lpfnHook", ctypes.c_void_p), ("lpTemplateName", wintypes.LPCWSTR), ("pvReserved", ctypes.c_void_p),
        ("dwReserved", wintypes.DWORD), ("FlagsEx", wintypes.DWORD),
    )  # fmt: skip


def archives(title: str) -> list[Path]:
    """The files that the person chose; none when the dialogue was closed."""
    chosen = ctypes.create_unicode_buffer(LONG)
    asked = _Asked(
        lStructSize=ctypes.sizeof(_Asked),
        lpstrFilter="TrueSeat (*.zip; *.trust)\0*.zip;*.trust\0\0",
        lpstrFile=ctypes.addressof(chosen),
        nMaxFile=LONG,
        lpstrTitle=title,
        Flags=MANY | EXPLORER | EXISTS | STAY,
    )
    if not ctypes.windll.comdlg32.GetOpenFileNameW(ctypes.byref(asked)):  # type: ignore[attr-defined]
        return []
    folder, *names = ctypes.wstring_at(ctypes.addressof(chosen), LONG).split("\0\0", 1)[0].split("\0")
    return [Path(folder, name) for name in names] or [Path(folder)]
