"""Drives the running window from inside the process: find, tap, type, wait. For demonstrations and tests.

Taps from outside (xdotool) are what the agent rightly notices; these are the toolkit's own touches. One app a process.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

from kivy.base import EventLoop
from kivy.core.window import Window
from kivy.input.motionevent import MotionEvent


class DriveError(AssertionError):
    """What the script waited for did not come, or is not there to be tapped."""


class WindowClosed(Exception):
    """Somebody closed the window that the script drove."""


class Tap(MotionEvent):
    """A touch at one place of the window, as the toolkit's own input providers make it."""

    def __init__(self, x: float, y: float) -> None:
        place = {"x": x / (EventLoop.window.width - 1), "y": y / (EventLoop.window.height - 1)}
        super().__init__("tap", 1, place, is_touch=True, type_id="touch")

    def depack(self, args: dict[str, float]) -> None:
        """Take the place as shares of the window."""
        self.sx, self.sy = args["x"], args["y"]
        self.profile = ["pos"]
        super().depack(args)

    def down(self) -> None:
        """The finger is there."""
        EventLoop.post_dispatch_input("begin", self)

    def up(self) -> None:
        """The finger leaves."""
        EventLoop.post_dispatch_input("end", self)


class Drive:
    """Steps the event loop of one app, begun by `App._run_prepare()`."""

    def __init__(self, root: Any, now: Callable[[], float] = time.monotonic) -> None:
        self.root, self._now = root, now

    def step(self, frames: int = 1) -> None:
        """Let the window draw so many frames."""
        for _ in range(frames):
            EventLoop.idle()
            EventLoop.window.mainloop()  # what the system says: focus, close, somebody's own touches
            if EventLoop.quit:
                raise WindowClosed

    def wait(self, ready: Callable[[], Any], seconds: float, what: str = "") -> Any:
        """Step until `ready()` is true and return it, or `DriveError` after `seconds`."""
        end = self._now() + seconds
        while not (found := ready()):
            if self._now() > end:
                raise DriveError(f"waited {seconds} s for {what or ready}; on the screen: {' · '.join(self.said())}")
            self.step()
        return found

    def widgets(self) -> Iterator[Any]:
        """All that is on the stage and seen."""
        stack = [self.root]
        while stack:
            widget = stack.pop()
            if widget.opacity == 0:
                continue
            yield widget
            stack.extend(widget.children)

    def said(self) -> list[str]:
        """The words on the screen."""
        return [w.words for w in self.widgets() if type(w).__name__ == "Say" and w.words]

    def find(self, words: str) -> Any | None:
        """The enabled thing to tap with these words (or this `name`), or None."""
        for widget in self.widgets():
            if hasattr(widget, "trigger_action") and not widget.disabled and (
                getattr(widget, "words", None) == words or getattr(widget, "name", None) == words
            ):  # fmt: skip
                return widget
        return None

    def tap(self, words: str, seconds: float = 60.0) -> None:
        """Wait for something to tap with these words, bring it into sight and tap it."""
        widget = self.wait(lambda: self.find(words), seconds, f"a button {words!r}")
        self._into_sight(widget)
        touch = Tap(*widget.to_window(*widget.center))
        touch.down()
        self.step(2)
        touch.up()
        self.step(2)

    def type(self, text: str) -> None:
        """Write into the line on the screen."""
        line = next((w for w in self.widgets() if hasattr(w, "insert_text")), None)
        if line is None:
            raise DriveError("no line to write in")
        line.text = ""
        line.insert_text(text)
        self.step(2)

    def _into_sight(self, widget: Any) -> None:
        parent = widget.parent
        while parent is not None and parent is not parent.parent:
            if hasattr(parent, "scroll_to") and parent.children and parent.children[0].height > parent.height:
                parent.scroll_to(widget, padding=20, animate=False)
            parent = parent.parent
            if parent is Window:
                break
        self.step(3)
