"""Asking another server: one request, one answer, both bounded; nothing that comes back is believed here."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final, Protocol
from urllib.parse import urlsplit

from server_stub.wire import Patience, Reply, exchange

__all__ = ["Http", "Reply", "Wire"]
PATIENCE_S: Final = 30.0
MOST: Final = 64 << 20  # bytes of an answer: a class's copy is the largest


class Http(Protocol):
    """Another server."""

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One request; `OSError` where no whole answer comes."""


class Wire:
    """One server at an address. It follows no redirect and keeps no connection.

    `patience_s`: without a single byte; of a whole exchange ten times that, unless `total_s` says otherwise.
    """

    def __init__(self, url: str, patience_s: float = PATIENCE_S, total_s: float | None = None) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise OSError("an address begins with https:// (or http:// on this machine) and names a host")
        self._base, self._each = f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}", patience_s
        self._total = patience_s * 10 if total_s is None else total_s

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """As the port says; an answer beyond `MOST`, slower than it may be, or without a stated end, is none."""
        patience = Patience(self._total, MOST, self._each)
        return exchange(method, self._base + path, body, headers or {}, patience, framed=True)
