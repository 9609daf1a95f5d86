"""More of a learner's own pages: consents, photos, devices, notices, letters, preview and practice."""

from __future__ import annotations

import hashlib
import re
import secrets
from typing import Annotated

from fastapi import APIRouter, Form, Request
from fastapi.responses import FileResponse, RedirectResponse, Response
from starlette.background import BackgroundTask

from server_stub.domain import practice
from server_stub.domain.errors import NotThereError
from server_stub.domain.letters import Letter
from server_stub.domain.mine import MAY_WITHDRAW, preview_units
from server_stub.routes.me import Acts, MeRoute, Reads, marked, sent
from server_stub.routes.web import SAFE

router = APIRouter(include_in_schema=False, route_class=MeRoute)
Line = Annotated[str, Form(max_length=200)]
_NUMBER = re.compile(r"[0-9]{1,2}")
DONE = ("withdrawn", "lost", "sent", "deletion")


@router.get("/me/privacy")
def privacy(visit: Reads, done: str = "") -> Response:
    """What I agreed to, which photos there are and who opened them, my devices, my copy, deletion."""
    mine = visit.wired.mine
    seats = mine.seats(visit.account)
    return visit.show(
        "me_privacy.html", seats=seats, names=[secrets.token_hex(16) for _ in seats],
        agreed=mine.agreed(visit.account), photos=mine.photos(visit.account)[:100],
        answers_opened=mine.answers_opened(visit.account)[:100],
        devices=[(item, _short(item.vkey)) for item in mine.devices(visit.account)], may=MAY_WITHDRAW,
        done=done if done in DONE else "", titles=_titles(visit),
        fresh=visit.wired.sign_in.is_fresh(visit.token),
    )  # fmt: skip


def _titles(visit: Reads) -> dict[str, str]:
    return dict(visit.wired.supervision.bench.titles())


def _short(vkey: str) -> str:
    """A device's name that a form can carry."""
    return hashlib.sha256(vkey.encode()).hexdigest()[:32]


@router.post("/me/consents/withdraw")
def withdraw(visit: Acts, registration: Line = "", what: Line = "") -> Response:
    """Take a consent back, from the next check on."""
    visit.wired.mine.withdraw(visit.account, registration, what)
    return RedirectResponse("/me/privacy?done=withdrawn", 303)


@router.post("/me/devices/lost")
def lose(visit: Acts, device: Line = "") -> Response:
    """A device is lost: it signs nothing more."""
    found = [item.vkey for item in visit.wired.mine.devices(visit.account) if _short(item.vkey) == device]
    if not found:
        raise NotThereError("this learner has no such device")
    visit.wired.mine.lose(visit.account, visit.token, found[0])
    return RedirectResponse("/me/privacy?done=lost", 303)


@router.get("/me/copy/{class_id}")
def copy(visit: Reads, class_id: str) -> Response:
    """My own copy of a class, to verify without this server."""
    if not visit.wired.people.registrations(learner=visit.account.learner, class_id=class_id):
        raise NotThereError("this learner has no such class")
    visit.wired.limits.count("copy", visit.account.learner)
    path = visit.wired.exporter.zip(class_id, masked=False, learner=visit.account.learner)
    return FileResponse(path, media_type="application/zip", filename=f"{class_id}.class.zip", headers=SAFE,
                        background=BackgroundTask(path.unlink))  # fmt: skip


@router.get("/me/notices")
def notices(visit: Reads) -> Response:
    """What my classes told me before I agreed."""
    return visit.show("me_notices.html", notices=visit.wired.mine.notices(visit.account))


@router.get("/me/letters")
def letters(visit: Reads, done: str = "") -> Response:
    """What I asked or wrote, and the answers."""
    return _letters(visit, done=done if done in DONE else "")


def _letters(
    visit: Reads, *, done: str = "", draft: str = "", chosen: str = "", warned: tuple[str, ...] = ()
) -> Response:
    found = [(paper, paper.read(Letter)) for paper in visit.wired.letters.written(visit.account)]
    return visit.show("me_letters.html", letters=found, seats=visit.wired.mine.seats(visit.account), done=done,
                      fresh_name=secrets.token_hex(16), draft=draft, chosen=chosen, warned=warned,
                      marked=marked(visit))  # fmt: skip


@router.post("/me/letters")
def write(
    visit: Acts, letter: Line = "", registration: Line = "", what: Line = "question",
    text: Annotated[str, Form(max_length=5_000)] = "", anyway: Line = "",
) -> Response:  # fmt: skip
    """A question, a statement, a request for deletion; the same form again is kept once. Before a question with a word
    to look at is sent its writer is told, once; what somebody says in a case is told of after it has arrived."""
    marks = visit.wired.supervision.surveys.words.marks(text)
    if marks and what == "question" and anyway != "yes":
        return _letters(visit, draft=text, chosen=registration, warned=marks)
    visit.wired.limits.count("letter", visit.account.learner)
    visit.wired.letters.write(visit.account, letter, Letter(what, registration, text))
    return sent("/me/letters", "sent", () if anyway == "yes" else marks)


# --- looking without credit -------------------------------------------------------------------------------------------


@router.get("/me/classes/{registration}/preview")
def preview(visit: Reads, registration: str) -> Response:
    """The first lessons to look at."""
    seat = visit.wired.mine.seat(visit.account, registration)
    _, units = visit.wired.mine.units(visit.account, registration)
    return visit.show("me_preview.html", seat=seat, units=preview_units(units))


@router.get("/me/classes/{registration}/media/{unit}")
def media(visit: Reads, registration: str, unit: str) -> Response:
    """The picture and sound of a lesson that is free to look at; `Range` works."""
    digest, units = visit.wired.mine.units(visit.account, registration)
    found = next((item for item in preview_units(units) if item.id == unit), None)
    if found is None:
        raise NotThereError("no such lesson among those to look at")
    return FileResponse(visit.wired.files.file(digest, found.lower or found.media), headers=SAFE)


@router.get("/me/classes/{registration}/practice")
def questions(visit: Reads, registration: str) -> Response:
    """The course's questions to try."""
    return _practice(visit, registration, {})


@router.post("/me/classes/{registration}/practice")
async def answered(visit: Acts, request: Request, registration: str) -> Response:
    """The same with what was right; nothing is kept."""
    form = await request.form(max_files=0, max_fields=300)
    chosen = {key: int(value) for key, value in form.items() if isinstance(value, str) and _NUMBER.fullmatch(value)}
    return _practice(visit, registration, chosen)


def _practice(visit: Reads, registration: str, chosen: dict[str, int]) -> Response:
    seat = visit.wired.mine.seat(visit.account, registration)
    digest, units = visit.wired.mine.units(visit.account, registration)
    tried = practice.try_out(units, visit.wired.answers.of(digest), chosen)
    right = sum(item.right is True for item in tried)
    return visit.show("me_practice.html", seat=seat, tried=tried, right=right, asked=bool(chosen))
