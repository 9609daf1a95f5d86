"""Asking another server over HTTP: one request, one answer, both bounded; nothing that comes back is believed here."""

from __future__ import annotations

import http.client
import json
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Protocol
from urllib.parse import urlsplit

PATIENCE_S: Final = 30.0
MOST: Final = 64 << 20  # bytes of an answer: a class's copy is the largest


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back. `headers`: names in lower case."""

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)

    def json(self) -> Any:
        """The body as JSON; None where it is none."""
        try:
            return json.loads(self.body)
        except (ValueError, RecursionError):
            return None


class Http(Protocol):
    """Another server."""

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """One request; `OSError` where no whole answer comes."""


class Wire:
    """One server at an address. It follows no redirect and keeps no connection."""

    def __init__(self, url: str, patience_s: float = PATIENCE_S) -> None:
        parts = urlsplit(url)
        if parts.scheme not in ("http", "https") or not parts.hostname or parts.username:
            raise OSError("an address begins with https:// (or http:// on this machine) and names a host")
        self._parts, self._base, self._patience = parts, parts.path.rstrip("/"), patience_s

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """As the port says; an answer beyond `MOST`, or slower than so many seconds in all, is none."""
        kind = http.client.HTTPSConnection if self._parts.scheme == "https" else http.client.HTTPConnection
        until = time.monotonic() + self._patience * 10
        connection = kind(self._parts.hostname or "", self._parts.port, timeout=self._patience)
        try:
            connection.request(method, self._base + path, body or None, dict(headers or {}))
            response = connection.getresponse()
            if response.length is None and not response.chunked:
                raise OSError("the answer does not say how long it is: cut or whole look alike")
            data = bytearray()
            while chunk := response.read1(1 << 16):
                data += chunk
                if len(data) > MOST or time.monotonic() > until:
                    raise OSError("the answer is too long, or comes too slowly")
            if response.length:  # the sender promised more than came
                raise OSError(f"the answer was cut {response.length} bytes before its end")
            return Reply(response.status, bytes(data), {name.lower(): value for name, value in response.getheaders()})
        except (http.client.HTTPException, ValueError) as error:
            raise OSError(f"no whole HTTP answer: {type(error).__name__}") from error
        finally:
            connection.close()
