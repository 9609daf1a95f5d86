"""The organisation's sign-in: how it is named in `oidc.toml` (0600), and the way to it over HTTP."""

from __future__ import annotations

import base64
import tomllib
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Final
from urllib.parse import quote_plus, urlencode

from server_stub.domain.errors import SetupError
from server_stub.domain.oidc import Provider
from server_stub.wire import Patience, exchange

MAX_ANSWER: Final = 262_144
PATIENCE_S: Final = 8.0


def load_provider(path: Path) -> Provider | None:
    """What the file says; None without a file, `SetupError` for one of another form."""
    if not path.exists():
        return None
    try:
        table = tomllib.loads(path.read_text(encoding="utf-8"))
        texts = [table.pop(name) for name in ("issuer", "client", "name")]
        texts.insert(2, table.pop("secret", ""))
    except (OSError, ValueError, KeyError) as error:
        raise SetupError(f"{path} states `issuer`, `client`, `name`, perhaps `secret`: {error}") from error
    if table or not all(isinstance(text, str) for text in texts):
        raise SetupError(f"{path} states `issuer`, `client`, `name`, perhaps `secret`, as texts, nothing else")
    return Provider(*texts)


class HttpWeb:
    """`domain.oidc.Web`: follows no redirect, reads and waits no longer than an answer may take.

    `check` is told every address before it is called, also those that a provider names itself, and raises for one that
    may not be called.
    """

    def __init__(self, check: Callable[[Iterable[str]], None]) -> None:
        self._check = check

    def get(self, url: str) -> bytes:
        return self._ask("GET", url, b"", {})

    def post(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> bytes:
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic is not None:  # RFC 6749, section 2.3.1: each part is form-encoded first
            pair = ":".join(quote_plus(part) for part in basic)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return self._ask("POST", url, urlencode(form).encode(), headers)

    def exchange(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> tuple[int, bytes]:
        """As `post`, whatever the status: OAuth refuses with 400 and a reason."""
        headers = {"Content-Type": "application/x-www-form-urlencoded"}
        if basic is not None:
            pair = ":".join(quote_plus(part) for part in basic)
            headers["Authorization"] = "Basic " + base64.b64encode(pair.encode()).decode()
        return self._any("POST", url, urlencode(form).encode(), headers)

    def _ask(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> bytes:
        status, data = self._any(method, url, body, headers)
        if status != 200:
            raise OSError(f"answers {status}")
        return data

    def _any(self, method: str, url: str, body: bytes, headers: Mapping[str, str]) -> tuple[int, bytes]:
        self._check([url])
        reply = exchange(method, url, body, {"Accept": "application/json", **headers}, Patience(PATIENCE_S, MAX_ANSWER))
        return reply.status, reply.body
