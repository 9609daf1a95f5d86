"""What every answer says unless it says otherwise: it is what it is called, in nobody's frame, and kept by nobody."""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Message, Receive, Scope, Send

_SAFE: Final = (
    (b"x-content-type-options", b"nosniff"),
    (b"x-frame-options", b"DENY"),  # for browsers that do not know frame-ancestors
    (b"content-security-policy", b"default-src 'none'; frame-ancestors 'none'"),
    (b"referrer-policy", b"same-origin"),
)
_KEPT = (b"cache-control", b"no-store")  # an answer to one person is no copy for the next
_ASKED_AGAIN = (b"cache-control", b"no-cache")  # our own files: kept, and asked for by their entity tag


class SafeHeaders:
    """Adds what an answer does not say itself."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        async def safely(message: Message) -> None:
            if message["type"] == "http.response.start":
                given = {name.lower() for name, _ in message["headers"]}
                wanted = (*_SAFE, _ASKED_AGAIN if scope["path"].startswith("/static/") else _KEPT)
                more = [pair for pair in wanted if pair[0] not in given]
                message = {**message, "headers": [*message["headers"], *more]}
            await send(message)

        await self._app(scope, receive, safely if scope["type"] == "http" else send)
