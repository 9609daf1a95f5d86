"""The process table of Linux: /proc read incrementally, so that a look costs little when nothing changed."""

from __future__ import annotations

import dataclasses
import os
import re
from collections import deque
from collections.abc import Callable, Mapping, Sequence
from typing import Final

from agent.collectors.linux.origins import Origins
from agent.errors import CollectorError
from agent.tables import ProcessRow, Row

MAX_CMDLINE: Final = 32_768  # bytes of one command line that are read
MAX_PROCESSES: Final = 50_000
FULL_MS: Final = 10_000  # a process can become another program (exec) under the same number: look at all this often
YOUNG_MS: Final = 4_000  # between fork and exec a child still shows its parent's command line
BIRTHS_MS: Final = 60_000
MAX_PARENTS: Final = 8
TICKS: Final = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100
COMM_LENGTH: Final = 15  # the kernel cuts names here
# files that run other programs under their own name: there the kernel's word tells more
_INTERPRETER = re.compile(
    r"(python|pypy|perl|ruby|node|lua|php|java|mono|wine|ld-linux|qemu-)[-_.0-9a-z]{0,40}"
    r"|(ba|da|z|k|fi|tc|wi)?sh|tclsh[.0-9]{0,5}|busybox|toybox|coreutils|gjs(-console)?|guile[-.0-9]{0,6}|env|memfd:.{0,200}"
)


@dataclasses.dataclass(slots=True)
class _Known:
    started: str  # clock ticks since boot, as text: number and start name a process for ever
    comm: str
    ppid: int
    row: ProcessRow
    first_ms: int


class Processes:
    """Rows of all processes; only new, young and renamed ones are read."""

    def __init__(
        self,
        root: str = "/proc",
        listen: Callable[[], Mapping[int, tuple[str, ...]]] = dict,
        origins: Origins | None = None,
    ) -> None:
        self._root = root
        self._origins = origins if origins is not None else Origins()
        self._listen = listen  # what listens, by process number
        self.rows: Sequence[ProcessRow] = ()
        self._known: dict[int, _Known] = {}
        self._births: deque[tuple[int, str]] = deque(maxlen=5_000)
        self._full_ms = -FULL_MS
        self._started = False

    def collect(self, now_ms: int) -> Sequence[Row]:
        """The process table as it stands; kernel threads are left out."""
        try:
            pids = {int(name) for name in os.listdir(self._root) if name.isdecimal()}
        except OSError as error:
            raise CollectorError(f"processes: {error}") from error
        full = now_ms - self._full_ms >= FULL_MS
        if full:
            self._full_ms = now_ms
        for pid in self._known.keys() - pids:
            del self._known[pid]
        for pid in sorted(pids)[:MAX_PROCESSES]:
            known = self._known.get(pid)
            if known is None or full or now_ms - known.first_ms < YOUNG_MS:
                self._look(pid, known, now_ms)
        self._started = True
        self.rows = self._rows(now_ms)
        return self.rows

    def _look(self, pid: int, known: _Known | None, now_ms: int) -> None:
        stat = _stat(self._read(pid, "stat"))
        if stat is None:
            self._known.pop(pid, None)
            return
        comm, ppid, started = stat
        same = known is not None and known.started == started
        if known is not None and same and known.comm == comm and now_ms - known.first_ms >= YOUNG_MS:
            return
        cmdline = self._read(pid, "cmdline", MAX_CMDLINE).rstrip(b"\0").split(b"\0")
        args = [arg.decode("utf-8", "replace") for arg in cmdline if arg]
        exe = self._link(pid)
        image = f"{self._root}/{pid}/exe"
        row = ProcessRow(
            name=_name(comm, args, exe), exe=exe, cmdline=" ".join(args), pid=pid, started_ms=_started_ms(started),
            signer=self._origins.signer(exe, image), original_name=self._origins.original_name(exe, image),
        )  # fmt: skip
        first = known.first_ms if known is not None and same else now_ms
        if self._started and (known is None or known.row.name != row.name):
            self._births.append((now_ms, row.name))
        self._known[pid] = _Known(started, comm, ppid, row, first)

    def _rows(self, now_ms: int) -> list[ProcessRow]:
        while self._births and now_ms - self._births[0][0] > BIRTHS_MS:
            self._births.popleft()
        births: dict[str, int] = {}
        for _, name in self._births:
            births[name] = births.get(name, 0) + 1
        rows: list[ProcessRow] = []
        listen = self._listen()
        for known in self._known.values():
            if not known.row.cmdline and not known.row.exe:
                continue  # a kernel thread, or nothing that could be told
            parent = self._known.get(known.ppid)
            name, count = parent.row.name if parent else "", max(1, births.get(known.row.name, 0))
            ports = listen.get(known.row.pid, ())
            if (name, count, ports) != (known.row.parent, known.row.births, known.row.listen):
                line = self._line(known)
                known.row = dataclasses.replace(known.row, parent=name, parents=line, births=count, listen=ports)
            rows.append(known.row)
        return rows

    def _line(self, known: _Known) -> tuple[str, ...]:
        """The names of all that came before, the nearest first."""
        names: list[str] = []
        seen, parent = {known.row.pid}, self._known.get(known.ppid)
        while parent is not None and len(names) < MAX_PARENTS and parent.row.pid not in seen:
            seen.add(parent.row.pid)
            names.append(parent.row.name)
            parent = self._known.get(parent.ppid)
        return tuple(names)

    def _read(self, pid: int, name: str, limit: int = 4096) -> bytes:
        try:
            descriptor = os.open(f"{self._root}/{pid}/{name}", os.O_RDONLY | os.O_CLOEXEC)
        except OSError:
            return b""
        try:
            return os.read(descriptor, limit)
        except OSError:
            return b""
        finally:
            os.close(descriptor)

    def _link(self, pid: int) -> str:
        try:
            return os.fsencode(os.readlink(f"{self._root}/{pid}/exe")).decode("utf-8", "replace")
        except OSError:
            return ""  # another user's: unknown


def _stat(data: bytes) -> tuple[str, int, str] | None:
    """Name, parent and start time out of /proc/<pid>/stat; the name may hold blanks, brackets and line ends."""
    opened, closed = data.find(b"("), data.rfind(b")")
    fields = data[closed + 1 :].split()
    if not 0 <= opened < closed or len(fields) < 20 or not fields[1].isdigit():
        return None
    return data[opened + 1 : closed].decode("utf-8", "replace"), int(fields[1]), fields[19].decode("ascii", "replace")


def _started_ms(ticks: str) -> int | None:
    return int(ticks) * 1000 // TICKS if ticks.isdecimal() and len(ticks) <= 20 else None


def _name(comm: str, args: Sequence[str], exe: str) -> str:
    """The program's name: its file's, which it cannot change as it can the kernel's word for it.

    Where that is only the interpreter of a script, or cannot be read, the kernel's word counts, completed if cut.
    """
    file = exe.removesuffix(" (deleted)").rsplit("/", 1)[-1]
    if file and _INTERPRETER.fullmatch(file) is None:
        return file
    if len(comm.encode()) >= COMM_LENGTH:
        longer = [path.rsplit("/", 1)[-1] for path in args[:2]]
        return next((name for name in longer if name.startswith(comm.rstrip("\ufffd"))), comm)
    return comm
