"""Segments past the framework, whose routing and questions cost more than verifying one.

The route stands as published; this answers the same by the same function.
"""

from __future__ import annotations

from typing import Final

from starlette.types import ASGIApp, Receive, Scope, Send

from ledger.segment import MAX_SEGMENT
from server_stub.domain.errors import ServerError
from server_stub.domain.services import Services
from server_stub.routes.sessions import take
from server_stub.web_guard import read_body, refusal

_HEAD, _TAIL = "/v1/sessions/", "/segments"
_PLAIN: Final = frozenset("0123456789abcdef")


class FastLane:
    """Answers `POST /v1/sessions/<sid>/segments` and lets everything else pass."""

    def __init__(self, app: ASGIApp, services: Services) -> None:
        self._app, self._services = app, services

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        sid = _sid(scope) if scope["type"] == "http" else ""
        if not sid:
            await self._app(scope, receive, send)
            return
        body = await read_body(scope, receive, send, MAX_SEGMENT)
        if body is None:
            return
        client = scope.get("client")
        try:
            answer = await take(self._services, sid, body, client[0][:100] if client else "unknown")
        except ServerError as error:
            await refusal(error)(scope, receive, send)
            return
        length = str(len(answer)).encode()
        headers = [(b"content-length", length), (b"content-type", b"application/json")]
        await send({"type": "http.response.start", "status": 200, "headers": headers})
        await send({"type": "http.response.body", "body": answer})


def _sid(scope: Scope) -> str:
    """The session of a segment's address as clients write it; "" for every other request."""
    path: str = scope["path"]
    if scope["method"] != "POST" or not (path.startswith(_HEAD) and path.endswith(_TAIL)):
        return ""
    sid = path[len(_HEAD) : -len(_TAIL)]
    return sid if len(sid) == 32 and _PLAIN.issuperset(sid) else ""
