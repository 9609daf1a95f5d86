"""Providers' files on pages: the list, one file with its record, its review, and what is open to the public."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.duties import Right
from server_stub.domain.providers import KINDS
from server_stub.domain.work_errors import WrongStateError
from server_stub.routes.deps import Wired
from server_stub.routes.web import Acts, PageRoute, Reads, language, render

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Line = Annotated[str, Form(max_length=200)]


@router.get("/providers")
def providers(visit: Reads) -> Response:
    """All that the account may see, those with something to look at first."""
    return visit.show("providers.html", seen=visit.wired.supervision.providers.listed(visit.account), kinds=KINDS)


@router.get("/providers/{provider}")
def one(visit: Reads, provider: str, done: str = "") -> Response:
    """One file, what reviewers wrote, and what happened."""
    files = visit.wired.supervision.providers
    seen = files.one(visit.account, provider)
    try:
        courses = visit.wired.handed.courses(visit.account, provider) if files.may_write(visit.account, seen) else None
    except WrongStateError:  # the file waits for its review
        courses = None
    return visit.show(
        "provider.html", seen=seen, record=files.record(visit.account, provider), kinds=KINDS,
        courses=courses, may_write=files.may_write(visit.account, seen),
        done=done if done in ("saved", "reviewed") else "",
        may_review=Right.DECIDE in visit.wired.office.rights(visit.account),
    )  # fmt: skip


@router.post("/providers/{provider}")
def save(
    visit: Acts, provider: str, what: Line = "", licence: Line = "", until: Line = "", contact: Line = "",
    courses: Line = "", free: Line = "", titles: Annotated[str, Form(max_length=100_000)] = "",
) -> Response:  # fmt: skip
    """Write the file."""
    form = {"what": what, "licence": licence, "until": until, "contact": contact, "courses": courses, "free": free,
            "titles": titles}  # fmt: skip
    visit.wired.supervision.providers.save(visit.account, provider, form)
    return RedirectResponse(f"/providers/{provider}?done=saved", 303)


@router.post("/providers/{provider}/review")
def review(
    visit: Acts, provider: str, verdict: Line = "", text: Annotated[str, Form(max_length=500)] = ""
) -> Response:
    """What a reviewer found."""
    visit.wired.supervision.providers.review(visit.account, provider, approved=verdict == "yes", text=text)
    return RedirectResponse(f"/providers/{provider}?done=reviewed", 303)


@router.get("/public/providers")
def public(wired: Wired, request: Request) -> Response:
    """Which providers' favourable reviews are open to the public, five working days each."""
    found = wired.supervision.providers.public()
    return render(request, "public_providers.html", language(request), seen=found)
