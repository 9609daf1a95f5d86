"""Windows' own word on our window: in front, minimised, cloaked, locked, and what lies over it. Reads, changes nothing.

`EnumWindows` gives top-level windows from the top of the stack down. A window that the desktop manager cloaks (another
virtual desktop, a store app that sleeps) covers nothing. While the input desktop is not ours the screen is locked, or
asks for an administrator's word: both hide the lesson.
"""

from __future__ import annotations

import ctypes
import os
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Protocol

from client.player.foreground import Above, Snapshot
from client.player.geometry import Rect

WindowsErrors = (OSError, AttributeError, ctypes.ArgumentError)
CLOAKED, FRAME = 14, 9  # DWMWA_CLOAKED, DWMWA_EXTENDED_FRAME_BOUNDS
CLOAKED_SHELL = 2  # DWM_CLOAKED_SHELL: on another virtual desktop
LAYERED, TRANSPARENT = 0x80000, 0x20  # WS_EX_LAYERED, WS_EX_TRANSPARENT: together touches go through
ALPHA = 2  # LWA_ALPHA
SWITCH_DESKTOP, READ_OBJECTS = 0x0100, 0x0001
LIMITED = 0x1000  # PROCESS_QUERY_LIMITED_INFORMATION
_EXSTYLE, _OWNER = -20, 2
UNSEEN_ALPHA: Final = 13  # of 255: a twentieth; such a window dims, it does not hide


@dataclass(frozen=True, slots=True)
class Facts:
    """One top-level window, as the system tells it."""

    rect: Rect
    pid: int
    visible: bool
    iconic: bool
    cloaked: int
    alpha: int = 255


class Api(Protocol):
    """The calls; a test scripts them."""

    def foreground(self) -> int: ...
    def order(self) -> Sequence[int]: ...
    def facts(self, window: int) -> Facts | None: ...
    def program(self, pid: int) -> str: ...
    def monitors(self) -> Sequence[Rect]: ...
    def locked(self) -> bool | None: ...


class Windows:
    """`client.player.focus.System` on Windows."""

    def __init__(self, api: Api | None = None, window: int | None = None, pid: int | None = None) -> None:
        self._api: Api = api if api is not None else User32()
        self._window, self._pid = window, pid or os.getpid()

    def adopt(self, window: int) -> None:
        """Our window's handle, as the toolkit numbers it."""
        self._window = window

    def look(self) -> Snapshot | None:
        """One snapshot, or None while our window is not there yet."""
        api = self._api
        order = list(api.order())
        facts = {window: found for window in order if (found := api.facts(window)) is not None}
        ours = self._window if self._window in facts else self._mine(order, facts)
        if ours is None:
            return None
        mine, front = facts[ours], api.foreground()
        active = front == ours or (front in facts and facts[front].pid == self._pid)
        monitors = tuple(api.monitors())
        return Snapshot(
            window=mine.rect,
            screen=_around(monitors),
            above=self._above(order[: order.index(ours)], facts),
            active=active,
            active_app=None if active else self._named(front, facts),
            hidden=mine.iconic or not mine.visible or bool(mine.cloaked & ~CLOAKED_SHELL),
            desktop=1 if mine.cloaked & CLOAKED_SHELL else 0,
            current_desktop=0,
            locked=api.locked(),
            monitors=monitors,
        )

    def _mine(self, order: Sequence[int], facts: dict[int, Facts]) -> int | None:
        """The largest window of this process."""
        mine = [w for w in order if w in facts and facts[w].pid == self._pid and facts[w].rect.area]
        return max(mine, key=lambda w: facts[w].rect.area, default=None)

    def _above(self, order: Sequence[int], facts: dict[int, Facts]) -> list[Above]:
        found = []
        for window in order:
            one = facts.get(window)
            if one is None or one.pid == self._pid or not one.rect.area:
                continue
            if one.visible and not one.iconic and not one.cloaked and one.alpha > UNSEEN_ALPHA:
                found.append(Above(one.rect, self._api.program(one.pid)))
        return found

    def _named(self, window: int, facts: dict[int, Facts]) -> str | None:
        found = facts.get(window)
        return (self._api.program(found.pid) or None) if found is not None else None


def _around(monitors: Sequence[Rect]) -> Rect:
    """The smallest rectangle that holds all monitors."""
    left, top = min((m.x for m in monitors), default=0), min((m.y for m in monitors), default=0)
    right = max((m.x + m.width for m in monitors), default=0)
    return Rect(left, top, right - left, max((m.y + m.height for m in monitors), default=0) - top)


def program_of(path: str) -> str:
    """A program's name fit for a screen and a record, from the path of its file."""
    name = re.split(r"[\\/]", path)[-1]
    return re.sub(r"[^\w .+-]", "", re.sub(r"(?i)\.exe$", "", name)).strip()[:40]


class _Rect(ctypes.Structure):
    """RECT."""

    _fields_ = tuple((name, ctypes.c_long) for name in ("left", "top", "right", "bottom"))

    def rect(self) -> Rect:
        return Rect(self.left, self.top, self.right - self.left, self.bottom - self.top)


class User32:
    """The calls on a real Windows (or Wine)."""

    def __init__(self) -> None:
        """AttributeError where there is no Windows."""
        dll: Any = ctypes.WinDLL  # type: ignore[attr-defined,unused-ignore]
        self._user, self._dwm, self._kernel = dll("user32"), dll("dwmapi"), dll("kernel32")
        window, handle = ctypes.c_void_p, ctypes.c_void_p
        self._callback = ctypes.WINFUNCTYPE(ctypes.c_int, window, ctypes.c_void_p)  # type: ignore[attr-defined,unused-ignore]
        for call in (self._user.GetForegroundWindow, self._user.OpenInputDesktop, self._kernel.OpenProcess):
            call.restype = handle
        for call in (self._user.IsWindowVisible, self._user.IsIconic, self._user.GetWindowThreadProcessId):
            call.argtypes = None
        self._names: dict[int, str] = {}

    def foreground(self) -> int:
        """The window that takes the keyboard, 0 while there is none."""
        return int(self._user.GetForegroundWindow() or 0)

    def order(self) -> list[int]:
        """All top-level windows, the topmost first."""
        found: list[int] = []

        def keep(window: int | None, _: Any) -> int:
            found.append(int(window or 0))
            return 1

        self._user.EnumWindows(self._callback(keep), None)
        return found

    def facts(self, window: int) -> Facts | None:
        """None for a window that closed meanwhile."""
        handle = ctypes.c_void_p(window)
        pid = ctypes.c_ulong()
        if not self._user.GetWindowThreadProcessId(handle, ctypes.byref(pid)):
            return None
        rect = _Rect()
        known = not self._dwm.DwmGetWindowAttribute(handle, FRAME, ctypes.byref(rect), ctypes.sizeof(rect))
        if not known and not self._user.GetWindowRect(handle, ctypes.byref(rect)):
            return None
        cloaked = ctypes.c_uint()
        if self._dwm.DwmGetWindowAttribute(handle, CLOAKED, ctypes.byref(cloaked), ctypes.sizeof(cloaked)):
            cloaked.value = 0
        visible, iconic = self._user.IsWindowVisible(handle), self._user.IsIconic(handle)
        return Facts(rect.rect(), pid.value, bool(visible), bool(iconic), cloaked.value, self._alpha(handle))

    def _alpha(self, handle: ctypes.c_void_p) -> int:
        """How opaque a window is drawn, 0 to 255."""
        style = self._user.GetWindowLongW(handle, _EXSTYLE)
        if not style & LAYERED:
            return 255
        alpha, flags = ctypes.c_ubyte(255), ctypes.c_ulong()
        told = self._user.GetLayeredWindowAttributes(handle, None, ctypes.byref(alpha), ctypes.byref(flags))
        if told:
            return alpha.value if flags.value & ALPHA else 255
        return 0 if style & TRANSPARENT else 255  # drawn by itself: what touches go through is an overlay of the system

    def program(self, pid: int) -> str:
        """The name of a process's program, "" where it is not ours to know."""
        if pid not in self._names:
            self._names[pid] = self._program(pid)
        return self._names[pid]

    def _program(self, pid: int) -> str:
        process = self._kernel.OpenProcess(LIMITED, 0, pid)
        if not process:
            return ""
        try:
            text, length = ctypes.create_unicode_buffer(1024), ctypes.c_ulong(1024)
            handle = ctypes.c_void_p(process)
            told = self._kernel.QueryFullProcessImageNameW(handle, 0, text, ctypes.byref(length))
            return program_of(text.value) if told else ""
        finally:
            self._kernel.CloseHandle(ctypes.c_void_p(process))

    def monitors(self) -> list[Rect]:
        """Every monitor, in the coordinates of the windows."""
        found: list[Rect] = []
        kind = ctypes.WINFUNCTYPE(  # type: ignore[attr-defined,unused-ignore]
            ctypes.c_int, ctypes.c_void_p, ctypes.c_void_p, ctypes.POINTER(_Rect), ctypes.c_void_p
        )

        def keep(_monitor: Any, _dc: Any, rect: Any, _: Any) -> int:
            found.append(rect.contents.rect())
            return 1

        self._user.EnumDisplayMonitors(None, None, kind(keep), None)
        return found

    def locked(self) -> bool | None:
        """Whether another desktop than ours takes the input: the lock screen, or a question of the system's own."""
        desktop = self._user.OpenInputDesktop(0, 0, READ_OBJECTS | SWITCH_DESKTOP)
        if not desktop:
            return True
        handle = ctypes.c_void_p(desktop)
        try:
            name, needed = ctypes.create_unicode_buffer(256), ctypes.c_ulong()
            told = self._user.GetUserObjectInformationW(handle, _OWNER, name, 512, ctypes.byref(needed))
            return name.value.lower() != "default" if told else None
        finally:
            self._user.CloseDesktop(handle)
