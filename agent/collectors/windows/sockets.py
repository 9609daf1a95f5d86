"""Which programs listen on which TCP ports: the table that Windows keeps, with the owner of each line."""

from __future__ import annotations

import ipaddress
import struct
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from agent.collectors.table import Entry
from agent.collectors.windows import api
from agent.collectors.windows.toolhelp import entries
from agent.tables import Row, SocketRow

IPV4, IPV6 = 2, 23  # AF_INET, AF_INET6
LISTENERS: Final = 3  # TCP_TABLE_OWNER_PID_LISTENER
LISTEN: Final = 2  # MIB_TCP_STATE_LISTEN
MAX_SOCKETS: Final = 2_000
_ROW4: Final = struct.Struct("<I4sI4sII")  # MIB_TCPROW_OWNER_PID: state, address, port, far address, far port, owner
_ROW6: Final = struct.Struct("<16sII16sIIII")  # MIB_TCP6ROW_OWNER_PID: address, scope, port, …, state, owner


def listeners(family: int) -> bytes:
    """The raw table of one family, or `CollectorError`."""
    ask = api.function(
        "iphlpapi", "GetExtendedTcpTable", api.DWORD, api.PTR, api.PTR, api.BOOL, api.DWORD, api.DWORD, api.DWORD
    )
    return api.sized(lambda room, size: int(ask(room, size, False, family, LISTENERS, 0)), "sockets")


class Sockets:
    """One row a listening port; keeps `listen`, address texts by process number, for the process table."""

    def __init__(
        self,
        entries: Callable[[], Sequence[Entry]] = entries,
        read: Callable[[int], bytes] = listeners,
        protocols: Callable[[], Mapping[int, str]] = dict,
    ) -> None:
        self._entries, self._read, self._protocols = entries, read, protocols
        self.listen: Mapping[int, tuple[str, ...]] = {}

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """All listening ports; a program that is gone meanwhile has no name."""
        self.listen = {}
        found = [*parse_table(self._read(IPV4), IPV4), *parse_table(self._read(IPV6), IPV6)][:MAX_SOCKETS]
        listen: dict[int, set[str]] = {}
        for pid, address, port in found:
            listen.setdefault(pid, set()).add(f"{address}:{port}")
        self.listen = {pid: tuple(sorted(texts)) for pid, texts in listen.items()}
        names = {entry.pid: entry.name for entry in self._entries()} if found else {}
        protocols = self._protocols() if found else {}
        return [
            SocketRow(names.get(pid, ""), pid, address, port, protocols.get(port, "")) for pid, address, port in found
        ]


def parse_table(data: bytes, family: int) -> Iterator[tuple[int, str, int]]:
    """Owner, address and port of each line of a TCP table; what is cut off or no listener is left out."""
    form = _ROW6 if family == IPV6 else _ROW4
    claimed = int.from_bytes(data[:4], "little")
    for index in range(min(claimed, (len(data) - 4) // form.size, MAX_SOCKETS)):
        fields = form.unpack_from(data, 4 + index * form.size)
        if family == IPV6:
            raw, _, port, _, _, _, state, pid = fields
        else:
            state, raw, port, _, _, pid = fields
        number = int.from_bytes((port & 0xFFFF).to_bytes(2, "little"), "big")  # network order in the low half
        if state == LISTEN and number:
            yield pid, _address(raw), number


def _address(raw: bytes) -> str:
    ip = ipaddress.ip_address(raw)
    mapped = getattr(ip, "ipv4_mapped", None)
    if mapped is not None:
        return str(mapped)
    return f"[{ip}]" if ip.version == 6 else str(ip)
