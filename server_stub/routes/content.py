"""What a running session needs beside its records: the keys of its course, the picture of a live lesson."""

from __future__ import annotations

from fastapi import APIRouter
from fastapi.responses import JSONResponse, Response

from server_stub.published import Whatever
from server_stub.routes.deps import Learner, Wired

router = APIRouter(tags=["sessions"])


@router.get("/v1/sessions/{sid}/content-key")
def content_key(wired: Wired, account: Learner, sid: str) -> Response:
    """The content keys of the course of this learner's open session; never kept on the way."""
    return JSONResponse({"keys": wired.content.release(account, sid)}, headers={"Cache-Control": "no-store"})


@router.get("/v1/sessions/{sid}/live/{unit}/index.m3u8", response_class=Whatever)
def live_playlist(wired: Wired, account: Learner, sid: str, unit: str) -> Response:
    """The newest minute of a live unit (RFC 8216) for the learner of this open session; every name is a number."""
    data = wired.broadcasts.playlist(account, sid, unit)
    return Response(data, media_type="application/vnd.apple.mpegurl", headers={"Cache-Control": "no-store"})


@router.get("/v1/sessions/{sid}/live/{unit}/{name}", response_class=Whatever)
def live_part(wired: Wired, account: Learner, sid: str, unit: str, name: str) -> Response:
    """A segment that this playlist names, or its initialisation."""
    data = wired.broadcasts.part(account, sid, unit, name)
    kind = "video/mp2t" if name.endswith(".ts") else "video/mp4"
    return Response(data, media_type=kind, headers={"Cache-Control": "no-store"})
