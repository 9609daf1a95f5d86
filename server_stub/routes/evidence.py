"""Sealed photos on their way up. No token: the session's receipted event names the only bytes that are kept."""

from __future__ import annotations

import re
from typing import Annotated, Any, Final

from fastapi import APIRouter, Header
from fastapi import Path as InPath

from server_stub.domain.errors import ServerError, UnreadableError
from server_stub.domain.photo_errors import StalePhotoError
from server_stub.domain.photos import Piece
from server_stub.routes.deps import Raw, Seen, Wired

router = APIRouter(tags=["evidence"])
Id = Annotated[str, InPath(pattern=r"^[0-9a-f]{32}$")]
_SPAN: Final = re.compile(r"bytes (0|[1-9][0-9]{0,8})-(0|[1-9][0-9]{0,8})/([1-9][0-9]{0,8})")


@router.get("/v1/sessions/{sid}/evidence/{eid}")
def standing(wired: Wired, sid: Id, eid: Id, address: Seen) -> dict[str, Any]:
    """How many bytes of a photo are here, and whether it is whole."""
    try:
        return wired.photos.standing(sid, eid)
    except ServerError:
        wired.limits.count("refused", address)
        raise


@router.put("/v1/sessions/{sid}/evidence/{eid}")
def take(
    wired: Wired, sid: Id, eid: Id, body: Raw, address: Seen, content_range: Annotated[str | None, Header()] = None
) -> dict[str, Any]:
    """Take the next piece of a photo: `Content-Range: bytes <first>-<last>/<all>`."""
    try:
        return wired.photos.take(sid, eid, _piece(content_range or "", body))
    except StalePhotoError:
        raise  # an honest device that goes on
    except ServerError:
        wired.limits.count("refused", address)
        raise


def _piece(span: str, body: bytes) -> Piece:
    found = _SPAN.fullmatch(span)
    if found is None:
        raise UnreadableError("Content-Range says which bytes of the photo these are")
    first, last, whole = (int(text) for text in found.groups())
    if last - first + 1 != len(body) or last >= whole:
        raise UnreadableError(f"Content-Range says {last - first + 1} bytes, {len(body)} came")
    return Piece(first, whole, body)
