"""A word of the desktop's own, outside our window: for a reminder while another window is in front.

Where the system has a way that needs no library (freedesktop's `notify-send`, macOS' `osascript`, Windows' shell) it is
used; elsewhere `Silent` says that there is none, and the reminder stands in the window alone. Nothing is waited for.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
from collections.abc import Callable, Sequence
from contextlib import suppress
from dataclasses import dataclass
from typing import Final, Protocol

from client.balloon import Balloon, BalloonErrors

LONGEST: Final = 200  # characters of a line
_SCRIPT: Final = "on run argv\ndisplay notification (item 2 of argv) with title (item 1 of argv)\nend run"


class Notifier(Protocol):
    """Shows one notification. `here`: whether there is a way at all."""

    @property
    def here(self) -> bool: ...
    def tell(self, title: str, words: str) -> bool:
        """Whether the desktop took it; whether anybody saw it nobody knows."""


class Silent:
    """There is no way here: reminders stand in the window alone."""

    here: Final = False

    def tell(self, title: str, words: str) -> bool:  # noqa: ARG002 - there is nobody to tell
        """No."""
        return False


@dataclass(frozen=True, slots=True)
class Program:
    """A program of the system that shows a notification: `command(title, words)`."""

    command: Callable[[str, str], Sequence[str]]
    run: Callable[[Sequence[str]], bool]
    here: bool = True

    def tell(self, title: str, words: str) -> bool:
        """Start it; arguments are arguments, no shell reads them."""
        return self.run(self.command(_line(title), _line(words)))


def notifier(
    platform: str = sys.platform,
    which: Callable[[str], str | None] = shutil.which,
    run: Callable[[Sequence[str]], bool] | None = None,
    balloon: Callable[[], Notifier] = Balloon,
) -> Notifier:
    """The way of this system."""
    starts = run or _start
    if platform.startswith("linux") and (found := which("notify-send")):
        program: str = found
        return Program(lambda title, words: (program, "--app-name=TrueSeat", "--", title, words), starts)
    if platform == "darwin" and (found := which("osascript")):
        script: str = found
        return Program(lambda title, words: (script, "-e", _SCRIPT, title, words), starts)
    if platform == "win32":
        with suppress(*BalloonErrors):
            return balloon()
    return Silent()


def _start(command: Sequence[str]) -> bool:
    try:
        subprocess.Popen(
            command, stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            start_new_session=True,
        )  # fmt: skip
    except OSError:
        return False
    return True


def _line(text: str) -> str:
    return "".join(c if c.isprintable() else " " for c in text)[:LONGEST]
