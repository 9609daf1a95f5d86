"""One HTTP exchange with the supervision server. The only home of `requests` beside `models.py`.

No redirects, no proxies or passwords from the environment, no answer longer than we are ready to read.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Final

import requests
import urllib3

from client.config import Config
from client.errors import BadAnswerError, NetworkError
from client.ports import Reply

TIMEOUT: Final = (5, 30)  # seconds to connect, and between two pieces of an answer
MAX_REPLY: Final = 64 << 20  # a course file comes in pieces of 4 MiB; nothing else comes near
PIECE: Final = 256 * 1024
_PATH: Final = re.compile(r"/[A-Za-z0-9._~/?=&%-]{0,500}")


class HttpTransport:
    """`Transport` over HTTP(S) to one server; one instance for one thread."""

    def __init__(
        self, server: str, *, timeout: tuple[float, float] = TIMEOUT, proxy: str = "", ca: Path | None = None
    ) -> None:
        self._server = server.rstrip("/")
        self._timeout = timeout
        self._session = session(proxy, ca)

    @classmethod
    def of(cls, config: Config, *, timeout: tuple[float, float] = TIMEOUT) -> HttpTransport:
        """To the server that the settings name, by their proxy, trusting their authorities."""
        return cls(config.server, timeout=timeout, proxy=config.proxy, ca=config.ca)

    def send(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        """Return what the server answered, whatever its status; `NetworkError` when nothing came."""
        if not _PATH.fullmatch(path):
            raise BadAnswerError(f"no path of ours: {path[:80]!r}")
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
                return Reply(response.status_code, _read(response), dict(response.headers))
        except (requests.RequestException, urllib3.exceptions.HTTPError, OSError) as error:
            raise NetworkError(f"{method} {path.partition('?')[0]}: {type(error).__name__}") from error

    def close(self) -> None:
        """Give the connections back."""
        self._session.close()


def session(proxy: str = "", ca: Path | None = None) -> requests.Session:
    """Connections by `proxy` (none if empty) that trust `ca` alone (None: the public authorities)."""
    made = requests.Session()
    made.trust_env = False  # no proxy, no .netrc, no CA bundle that a variable names
    if proxy:
        made.proxies = {"http": proxy, "https": proxy}
    if ca is not None:
        made.verify = str(ca)
    return made


def _read(response: requests.Response) -> bytes:
    data = bytearray()
    for piece in response.iter_content(PIECE):
        data += piece
        if len(data) > MAX_REPLY:
            raise BadAnswerError(f"an answer of more than {MAX_REPLY} bytes")
    return bytes(data)
