"""The edge of the server: how much it reads, and how a refusal looks on the wire."""

from __future__ import annotations

import asyncio
import errno
import logging

from fastapi import FastAPI, Request
from fastapi.exceptions import RequestValidationError
from fastapi.responses import JSONResponse
from starlette.exceptions import HTTPException
from starlette.formparsers import MultiPartParser
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from ledger.errors import LedgerError
from ledger.segment import MAX_SEGMENT
from ledger.words import shown
from server_stub.domain.errors import NoSuchPageError, ServerError, TooLargeError, TooSlowError, UnreadableError
from server_stub.domain.photobag import MAX_ZIP
from server_stub.domain.sheets import MAX_FILE
from server_stub.domain.store_errors import StoreFullError
from server_stub.patience import BODY_S

_MAX_BODY = 64 * 1024  # every other body is a form, a note or a small object
_MAX_NOTES = 512 * 1024  # what supervisors signed, a class at once
_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)  # no room, no quota, larger than the process may write
_log = logging.getLogger("server_stub")


class BodyLimit:
    """Reads a request's body before anything else does, and never more of it than its path takes: 413."""

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        if scope["type"] != "http" or scope["method"] in ("GET", "HEAD"):
            await self._app(scope, receive, send)
            return
        body = await read_body(scope, receive, send, _limit(scope["path"]))
        if body is not None:
            await self._app(scope, _replay(body, receive), send)


async def read_body(scope: Scope, receive: Receive, send: Send, limit: int) -> bytes | None:
    """The request's body; None when it was refused for its length already, or nobody is there any more."""
    if _announced_beyond(scope, limit):
        await refusal(TooLargeError(f"more than {limit} bytes"))(scope, receive, send)
        return None
    message = await receive()  # nearly always all of it
    if message["type"] == "http.request" and not message.get("more_body", False) and len(message["body"]) <= limit:
        return bytes(message["body"])
    try:
        async with asyncio.timeout(BODY_S):
            return await _pieces(message, receive, limit)
    except TimeoutError:
        await refusal(TooSlowError("the body did not come in time"))(scope, receive, send)
    except TooLargeError as error:
        await refusal(error)(scope, receive, send)
    return None


async def _pieces(message: Message, receive: Receive, limit: int) -> bytes | None:
    body = bytearray()
    while message["type"] != "http.disconnect":
        body += message.get("body", b"")
        if len(body) > limit:
            raise TooLargeError(f"more than {limit} bytes")
        if not message.get("more_body", False):
            return bytes(body)
        message = await receive()
    return None


def _limit(path: str) -> int:
    if path.endswith("/segments"):
        return MAX_SEGMENT
    if path == "/import/photos":
        return MAX_ZIP + _MAX_BODY
    if path == "/import":  # a list of learners, before anybody has looked at it: MAX_FILE and the form around it
        return MAX_FILE + _MAX_BODY
    return _MAX_NOTES if path.endswith("/notes") else _MAX_BODY


def _announced_beyond(scope: Scope, limit: int) -> bool:
    for name, value in scope["headers"]:
        if name == b"content-length":
            return bool(not value.isdigit() or len(value) > 15 or int(value) > limit)
    return False


def _replay(body: bytes, receive: Receive) -> Receive:
    given = False

    async def again() -> Message:
        nonlocal given
        if given:
            return await receive()
        given = True
        return {"type": "http.request", "body": body, "more_body": False}

    return again


def refusal(error: ServerError, status: int | None = None) -> JSONResponse:
    """A refusal as docs/http-api.md publishes it."""
    content = {"code": error.code, "message": str(error), "remedy": error.remedy, "zh": error.zh, **error.extra}
    headers = {"Retry-After": str(error.extra["retry_after"])} if "retry_after" in error.extra else None
    return JSONResponse(content, status or error.status, headers)


def _one_line(record: logging.LogRecord) -> bool:
    """A path, a witness or a device may say anything: one line of the log, and nothing that a terminal obeys."""
    record.msg, record.args = shown(record.getMessage()), None
    return True


def install(app: FastAPI) -> None:
    """Make every refusal of `app` one of ours; uploads stay in memory: no photo touches a temporary file."""
    _log.addFilter(_one_line)
    MultiPartParser.spool_max_size = MAX_ZIP + _MAX_BODY
    app.add_middleware(BodyLimit)

    @app.exception_handler(ServerError)
    async def _ours(_request: Request, error: ServerError) -> JSONResponse:
        return refusal(error)

    @app.exception_handler(LedgerError)
    async def _format(_request: Request, error: LedgerError) -> JSONResponse:
        return refusal(UnreadableError(f"{error.code}: {error}"))

    @app.exception_handler(RequestValidationError)
    async def _fields(_request: Request, error: RequestValidationError) -> JSONResponse:
        first = error.errors()[0]
        where = ".".join(str(part) for part in first["loc"])
        return refusal(UnreadableError(f"{where}: {first['msg']}"))  # never the value: it may be a password

    @app.exception_handler(HTTPException)
    async def _http(_request: Request, error: HTTPException) -> JSONResponse:
        if error.status_code in (404, 405):
            return refusal(NoSuchPageError("no such address or method"), error.status_code)
        return refusal(UnreadableError("the request cannot be read"), error.status_code)

    @app.exception_handler(OSError)
    async def _disk(request: Request, error: OSError) -> JSONResponse:
        if error.errno not in _FULL:
            return await _fault(request, error)
        _log.error("no room at %s %s", request.method, request.url.path)
        return refusal(StoreFullError("the server's disk is full"))

    @app.exception_handler(Exception)
    async def _fault(request: Request, error: Exception) -> JSONResponse:
        _log.error("fault at %s %s: %s", request.method, request.url.path, type(error).__name__, exc_info=error)
        return refusal(ServerError("the server failed"))
