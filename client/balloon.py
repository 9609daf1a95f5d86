"""A notification of Windows' own, outside our window: an icon by the clock with a balloon (a toast since Windows 10).

`Shell_NotifyIconW` by ctypes: no library, no registration, and no link that a click would follow. The icon stays until
the program ends, because the balloon goes with it; the shell that does not answer (none runs, or it was restarted) is
a plain no, and the reminder stands in the window alone.
"""

from __future__ import annotations

import atexit
import ctypes
from typing import Any, Final, Protocol

ADD, MODIFY, DELETE, SET_VERSION = 0, 1, 2, 4  # NIM_…
HAS_ICON, HAS_TIP, HAS_INFO, SHOWS_TIP = 0x2, 0x4, 0x10, 0x80  # NIF_…
RESPECT_QUIET_TIME: Final = 0x80  # NIIF_…: while the system keeps quiet (first hour, presentation) it does, too
VERSION: Final = 4  # NOTIFYICON_VERSION_4
NUMBER: Final = 1  # of our icon within our window
STOCK_ICON: Final = 32512  # IDI_APPLICATION, where the program has none of its own
ONLY_MESSAGES: Final = -3  # HWND_MESSAGE: a window that is never seen
TITLE, TEXT, TIP = 64, 256, 128  # UTF-16 units with the closing zero

BalloonErrors = (OSError, AttributeError, ctypes.ArgumentError)


class Guid(ctypes.Structure):
    """GUID."""

    _fields_ = (("a", ctypes.c_uint32), ("b", ctypes.c_uint16 * 2), ("c", ctypes.c_uint8 * 8))


class IconData(ctypes.Structure):
    """NOTIFYICONDATAW as of Windows Vista: 976 bytes on 64 bits. Text as UTF-16 units, whatever a wchar_t is here."""

    _fields_ = (
        ("size", ctypes.c_uint32), ("window", ctypes.c_void_p), ("number", ctypes.c_uint32),
        ("flags", ctypes.c_uint32), ("message", ctypes.c_uint32), ("icon", ctypes.c_void_p),
        ("tip", ctypes.c_uint16 * TIP), ("state", ctypes.c_uint32), ("state_mask", ctypes.c_uint32),
        ("info", ctypes.c_uint16 * TEXT), ("version", ctypes.c_uint32), ("title", ctypes.c_uint16 * TITLE),
        ("info_flags", ctypes.c_uint32), ("guid", Guid), ("balloon_icon", ctypes.c_void_p),
    )  # fmt: skip


class Shell(Protocol):
    """The calls; a test scripts them."""

    def window(self) -> int: ...
    def icon(self) -> int: ...
    def notify(self, message: int, data: IconData) -> bool: ...


class Shell32:
    """Windows'. `OSError` or `AttributeError` on any other system."""

    def __init__(self) -> None:
        load: Any = getattr(ctypes, "WinDLL")  # noqa: B009 - there on Windows alone
        self._shell, self._user = load("shell32"), load("user32")
        self._shell.Shell_NotifyIconW.argtypes = (ctypes.c_uint32, ctypes.POINTER(IconData))
        self._user.CreateWindowExW.restype = self._user.LoadIconW.restype = ctypes.c_void_p
        self._user.LoadIconW.argtypes = (ctypes.c_void_p, ctypes.c_void_p)

    def window(self) -> int:
        """A window of ours that is never seen: icons belong to one."""
        parent = ctypes.c_void_p(ONLY_MESSAGES)
        return int(self._user.CreateWindowExW(0, "STATIC", "TrueSeat", 0, 0, 0, 0, 0, parent, None, None, None) or 0)

    def icon(self) -> int:
        """The system's icon for a program; it is not ours to free."""
        return int(self._user.LoadIconW(None, STOCK_ICON) or 0)

    def notify(self, message: int, data: IconData) -> bool:
        """Whether the shell took it."""
        return bool(self._shell.Shell_NotifyIconW(message, ctypes.byref(data)))


class Balloon:
    """`client.notify.Notifier` on Windows."""

    here: Final = True

    def __init__(self, shell: Shell | None = None) -> None:
        """`BalloonErrors` where this is no Windows."""
        self._shell: Shell = shell if shell is not None else Shell32()
        self._window = 0
        self._shown = False

    def tell(self, title: str, words: str) -> bool:
        """Whether the shell took it; a shell that was restarted meanwhile gets the icon again."""
        try:
            data = self._data(HAS_INFO | SHOWS_TIP)
            data.info[:], data.title[:] = units(words, TEXT), units(title, TITLE)
            data.info_flags = RESPECT_QUIET_TIME
            return self._shell.notify(MODIFY, data) or (self._add() and self._shell.notify(MODIFY, data))
        except BalloonErrors:
            return False

    def _add(self) -> bool:
        data = self._data(HAS_ICON | HAS_TIP | SHOWS_TIP)
        data.icon = self._shell.icon()
        data.tip[:] = units("TrueSeat", TIP)
        if not self._shell.notify(ADD, data):
            return False
        data.version = VERSION
        self._shell.notify(SET_VERSION, data)
        if not self._shown:
            atexit.register(self.close)
        self._shown = True
        return True

    def close(self) -> None:
        """Take the icon away; without this it stays by the clock until the pointer comes over it."""
        if self._shown:
            self._shown = False
            self._shell.notify(DELETE, self._data(0))

    def _data(self, flags: int) -> IconData:
        self._window = self._window or self._shell.window()
        return IconData(size=ctypes.sizeof(IconData), window=self._window, number=NUMBER, flags=flags)


def units(text: str, room: int) -> list[int]:
    """UTF-16 units of `text`, zeros up to `room`; what does not fit ends before a whole character, with an ellipsis."""
    data = text.encode("utf-16-le", "replace")
    most = 2 * (room - 1)
    if len(data) > most:
        cut = data[: most - 2].decode("utf-16-le", "ignore") + "…"
        data = cut.encode("utf-16-le")
    data = data.ljust(2 * room, b"\0")
    return [int.from_bytes(data[at : at + 2], "little") for at in range(0, 2 * room, 2)]
