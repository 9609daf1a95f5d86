"""What is kept of input: of a program's the moment and whether it pressed a button; of a hand's that there was one.

Shared by the systems that tell the two apart event by event (Windows' hooks, macOS' event taps). Pure: moments come
from outside.
"""

from __future__ import annotations

from collections import deque
from typing import Final, NamedTuple

MAX_EVENTS: Final = 400
MEMORY_MS: Final = 600_000
ASKED_MS: Final = 1_500  # a program that a hand started shows its window after a moment
KEY, CLICK, MOVE, RELEASE = "key", "click", "move", "release"


class Made(NamedTuple):
    """One event that a program made."""

    at_ms: int
    click: bool
    source: str


class Taken(NamedTuple):
    """The foreground went from the client to a process, and no hand had done anything just before."""

    at_ms: int
    pid: int


class Heard:
    """The moments. Which key and where the pointer was never come here."""

    def __init__(self) -> None:
        self.made: deque[Made] = deque(maxlen=MAX_EVENTS)
        self.taken: deque[Taken] = deque(maxlen=MAX_EVENTS)
        self.client_pid = 0
        self.heard_ms = 0
        self._asked_ms = -ASKED_MS
        self._front = 0

    def event(self, kind: str, injected: bool, source: str, now_ms: int) -> None:
        """Something was pressed, moved or released."""
        self.heard_ms = now_ms
        if injected and kind != RELEASE:
            self.made.append(Made(now_ms, kind == CLICK, source))
        elif not injected and kind in (KEY, CLICK):
            self._asked_ms = now_ms  # a movement asks for nothing

    def front(self, pid: int, now_ms: int) -> None:
        """Process `pid` has the foreground now (0: nobody, while it changes)."""
        if not pid or pid == self._front:
            return
        before, self._front = self._front, pid
        if before == self.client_pid != 0 and now_ms - self._asked_ms > ASKED_MS:
            self.taken.append(Taken(now_ms, pid))

    def forget(self, now_ms: int) -> None:
        """Drop what is older than the memory."""
        while self.made and now_ms - self.made[0].at_ms > MEMORY_MS:
            self.made.popleft()
        while self.taken and now_ms - self.taken[0].at_ms > MEMORY_MS:
            self.taken.popleft()
