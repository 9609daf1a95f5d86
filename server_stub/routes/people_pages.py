"""Learners: finding them, one of them, and importing them by list."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.duties import Right
from server_stub.domain.errors import StalePreviewError
from server_stub.domain.roster import Plan
from server_stub.routes.web import Acts, PageRoute, Reads, Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_SHOWN = 300  # lines of a preview; all lines with a problem come first


@router.get("/people")
def find(
    visit: Reads, q: Annotated[str, Query(max_length=100)] = "", after: str = "", then: str = ""
) -> Response:
    """Learners by part of a name, account or phone number, or by a whole identity number."""
    people, more = visit.wired.office.search(visit.account, q, after=(after[:200], then[:100]))
    titles = {item.class_id: item.title for item in visit.wired.office.classes(visit.account)}
    last = people[-1] if people else None
    return visit.show("people.html", people=people, more=more, q=q, titles=titles, last=last)


@router.get("/people/{learner}")
def person(visit: Reads, learner: str) -> Response:
    """One learner: classes, devices, sessions."""
    return _person(visit, learner, "")


@router.post("/people/{learner}/identity")
def identity(visit: Acts, learner: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """The identity number, for a stated reason that the class log keeps."""
    return _person(visit, learner, visit.wired.office.reveal_identity(visit.account, learner, reason))


def _person(visit: Visit, learner: str, number: str) -> Response:
    wired = visit.wired
    found = wired.office.person(visit.account, learner)
    may_reveal = any(wired.office.may(visit.account, Right.REVEAL, item) for item in found.classes)
    views = [wired.overview.class_view(item, [found]) for item in wired.office.classes(visit.account)
             if item.class_id in found.classes]  # fmt: skip
    return visit.show("person.html", one=found, views=views, number=number, may_reveal=may_reveal,
                      employer=wired.office.tree().places.get(found.employer))  # fmt: skip


@router.get("/import")
def import_page(visit: Reads) -> Response:
    """Where a list is chosen or pasted."""
    visit.wired.office.require_anywhere(visit.account, Right.IMPORT)
    return visit.show("import.html", classes=visit.wired.office.classes(visit.account, Right.IMPORT))


@router.post("/import")
def look(
    visit: Acts,
    class_id: Annotated[str, Form(max_length=64)] = "",
    text: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:
    """Read the list and show what would happen; nothing happens yet."""
    data = file.file.read() if file is not None and file.size else text.encode()
    draft, _ = visit.wired.importer.look(visit.account, class_id, data)
    return RedirectResponse(f"/import/{draft}", 303)


@router.get("/import/{draft}")
def preview(visit: Reads, draft: str) -> Response:
    """What the list would do, row by row."""
    return _preview(visit, draft)


@router.post("/import/{draft}")
def confirm(visit: Acts, draft: str, leave_out: Annotated[str, Form(max_length=3)] = "") -> Response:
    """Do what the preview showed, all of it."""
    plan = visit.wired.importer.confirm(visit.account, draft, leave_out=leave_out == "yes")
    return visit.show("imported.html", counts=_counts(plan), audit=plan.digest)


def _preview(visit: Visit, draft: str) -> Response:
    kept, plan = visit.wired.importer.again(visit.account, draft)
    if plan.digest != kept.shown:
        raise StalePreviewError("the same people were changed since the list was read")
    lines = sorted(plan.lines, key=lambda line: (line.state != "problem", line.state == "same", line.row.number))
    title = visit.wired.office.require(visit.account, Right.IMPORT, kept.class_id).title
    return visit.show(
        "preview.html", draft=draft, title=title, class_id=kept.class_id, lines=lines[:_SHOWN], all=len(lines),
        counts=_counts(plan), ignored=plan.ignored, places=visit.wired.office.tree().places,
    )  # fmt: skip


def _counts(plan: Plan) -> dict[str, int]:
    return {state: plan.count(state) for state in ("problem", "new", "enrol", "change", "same")}
