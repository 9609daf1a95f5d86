"""Addresses: where they are, and which stand for many people at once, so that sharing one says nothing.

Two files, both data: `networks.toml` (an operator's list of classrooms, carriers and offices) and the delegation
statistics that the regional registries publish (which country a block was given to).
"""

from __future__ import annotations

import tomllib
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network, ip_address, ip_network
from pathlib import Path
from typing import Final

from server_stub.domain.errors import SetupError

KINDS: Final = ("classroom", "carrier", "office")  # of an entry: who may be many there
MAX_BYTES: Final = 64 << 20
MAX_NAME: Final = 100
Address = IPv4Address | IPv6Address
Network = IPv4Network | IPv6Network
SHARED: Final = ip_network("100.64.0.0/10")  # RFC 6598: carriers' own
IMPOSSIBLE: Final = tuple(  # nobody reaches a server from these: documentation, multicast, reserved (RFC 6890)
    ip_network(text)
    for text in ("0.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4",
                 "2001:db8::/32", "ff00::/8")
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Listed:
    """One network on the allow-list, by whom and why it stands there."""

    network: Network
    kind: str
    name: str


@dataclass(frozen=True, slots=True)
class Block:
    """Addresses [first, last] of one version that were given to a country (ISO 3166, upper case)."""

    version: int
    first: int
    last: int
    country: str


class Networks:
    """Answers about single addresses; `home` are the countries in which learners are expected."""

    def __init__(
        self, listed: Sequence[Listed] = (), blocks: Iterable[Block] = (), home: frozenset[str] = frozenset({"CN"})
    ) -> None:
        self.listed, self.home = tuple(listed), home
        self._blocks = sorted(blocks, key=lambda block: (block.version, block.first))
        self._keys = [(block.version, block.first) for block in self._blocks]

    def kind(self, text: str) -> str:
        """classroom | carrier | office where the list says so; carrier for RFC 6598; else ""."""
        address = _address(text)
        if address is None:
            return ""
        found = next((item.kind for item in self.listed if address in item.network), "")
        return found or ("carrier" if address in SHARED else "")

    def country(self, text: str) -> str:
        """The country that the address was given to; "" where nobody knows, also for private ones."""
        address = _address(text)
        if address is None or not address.is_global:
            return ""
        at = bisect_right(self._keys, (address.version, int(address))) - 1
        block = self._blocks[at] if at >= 0 else None
        if block is None or block.version != address.version or int(address) > block.last:
            return ""
        return block.country

    def abroad(self, text: str) -> bool:
        """Whether it was given to a country that is none of `home`."""
        country = self.country(text)
        return bool(country) and country not in self.home

    @staticmethod
    def impossible(text: str) -> bool:
        """Whether no packet of the internet comes from there. What is no address at all (a socket, a proxy's name)
        says nothing."""
        address = _address(text)
        return address is not None and any(address in network for network in IMPOSSIBLE)


def _address(text: str) -> Address | None:
    try:
        address = ip_address(text)
    except ValueError:
        return None
    mapped = getattr(address, "ipv4_mapped", None)
    return mapped if isinstance(mapped, IPv4Address) else address


def parse_list(data: bytes) -> tuple[list[Listed], frozenset[str]]:
    """Read a `networks.toml`: `home = ["CN"]` and `[[network]]` with `cidr`, `kind`, `name`; or raise `SetupError`."""
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"networks.toml cannot be read: {error}") from error
    entries, home = table.get("network", []), table.get("home", ["CN"])
    if set(table) - {"network", "home"} or not isinstance(entries, list) or not _countries(home):
        raise SetupError("networks.toml states `home` (a list of countries) and [[network]] entries, nothing else")
    return [_listed(entry) for entry in entries], frozenset(home)


def load(directory: Path) -> Networks:
    """The networks of a data directory: `networks.toml` and any `delegated-*` files, both optional."""
    own = directory / "networks.toml"
    listed, home = parse_list(own.read_bytes()) if own.exists() else ([], frozenset({"CN"}))
    blocks = [block for path in sorted(directory.glob("delegated-*")) for block in parse_delegated(path.read_bytes())]
    return Networks(listed, blocks, home)


def _countries(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(item, str) and _is_country(item) for item in value)


def _is_country(text: str) -> bool:
    return len(text) == 2 and text.isascii() and text.isalpha() and text.isupper()


def _listed(entry: object) -> Listed:
    if not isinstance(entry, dict) or set(entry) != {"cidr", "kind", "name"}:
        raise SetupError("a [[network]] has `cidr`, `kind` and `name`")
    cidr, kind, name = entry["cidr"], entry["kind"], entry["name"]
    if kind not in KINDS or not isinstance(name, str) or not 0 < len(name) <= MAX_NAME or not isinstance(cidr, str):
        raise SetupError(f"a network's kind is one of {', '.join(KINDS)}, and it has a name")
    try:
        return Listed(ip_network(cidr), kind, name)
    except ValueError as error:
        raise SetupError(f"{cidr[:60]!r} is no network: {error}") from error


def parse_delegated(data: bytes) -> list[Block]:
    """Read a registry's delegation statistics (`registry|CC|ipv4|first|count|date|status…`), or raise `SetupError`.

    The version and summary lines, AS numbers and unassigned blocks are passed over.
    """
    if len(data) > MAX_BYTES:
        raise SetupError("the delegation statistics are larger than any registry's")
    found = []
    for number, line in enumerate(data.decode("ascii", "replace").split("\n"), 1):
        parts = line.rstrip("\r").split("|")
        if line.startswith("#") or len(parts) < 7 or parts[2] not in ("ipv4", "ipv6") or not _is_country(parts[1]):
            continue
        try:
            found.append(_block(parts))
        except ValueError as error:
            raise SetupError(f"delegation statistics, line {number}: {error}") from error
    return found


def _block(parts: list[str]) -> Block:
    if not (parts[4].isascii() and parts[4].isdigit() and len(parts[4]) <= 10):
        raise ValueError(f"{parts[4][:20]!r} is no count")
    first, count = ip_address(parts[3]), int(parts[4])
    if first.version != (4 if parts[2] == "ipv4" else 6) or (first.version == 6 and count > 128):
        raise ValueError("the address is not of the line's version")
    size = count if first.version == 4 else 1 << (128 - count)
    return Block(first.version, int(first), int(first) + size - 1, parts[1])
