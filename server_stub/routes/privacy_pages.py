"""Personal information on pages: purposes, clocks, the count of faces, one learner's consents, export and deletion."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.duties import Right
from server_stub.domain.privacy import purposes
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Reason = Annotated[str, Form(max_length=400)]
_JSON: Final = {**SAFE, "Content-Type": "application/json", "Content-Disposition": 'attachment; filename="person.json"'}
_NOTE: Final = {**SAFE, "Content-Type": "text/plain; charset=utf-8"}


@router.get("/privacy")
def privacy(visit: Reads) -> Response:
    """What is handled and why, which clocks run, which addresses are called, how many faces are kept."""
    work = visit.wired.supervision
    visit.wired.office.require_anywhere(visit.account, Right.DECIDE)
    faces, limit = work.privacy.faces()
    configured = [url for room in work.bench.keyring.logs for url in work.bench.keyring.trust(room).urls.values()]
    return visit.show(
        "privacy.html", purposes=purposes(), faces=faces, limit=limit, clocks=work.retention.clocks(),
        endpoints=sorted(work.rules.allowed(*configured, *visit.wired.called)), strict=bool(work.rules.endpoints),
        courses=work.retention.courses(), titles=work.bench.titles(), filed=work.privacy.assessments(),
        days=work.rules.retention_days,
    )  # fmt: skip


@router.get("/privacy/impact")
def impact(visit: Reads) -> Response:
    """The impact assessment as things are configured now, to be printed."""
    work = visit.wired.supervision
    visit.wired.office.require_anywhere(visit.account, Right.DECIDE)
    return visit.show("impact.html", facts=work.privacy.assess(), filed=None)


@router.post("/privacy/impact")
def file_impact(visit: Acts) -> Response:
    """Keep today's."""
    visit.wired.supervision.privacy.file_assessment(visit.account)
    return RedirectResponse("/privacy", 303)


@router.get("/people/{learner}/privacy")
def person(visit: Reads, learner: str) -> Response:
    """One learner: consents, holds, what was erased."""
    work, office = visit.wired.supervision, visit.wired.office
    found = office.person(visit.account, learner)
    may = {right.value for right in Right for item in found.classes if office.may(visit.account, right, item)}
    return visit.show(
        "person_privacy.html", one=found, consents=work.privacy.consents(found.learner), may=may,
        held=work.retention.held(found.learner), deletions=work.privacy.deletions(found.learner),
        titles=work.bench.titles(), portrait=visit.wired.portraits.standing(found.learner),
    )  # fmt: skip


@router.post("/people/{learner}/hold")
def hold(visit: Acts, learner: str, reason: Reason = "") -> Response:
    """Nothing about this learner is erased for now."""
    visit.wired.supervision.retention.hold(visit.account, learner, reason)
    return RedirectResponse(f"/people/{learner}/privacy", 303)


@router.post("/people/{learner}/hold/end")
def end_hold(visit: Acts, learner: str, reason: Reason = "") -> Response:
    """The hold ends."""
    visit.wired.supervision.retention.end_hold(visit.account, learner, reason)
    return RedirectResponse(f"/people/{learner}/privacy", 303)


@router.post("/people/{learner}/export")
def export(visit: Acts, learner: str, reason: Reason = "") -> Response:
    """All that is kept of a learner beside the records."""
    return Response(visit.wired.supervision.privacy.export(visit.account, learner, reason), headers=_JSON)


@router.post("/people/{learner}/erase")
def erase(visit: Acts, learner: str, reason: Reason = "") -> Response:
    """Erase what may go; the receipt stands on the learner's page."""
    visit.wired.supervision.privacy.erase(visit.account, learner, reason)
    return RedirectResponse(f"/people/{learner}/privacy", 303)


@router.get("/deletions/{deletion}")
def receipt(visit: Reads, deletion: str) -> Response:
    """A deletion's signed receipt, as text."""
    return Response(visit.wired.supervision.privacy.receipt(visit.account, deletion), headers=_NOTE)
