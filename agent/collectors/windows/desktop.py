"""The windows of this desktop as user32 lists them."""

from __future__ import annotations

import ctypes
from typing import Any, Final

from agent.collectors.desktop import MAX_WINDOWS, Window
from agent.collectors.windows import api
from agent.errors import CollectorError

EXTENDED_STYLE: Final = -20  # GWL_EXSTYLE
TOPMOST: Final = 0x08  # WS_EX_TOPMOST
CLOAKED: Final = 14  # DWMWA_CLOAKED: there, but on no screen


def visible_windows() -> list[Window]:
    """All visible top-level windows, the first 500 from above."""
    handles: list[Any] = []
    form = getattr(ctypes, "WINFUNCTYPE", ctypes.CFUNCTYPE)(api.BOOL, api.Handle, ctypes.c_ssize_t)

    def each(window: Any, _: int) -> int:
        handles.append(window)
        return len(handles) < 10 * MAX_WINDOWS

    callback = form(each)
    api.function("user32", "EnumWindows", api.BOOL, api.PTR, ctypes.c_ssize_t)(ctypes.cast(callback, api.PTR), 0)
    visible = api.function("user32", "IsWindowVisible", api.BOOL, api.Handle)
    shown = [handle for handle in handles if handle and visible(handle) and not _cloaked(handle)]
    return [_window(handle) for handle in shown[:MAX_WINDOWS]]


def foreground_pid() -> int:
    """The process whose window has the foreground; 0 while there is none."""
    window = api.function("user32", "GetForegroundWindow", api.Handle)()
    return _process_of(window) if window else 0


def _process_of(window: Any) -> int:
    pid = api.DWORD()
    api.function("user32", "GetWindowThreadProcessId", api.DWORD, api.Handle, api.PTR)(window, ctypes.byref(pid))
    return pid.value


def _window(handle: Any) -> Window:
    room = ctypes.create_unicode_buffer(257)
    api.function("user32", "GetClassNameW", ctypes.c_int, api.Handle, api.PTR, ctypes.c_int)(handle, room, len(room))
    style = api.function("user32", "GetWindowLongW", ctypes.c_uint32, api.Handle, ctypes.c_int)(handle, EXTENDED_STYLE)
    return Window(_process_of(handle), str(room.value), bool(style & TOPMOST), _unrecorded(handle))


def _unrecorded(handle: Any) -> bool | None:
    affinity = api.DWORD()
    if api.wine_version():
        return None  # it always answers no
    try:
        ask = api.function("user32", "GetWindowDisplayAffinity", api.BOOL, api.Handle, api.PTR)
    except CollectorError:
        return None
    return bool(affinity.value) if ask(handle, ctypes.byref(affinity)) else None


def _cloaked(handle: Any) -> bool:
    state = api.DWORD()
    try:
        ask = api.function("dwmapi", "DwmGetWindowAttribute", ctypes.c_int32, api.Handle, api.DWORD, api.PTR, api.DWORD)
    except CollectorError:
        return False
    return ask(handle, CLOAKED, ctypes.byref(state), ctypes.sizeof(state)) == 0 and bool(state.value)
