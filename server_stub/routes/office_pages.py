"""The staff's own business: accounts, duties, places, the journal, and employers' devices."""

from __future__ import annotations

import re
from datetime import datetime, timedelta, timezone
from typing import Annotated
from urllib.parse import urlencode

from fastapi import APIRouter, Form, Query
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.duties import KINDS, ROLE_PLACES, ROLES, Place, Right
from server_stub.domain.errors import UnreadableError
from server_stub.domain.office import EVERYTHING, PAGE
from server_stub.domain.registry import Sought
from server_stub.routes.web import CHINA_MINUTES, Acts, PageRoute, Reads, Visit
from server_stub.routes.words import WORDS

_WRITTEN = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
router = APIRouter(include_in_schema=False, route_class=PageRoute)
Text = Annotated[str, Form(max_length=200)]
Number = Annotated[int, Form()]


@router.get("/staff")
def staff(visit: Reads) -> Response:
    """Accounts with their duties, and the places."""
    office = visit.wired.office
    office.require_anywhere(visit.account, Right.STAFF)
    return visit.show("staff.html", duties=office.all_duties(visit.account), places=office.places(visit.account),
                      roles=list(ROLES), role_places=ROLE_PLACES, kinds=KINDS, me=visit.account.name)  # fmt: skip


@router.post("/staff")
def add_staff(
    visit: Acts, account: Text = "", name: Text = "", password: Text = "", role: Text = "", place: Text = ""
) -> Response:
    """A new account of the staff with its first duty."""
    visit.wired.office.add_staff(visit.account, account, name, password, (role, place))
    return RedirectResponse("/staff", 303)


@router.post("/staff/duties")
def give(visit: Acts, account: Text = "", role: Text = "", place: Text = "") -> Response:
    """One more duty."""
    visit.wired.office.give(visit.account, account, role, place)
    return RedirectResponse("/staff", 303)


@router.post("/staff/duties/end")
def take_back(visit: Acts, account: Text = "", role: Text = "", place: Text = "") -> Response:
    """A duty ends, and the account's sign-ins with it."""
    visit.wired.office.take_back(visit.account, account, role, place)
    return RedirectResponse("/staff", 303)


@router.post("/places")
def put_place(visit: Acts, kind: Text = "", key: Text = "", name: Text = "", parent: Text = "") -> Response:
    """A place is added, renamed or moved."""
    visit.wired.office.put_place(visit.account, Place(f"{kind}/{key}", " ".join(name.split()), parent))
    return RedirectResponse("/staff", 303)


@router.get("/journal")
def journal(
    visit: Reads, before: Annotated[int, Query(ge=0, lt=2**52)] = 2**52 - 1,
    by: Annotated[str, Query(max_length=100)] = "", did: Annotated[str, Query(max_length=200)] = "",
    class_id: Annotated[str, Query(max_length=64)] = "", day: Annotated[str, Query(max_length=10)] = "",
) -> Response:  # fmt: skip
    """Who did what, latest first; sought by person, verb, class and day."""
    since, until = _day(day)
    sought = Sought(None, before, (), by, did, since, until)
    deeds = visit.wired.office.journal(visit.account, sought, class_id)
    asked = {"by": by, "did": did, "class_id": class_id, "day": day}
    words = WORDS[visit.lang].items()
    verbs = sorted((word, name.removeprefix("did ")) for name, word in words if name.startswith("did "))
    return visit.show(
        "journal.html", deeds=deeds, asked=asked, verbs=verbs, classes=visit.wired.office.classes(visit.account)[:500],
        earlier=urlencode({name: value for name, value in asked.items() if value}), more=len(deeds) == PAGE,
    )  # fmt: skip


def _day(text: str) -> tuple[int, int]:
    """A day in China as ms, from its first moment to the next day's; everything for none."""
    if not text:
        return EVERYTHING.since, EVERYTHING.until
    try:
        first = datetime.fromisoformat(text if _WRITTEN.fullmatch(text) else "")
    except ValueError as error:
        raise UnreadableError("a day is written as 2026-11-22") from error
    since = int(first.replace(tzinfo=timezone(timedelta(minutes=CHINA_MINUTES))).timestamp() * 1000)
    return since, since + 86_400_000


@router.get("/fleet")
def fleet(visit: Reads, place: Annotated[str, Query(max_length=80)] = "") -> Response:
    """An employer's devices: versions and what was not sent; no learner's findings."""
    return _fleet(visit, place, "")


@router.post("/fleet/tokens")
def make_token(
    visit: Acts, place: Text = "", label: Text = "", days: Number = 14, count: Number = 1
) -> Response:
    """A new enrolment token, shown on this page and never again."""
    return _fleet(visit, place, visit.wired.tokens.make(visit.account, place, label, days, count))


@router.post("/fleet/tokens/end")
def end_token(visit: Acts, place: Text = "", token: Text = "") -> Response:
    """The token opens nothing any more."""
    visit.wired.tokens.end(visit.account, place, token)
    return RedirectResponse("/fleet?" + urlencode({"place": place}), 303)


def _fleet(visit: Visit, place: str, made: str) -> Response:
    visit.wired.office.require_anywhere(visit.account, Right.FLEET)
    places = visit.wired.fleet.places(visit.account)
    chosen = place or (places[0][0] if places else "")
    view = visit.wired.fleet.view(visit.account, chosen) if chosen else None
    tokens = visit.wired.tokens.of(visit.account, chosen) if chosen else []
    return visit.show("fleet.html", places=places, view=view, tokens=tokens, made=made)
