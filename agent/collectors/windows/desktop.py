"""The windows of this desktop: who is in front, above all, took the foreground unasked, or hides from pictures."""

from __future__ import annotations

import ctypes
from collections import Counter
from collections.abc import Callable, Sequence
from typing import Any, Final, NamedTuple

from agent.collectors import Context
from agent.collectors.windows import api
from agent.collectors.windows.ear import Heard, foreground_pid, process_of
from agent.errors import CollectorError
from agent.tables import ProcessRow, Row, WindowRow

EXTENDED_STYLE: Final = -20  # GWL_EXSTYLE
TOPMOST: Final = 0x08  # WS_EX_TOPMOST
CLOAKED: Final = 14  # DWMWA_CLOAKED: there, but on no screen
MAX_WINDOWS: Final = 500
MINUTE_MS: Final = 60_000


class Window(NamedTuple):
    """One visible top-level window, as Windows tells of it."""

    pid: int
    kind: str
    topmost: bool
    unrecorded: bool | None


class Desktop:
    """One row a program and class of windows; `CollectorError` where no desktop can be looked at."""

    def __init__(
        self,
        heard: Callable[[], Heard],
        context: Context,
        processes: Callable[[], Sequence[ProcessRow]],
        windows: Callable[[], Sequence[Window]] | None = None,
        front: Callable[[], int] = foreground_pid,
    ) -> None:
        self._heard, self._context, self._processes, self._front = heard, context, processes, front
        self._windows = windows if windows is not None else visible_windows

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The rows; the client's own windows are among them."""
        heard = self._heard()
        heard.client_pid = self._context.client_pid
        taken = Counter(entry.pid for entry in list(heard.taken) if now_ms - entry.at_ms <= MINUTE_MS)
        names = {row.pid: row.name for row in self._processes()}
        front = self._front()
        rows = {
            WindowRow(
                names.get(window.pid, ""), window.pid, window.kind, window.pid == front, window.topmost,
                window.unrecorded, taken[window.pid],
            )
            for window in self._windows()
        }  # fmt: skip
        return sorted(rows, key=lambda row: (row.pid, row.kind))[:MAX_WINDOWS]


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


def _window(handle: Any) -> Window:
    room = ctypes.create_unicode_buffer(257)
    api.function("user32", "GetClassNameW", ctypes.c_int, api.Handle, api.PTR, ctypes.c_int)(handle, room, len(room))
    style = api.function("user32", "GetWindowLongW", ctypes.c_uint32, api.Handle, ctypes.c_int)(handle, EXTENDED_STYLE)
    return Window(process_of(handle), str(room.value), bool(style & TOPMOST), _unrecorded(handle))


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
