"""Ourselves on Linux: who traces agent and client, and what is mapped into them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from pathlib import Path
from typing import Final

from agent.collectors import Context
from agent.collectors.maps import parse_maps, tracer_of
from agent.errors import CollectorError
from agent.tables import Row, SelfRow

MAPS_MS: Final = 10_000  # reading the client's maps costs more than its status
MAX_MAPS: Final = 16 * 1024 * 1024


class Ourselves:
    """One row for the agent and one for the client beside it."""

    def __init__(self, context: Context, root: Path = Path("/proc")) -> None:
        self._context = context
        self._root = root
        self._maps: dict[int, tuple[int, tuple[str, ...], int]] = {}

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The rows; a process that is gone has none, unreadable maps are unknown (empty)."""
        rows = [self._row("agent", os.getpid(), now_ms)]
        if self._context.client_pid:
            rows.append(self._row("client", self._context.client_pid, now_ms))
        found: list[Row] = [row for row in rows if row is not None]
        if not found:
            raise CollectorError("ourselves: /proc does not show this process")
        return found

    def _row(self, subject: str, pid: int, now_ms: int) -> SelfRow | None:
        try:
            status = (self._root / str(pid) / "status").read_bytes()
        except OSError:
            return None
        tracer_pid = tracer_of(status)
        maps, rwx = self._read_maps(pid, now_ms)
        name = self._comm(tracer_pid) if tracer_pid else ""
        return SelfRow(subject=subject, tracer_pid=tracer_pid, tracer=name, maps=maps, rwx_anon=rwx)

    def _comm(self, pid: int) -> str:
        try:
            return (self._root / str(pid) / "comm").read_text("utf-8", "replace").strip()
        except OSError:
            return ""

    def _read_maps(self, pid: int, now_ms: int) -> tuple[tuple[str, ...], int]:
        cached = self._maps.get(pid)
        if cached is not None and now_ms - cached[0] < MAPS_MS:
            return cached[1], cached[2]
        try:
            with (self._root / str(pid) / "maps").open("rb") as file:
                data = file.read(MAX_MAPS)
        except OSError:
            return (), 0
        names, rwx = parse_maps(data)
        self._maps[pid] = (now_ms, names, rwx)
        return names, rwx
