"""A provider's own practice questions on pages: a list looked at and handed in; what somebody else decides of it."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from ledger.course import Course
from server_stub.domain.practice import Bank
from server_stub.routes.practice_pages import rows
from server_stub.routes.web import Acts, PageRoute, Reads, Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Reason = Annotated[str, Form(max_length=500)]


@router.get("/providers/{provider}/questions/{course}")
def questions(visit: Reads, provider: str, course: str, done: str = "") -> Response:
    """What learners of this course practise with, what was handed in, and where a list is chosen or pasted."""
    found = visit.wired.handed.course(visit.account, provider, course)
    return _show(visit, provider, found, visit.wired.practice.of(course), done="handed" if done == "handed" else "",
                 handed=visit.wired.handed.of_provider(visit.account, provider, course))  # fmt: skip


@router.post("/providers/{provider}/questions/{course}")
def look(
    visit: Acts, provider: str, course: str, text: Annotated[str, Form()] = "",
    file: Annotated[UploadFile | None, File()] = None,
) -> Response:  # fmt: skip
    """Read the list and show what it would become; nothing is handed in yet."""
    data = file.file.read() if file is not None and file.size else text.encode()
    draft = visit.wired.handed.look(visit.account, provider, course, data)
    return RedirectResponse(f"/providers/{provider}/questions/{course}/{draft}", 303)


@router.get("/providers/{provider}/questions/{course}/{hand}")
def preview(visit: Reads, provider: str, course: str, hand: str) -> Response:
    """The questions as learners would see them, and the rows that cannot be read."""
    found = visit.wired.handed.again(visit.account, provider, course, hand)
    return _show(visit, provider, visit.wired.handed.course(visit.account, provider, course), found.bank, draft=hand,
                 problems=found.problems)  # fmt: skip


@router.post("/providers/{provider}/questions/{course}/{hand}")
def hand_in(
    visit: Acts, provider: str, course: str, hand: str, leave_out: Annotated[str, Form(max_length=3)] = ""
) -> Response:
    """Hand them in; somebody else looks before they are practised."""
    visit.wired.handed.hand_in(visit.account, provider, course, hand, leave_out=leave_out == "yes")
    return RedirectResponse(f"/providers/{provider}/questions/{course}?done=handed", 303)


@router.get("/questions/{handed}")
def review(visit: Reads, handed: str) -> Response:
    """A list that waits, for whoever may import into the classes of its course."""
    paper, value, found, course = visit.wired.handed.one(visit.account, handed)
    shown, count = rows(visit, course, found.bank)
    return visit.show("handed_review.html", paper=paper, value=value, asked=shown, all=count, me=visit.account.name)


@router.post("/questions/{handed}")
def decide(visit: Acts, handed: str, do: Annotated[str, Form(max_length=10)] = "", reason: Reason = "") -> Response:
    """Take it, or return it with a reason."""
    paper, _, _, _ = visit.wired.handed.one(visit.account, handed)
    visit.wired.handed.decide(visit.account, handed, take=do == "take", reason=reason)
    return RedirectResponse(f"/classes/{paper.place.partition('/')[2]}/questions?done=decided", 303)


def _show(visit: Visit, provider: str, course: Course, bank: Bank, **more: object) -> Response:
    seen = visit.wired.supervision.providers.one(visit.account, provider)
    shown, count = rows(visit, course, bank)
    plain = {"draft": "", "problems": (), "done": "", "handed": []}
    return visit.show("handed.html", seen=seen, course=course, asked=shown, all=count, count=bank.count,
                      **(plain | more))  # fmt: skip
