"""The session that we run in: is it the one at the Mac's own screen."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from agent.collectors.macos import api
from agent.collectors.macos.plists import mapping, number
from agent.errors import CollectorError
from agent.tables import DisplayRow, Row


def session() -> Mapping[str, Any]:
    """The window server's entry of our session, or `CollectorError` where there is none."""
    found = mapping(api.plain(api.function("CoreGraphics", "CGSessionCopyCurrentDictionary", api.Ref)()))
    if not found:
        raise CollectorError("displays: no session with a screen")
    return found


class Displays:
    """One row; a session that is shown but not at the console is shown to somebody afar."""

    def __init__(self, read: Callable[[], Mapping[str, Any]] = session) -> None:
        self._read = read

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; the user's name, which stands beside it, is not read."""
        console = number(self._read(), "kCGSSessionOnConsoleKey")
        return [DisplayRow(remote=None if console is None else not console)]
