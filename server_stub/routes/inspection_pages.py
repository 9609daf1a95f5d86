"""Spot checks by double random draw: announced, drawn, written down, published; and the public's own pages."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import PlainTextResponse, RedirectResponse, Response

from server_stub.domain.errors import ServerError, UnreadableError
from server_stub.domain.limits import line_of
from server_stub.domain.services import Services
from server_stub.routes.case_pages import names
from server_stub.routes.deps import Wired, seen
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads, language, render, same_site

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Line = Annotated[str, Form(max_length=300)]
Area = Annotated[str, Form(max_length=4000)]


@router.get("/inspections")
def inspections(visit: Reads) -> Response:
    """All rounds, latest first, and the form for a new one."""
    found = visit.wired.supervision.inspections.listed(visit.account)
    return visit.show("inspections.html", rounds=found)


@router.post("/inspections")
def announce(visit: Acts, name: Line = "", source: Line = "", count: Line = "", each: Line = "") -> Response:
    """Freeze the list before anybody knows the seed."""
    found = visit.wired.supervision.inspections.announce(visit.account, name, source, _number(count), _number(each))
    return RedirectResponse(f"/inspections/{found.paper}", 303)


@router.get("/inspections/{inspection}")
def inspection(visit: Reads, inspection: str) -> Response:
    """One round."""
    work = visit.wired.supervision
    found, value = work.inspections.look(visit.account, inspection)
    return visit.show("inspection.html", paper=found, value=value, titles=work.bench.titles(),
                      names=names(visit, work.inspections.visible(visit.account, value)),
                      base=_base(visit.wired, visit.request),
                      me=work.bench.sealer.pseudonym(visit.account.name))  # fmt: skip


@router.post("/inspections/{inspection}/draw")
def draw(visit: Acts, inspection: str, seed: Line = "") -> Response:
    """Draw by the public seed."""
    visit.wired.supervision.inspections.draw(visit.account, inspection, seed)
    return RedirectResponse(f"/inspections/{inspection}", 303)


@router.post("/inspections/{inspection}/result")
def result(
    visit: Acts, inspection: str, who: Line = "", how: Line = "", text: Line = "", compliant: Line = ""
) -> Response:
    """What an inspector found."""
    visit.wired.supervision.inspections.record(
        visit.account, inspection, who, how, text, compliant=compliant == "yes"
    )
    return RedirectResponse(f"/inspections/{inspection}", 303)


@router.post("/inspections/{inspection}/publish")
def publish(visit: Acts, inspection: str) -> Response:
    """The result is for everybody to read."""
    visit.wired.supervision.inspections.publish(visit.account, inspection)
    return RedirectResponse(f"/inspections/{inspection}", 303)


@router.post("/inspections/{inspection}/calls")
def calls(visit: Acts, inspection: str) -> Response:
    """The call-back sheet, to be printed; who printed it stands in the class log."""
    work = visit.wired.supervision
    rows = work.inspections.call_sheet(visit.account, inspection)
    found, value = work.inspections.look(visit.account, inspection)
    return visit.show("calls.html", rows=rows, paper=found, value=value, titles=work.bench.titles(),
                      now=visit.wired.clock())  # fmt: skip


# --- for everybody ----------------------------------------------------------------------------------------------------


@router.get("/public/inspections/{inspection}")
def public(wired: Wired, request: Request, inspection: str) -> Response:
    """What was announced, drawn and found: no name, and the command with which anybody draws the same."""
    found, value = wired.supervision.inspections.published(inspection)
    return render(request, "public_inspection.html", language(request), paper=found, value=value,
                  base=_base(wired, request))  # fmt: skip


@router.get("/public/inspections/{inspection}/list")
def public_list(wired: Wired, inspection: str) -> Response:
    """The list as it was published, byte for byte."""
    _, value = wired.supervision.inspections.published(inspection)
    return PlainTextResponse(value.listing, headers=SAFE)


@router.get("/tips")
def tip_form(wired: Wired, request: Request, code: Annotated[str, Query(max_length=40)] = "") -> Response:
    """The form for anybody, and what became of an earlier tip."""
    known, problem = None, ""
    if code:
        wired.limits.count("sign-in", seen(request))
        try:
            known = wired.supervision.tips.follow(code)
        except ServerError as error:
            problem = error.zh if language(request) == "zh" else error.remedy
    return render(request, "tips.html", language(request), code=code, known=known, made="", problem=problem)


@router.post("/tips")
def take_tip(wired: Wired, request: Request, about: Line = "", text: Area = "", contact: Line = "") -> Response:
    """A complaint or a tip, from anybody; counted by address."""
    same_site(request)
    wired.limits.count("account", f"tip {line_of(seen(request))}")
    made = wired.supervision.tips.take(about, text, contact)
    return render(request, "tips.html", language(request), code="", known=None, made=made, problem="")


@router.post("/tips/helped")
def tip_helped(
    wired: Wired, request: Request, code: Annotated[str, Form(max_length=40)] = "",
    said: Annotated[str, Form(max_length=20)] = "",
) -> Response:  # fmt: skip
    """Whether an answer helped, by whoever has the code; counted by address as every look by a code."""
    same_site(request)
    wired.limits.count("sign-in", seen(request))
    wired.supervision.tips.helped(code, said)
    known = wired.supervision.tips.follow(code)
    return render(request, "tips.html", language(request), code=code, known=known, made="", problem="")


def _base(wired: Services, request: Request) -> str:
    """The address of these pages: the operator's word, and only without it what the request says of itself."""
    return wired.origin or str(request.base_url).rstrip("/")


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and 0 < len(text) < 6):
        raise UnreadableError("a number is written in digits")
    return int(text)
