"""The windows of an X desktop as its window manager lists them (EWMH): whose they are, which is in front; no title."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from agent.collectors import Context
from agent.collectors.linux.x11 import XServer
from agent.errors import CollectorError
from agent.tables import ProcessRow, Row, WindowRow

MAX_WINDOWS: Final = 300
MAX_WORDS: Final = 64  # 32-bit words of one property
MINUTE_MS: Final = 60_000
ASKED_MS: Final = 3_000  # a hand that touched a device this lately may have asked for the change
NAMES: Final = ("_NET_CLIENT_LIST", "_NET_ACTIVE_WINDOW", "_NET_WM_PID", "_NET_WM_STATE", "_NET_WM_STATE_ABOVE")
WM_CLASS: Final = 67  # atoms that every server has (X11/Xatom.h)
ANY: Final = 0


class Windows:
    """One row a window; `taken` counts how often its program took the foreground from the client unasked."""

    def __init__(
        self, server: XServer, context: Context, processes: Callable[[], Sequence[ProcessRow]] = tuple
    ) -> None:
        self._server, self._context, self._processes = server, context, processes
        self._connection: Any = None
        self._atoms: Mapping[str, int] = {}
        self._known: dict[int, tuple[int, str]] = {}  # window → its process, its class
        self._front = 0  # process of the window in front
        self._taken: deque[tuple[int, int]] = deque(maxlen=200)  # moment, process

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The rows; raises `CollectorError` without an X server or a window manager that lists windows."""
        connection = self._server.connect()
        try:
            if connection is not self._connection:
                self._connection, self._known = connection, {}
                self._atoms = {name: self._atom(name) for name in NAMES}
            return self._rows(now_ms)
        except CollectorError:
            raise
        except Exception as error:  # xcffib raises its own family
            self._server.drop()
            raise CollectorError(f"x11: {type(error).__name__} {error}") from error

    def _rows(self, now_ms: int) -> list[Row]:
        windows = self._words(self._server.root, "_NET_CLIENT_LIST")
        if windows is None:
            raise CollectorError("windows: no window manager lists them")
        active = (self._words(self._server.root, "_NET_ACTIVE_WINDOW") or (0,))[0]
        self._known = {window: self._known.get(window) or self._read(window) for window in windows[:MAX_WINDOWS]}
        self._follow(self._known.get(active, (0, ""))[0], now_ms)
        names = {row.pid: row.name for row in self._processes()}
        above, rows = self._atoms["_NET_WM_STATE_ABOVE"], []
        for window, (pid, kind) in self._known.items():
            row = WindowRow(
                program=names.get(pid, ""), pid=pid, kind=kind, foreground=window == active,
                topmost=above in (self._words(window, "_NET_WM_STATE") or ()),
                taken=sum(taker == pid for _, taker in self._taken),
            )  # fmt: skip
            rows.append(row)
        return list(dict.fromkeys(rows))

    def _follow(self, front: int, now_ms: int) -> None:
        """Keep count of who took the foreground from the client while no hand had touched a device."""
        while self._taken and now_ms - self._taken[0][0] > MINUTE_MS:
            self._taken.popleft()
        client = self._context.client_pid
        if client and self._front == client and front not in (0, client):
            idle = self._server.idle_ms()
            if idle is not None and idle > ASKED_MS:
                self._taken.append((now_ms, front))
        self._front = front

    def _read(self, window: int) -> tuple[int, str]:
        pid = (self._words(window, "_NET_WM_PID") or (0,))[0]
        data = self._property(window, WM_CLASS)
        words = data.rstrip(b"\0").split(b"\0")  # instance, class
        return pid, words[-1].decode("utf-8", "replace")[:100]

    def _atom(self, name: str) -> int:
        return int(self._connection.core.InternAtom(False, len(name), name).reply().atom)

    def _words(self, window: int, name: str) -> tuple[int, ...] | None:
        data = self._property(window, self._atoms[name], MAX_WINDOWS if name == "_NET_CLIENT_LIST" else MAX_WORDS)
        words = tuple(int.from_bytes(data[at : at + 4], "little") for at in range(0, len(data) - 3, 4))
        return words or None

    def _property(self, window: int, atom: int, length: int = MAX_WORDS) -> bytes:
        from xcffib.xproto import WindowError

        try:
            reply = self._connection.core.GetProperty(False, window, atom, ANY, 0, length).reply()
        except WindowError:
            return b""  # it was closed meanwhile
        return bytes(reply.value.buf()) if reply.value_len else b""


