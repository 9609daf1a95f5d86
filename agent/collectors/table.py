"""The process table of Windows and macOS: the list at every look, the rest only of what is new. Nothing is guessed: a
process of another user or of the system has a name and a number, and no more.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, NamedTuple, Protocol

from agent.tables import ProcessRow, Row

FULL_MS: Final = 10_000  # a number can be used again: starts are compared this often
BIRTHS_MS: Final = 60_000
MAX_PARENTS: Final = 16


class Entry(NamedTuple):
    """One line of the system's process list."""

    pid: int
    parent: int
    name: str


class System(Protocol):
    """What the table needs of its system; tests script it."""

    def begin(self) -> None:
        """A new look begins."""

    def entries(self) -> Sequence[Entry]:
        """The process list, or `CollectorError`."""

    def began(self, pid: int) -> int:
        """When a process began, on whatever clock; 0 where that is not told."""

    def read(self, entry: Entry) -> ProcessRow:
        """What one process and its file say."""

    def signer(self, row: ProcessRow) -> str | None:
        """Who signed its file; "" if nobody is known to have, None if it was not this look's turn."""


@dataclasses.dataclass(slots=True)
class _Known:
    began: int
    parent: int
    row: ProcessRow
    asked: bool = False  # who signed its file


class Processes:
    """Rows of all processes; new ones alone are read."""

    def __init__(self, system: System, listen: Callable[[], Mapping[int, tuple[str, ...]]] = dict) -> None:
        self._system, self._listen = system, listen
        self.rows: Sequence[ProcessRow] = ()
        self._known: dict[int, _Known] = {}
        self._births: deque[tuple[int, str]] = deque(maxlen=5_000)
        self._full_ms = -FULL_MS
        self._started = False

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The table as it stands."""
        self._system.begin()
        found = {entry.pid: entry for entry in self._system.entries()}
        full = now_ms - self._full_ms >= FULL_MS
        if full:
            self._full_ms = now_ms
        for pid in self._known.keys() - found.keys():
            del self._known[pid]
        for pid, entry in found.items():
            known = self._known.get(pid)
            if known is None or known.row.name != entry.name or (full and known.began != self._system.began(pid)):
                self._known[pid] = _Known(self._system.began(pid), entry.parent, self._system.read(entry))
                if self._started:
                    self._births.append((now_ms, entry.name))
        self._started = True
        self.rows = self._rows(now_ms)
        return self.rows

    def _rows(self, now_ms: int) -> list[ProcessRow]:
        while self._births and now_ms - self._births[0][0] > BIRTHS_MS:
            self._births.popleft()
        births: dict[str, int] = {}
        for _, name in self._births:
            births[name] = births.get(name, 0) + 1
        listen = self._listen()
        for known in self._known.values():
            row, parents, signer = known.row, self._parents(known), self._signer(known)
            news = (parents, max(1, births.get(row.name, 0)), listen.get(row.pid, ()), signer)
            if news != (row.parents, row.births, row.listen, row.signer):
                known.row = dataclasses.replace(
                    row, parent=parents[0] if parents else "", parents=news[0], births=news[1], listen=news[2],
                    signer=signer,
                )  # fmt: skip
        return [known.row for known in self._known.values()]

    def _signer(self, known: _Known) -> str:
        if known.asked or not known.row.exe:
            return known.row.signer
        signer = self._system.signer(known.row)
        known.asked = signer is not None
        return signer or ""

    def _parents(self, known: _Known) -> tuple[str, ...]:
        """Names of those before, as long as they are older: a parent may be gone and its number used again."""
        names: list[str] = []
        while len(names) < MAX_PARENTS:
            parent = self._known.get(known.parent)
            if parent is None or parent is known or (parent.began and parent.began > known.began > 0):
                break
            names.append(parent.row.name)
            known = parent
        return tuple(names)
