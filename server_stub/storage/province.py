"""The way to the provincial platform: a signed checkpoint goes there, the hash of what arrived comes back."""

from __future__ import annotations

import re
from typing import Final

from server_stub.wire import Patience, exchange

PATIENCE_S: Final = 5.0
MAX_ANSWER: Final = 4096


class HttpProvince:
    """`domain.opening.Province`: one POST of text/plain; the answer is `{"received": sha256}`. Follows no redirect."""

    def __init__(self, url: str) -> None:
        self._url = url

    @property
    def configured(self) -> bool:
        """Whether an address was named."""
        return bool(self._url)

    def echo(self, body: bytes) -> str:
        """What it says it received; `OSError` for silence, another status, or an answer that says nothing."""
        headers = {"Content-Type": "text/plain; charset=utf-8"}
        reply = exchange("POST", self._url, body, headers, Patience(PATIENCE_S, MAX_ANSWER))
        if reply.status != 200:
            raise OSError(f"answers {reply.status}")
        said = reply.json()
        received = said.get("received") if isinstance(said, dict) else None
        if not isinstance(received, str) or not re.fullmatch(r"[0-9a-f]{64}", received):
            raise OSError("does not say what it received")
        return received
