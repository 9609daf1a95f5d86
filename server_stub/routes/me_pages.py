"""A learner's own pages: the week, hours with reasons, records, review cases, certificates. They earn no hours."""

from __future__ import annotations

import secrets
from typing import Annotated, Final

from fastapi import APIRouter, Form, Request
from fastapi.responses import RedirectResponse, Response

from ledger.reasons import REASONS
from server_stub.domain.certificates import Issued
from server_stub.domain.errors import NotThereError, ServerError
from server_stub.domain.signin import LEARNER_TOKEN_MS
from server_stub.routes.class_pages import FILE, pdf
from server_stub.routes.deps import Wired, seen
from server_stub.routes.me import COOKIE, SIGN_IN, Acts, MeRoute, MyVisit, Reads, marked, sent
from server_stub.routes.web import language, render, same_site, under_tls
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=MeRoute)
Line = Annotated[str, Form(max_length=200)]
Area = Annotated[str, Form(max_length=5_000)]
FULL_DAY_MS: Final = 1_800_000  # the chart's height is half an hour at least: a minute is no full bar
DONE: Final = ("statement", "appeal", "withdrawn", "lost", "sent", "deletion")


# --- signing in -------------------------------------------------------------------------------------------------------


@router.get(SIGN_IN)
def sign_in_form(request: Request) -> Response:
    """Account first, then the code."""
    return _form(request)


def _form(request: Request, status: int = 200, problem: str = "", account: str = "", challenge: str = "") -> Response:
    return render(request, "me_sign_in.html", language(request), status, problem=problem, account=account,
                  challenge=challenge)  # fmt: skip


def _said(request: Request, error: ServerError) -> str:
    return error.zh if language(request) == "zh" else error.remedy


@router.post(SIGN_IN)
def start(wired: Wired, request: Request, account: Line = "") -> Response:
    """Send a code to the account's owner; the same answer for an account that is not there."""
    same_site(request)
    try:
        wired.limits.count("sign-in", seen(request))
        challenge, _ = wired.sign_in.start(account)
    except ServerError as error:
        return _form(request, error.status, _said(request, error), account)
    return _form(request, account=account, challenge=challenge)


@router.post("/me/sign-in/code")
def finish(wired: Wired, request: Request, account: Line = "", challenge: Line = "", code: Line = "") -> Response:
    """A new cookie for the right code, whatever cookie was there before."""
    same_site(request)
    try:
        wired.limits.count("sign-in", seen(request))
        token, _ = wired.sign_in.finish(challenge, code.strip())
    except ServerError as error:
        return _form(request, error.status, _said(request, error), account, challenge)
    wired.sign_in.sign_out(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/me", 303)
    secure = under_tls(request, wired)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, path="/me",
                      max_age=LEARNER_TOKEN_MS // 1000)  # fmt: skip
    return answer


@router.post("/me/sign-out")
def sign_out(visit: Acts) -> Response:
    """End the token of the cookie."""
    visit.wired.sign_in.sign_out(visit.token)
    answer = RedirectResponse(SIGN_IN, 303)
    answer.delete_cookie(COOKIE, path="/me")
    return answer


# --- hours ------------------------------------------------------------------------------------------------------------


@router.get("/me")
def home(visit: Reads) -> Response:
    """My week, my classes, what waits for me."""
    mine = visit.wired.mine
    seats = mine.seats(visit.account)
    cases = visit.wired.supervision.cases.of_learner(visit.account.learner)
    waiting = [(paper, case) for paper, case in cases if paper.state in ("open", "proposed", "decided")]
    week = mine.week(seats)
    return visit.show(
        "me.html", seats=seats, week=week, most=max([ms for _, ms in week] + [FULL_DAY_MS]), waiting=waiting
    )


@router.get("/me/classes/{registration}")
def one_class(visit: Reads, registration: str) -> Response:
    """One class: units, what is credited and what not with its reason, sessions, certificate."""
    seat = visit.wired.mine.seat(visit.account, registration)
    _, units = visit.wired.mine.units(visit.account, registration)
    titles = {unit.id: unit.title.in_(visit.lang) for unit in units}
    found = visit.wired.supervision.certificates.of_learner(visit.account.learner)
    place = f"class/{seat.registration.class_id}"
    proofs = [(paper, paper.read(Issued)) for paper in found if paper.place == place]
    tests = visit.wired.mine.tests(seat.registration.learner, seat.registration.class_id)
    return visit.show("me_class.html", seat=seat, titles=titles, tests=tests, reasons=_reasons(visit), proofs=proofs)


@router.get("/me/sessions/{sid}")
def one_session(visit: Reads, sid: str, done: str = "") -> Response:
    """One session: every part with its reason, checks, findings; and a place for one's own words."""
    session, found = visit.wired.mine.session(visit.account, sid)
    _, units = visit.wired.mine.units(visit.account, session.registration)
    titles = {unit.id: unit.title.in_(visit.lang) for unit in units}
    return visit.show(
        "me_session.html", session=session, found=found, titles=titles, reasons=_reasons(visit),
        done=done if done in DONE else "", letter=secrets.token_hex(16),
    )  # fmt: skip


def _reasons(visit: MyVisit) -> dict[str, str]:
    return {code: reason.zh if visit.lang == "zh" else reason.en for code, reason in REASONS.items()}


# --- review cases -----------------------------------------------------------------------------------------------------


@router.get("/me/cases")
def my_cases(visit: Reads, done: str = "") -> Response:
    """What is being looked into or was decided, why, and what I can say to it."""
    cases = visit.wired.supervision.cases.of_learner(visit.account.learner)
    known = WORDS["zh"]
    return visit.show(
        "me_cases.html", cases=cases, done=done if done in DONE else "", known=known, marked=marked(visit)
    )


@router.post("/me/cases/{case}/statement")
def state(visit: Acts, case: str, text: Area = "") -> Response:
    """My own words."""
    visit.wired.supervision.cases.state(visit.account.learner, case, text)
    return sent("/me/cases", "statement", visit.wired.supervision.surveys.words.marks(text))


@router.post("/me/cases/{case}/appeal")
def appeal(visit: Acts, case: str, text: Area = "") -> Response:
    """Somebody else is asked to look at a decision."""
    visit.wired.supervision.cases.appeal(visit.account.learner, case, text)
    return sent("/me/cases", "appeal", visit.wired.supervision.surveys.words.marks(text))


@router.get("/me/completions/{completion}")
def proof(visit: Reads, completion: str) -> Response:
    """My completion proof as PDF; the QR code verifies without this server."""
    for paper in visit.wired.supervision.certificates.of_learner(visit.account.learner):
        if paper.paper == completion:
            return Response(pdf(paper, paper.read(Issued)), headers=FILE)
    raise NotThereError("this learner has no such proof")
