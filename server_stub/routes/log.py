"""The class log for everybody, as tlog-tiles: immutable files under a checkpoint that only grows."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import Response

from server_stub.published import Bytes, Note
from server_stub.routes.deps import Wired

router = APIRouter(tags=["class log"])


@router.get("/log/{class_id}/checkpoint", response_class=Note)
def checkpoint(wired: Wired, class_id: str) -> Response:
    """The latest signed checkpoint."""
    head = wired.records.read(lambda tx: wired.logs.head(tx, class_id))
    return Response(head, media_type="text/plain; charset=utf-8", headers={"Cache-Control": "no-cache"})


@router.get("/log/{class_id}/tile/{path:path}", response_class=Bytes)
def tile(wired: Wired, class_id: str, path: str) -> Response:
    """A hash tile or an entry bundle."""
    data = wired.records.read(lambda tx: wired.logs.tile(tx, class_id, f"tile/{path}"))
    forever = {"Cache-Control": "public, max-age=31536000, immutable"}
    return Response(data, media_type="application/octet-stream", headers=forever)
