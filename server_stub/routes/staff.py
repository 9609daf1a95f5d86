"""What administrators and supervisors ask for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse, Response
from starlette.background import BackgroundTask

from server_stub.domain.duties import Right
from server_stub.published import Archive, Bytes
from server_stub.routes.deps import Staff, Wired

router = APIRouter(tags=["staff"])


@router.get("/v1/classes")
def classes(wired: Wired, account: Staff) -> dict[str, Any]:
    """The classes of this account's duties, with their figures."""
    return {
        "classes": [
            {
                "class": item.class_id,
                "title": item.title,
                "learners": item.learners,
                "sessions": item.sessions,
                "credited_ms": item.credited_ms,
            }
            for item in wired.overview.summaries(wired.office.classes(account, Right.FIGURES))
        ]
    }


@router.get("/v1/sessions/{sid}/tile/{path:path}", response_class=Bytes)
def tile(wired: Wired, account: Staff, sid: str, path: str) -> Response:
    """A bundle of a session's events, or their hashes, as far as the class log has its checkpoint."""
    data = wired.feed.tile(account, sid, f"tile/{path}")
    return Response(data, media_type="application/octet-stream", headers={"Cache-Control": "no-store"})


@router.get("/v1/classes/{class_id}/archive", response_class=Archive)
def archive(wired: Wired, account: Staff, class_id: str, masked: bool = False) -> FileResponse:
    """The class archive as .zip, made now; `?masked=1` leaves out who the people are."""
    wired.office.require(account, Right.EXPORT, class_id)
    wired.office.audit(account, "exported the archive", "masked" if masked else "with names", "page", class_id)
    path = wired.exporter.zip(class_id, masked=masked)
    return FileResponse(
        path, media_type="application/zip", filename=f"{class_id}.class.zip", background=BackgroundTask(path.unlink)
    )
