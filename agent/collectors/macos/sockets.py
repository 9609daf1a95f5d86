"""Which programs of this user listen on which TCP ports; another user's are unknown to a program without rights."""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

import psutil

from agent.errors import CollectorError
from agent.tables import Row, SocketRow

MAX_SOCKETS: Final = 2_000

Listener = tuple[str, int, str, int]  # program, its number, address, port


def listeners() -> Iterator[Listener]:
    """What psutil tells of each process of this user, or `CollectorError`."""
    try:
        running = list(psutil.process_iter())
    except (psutil.Error, OSError) as error:
        raise CollectorError(f"sockets: {error}") from error
    for process in running:
        try:
            if process.uids().real != os.getuid():
                continue
            name, connections = process.name(), process.net_connections("tcp")
        except (psutil.Error, OSError):
            continue
        for entry in connections:
            if entry.status == psutil.CONN_LISTEN and entry.laddr:
                yield name, process.pid, str(entry.laddr[0]), int(entry.laddr[1])


class Sockets:
    """One row a listening port; keeps `listen`, address texts by process number, for the process table."""

    def __init__(
        self,
        read: Callable[[], Iterator[Listener]] = listeners,
        protocols: Callable[[], Mapping[int, str]] = dict,
    ) -> None:
        self._read, self._protocols = read, protocols
        self.listen: Mapping[int, tuple[str, ...]] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The rows."""
        self.listen = {}
        found = [entry for _, entry in zip(range(MAX_SOCKETS), self._read(), strict=False)]
        listen: dict[int, set[str]] = {}
        rows: list[Row] = []
        protocols = self._protocols() if found else {}
        for program, pid, raw, port in found:
            address = f"[{raw}]" if ":" in raw else raw
            listen.setdefault(pid, set()).add(f"{address}:{port}")
            rows.append(SocketRow(program, pid, address, port, protocols.get(port, "")))
        self.listen = {pid: tuple(sorted(texts)) for pid, texts in listen.items()}
        return rows
