"""Which programs of this user listen on which TCP ports: /proc/net/tcp by inode, and whose inode it is.

What a debugging port speaks is told by the files beside a browser's profile (`agent/collectors/ports.py`).
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from agent.errors import CollectorError
from agent.tables import ProcessRow, Row, SocketRow

LISTEN: Final = b"0A"  # TCP_LISTEN, include/net/tcp_states.h
MAX_BYTES: Final = 4 * 1024 * 1024
MAX_SOCKETS: Final = 2_000
_INODE = re.compile(r"socket:\[([0-9]{1,20})\]")


class Sockets:
    """One row a port, and `listen`, addresses by process number, for the process table; other users' stay unknown."""

    def __init__(
        self,
        root: str = "/proc",
        processes: Callable[[], Sequence[ProcessRow]] = tuple,
        protocols: Callable[[], Mapping[int, str]] = dict,
    ) -> None:
        self._root = root
        self._processes, self._protocols = processes, protocols
        self._owner: dict[int, int] = {}  # inode → process, as far as known
        self.listen: Mapping[int, tuple[str, ...]] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The ports of this user's programs; `CollectorError` where /proc/net is hidden."""
        found: dict[int, str] = {}
        readable = False
        for name in ("tcp", "tcp6"):
            try:
                with open(f"{self._root}/net/{name}", "rb") as file:
                    found.update(parse_listening(file.read(MAX_BYTES)))
                readable = True
            except OSError:
                continue
        if not readable:
            self.listen = {}
            raise CollectorError("sockets: /proc/net shows no TCP table")
        self._own(set(found))
        listen: dict[int, list[str]] = {}
        for inode, address in found.items():
            if inode in self._owner:
                listen.setdefault(self._owner[inode], []).append(address)
        self.listen = {pid: tuple(sorted(addresses)) for pid, addresses in listen.items()}
        return list(self._rows())

    def _rows(self) -> Iterator[SocketRow]:
        names = {row.pid: row.name for row in self._processes()}
        protocols = self._protocols() if self.listen else {}
        for pid, addresses in self.listen.items():
            if pid:
                for text in addresses:
                    address, _, port = text.rpartition(":")
                    yield SocketRow(names.get(pid, ""), pid, address, int(port), protocols.get(int(port), ""))

    def _own(self, inodes: set[int]) -> None:
        """Find the owners of inodes that are new; the search through all open files is the dear part."""
        fresh = inodes - self._owner.keys()
        self._owner = {inode: pid for inode, pid in self._owner.items() if inode in inodes}
        if not fresh:
            return
        for pid in [int(name) for name in os.listdir(self._root) if name.isdecimal()]:
            for inode in self._sockets(pid):
                if inode in fresh:
                    self._owner[inode] = pid
                    fresh.discard(inode)
            if not fresh:
                return
        self._owner.update(dict.fromkeys(fresh, 0))  # another user's: not looked for again

    def _sockets(self, pid: int) -> Iterator[int]:
        folder = f"{self._root}/{pid}/fd"
        try:
            names = os.listdir(folder)
        except OSError:
            return
        for name in names:
            try:
                found = _INODE.fullmatch(os.readlink(f"{folder}/{name}"))
            except OSError:
                continue
            if found:
                yield int(found.group(1))


def parse_listening(data: bytes) -> dict[int, str]:
    """Inode → "address:port" of the listening sockets in a /proc/net/tcp or tcp6; foreign lines are left out."""
    found: dict[int, str] = {}
    for line in data.split(b"\n")[1:]:
        fields = line.split()
        if len(fields) < 10 or fields[3] != LISTEN or not fields[9].isdigit() or len(fields[9]) > 20:
            continue
        address = _address(fields[1])
        if address and len(found) < MAX_SOCKETS:
            found[int(fields[9])] = address
    return found


def _address(text: bytes) -> str:
    """`0100007F:2479` → `127.0.0.1:9337`: each group of four bytes is little-endian, the port is not."""
    host, _, port = text.partition(b":")
    try:
        raw, number = bytes.fromhex(host.decode("ascii")), int(port, 16)
    except ValueError:
        return ""
    if len(raw) not in (4, 16) or not 0 < number < 65_536:
        return ""
    groups = b"".join(raw[at : at + 4][::-1] for at in range(0, len(raw), 4))
    ip = ipaddress.ip_address(groups)
    mapped = getattr(ip, "ipv4_mapped", None)
    ip = mapped if mapped is not None else ip
    return f"[{ip}]:{number}" if ip.version == 6 else f"{ip}:{number}"
