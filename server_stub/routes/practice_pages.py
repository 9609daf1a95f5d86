"""Practice questions of a class's course: what there is, a list looked at, and confirmed."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from ledger.course import Course, Question
from server_stub.domain.duties import Right
from server_stub.domain.handed import Handed
from server_stub.domain.papers import Paper
from server_stub.domain.practice import Bank, Key
from server_stub.routes.web import Acts, PageRoute, Reads, Visit

router = APIRouter(include_in_schema=False, route_class=PageRoute)
_SHOWN: Final = 200


@router.get("/classes/{class_id}/questions")
def questions(visit: Reads, class_id: str, done: str = "") -> Response:
    """What learners can practise with now, and where a list is chosen or pasted."""
    bank = visit.wired.practice.known(visit.account, class_id)
    return _show(visit, class_id, bank, done=done if done in ("kept", "decided") else "",
                 waiting=visit.wired.handed.waiting(visit.account, class_id))  # fmt: skip


@router.post("/classes/{class_id}/questions")
def look(
    visit: Acts, class_id: str, text: Annotated[str, Form()] = "", file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Read the list and show what it would become; nothing happens yet."""
    data = file.file.read() if file is not None and file.size else text.encode()
    draft = visit.wired.practice.look(visit.account, class_id, data)
    return RedirectResponse(f"/classes/{class_id}/questions/{draft}", 303)


@router.get("/classes/{class_id}/questions/{bank}")
def preview(visit: Reads, class_id: str, bank: str) -> Response:
    """The questions as learners would see them, and the rows that cannot be read."""
    found = visit.wired.practice.again(visit.account, class_id, bank)
    return _show(visit, class_id, found.bank, draft=bank, problems=found.problems)


@router.post("/classes/{class_id}/questions/{bank}")
def confirm(
    visit: Acts, class_id: str, bank: str, leave_out: Annotated[str, Form(max_length=3)] = ""
) -> Response:
    """Put them in the place of those before."""
    visit.wired.practice.confirm(visit.account, class_id, bank, leave_out=leave_out == "yes")
    return RedirectResponse(f"/classes/{class_id}/questions?done=kept", 303)


def _show(
    visit: Visit, class_id: str, bank: Bank, *, done: str = "", draft: str = "",
    problems: tuple[tuple[int, str], ...] = (), waiting: Sequence[tuple[Paper, Handed]] = (),
) -> Response:  # fmt: skip
    room = visit.wired.office.require(visit.account, Right.IMPORT, class_id)
    asked, count = rows(visit, visit.wired.practice.course(class_id), bank)
    return visit.show("questions.html", room=room, asked=asked, all=count, count=bank.count, done=done, draft=draft,
                      problems=problems, waiting=waiting)  # fmt: skip


def rows(visit: Visit, course: Course, bank: Bank) -> tuple[list[tuple[str, Question, Key | None]], int]:
    """The first questions of a course with their keys, as pages list them, and how many there are."""
    asked = [(unit.title.in_(visit.lang), question, bank.keys.get(unit.id, {}).get(question.id))
             for unit in course.units for question in (*unit.questions, *bank.more.get(unit.id, ()))]  # fmt: skip
    return asked[:_SHOWN], len(asked)
