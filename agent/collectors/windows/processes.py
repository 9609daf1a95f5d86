"""The process table of Windows: the list at every look, the rest only of what is new. Nothing is guessed: a process of
another user or of the system has a name and a number, and no more.
"""

from __future__ import annotations

import dataclasses
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final, Protocol

from agent.collectors.windows import toolhelp
from agent.collectors.windows.arguments import arguments
from agent.collectors.windows.resources import Version, version_of
from agent.collectors.windows.signatures import Signers
from agent.collectors.windows.toolhelp import Entry
from agent.tables import ProcessRow, Row

FULL_MS: Final = 10_000  # a number can be used again: starts are compared this often
BIRTHS_MS: Final = 60_000
MAX_PARENTS: Final = 16
MAX_FILES: Final = 2_000
IDLE: Final = (0, 4)  # the idle and the system process are no programs


class System(Protocol):
    """What the table needs of Windows; tests script it."""

    def entries(self) -> Sequence[Entry]:
        """The process list."""

    def started_100ns(self, pid: int) -> int:
        """When it began; 0 where that is not told."""

    def exe_of(self, pid: int) -> str:
        """Its file."""

    def cmdline_of(self, pid: int) -> str:
        """Its arguments."""


@dataclasses.dataclass(slots=True)
class _Known:
    started: int
    parent: int
    row: ProcessRow
    asked: bool = False  # who signed its file


class Processes:
    """Rows of all processes; what a file says of itself is read once a file."""

    def __init__(
        self,
        listen: Callable[[], Mapping[int, tuple[str, ...]]] = dict,
        system: System = toolhelp,
        versions: Callable[[str], Version] = version_of,
        signers: Signers | None = None,
        boot_100ns: Callable[[], int] | None = None,
    ) -> None:
        self._listen, self._system, self._versions = listen, system, versions
        self._signers = signers if signers is not None else Signers()
        self._boot = boot_100ns  # when the machine started, on the clock of `started_100ns`
        self.rows: Sequence[ProcessRow] = ()
        self._known: dict[int, _Known] = {}
        self._files: dict[str, Version] = {}
        self._births: deque[tuple[int, str]] = deque(maxlen=5_000)
        self._full_ms = -FULL_MS
        self._started = False

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The table as it stands."""
        found = {entry.pid: entry for entry in self._system.entries() if entry.pid not in IDLE}
        full = now_ms - self._full_ms >= FULL_MS
        if full:
            self._full_ms = now_ms
        for pid in self._known.keys() - found.keys():
            del self._known[pid]
        self._signers.begin()
        for pid, entry in found.items():
            known = self._known.get(pid)
            if known is None or known.row.name != entry.name or (full and known.started != self._begun(pid)):
                self._known[pid] = self._read(entry)
                if self._started:
                    self._births.append((now_ms, entry.name))
        self._started = True
        self.rows = self._rows(now_ms)
        return self.rows

    def _begun(self, pid: int) -> int:
        return self._system.started_100ns(pid)

    def _read(self, entry: Entry) -> _Known:
        started, exe = self._begun(entry.pid), self._system.exe_of(entry.pid)
        version = self._version(exe)
        boot = self._boot() if self._boot is not None and started else 0
        row = ProcessRow(
            name=entry.name, exe=exe, cmdline=" ".join(arguments(self._system.cmdline_of(entry.pid))),
            pid=entry.pid,
            started_ms=(started - boot) // 10_000 if boot else None,
            original_name=version.original_name, product=version.product,
        )  # fmt: skip
        return _Known(started, entry.parent, row)

    def _version(self, exe: str) -> Version:
        if not exe:
            return Version()
        if exe not in self._files:
            if len(self._files) >= MAX_FILES:
                self._files.clear()
            self._files[exe] = self._versions(exe)
        return self._files[exe]

    def _rows(self, now_ms: int) -> list[ProcessRow]:
        while self._births and now_ms - self._births[0][0] > BIRTHS_MS:
            self._births.popleft()
        births: dict[str, int] = {}
        for _, name in self._births:
            births[name] = births.get(name, 0) + 1
        listen = self._listen()
        for known in self._known.values():
            row = known.row
            signer = self._signer(known)
            parents = self._parents(known)
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
        signer = self._signers.of(known.row.exe)
        known.asked = signer is not None
        return signer or ""

    def _parents(self, known: _Known) -> tuple[str, ...]:
        """Names of those before, as long as they are older: a parent may be gone and its number used again."""
        names: list[str] = []
        while len(names) < MAX_PARENTS:
            parent = self._known.get(known.parent)
            if parent is None or parent is known or (parent.started and parent.started > known.started > 0):
                break
            names.append(parent.row.name)
            known = parent
        return tuple(names)
