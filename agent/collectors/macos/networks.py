"""Through whom our connections would go on a Mac: the system's proxy, and roots that somebody added."""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from agent.collectors.macos import api
from agent.collectors.macos.plists import mapping, number, text
from agent.collectors.proxies import bare, behind, chosen, subjects
from agent.errors import CollectorError
from agent.tables import NetworkRow, ProcessRow, Row

USER, ADMIN = 0, 1  # kSecTrustSettingsDomain…; the third domain is Apple's own
MAX_ROOTS: Final = 300


class Networks:
    """One row if there is a proxy or an added root, else none."""

    def __init__(
        self,
        processes: Callable[[], Sequence[ProcessRow]],
        environ: Mapping[str, str] | None = None,
        proxies: Callable[[], Mapping[str, Any]] | None = None,
        roots: Callable[[], Sequence[bytes]] | None = None,
    ) -> None:
        self._processes = processes
        self._environ = os.environ if environ is None else environ
        self._proxies = proxies if proxies is not None else system_proxies
        self._added = roots if roots is not None else added_roots

    def collect(self, _now_ms: int) -> Sequence[Row]:
        """The row; a password in a proxy's address is left out."""
        proxy = chosen(self._environ) or proxy_of(self._told())
        try:
            roots = tuple(sorted({name for data in self._added() for name in subjects(data)}))
        except CollectorError:
            roots = ()
        if not proxy and not roots:
            return []
        return [NetworkRow(proxy=bare(proxy), listener=behind(proxy, self._processes()), roots=roots)]

    def _told(self) -> Mapping[str, Any]:
        try:
            return self._proxies()
        except CollectorError:
            return {}


def proxy_of(told: Mapping[str, Any]) -> str:
    """The proxy for TLS in the system's settings, else a general one, else the script that chooses; "" for none."""
    for kind in ("HTTPS", "SOCKS", "HTTP"):
        host, port = text(told, f"{kind}Proxy"), number(told, f"{kind}Port")
        if number(told, f"{kind}Enable") and host:
            return f"{host}:{port}" if port else host
    return text(told, "ProxyAutoConfigURLString") if number(told, "ProxyAutoConfigEnable") else ""


def system_proxies() -> Mapping[str, Any]:
    """The settings in force."""
    return mapping(api.plain(api.function("SystemConfiguration", "SCDynamicStoreCopyProxies", api.Ref, api.Ref)(None)))


def added_roots() -> list[bytes]:
    """Certificates (DER) that this user or an administrator set a trust for."""
    found: list[bytes] = []
    ask = api.function("Security", "SecTrustSettingsCopyCertificates", ctypes.c_int32, ctypes.c_uint32, api.Ref)
    for domain in (USER, ADMIN):
        array = api.Ref()
        if ask(domain, ctypes.byref(array)) != 0 or not array.value:
            continue
        count = api.function("CoreFoundation", "CFArrayGetCount", ctypes.c_long, api.Ref)(array)
        entry = api.function("CoreFoundation", "CFArrayGetValueAtIndex", api.Ref, api.Ref, ctypes.c_long)
        copy = api.function("Security", "SecCertificateCopyData", api.Ref, api.Ref)
        for index in range(min(count, MAX_ROOTS)):
            data = copy(entry(array, index))
            if data:
                found.append(api.data_of(data))
        api.release(array)
    return found
