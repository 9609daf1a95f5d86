"""Through whom our connections would go on Windows: the proxy of this user, and roots that Microsoft did not bring."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final

from agent.collectors.proxies import bare, behind, chosen, subjects
from agent.collectors.windows import api
from agent.collectors.windows.registry import Registry, number, text
from agent.errors import CollectorError
from agent.tables import NetworkRow, ProcessRow, Row

SETTINGS: Final = "HKCU\\Software\\Microsoft\\Windows\\CurrentVersion\\Internet Settings"
BY_REGISTRY: Final = 13  # CERT_STORE_PROV_SYSTEM_REGISTRY_W: what was added, not what is inherited
READ_ONLY: Final = 0x8000
USER, MACHINE, POLICY, ENTERPRISE = 1 << 16, 2 << 16, 8 << 16, 9 << 16  # CERT_SYSTEM_STORE_…, wincrypt.h
PLACES: Final = ((USER, "Root"), (MACHINE, "Root"), (POLICY, "Root"), (ENTERPRISE, "Root"))
MICROSOFTS: Final = (MACHINE, "AuthRoot")  # the third parties that Windows Update brings
MAX_ROOTS: Final = 300
OWN: Final = ("O=Microsoft Corporation", "OU=Microsoft Corporation", "DC=microsoft,DC=com", "CN=Thawte Timestamping CA")


def certificates(place: int, store: str) -> tuple[bytes, ...]:
    """The certificates (DER) of one physical store; empty where there is none."""
    opened = api.function(
        "crypt32", "CertOpenStore", api.Handle, ctypes.c_size_t, api.DWORD, api.Handle, api.DWORD, api.WSTR
    )(BY_REGISTRY, 0, None, place | READ_ONLY, store)
    if not opened:
        return ()
    following = api.function("crypt32", "CertEnumCertificatesInStore", ctypes.POINTER(_Context), api.Handle, api.PTR)
    found: list[bytes] = []
    entry = None
    while True:  # the call gives the entry before back
        entry = following(opened, entry)
        if not entry:
            break
        if len(found) < MAX_ROOTS:
            found.append(ctypes.string_at(entry.contents.data, entry.contents.size))
    api.function("crypt32", "CertCloseStore", api.BOOL, api.Handle, api.DWORD)(opened, 0)
    return tuple(found)


class _Context(ctypes.Structure):
    _fields_ = (("encoding", api.DWORD), ("data", api.PTR), ("size", api.DWORD))


class Networks:
    """One row if there is a proxy or an added root, else none."""

    def __init__(
        self,
        registry: Registry,
        processes: Callable[[], Sequence[ProcessRow]],
        environ: Mapping[str, str] | None = None,
        read: Callable[[int, str], tuple[bytes, ...]] = certificates,
    ) -> None:
        self._registry, self._processes, self._read = registry, processes, read
        self._environ = os.environ if environ is None else environ
        self._subjects: tuple[frozenset[bytes], tuple[str, ...]] = (frozenset(), ())

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a password in a proxy's address is left out."""
        proxy, roots = self._proxy(), self._roots()
        if not proxy and not roots:
            return []
        return [NetworkRow(proxy=bare(proxy), listener=behind(proxy, self._processes()), roots=roots)]

    def _proxy(self) -> str:
        """What the environment says, else this user's settings; a script that chooses one is named as such."""
        values = self._registry.values(SETTINGS)
        told = text(values, "ProxyServer") if number(values, "ProxyEnable") else ""
        return chosen(self._environ) or first_proxy(told) or text(values, "AutoConfigURL")

    def _roots(self) -> tuple[str, ...]:
        try:
            usual = frozenset(self._read(*MICROSOFTS))
            added = frozenset(data for place in PLACES for data in self._read(*place)) - usual
        except CollectorError:
            return ()
        if self._subjects[0] != added:
            self._subjects = (added, tuple(sorted(set(_foreign(added)))))
        return self._subjects[1]


def first_proxy(told: str) -> str:
    """`http=a:1;https=b:2` → `b:2`; a plain `host:port` stays."""
    entries: dict[str, str] = {}
    for entry in told.split(";"):
        kind, sign, address = entry.partition("=")
        entries[kind.strip().casefold() if sign else ""] = address if sign else kind
    return next((entries[kind].strip() for kind in ("https", "", "http", "socks") if entries.get(kind)), "")


def _foreign(added: frozenset[bytes]) -> Iterator[str]:
    for data in added:
        yield from (name for name in subjects(data) if not any(own in name for own in OWN))
