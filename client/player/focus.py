"""The foreground probe: the system's own truth first, the toolkit's events beside it, and never a guess.

X11, Windows and macOS tell what is in front and what lies over it; what a system cannot tell (cover under Wayland,
an unlocked screen under X11) stays None. `observe` costs about a millisecond and is asked ten times a second.
"""

from __future__ import annotations

import logging
import os
import sys
from collections.abc import Callable
from typing import Any, Protocol

from client.events import Observation
from client.player.foreground import Snapshot, Toolkit, combine, judge

log = logging.getLogger(__name__)


class System(Protocol):
    """A window system that can be looked at."""

    def look(self) -> Snapshot | None: ...
    def adopt(self, window: int) -> None: ...


class FocusProbe:
    """`ForegroundProbe` over one system (None: this platform has no reader) and one toolkit window."""

    def __init__(self, system: System | None, source: str, failures: tuple[type[BaseException], ...] = ()) -> None:
        self._system, self._source, self._failures = system, source, failures
        self._toolkit = Toolkit(focused=True, hidden=False)
        self._differed = False

    def observe(self) -> Observation:
        """One look. While the window is not there yet it is not the foreground."""
        seen = self._look()
        if seen is None and self._system is not None:
            return Observation(False, None, None, source=f"{self._source}+sdl")
        observation = combine(seen, self._toolkit)
        differ = "!" in observation.source
        if differ != self._differed:
            log.info("foreground: %s, toolkit: %s", observation, self._toolkit)
            self._differed = differ
        return observation

    def toolkit_says(self, *, focused: bool | None = None, hidden: bool | None = None) -> None:
        """An event of the toolkit; None leaves what was known."""
        known = self._toolkit
        self._toolkit = Toolkit(
            known.focused if focused is None else focused, known.hidden if hidden is None else hidden
        )

    def watch(self, window: Any) -> None:
        """Listen to a toolkit window (Kivy's `Window`)."""

        def hide(hidden: bool) -> Callable[..., None]:
            return lambda *_: self.toolkit_says(hidden=hidden)

        window.bind(focus=lambda _, focused: self.toolkit_says(focused=bool(focused)))
        window.bind(on_minimize=hide(True), on_hide=hide(True), on_restore=hide(False), on_show=hide(False))
        self.toolkit_says(focused=bool(window.focus))
        number = getattr(window.get_window_info(), "window", None)  # X11's; other systems number them otherwise
        if self._system is not None and isinstance(number, int) and number:
            self._system.adopt(number)

    def _look(self) -> Observation | None:
        if self._system is None:
            return None
        try:
            snapshot = self._system.look()
        except self._failures as e:
            log.warning("the window system does not answer any more: %s", e)
            self._system = None
            return None
        return judge(snapshot, self._source) if snapshot is not None else None


def open_probe() -> FocusProbe:
    """The best probe that this platform has; `watch` tells it which window is ours."""
    if sys.platform.startswith("linux") and os.environ.get("DISPLAY"):
        import xcffib

        from client.player.x11 import X11, X11Errors

        try:
            display = X11()
        except X11Errors as e:
            log.warning("no X11 reader: %s", e)
        else:
            return FocusProbe(display, "xwayland" if display.wayland else "x11", (*X11Errors, xcffib.ProtocolException))
    if sys.platform == "win32":
        from client.player.windows import Windows, WindowsErrors

        return _or_toolkit(Windows, "windows", WindowsErrors)
    if sys.platform == "darwin":
        from client.player.macos import Mac, MacErrors

        return _or_toolkit(Mac, "macos", MacErrors)
    return FocusProbe(None, "sdl")


def _or_toolkit(make: Callable[[], System], source: str, failures: tuple[type[BaseException], ...]) -> FocusProbe:
    """The system's own reader, or the toolkit alone where that cannot be opened."""
    try:
        return FocusProbe(make(), source, failures)
    except failures as e:
        log.warning("no reader of %s: %s", source, e)
        return FocusProbe(None, "sdl")
