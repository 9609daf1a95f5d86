"""Scripted Windows machines: a registry, a process list, a session, processes of ours."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from agent.collectors.table import Entry
from agent.collectors.windows.signatures import Signers
from agent.errors import CollectorError
from agent.tables import ProcessRow


class ScriptedRegistry:
    """Keys and values by path."""

    def __init__(self, **_: object) -> None:
        self.entries: dict[str, dict[str, object]] = {}

    def put(self, path: str, **values: object) -> None:
        self.entries.setdefault(path, {}).update(values)

    def keys(self, path: str) -> Sequence[str]:
        below = [name.removeprefix(path + "\\") for name in self.entries if name.startswith(path + "\\")]
        return sorted({name.split("\\")[0] for name in below})

    def values(self, path: str) -> Mapping[str, object]:
        return self.entries.get(path, {})


class ScriptedSystem:
    """A process list; each process is (parent, name, start, file, arguments)."""

    def __init__(self, signers: Signers | None = None) -> None:
        self.table: dict[int, tuple[int, str, int, str, str]] = {}
        self.asked: list[int] = []
        self.signers = signers

    def begin(self) -> None:
        if self.signers is not None:
            self.signers.begin()

    def entries(self) -> Sequence[Entry]:
        return [Entry(pid, entry[0], entry[1]) for pid, entry in self.table.items()]

    def began(self, pid: int) -> int:
        return self.table[pid][2]

    def read(self, entry: Entry) -> ProcessRow:
        self.asked.append(entry.pid)
        _, name, _, exe, cmdline = self.table[entry.pid]
        original = "AutoHotkey.exe" if name == "helper.exe" else ""
        return ProcessRow(name=name, exe=exe, cmdline=cmdline, pid=entry.pid, original_name=original)

    def signer(self, row: ProcessRow) -> str | None:
        return self.signers.of(row.exe) if self.signers is not None else ""


class ScriptedDesktop:
    """A session."""

    def __init__(self, remote: bool | None, number: int | None, name: str) -> None:
        self._remote, self._session = remote, (number, name)

    def remote(self) -> bool | None:
        return self._remote

    def controlled(self) -> bool | None:
        return None

    def session(self) -> tuple[int | None, str]:
        return self._session

    def devices(self) -> Sequence[str]:
        return ["\\\\?\\ACPI#PNP0303#4&1"]


class ScriptedOurselves:
    """Processes of ours: pid → debugged; one that is missing is gone."""

    def __init__(self, debugged: Mapping[int, bool], modules: tuple[str, ...] = ()) -> None:
        self._debugged, self._modules, self.read = debugged, modules, 0

    def debugged(self, pid: int) -> bool:
        if pid not in self._debugged:
            raise CollectorError("gone")
        return self._debugged[pid]

    def loaded(self, pid: int) -> tuple[tuple[str, ...], int]:
        self.read += 1
        if not self._modules:
            raise CollectorError("closed")
        return self._modules, 1
