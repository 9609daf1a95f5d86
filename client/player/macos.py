"""macOS' own word on our window, from the window server's lists. Reads, asks for no permission, changes nothing.

`CGWindowListCopyWindowInfo` lists on-screen windows from the front to the back with owner, layer, bounds and alpha
(titles would need the permission to record the screen; we want none). The session's dictionary says whether the screen
is locked. Both are property lists: they are turned into bytes there and read by `plistlib` here.
"""

from __future__ import annotations

import ctypes
import os
import plistlib
from collections.abc import Mapping, Sequence
from typing import Any, Final, Protocol
from xml.parsers.expat import ExpatError

from client.player.foreground import Above, Snapshot
from client.player.geometry import Rect
from client.player.windows import _around as around
from client.player.windows import program_of

MacErrors = (OSError, AttributeError, plistlib.InvalidFileException, ExpatError)
ON_SCREEN, NO_DESKTOP = 1, 16  # kCGWindowListOptionOnScreenOnly, …ExcludeDesktopElements
NORMAL_LAYER: Final = 0
SYSTEM_LAYER: Final = 24  # kCGMainMenuWindowLevel: there and above lie the menu bar and the system's own bits
UNSEEN: Final = 0.05
_BINARY: Final = 200  # kCFPropertyListBinaryFormat_v1_0
Info = Mapping[str, Any]


class Lists(Protocol):
    """What the window server tells; a test scripts it."""

    def windows(self, *, on_screen: bool) -> Sequence[Info]: ...
    def session(self) -> Info | None: ...
    def displays(self) -> Sequence[Rect]: ...


class Mac:
    """`client.player.focus.System` on macOS."""

    def __init__(self, lists: Lists | None = None, pid: int | None = None) -> None:
        self._lists: Lists = lists if lists is not None else WindowServer()
        self._pid = pid or os.getpid()

    def adopt(self, window: int) -> None:
        """The toolkit's number is not the window server's: ours is found by its process."""

    def look(self) -> Snapshot | None:
        """One snapshot, or None while our window is not there yet."""
        lists = self._lists
        shown = [w for w in lists.windows(on_screen=True) if _rect(w).area]
        mine = max(filter(self._ours, shown), key=lambda w: _rect(w).area, default=None)
        hidden = mine is None
        if mine is None:
            others = [w for w in lists.windows(on_screen=False) if self._ours(w) and _rect(w).area]
            mine = max(others, key=lambda w: _rect(w).area, default=None)
        if mine is None:
            return None
        front = next((w for w in shown if w.get("kCGWindowLayer") == NORMAL_LAYER), None)
        active = front is not None and self._ours(front)
        above = [] if hidden else shown[: shown.index(mine)]
        displays = tuple(lists.displays())
        session = lists.session()
        return Snapshot(
            window=_rect(mine),
            screen=around(displays),
            above=[Above(_rect(w), _name(w)) for w in above if self._covers(w)],
            active=active and not hidden,
            active_app=None if active or front is None else _name(front) or None,
            hidden=hidden,  # minimised, hidden, or on another space: the server does not tell which
            locked=None if session is None else bool(session.get("CGSSessionScreenIsLocked", False)),
            monitors=displays,
        )

    def _ours(self, window: Info) -> bool:
        return window.get("kCGWindowOwnerPID") == self._pid and window.get("kCGWindowLayer") == NORMAL_LAYER

    def _covers(self, window: Info) -> bool:
        layer, alpha = window.get("kCGWindowLayer", 0), window.get("kCGWindowAlpha", 1.0)
        mine = window.get("kCGWindowOwnerPID") == self._pid
        return not mine and isinstance(layer, int) and layer < SYSTEM_LAYER and float(alpha) > UNSEEN


def _rect(window: Info) -> Rect:
    bounds = window.get("kCGWindowBounds")
    if not isinstance(bounds, Mapping):
        return Rect(0, 0, 0, 0)
    x, y, width, height = (bounds.get(name, 0) for name in ("X", "Y", "Width", "Height"))
    return Rect(int(x), int(y), int(width), int(height))


def _name(window: Info) -> str:
    return program_of(str(window.get("kCGWindowOwnerName", "")))


class _Bounds(ctypes.Structure):
    """CGRect."""

    _fields_ = tuple((name, ctypes.c_double) for name in ("x", "y", "width", "height"))


class WindowServer:
    """The lists of a real macOS, through CoreGraphics and CoreFoundation."""

    def __init__(self) -> None:
        """OSError where there is no macOS."""
        base = "/System/Library/Frameworks"
        self._graphics = ctypes.CDLL(f"{base}/CoreGraphics.framework/CoreGraphics")
        self._core = ctypes.CDLL(f"{base}/CoreFoundation.framework/CoreFoundation")
        for call in (self._graphics.CGWindowListCopyWindowInfo, self._graphics.CGSessionCopyCurrentDictionary,
                     self._core.CFPropertyListCreateData, self._core.CFDataGetBytePtr):  # fmt: skip
            call.restype = ctypes.c_void_p
        self._core.CFDataGetLength.restype = ctypes.c_long
        self._graphics.CGDisplayBounds.restype = _Bounds

    def windows(self, *, on_screen: bool) -> Sequence[Info]:
        """All windows, front to back."""
        option = (ON_SCREEN if on_screen else 0) | NO_DESKTOP
        return self._read(self._graphics.CGWindowListCopyWindowInfo(option, 0)) or []

    def session(self) -> Info | None:
        """The session's dictionary, None without a session on a screen."""
        found: Info | None = self._read(self._graphics.CGSessionCopyCurrentDictionary())
        return found

    def displays(self) -> list[Rect]:
        """Every display, in the coordinates of the windows."""
        ids, count = (ctypes.c_uint32 * 16)(), ctypes.c_uint32()
        if self._graphics.CGGetActiveDisplayList(16, ids, ctypes.byref(count)):
            return []
        bounds = [self._graphics.CGDisplayBounds(ids[i]) for i in range(count.value)]
        return [Rect(int(b.x), int(b.y), int(b.width), int(b.height)) for b in bounds]

    def _read(self, plist: int | None) -> Any:
        """A property list of CoreFoundation as Python's own values; it is released."""
        if not plist:
            return None
        data = self._core.CFPropertyListCreateData(None, ctypes.c_void_p(plist), _BINARY, 0, None)
        self._core.CFRelease(ctypes.c_void_p(plist))
        if not data:
            return None
        handle = ctypes.c_void_p(data)
        try:
            size = self._core.CFDataGetLength(handle)
            return plistlib.loads(ctypes.string_at(self._core.CFDataGetBytePtr(handle), size))
        finally:
            self._core.CFRelease(handle)
