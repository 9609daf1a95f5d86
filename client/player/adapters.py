"""accesskit's adapter of this desktop behind one shape: AT-SPI on Linux, UI Automation on Windows.

Both take the same tree (`client/player/widgets/accessible.py`); they differ in who asks, what an update gives back, and
who tells them that the window is in front. Everything here is called on the window's thread.
"""

from __future__ import annotations

import ctypes
import sys
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, Final, Protocol

HIDE, SHOW_QUIETLY = 0, 8  # SW_HIDE, SW_SHOWNA: what was in front stays in front
Activated = Callable[[], Any]
Acted = Callable[[Any], None]


class Adapter(Protocol):
    """What a desktop's readers are told through."""

    def update(self, changes: Callable[[], Any]) -> None:
        """`changes` makes a TreeUpdate; it is called only while a reader listens."""

    def in_front(self, is_: bool) -> None:
        """Whether the window has the keyboard."""


@dataclass(frozen=True, slots=True)
class Atspi:
    """Linux."""

    adapter: Any

    def update(self, changes: Callable[[], Any]) -> None:
        self.adapter.update_if_active(changes)

    def in_front(self, is_: bool) -> None:
        self.adapter.update_window_focus_state(is_)


@dataclass(frozen=True, slots=True)
class UiAutomation:
    """Windows: the adapter hears the window's own messages, focus among them; an update's events are raised here."""

    adapter: Any

    def update(self, changes: Callable[[], Any]) -> None:
        events = self.adapter.update_if_active(changes)
        if events is not None:
            events.raise_events()

    def in_front(self, is_: bool) -> None:
        """It saw WM_SETFOCUS itself."""


class Shown(Protocol):
    """How a window is hidden and shown by its handle; a test scripts it."""

    def __call__(self, window: int, how: int) -> object: ...


def show_window(window: int, how: int) -> object:
    """user32's."""
    load: Any = getattr(ctypes, "WinDLL")  # noqa: B009 - there on Windows alone
    return load("user32").ShowWindow(ctypes.c_void_p(window), how)


def on_windows(window: int, kit: Any, activated: Activated, acted: Acted, show: Shown = show_window) -> UiAutomation:
    """The adapter of a window that is shown already.

    accesskit takes none that was seen (it would have missed a reader's first question, and panics), and Kivy shows
    its window when it is imported: so it is hidden for a moment, which no session sees.
    """
    show(window, HIDE)
    try:
        return UiAutomation(kit.windows.SubclassingAdapter(window, activated, acted))
    finally:
        show(window, SHOW_QUIETLY)


def desktop(
    activated: Activated, acted: Acted, left: Callable[[], None], window: Callable[[], int],
    platform: str = sys.platform,
) -> Adapter | None:  # fmt: skip
    """The adapter of this desktop; None where there is none to speak to (no library, no such desktop)."""
    try:
        import accesskit

        if platform.startswith("linux"):
            return Atspi(accesskit.unix.Adapter(activated, acted, left))
        if platform == "win32":
            return on_windows(window(), accesskit, activated, acted)
    except NONE_HERE:
        pass
    except BaseException as error:
        if type(error).__name__ != PANIC:
            raise
    return None


NONE_HERE: Final = (ImportError, AttributeError, RuntimeError, OSError, TypeError, ctypes.ArgumentError)
PANIC: Final = "PanicException"  # pyo3's, of no module that could be imported; a reader is worth no fall of the lesson
