"""The windows of this desktop as the window server lists them. Their titles are left where they are."""

from __future__ import annotations

import ctypes
from collections.abc import Sequence
from typing import Any, Final

from agent.collectors.desktop import MAX_WINDOWS, Window
from agent.collectors.macos import api
from agent.collectors.macos.plists import items, mapping, number
from agent.errors import CollectorError

SHOWN: Final = 1 | 16  # kCGWindowListOptionOnScreenOnly, kCGWindowListExcludeDesktopElements
NOT_SHARED: Final = 0  # kCGWindowSharingNone: left out of screen pictures
ORDINARY: Final = 0  # kCGNormalWindowLevel


def window_list() -> list[Any]:
    """The server's own list, from above; or `CollectorError` where no session has a screen."""
    ask = api.function("CoreGraphics", "CGWindowListCopyWindowInfo", api.Ref, ctypes.c_uint32, ctypes.c_uint32)
    found = api.plain(ask(SHOWN, 0))
    if not isinstance(found, list):
        raise CollectorError("windows: the window server lists none")
    return found


def parse_windows(found: Sequence[Any]) -> list[Window]:
    """Owner, level and sharing of each window; entries of another form are left out."""
    windows: list[Window] = []
    for entry in map(mapping, items(found)[:MAX_WINDOWS]):
        pid, layer, sharing = (
            number(entry, key) for key in ("kCGWindowOwnerPID", "kCGWindowLayer", "kCGWindowSharingState")
        )
        if pid is not None and pid > 0 and layer is not None:
            hidden = None if sharing is None else sharing == NOT_SHARED
            windows.append(Window(pid, f"layer {layer}", layer > ORDINARY, hidden))
    return windows


def front_of(windows: Sequence[Window]) -> int:
    """The process of the uppermost ordinary window; 0 where there is none."""
    return next((window.pid for window in windows if not window.topmost), 0)


def visible_windows() -> list[Window]:
    """All windows on the screen."""
    return parse_windows(window_list())


def foreground_pid() -> int:
    """The process in front."""
    return front_of(visible_windows())
