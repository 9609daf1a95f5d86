"""What administrators and supervisors ask for."""

from __future__ import annotations

from typing import Any

from fastapi import APIRouter
from fastapi.responses import FileResponse
from starlette.background import BackgroundTask

from server_stub.routes.deps import Staff, Wired

router = APIRouter(tags=["staff"])


@router.get("/v1/classes")
def classes(wired: Wired, _account: Staff) -> dict[str, Any]:
    """Every class with its figures."""
    return {
        "classes": [
            {
                "class": view.class_id,
                "title": view.title,
                "learners": len(view.learners),
                "sessions": view.sessions,
                "credited_ms": view.credited_ms,
            }
            for view in wired.overview.classes()
        ]
    }


@router.get("/v1/classes/{class_id}/archive")
def archive(wired: Wired, _account: Staff, class_id: str, masked: bool = False) -> FileResponse:
    """The class archive as .zip, made now; `?masked=1` leaves out who the people are."""
    path = wired.exporter.zip(class_id, masked=masked)
    return FileResponse(
        path, media_type="application/zip", filename=f"{class_id}.zip", background=BackgroundTask(path.unlink)
    )
