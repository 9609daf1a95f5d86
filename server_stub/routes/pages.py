"""Signing in, the classes, one class, and one's own account."""

from __future__ import annotations

from collections import Counter
from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import HTMLResponse, RedirectResponse, Response

from server_stub.domain.duties import Right
from server_stub.domain.errors import NotSignedInError, ServerError
from server_stub.domain.services import Services
from server_stub.domain.signin import STAFF_TOKEN_MS, account_name
from server_stub.domain.waiting import KINDS, waiting
from server_stub.routes.deps import COOKIE, Wired, seen
from server_stub.routes.web import Acts, PageRoute, Reads, Visit, language, render, same_site, under_tls

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Text = Annotated[str, Form(max_length=200)]
MOST_CLASSES: Final = 200  # on one page; a larger district finds a class by a part of its name
_DONE = ("password", "others", "passkey", "passkey_gone", "linked", "unlinked")


def organisation(wired: Services) -> str:
    """What the organisation's own sign-in is called; "" where there is none."""
    return wired.oidc.provider.name if wired.oidc else ""


def _form(request: Request, wired: Services, status: int = 200, problem: str = "", account: str = "") -> Response:
    said = {"problem": problem, "account": account, "organisation": organisation(wired)}
    return render(request, "sign_in.html", language(request), status, **said)


@router.get("/", response_class=HTMLResponse)
def page(wired: Wired, request: Request, q: Annotated[str, Query(max_length=100)] = "") -> Response:
    """What waits for this account and the classes that it may see, or the sign-in form."""
    try:
        visit = Visit.reading(request, wired)
    except NotSignedInError:
        return _form(request, wired)
    every = wired.office.classes(visit.account, Right.FIGURES)
    wanted = q.strip().lower()
    found = [item for item in every if wanted in f"{item.title} {item.class_id}".lower()]
    due = waiting(wired.supervision.bench, visit.account)
    return visit.show(
        "classes.html", classes=wired.overview.summaries(found[:MOST_CLASSES]), number=len(every), matching=len(found),
        q=q, due=due, kinds=KINDS, by_class=due.by_class if due else {}, hands=_hands(wired),
    )  # fmt: skip


def _hands(wired: Services) -> Counter[str]:
    """Class → hands that are up in it."""
    up = list(wired.hands.up())
    found = wired.supervision.bench.read(lambda tx: [tx.events.session(sid) for sid in up])
    return Counter(session.class_id for session in found if session is not None)


@router.post("/sign-in")
def sign_in(wired: Wired, request: Request, account: Text = "", password: Text = "") -> Response:
    """A new cookie, whatever cookie was there before; a wrong password says so and nothing else."""
    same_site(request)
    try:
        wired.limits.count("password", seen(request))
        wired.limits.count("account", account_name(account))
        token, _ = wired.sign_in.staff(account, password)
    except ServerError as error:
        lang = language(request)
        said = error.zh if lang == "zh" else error.remedy
        return _form(request, wired, error.status, said, account)
    wired.sign_in.sign_out(request.cookies.get(COOKIE, ""))
    answer = RedirectResponse("/", 303)
    secure = under_tls(request, wired)
    answer.set_cookie(COOKIE, token, httponly=True, samesite="strict", secure=secure, max_age=STAFF_TOKEN_MS // 1000)
    return answer


@router.post("/sign-out")
def sign_out(visit: Acts) -> Response:
    """End the token of the cookie."""
    visit.wired.sign_in.sign_out(visit.token)
    answer = RedirectResponse("/", 303)
    answer.delete_cookie(COOKIE)
    return answer


@router.get("/classes/{class_id}")
def class_page(
    visit: Reads, class_id: str, q: Annotated[str, Query(max_length=100)] = "", after: str = "", then: str = ""
) -> Response:
    """One class: its learners with their sessions, fifty at a time."""
    wired = visit.wired
    classroom = wired.office.require(visit.account, Right.SEE, class_id)
    people, more = wired.office.search(visit.account, q, class_id, (after[:200], then[:100]))
    view = wired.overview.class_view(classroom, people)
    may = {right.value for right in Right if wired.office.may(visit.account, right, class_id)}
    return visit.show("class.html", view=view, q=q, more=more, last=people[-1] if people else None, may=may)


@router.get("/account")
def account_page(visit: Reads, done: str = "") -> Response:
    """One's own account: duties, running sign-ins, the password."""
    wired = visit.wired
    return visit.show(
        "account.html", duties=wired.office.duties(visit.account), held=wired.sign_in.held(visit.account),
        places=wired.office.tree().places, done=done in _DONE and done, account=visit.account.name,
        passkeys=wired.passkeys.of(visit.account), organisation=organisation(wired),
        linked=wired.oidc is not None and wired.oidc.is_linked(visit.account),
    )  # fmt: skip


@router.post("/account/password")
def change_password(visit: Acts, old: Text = "", new: Text = "") -> Response:
    """A new password ends every other sign-in."""
    visit.wired.limits.count("account", visit.account.name)
    visit.wired.sign_in.change_password(visit.account, visit.token, old, new)
    visit.wired.office.audit(visit.account, "changed the own password", "own account", "own account")
    return RedirectResponse("/account?done=password", 303)


@router.post("/account/others")
def end_others(visit: Acts) -> Response:
    """End every other sign-in."""
    visit.wired.sign_in.end_others(visit.account, visit.token)
    return RedirectResponse("/account?done=others", 303)
