"""The windows of a desktop: who is in front, above all, took the foreground unasked, or hides from pictures."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence
from typing import Final, NamedTuple

from agent.collectors import Context
from agent.collectors.heard import Heard
from agent.tables import ProcessRow, Row, WindowRow

MAX_WINDOWS: Final = 500
MINUTE_MS: Final = 60_000


class Window(NamedTuple):
    """One visible top-level window, as the system tells of it."""

    pid: int
    kind: str
    topmost: bool | None
    unrecorded: bool | None


class Desktop:
    """One row a program and kind of windows; `CollectorError` where no desktop can be looked at."""

    def __init__(
        self,
        heard: Callable[[], Heard],
        context: Context,
        processes: Callable[[], Sequence[ProcessRow]],
        windows: Callable[[], Sequence[Window]],
        front: Callable[[], int],
    ) -> None:
        self._heard, self._context, self._processes = heard, context, processes
        self._windows, self._front = windows, front

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
