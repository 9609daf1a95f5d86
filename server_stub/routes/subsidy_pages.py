"""Subsidies that other offices paid, on pages: a list looked at, confirmed, looked up, and one entry taken out."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.errors import StalePreviewError
from server_stub.domain.subsidies import SHOWN, Plan
from server_stub.routes.web import Acts, PageRoute, Reads, Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_LINES = 500  # of a preview; the counts are of all


@router.get("/subsidies")
def subsidies(visit: Reads, done: str = "") -> Response:
    """What is kept, and where a list is chosen or pasted."""
    return _page(visit, "", done if done in ("kept", "removed") else "")


@router.post("/subsidies/find")
def find(visit: Acts, number: Annotated[str, Form(max_length=40)] = "") -> Response:
    """What was paid for one identity number: it is sent in a form, never in an address that a log would keep."""
    return _page(visit, number, "")


def _page(visit: Visit, number: str, done: str) -> Response:
    found = visit.wired.supervision.subsidies.latest(visit.account, number)
    return visit.show("subsidies.html", found=found, asked=bool(number.strip()), done=done, most=SHOWN)


@router.post("/subsidies")
def look(
    visit: Acts, text: Annotated[str, Form()] = "", file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Read the list and show what would happen; nothing happens yet."""
    data = file.file.read() if file is not None and file.size else text.encode()
    draft, _ = visit.wired.supervision.subsidies.look(visit.account, data)
    return RedirectResponse(f"/subsidies/{draft}", 303)


@router.get("/subsidies/{payments}")
def preview(visit: Reads, payments: str) -> Response:
    """What the list would do, row by row; what cannot be taken first."""
    kept, plan = visit.wired.supervision.subsidies.again(visit.account, payments)
    if plan.digest != kept.shown:
        raise StalePreviewError("the list of subsidies was changed since it was read")
    lines = sorted(plan.lines, key=lambda line: (line.state != "problem", line.state == "same", line.row.number))
    return visit.show("subsidy_preview.html", draft=payments, lines=lines[:_LINES], all=len(lines),
                      counts=_counts(plan))  # fmt: skip


@router.post("/subsidies/{payments}")
def confirm(visit: Acts, payments: str, leave_out: Annotated[str, Form(max_length=3)] = "") -> Response:
    """Do what the preview showed, all of it."""
    visit.wired.supervision.subsidies.confirm(visit.account, payments, leave_out=leave_out == "yes")
    return RedirectResponse("/subsidies?done=kept", 303)


@router.post("/subsidies/{payment}/remove")
def remove(visit: Acts, payment: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Take a wrong entry out, for a stated reason that the journal keeps."""
    visit.wired.supervision.subsidies.remove(visit.account, payment, reason)
    return RedirectResponse("/subsidies?done=removed", 303)


def _counts(plan: Plan) -> dict[str, int]:
    return {state: plan.count(state) for state in ("problem", "new", "same")}
