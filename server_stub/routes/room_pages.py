"""Beside the live view: one learner now, sign-ins, a room with an invigilator, raised hands."""

from __future__ import annotations

from typing import Annotated, Any

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from ledger.identify import LASTS_MS
from server_stub.domain import dossier
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError
from server_stub.routes.accounts import Body
from server_stub.routes.deps import Learner, Wired
from server_stub.routes.live_pages import values_of
from server_stub.routes.web import Acts, PageRoute, Reads

router = APIRouter(include_in_schema=False, route_class=PageRoute)
hands = APIRouter(tags=["sessions"])


class HandBody(Body):
    up: bool


@hands.post("/v1/sessions/{sid}/hand")
def hand(wired: Wired, account: Learner, sid: str, body: HandBody) -> dict[str, Any]:
    """Raise or lower one's hand: a person of the school sees it in the live view within seconds."""
    wired.limits.count("letter", account.learner)
    wired.hands.put(account, sid, up=body.up)
    return {"up": body.up}


@router.post("/classes/{class_id}/hands")
def lower(visit: Acts, class_id: str, sid: Annotated[str, Form(max_length=32)] = "") -> Response:
    """Somebody has answered: the hand goes down."""
    visit.wired.office.require(visit.account, Right.STEER, class_id)
    session = visit.wired.records.read(lambda tx: tx.events.session(sid))
    if session is None or session.class_id != class_id:
        raise NotThereError("no such session")
    visit.wired.office.audit(visit.account, "answered a raised hand", sid, "page", class_id)
    visit.wired.hands.lower(sid)
    return RedirectResponse(f"/classes/{class_id}/live", 303)


@router.get("/classes/{class_id}/live/{sid}")
def one(visit: Reads, class_id: str, sid: str) -> Response:
    """One learner as the session stands now: checks, findings, what was not credited, and every act on it."""
    values = values_of(visit, class_id)
    line = next((item for item in values["view"].lines if item.now.sid == sid), None)
    if line is None:
        raise NotThereError("no such open session in this class")
    work = visit.wired.supervision
    found = dossier.read(work.bench, visit.wired.settler, sid)
    may = {right.value for right in Right if visit.wired.office.may(visit.account, right, class_id)}
    signed = next(item for item in visit.wired.rooms.sign_ins(class_id) if item.learner == line.now.learner)
    return visit.show("live_session.html", **values, line=line, found=found, may=may, signed=signed)


@router.get("/classes/{class_id}/sign-ins")
def sign_ins(visit: Reads, class_id: str) -> Response:
    """Who signed in today and who did not."""
    values = values_of(visit, class_id)
    return visit.show("sign_ins.html", **values, found=visit.wired.rooms.sign_ins(class_id))


@router.get("/classes/{class_id}/room")
def room(
    visit: Reads, class_id: str, present: Annotated[list[str] | None, Query(max_length=500)] = None,
    method: str = "room", sent: str = "",
) -> Response:  # fmt: skip
    """Whose presence a person has signed, until when; the command for the next round, and where its notes go."""
    values = values_of(visit, class_id)
    visit.wired.office.require(visit.account, Right.DECIDE, class_id)
    found = visit.wired.rooms.present(class_id, values["view"].lines)
    method = method if method in LASTS_MS else "room"
    chosen = [item.learner for item in found if (item.learner in present if present else item.due)]
    return visit.show(
        "room.html", **values, found=found, method=method, methods=tuple(LASTS_MS), chosen=chosen, sent=sent == "notes"
    )
