"""How long the server waits for whoever sends slowly: a head that never ends holds a connection, not the server.

uvicorn waits for ever for the end of a request's head; for an idle connection it has a limit of its own.
"""

from __future__ import annotations

import asyncio
from typing import Any, Final

from uvicorn.protocols.http.auto import AutoHTTPProtocol

HEAD_S: Final = 15.0  # for a request's head, from its first byte or from the connection's beginning
BODY_S: Final = 120.0  # for its body: 1 MiB at 9 KB a second
MAX_CONNECTIONS: Final = 2_000  # beyond it: 503 at once


class Patient(AutoHTTPProtocol):  # type: ignore[misc, valid-type] # whichever parser is installed
    """uvicorn's protocol with an end to waiting for a head."""

    head_s = HEAD_S
    _waiting: asyncio.TimerHandle | None = None

    def connection_made(self, transport: Any) -> None:
        super().connection_made(transport)
        self._wait()

    def data_received(self, data: bytes) -> None:
        super().data_received(data)
        if self._in_head() and self._waiting is None:
            self._wait()
        elif not self._in_head():
            self._rest()

    def connection_lost(self, exc: Exception | None) -> None:
        self._rest()
        super().connection_lost(exc)

    def _in_head(self) -> bool:
        """No request has begun, or the last one is answered and the next one's head is not whole."""
        return self.cycle is None or self.cycle.response_complete

    def _wait(self) -> None:
        self._waiting = self.loop.call_later(self.head_s, self._too_slow)

    def _rest(self) -> None:
        if self._waiting is not None:
            self._waiting.cancel()
            self._waiting = None

    def _too_slow(self) -> None:
        self._waiting = None
        if self._in_head() and not self.transport.is_closing():
            self.transport.close()
