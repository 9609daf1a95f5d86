"""One HTTP exchange with the supervision server. The only home of `requests` in the client.

No redirects, no proxies or passwords from the environment, no answer longer than we are ready to read, and none that
takes longer than it may: a server that drips is one that is not there.
"""

from __future__ import annotations

import functools
import re
import socket
from collections.abc import Mapping
from pathlib import Path
from typing import Any, Final

import requests
import urllib3
from requests.adapters import HTTPAdapter
from urllib3.connection import HTTPConnection, HTTPSConnection
from urllib3.util.ssl_ import create_urllib3_context

from client.config import Config
from client.errors import BadAnswerError, NetworkError
from client.ports import Reply
from ledger.deadline import Deadline

TIMEOUT: Final = (5, 30)  # seconds to connect, and between two pieces of an answer
TOTAL: Final = 60.0  # seconds of a whole exchange: neither a question nor an answer of some KiB takes more
SLOWEST: Final = 8 * 1024  # bytes a second of what we send, or ask for by its length: so much longer it may take
MAX_REPLY: Final = 64 << 20  # a course file comes in pieces of 4 MiB; nothing else comes near
PIECE: Final = 256 * 1024
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/?=&%-]{0,500}")
_WAIT: Final = re.compile(r"wait=(\d{1,5})")
_SPAN: Final = re.compile(r"bytes=(\d{1,15})-(\d{1,15})")


class HttpTransport:
    """`Transport` over HTTP(S) to one server; one instance for one thread."""

    def __init__(
        self,
        server: str,
        *,
        timeout: tuple[float, float] = TIMEOUT,
        total: float = TOTAL,
        proxy: str = "",
        ca: Path | None = None,
    ) -> None:
        """`total`: seconds of one exchange, from the first address that is tried to the last byte of the answer."""
        self._server = server.rstrip("/")
        self._timeout, self._total = timeout, total
        self._session = session(proxy, ca)

    @classmethod
    def of(cls, config: Config, *, timeout: tuple[float, float] = TIMEOUT, total: float = TOTAL) -> HttpTransport:
        """To the server that the settings name, by their proxy, trusting their authorities."""
        return cls(config.server, timeout=timeout, total=total, proxy=config.proxy, ca=config.ca)

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Return what the server answered, whatever its status; `NetworkError` when nothing came, or not in time."""
        if not _PATH.fullmatch(path):
            raise BadAnswerError(f"no path of ours: {path[:80]!r}")
        total = self._total + (len(body) + _asked(headers or {})) / SLOWEST
        self._session.deadline.begin(total)
        try:
            with self._session.request(
                method,
                self._server + path,
                data=body or None,
                headers=dict(headers or {}),
                timeout=self._timeout,
                allow_redirects=False,
                stream=True,
            ) as response:
                data = _read(response, self._session.deadline, max(total, _patience(headers or {})))
                return Reply(response.status_code, data, dict(response.headers))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NetworkError(f"{method} {path.partition('?')[0]}: {type(error).__name__}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()


class Connections(requests.Session):
    """What `requests` keeps between exchanges; each of them ends when `deadline` says so, by a proxy or straight."""

    def __init__(self) -> None:
        super().__init__()
        self.trust_env = False  # no proxy, no .netrc, no CA bundle that a variable names
        self.deadline = Deadline()
        for scheme in ("http://", "https://"):
            self.mount(scheme, _Adapter(self.deadline))


def session(proxy: str = "", ca: Path | None = None) -> Connections:
    """Connections by `proxy` (none if empty) that trust `ca` alone (None: the public authorities)."""
    made = Connections()
    if proxy:
        made.proxies = {"http": proxy, "https": proxy}
    if ca is not None:
        made.verify = str(ca)
    return made


class _Adapter(HTTPAdapter):
    def __init__(self, deadline: Deadline) -> None:
        self._deadline = deadline
        super().__init__()

    def get_connection_with_tls_context(self, *args: Any, **named: Any) -> Any:
        """A pool of `requests`, whose next connections are ours."""
        pool: Any = super().get_connection_with_tls_context(*args, **named)
        pool.ConnectionCls = functools.partial(_connection, self._deadline, _Tls if pool.scheme == "https" else _Plain)
        return pool


class _Plain(HTTPConnection):
    deadline: Deadline

    def _new_conn(self) -> socket.socket:  # urllib3's place for connections of another kind: its own SOCKS is one
        return self.deadline.connect(self._dns_host, self.port, self.timeout, self.socket_options or ())


class _Tls(_Plain, HTTPSConnection):
    pass


def _connection(deadline: Deadline, kind: type[_Plain], **named: Any) -> _Plain:
    """What a pool makes; TLS keeps the deadline from its first byte on."""
    if kind is _Tls and named.get("ssl_context") is None:
        named["ssl_context"] = deadline.over(create_urllib3_context())
    made = kind(**named)
    made.deadline = deadline
    return made


def _asked(headers: Mapping[str, str]) -> int:
    """How many bytes a request asks for by number; 0 where it names none."""
    found = _SPAN.fullmatch(headers.get("Range", ""))
    return min(max(0, int(found[2]) - int(found[1]) + 1), MAX_REPLY) if found else 0


def _patience(headers: Mapping[str, str]) -> float:
    """How many seconds a request is ready to wait (RFC 7240, section 4.3), if its answer keeps coming; 0: none more."""
    found = _WAIT.fullmatch(headers.get("Prefer", ""))
    return float(found[1]) if found else 0.0


def _read(response: requests.Response, deadline: Deadline, longest: float) -> bytes:
    """The whole body; one that keeps coming may take until `longest` seconds have passed since the exchange began."""
    data = bytearray()
    for piece in response.iter_content(PIECE):
        data += piece
        if len(data) > MAX_REPLY:
            raise BadAnswerError(f"an answer of more than {MAX_REPLY} bytes")
        deadline.extend(min(longest, len(data) / SLOWEST))
    return bytes(data)
