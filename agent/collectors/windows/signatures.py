"""Who signed a program (Authenticode): the name in a certificate that this machine trusts, or "" where it does not.

The signature is checked, not just read: a copied certificate proves nothing. Nothing is fetched for it (no revocation
list, no root), and since a check reads the whole file, each look checks a few new files only. Files that are signed by
a catalogue, as Windows' own are, have no name of their own here: unknown.
"""

from __future__ import annotations

import ctypes
import os
from collections.abc import Callable
from typing import Any, Final

from agent.collectors.windows import api
from agent.errors import CollectorError

BYTES_A_LOOK: Final = 48 * 1024 * 1024  # about a tenth of a second of hashing
MAX_FILE: Final = 512 * 1024 * 1024
MAX_KNOWN: Final = 2_000
NO_UI: Final = 2
BY_FILE: Final = 1
VERIFY, CLOSE = 1, 2
OFFLINE: Final = 0x1000 | 0x0010  # WTD_CACHE_ONLY_URL_RETRIEVAL, WTD_REVOCATION_CHECK_NONE
DISPLAY_NAME: Final = 4  # CERT_NAME_SIMPLE_DISPLAY_TYPE
GENERIC_VERIFY: Final = bytes.fromhex("6bc5aa0044cdd0118cc200c04fc295ee")  # WINTRUST_ACTION_GENERIC_VERIFY_V2


class _FileInfo(ctypes.Structure):
    _fields_ = (("size", api.DWORD), ("path", api.WSTR), ("file", api.Handle), ("subject", api.PTR))


class _TrustData(ctypes.Structure):
    _fields_ = (
        ("size", api.DWORD), ("policy", api.PTR), ("sip", api.PTR), ("ui", api.DWORD), ("revocation", api.DWORD),
        ("choice", api.DWORD), ("file", ctypes.POINTER(_FileInfo)), ("action", api.DWORD), ("state", api.Handle),
        ("url", api.PTR), ("flags", api.DWORD), ("context", api.DWORD), ("settings", api.PTR),
    )  # fmt: skip


class _ProviderCert(ctypes.Structure):
    _fields_ = (("size", api.DWORD), ("certificate", api.PTR))


def signer_of(path: str) -> str:
    """The name in the certificate of a file whose signature verifies; "" for any other file."""
    info = _FileInfo(ctypes.sizeof(_FileInfo), path, None, None)
    data = _TrustData(
        size=ctypes.sizeof(_TrustData), ui=NO_UI, choice=BY_FILE, file=ctypes.pointer(info), action=VERIFY,
        flags=OFFLINE,
    )  # fmt: skip
    verify = api.function("wintrust", "WinVerifyTrust", ctypes.c_int32, api.Handle, api.PTR, api.PTR)
    action = ctypes.create_string_buffer(GENERIC_VERIFY)
    try:
        return _name(data.state) if verify(None, action, ctypes.byref(data)) == 0 else ""
    finally:
        data.action = CLOSE
        verify(None, action, ctypes.byref(data))


def _name(state: Any) -> str:
    provider = api.function("wintrust", "WTHelperProvDataFromStateData", api.PTR, api.Handle)(state)
    get_signer = api.function(
        "wintrust", "WTHelperGetProvSignerFromChain", api.PTR, api.PTR, api.DWORD, api.BOOL, api.DWORD
    )
    signer = get_signer(provider, 0, False, 0) if provider else None
    get_cert = api.function(
        "wintrust", "WTHelperGetProvCertFromChain", ctypes.POINTER(_ProviderCert), api.PTR, api.DWORD
    )
    found = get_cert(signer, 0) if signer else None
    if not found:
        return ""
    room = ctypes.create_unicode_buffer(256)
    name = api.function(
        "crypt32", "CertGetNameStringW", api.DWORD, api.PTR, api.DWORD, api.DWORD, api.PTR, api.PTR, api.DWORD
    )
    name(found.contents.certificate, DISPLAY_NAME, 0, None, room, len(room))
    return str(room.value)


class Signers:
    """Names by file, checked a few at a look; a file that changes is checked anew."""

    def __init__(self, ask: Callable[[str], str] = signer_of, budget: int = BYTES_A_LOOK) -> None:
        self._ask, self._budget = ask, budget
        self._known: dict[tuple[str, int, int], str] = {}
        self._left = budget

    def begin(self) -> None:
        """A new look begins."""
        self._left = self._budget
        if len(self._known) > MAX_KNOWN:
            self._known.clear()

    def of(self, path: str) -> str | None:
        """The signer of a file; "" if there is none to be trusted, None if it was not this look's turn."""
        try:
            state = os.stat(path)
        except (OSError, ValueError):
            return ""
        key = (path, state.st_mtime_ns, state.st_size)
        if key in self._known:
            return self._known[key]
        if state.st_size > MAX_FILE:
            return ""
        if self._left < state.st_size and self._left < self._budget:
            return None
        self._left -= state.st_size
        try:
            self._known[key] = self._ask(path)
        except CollectorError:
            self._known[key] = ""
        return self._known[key]
