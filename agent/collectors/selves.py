"""Ourselves on Windows and macOS: whether a debugger is attached to agent or client, and what is loaded into them."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Final, Protocol

from agent.collectors import Context
from agent.errors import CollectorError
from agent.tables import Row, SelfRow

MAPS_MS: Final = 10_000


class System(Protocol):
    """What is asked of the system; tests script it."""

    def debugged(self, pid: int) -> bool:
        """Whether a debugger is attached to a process of ours, or `CollectorError`."""

    def loaded(self, pid: int) -> tuple[tuple[str, ...], int]:
        """Paths of its modules, and how many private regions may be written and run; or `CollectorError`."""


class Ourselves:
    """One row for the agent and one for the client beside it."""

    def __init__(self, context: Context, system: System) -> None:
        self._context, self._system = context, system
        self._loaded: dict[int, tuple[int, tuple[tuple[str, ...], int]]] = {}

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The rows; of a process that is gone there is none, and modules that cannot be read are unknown (empty)."""
        rows: list[Row] = []
        for subject, pid in (("agent", os.getpid()), ("client", self._context.client_pid)):
            if not pid:
                continue
            try:
                debugger = self._system.debugged(pid)
            except CollectorError:
                if subject == "agent":
                    raise
                continue
            modules, regions = self._modules(pid, now_ms)
            rows.append(SelfRow(subject=subject, debugger=debugger, maps=modules, rwx_anon=regions))
        return rows

    def _modules(self, pid: int, now_ms: int) -> tuple[tuple[str, ...], int]:
        known = self._loaded.get(pid)
        if known is not None and now_ms - known[0] < MAPS_MS:
            return known[1]
        try:
            found = self._system.loaded(pid)
        except CollectorError:
            return (), 0
        self._loaded[pid] = (now_ms, found)
        return found
