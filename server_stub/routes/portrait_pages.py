"""Reference photos on pages: a .zip looked at, confirmed, and one photo handed to a reviewer for a stated reason."""

from __future__ import annotations

import re
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse, Response

from server_stub.domain.citizen import masked
from server_stub.domain.duties import Right
from server_stub.domain.errors import StalePreviewError
from server_stub.domain.portraits import Plan
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_STATES: Final = ("problem", "new", "replace", "same")


@router.post("/import/photos")
def look(
    visit: Acts,
    class_id: Annotated[str, Form(max_length=64)] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Read the .zip and show whose photos it holds; nothing happens yet."""
    data = file.file.read() if file is not None else b""
    draft, _ = visit.wired.portraits.look(visit.account, class_id, data)
    return RedirectResponse(f"/import/photos/{draft}", 303)


@router.get("/import/photos/{bag}")
def preview(visit: Reads, bag: str) -> Response:
    """What the .zip would do, file by file; what cannot be imported first."""
    kept, plan = visit.wired.portraits.again(visit.account, bag)
    if plan.digest != kept.shown:
        raise StalePreviewError("the same people were changed since the photos were read")
    lines = sorted(plan.lines, key=lambda line: (line.state != "problem", line.state == "same", line.file))
    room = visit.wired.office.require(visit.account, Right.IMPORT, kept.class_id)
    return visit.show("portraits.html", bag=bag, room=room, lines=lines, counts=_counts(plan), done=False,
                      hidden=_hidden)  # fmt: skip


@router.post("/import/photos/{bag}")
def confirm(visit: Acts, bag: str, leave_out: Annotated[str, Form(max_length=3)] = "") -> Response:
    """Do what the preview showed, all of it."""
    plan = visit.wired.portraits.confirm(visit.account, bag, leave_out=leave_out == "yes")
    return visit.show("portraits.html", counts=_counts(plan), audit=plan.digest, done=True)


@router.post("/people/{learner}/compare")
def compare(
    visit: Acts, learner: str, reason: Annotated[str, Form(max_length=500)] = "",
    vkey: Annotated[str, Form(max_length=1000)] = "",
) -> Response:  # fmt: skip
    """The reference photo, once its learner agreed, for a stated reason that the class log keeps: sealed to the
    reviewer's key, for this browser to open with a key that is never sent."""
    return JSONResponse(visit.wired.portraits.hand_out(visit.account, learner, reason, vkey), headers=SAFE)


def _hidden(file: str) -> str:
    """A file's name with the identity number in it masked."""
    return re.sub(r"[0-9]{17}[0-9Xx]", lambda found: masked(found[0]), file)


def _counts(plan: Plan) -> dict[str, int]:
    return {state: plan.count(state) for state in _STATES}
