"""What a running session needs beside its records: the keys of its course."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from server_stub.routes.deps import Learner, Wired

router = APIRouter(tags=["sessions"])


@router.get("/v1/sessions/{sid}/content-key")
def content_key(wired: Wired, account: Learner, sid: str) -> Response:
    """The content keys of the course of this learner's open session; never kept on the way."""
    return JSONResponse({"keys": wired.content.release(account, sid)}, headers={"Cache-Control": "no-store"})
