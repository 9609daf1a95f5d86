"""A class's file: application and plan, eligibility, the link, opening, practice, exams, completion proofs."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, UploadFile
from fastapi.responses import RedirectResponse, Response

from ledger.completion import parse
from server_stub import printing
from server_stub.domain import application, plan
from server_stub.domain.application import COMMITMENTS, Application
from server_stub.domain.certificates import Issued
from server_stub.domain.duties import Right
from server_stub.domain.eligibility import Checked
from server_stub.domain.opening import Link
from server_stub.domain.papers import Paper, required
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads, Visit
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Line = Annotated[str, Form(max_length=200)]
Area = Annotated[str, Form(max_length=60_000)]
FILE: Final = {**SAFE, "Content-Type": "application/pdf"}


@router.get("/classes/{class_id}/file")
def class_file(visit: Reads, class_id: str, done: str = "") -> Response:
    """Where the class stands, and every step that is possible now."""
    work = visit.wired.supervision
    classroom = visit.wired.office.require(visit.account, Right.SEE, class_id)
    paper, value = work.applications.look(visit.account, class_id)
    checked, link = work.eligibility.latest(class_id), work.opening.link(class_id)
    may = {right.value for right in Right if visit.wired.office.may(visit.account, right, class_id)}
    names = _names(visit, class_id)
    return visit.show(
        "class_file.html", classroom=classroom, paper=paper, value=value, form=application.form(value), may=may,
        done=done if f"file_{done}" in WORDS["zh"] else "", parties=COMMITMENTS, names=names,
        problems=value.problems if value else [], checked=checked and (checked, checked.read(Checked)),
        link=link and (link, link.read(Link)), standing=work.certificates.standing(class_id),
        hours=_hours(value), contacts=work.rules.contacts, me=visit.account.name,
        ended=value is not None and value.ends < work.bench.today().isoformat(),
        practice=[item for item in value.lessons if item.part == "practice"] if value else [],
    )  # fmt: skip


def _names(visit: Visit, class_id: str) -> dict[str, str]:
    """Learner → how people call them, of a whole class."""
    people = visit.wired.people
    found = ((item.learner, people.account_of(item.learner)) for item in people.registrations(class_id=class_id))
    return {learner: account.person or account.name if account else learner[:8] for learner, account in found}


def _hours(value: Application | None) -> dict[str, int]:
    if value is None:
        return {}
    return {
        "all": plan.hours(value.lessons), "theory": plan.hours(value.lessons, part="theory"),
        "practice": plan.hours(value.lessons, part="practice"), "online": plan.hours(value.lessons, online=True),
        "offline": plan.hours(value.lessons, online=False),
    }  # fmt: skip


def _back(class_id: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/classes/{class_id}/file?done={done}", 303)


@router.post("/classes/{class_id}/application")
def save(
    visit: Acts, class_id: str, trade: Line = "", level: Line = "", practical: Line = "", assessment: Area = "",
    teachers: Area = "", resources: Area = "", lessons: Area = "",
) -> Response:  # fmt: skip
    """Begin or change the application."""
    given = {"trade": trade, "level": level, "practical": practical, "assessment": assessment, "teachers": teachers,
             "resources": resources, "lessons": lessons}  # fmt: skip
    visit.wired.supervision.applications.save(visit.account, class_id, given)
    return _back(class_id, "saved")


@router.post("/classes/{class_id}/commitment")
def commit(visit: Acts, class_id: str, party: Line = "", agreed: Line = "") -> Response:
    """A party signs its commitment: the text of this page, in Chinese, which is what its hash names."""
    text = WORDS["zh"].get(f"commitment_{party}", "") if agreed == "yes" else ""
    visit.wired.supervision.applications.commit(visit.account, class_id, party if text else "", text)
    return _back(class_id, "committed")


@router.post("/classes/{class_id}/application/submit")
def submit(visit: Acts, class_id: str) -> Response:
    """Hand it in."""
    visit.wired.supervision.applications.submit(visit.account, class_id)
    return _back(class_id, "submitted")


@router.post("/classes/{class_id}/application/decide")
def decide(visit: Acts, class_id: str, verdict: Line = "", reason: Line = "") -> Response:
    """A supervisor approves it or returns it."""
    visit.wired.supervision.applications.decide(
        visit.account, class_id, approve=verdict == "approve", reason=reason
    )
    return _back(class_id, "decided")


@router.post("/classes/{class_id}/plan")
def change_plan(visit: Acts, class_id: str, lessons: Area = "", reason: Line = "") -> Response:
    """Lessons are changed, three days ahead."""
    visit.wired.supervision.applications.change_plan(visit.account, class_id, lessons, reason)
    return _back(class_id, "changed")


@router.post("/classes/{class_id}/eligibility")
def eligibility(visit: Acts, class_id: str) -> Response:
    """Look at the whole roster again."""
    work = visit.wired.supervision
    visit.wired.office.require(visit.account, Right.SEE, class_id)
    value = required(work.applications.of(class_id)).read(Application)
    work.eligibility.check(visit.account, class_id, value.trade, value.level)
    return _back(class_id, "checked")


@router.post("/classes/{class_id}/link-test")
def link_test(visit: Acts, class_id: str) -> Response:
    """Try the link end to end."""
    visit.wired.supervision.opening.test_link(visit.account, class_id)
    return _back(class_id, "tested")


@router.post("/classes/{class_id}/open")
def open_class(visit: Acts, class_id: str) -> Response:
    """From now on hours count."""
    visit.wired.supervision.opening.open(visit.account, class_id)
    return _back(class_id, "opened")


@router.post("/classes/{class_id}/close")
def close_class(visit: Acts, class_id: str, reason: Line = "") -> Response:
    """No session begins any more."""
    visit.wired.supervision.opening.close(visit.account, class_id, reason)
    return _back(class_id, "closed")


@router.post("/classes/{class_id}/practice")
def practice(visit: Acts, class_id: str, learner: Line = "", lesson: Line = "") -> Response:
    """A teacher confirms that a learner practised; `lesson` is day and topic."""
    day, _, topic = lesson.partition(" ")
    visit.wired.supervision.opening.practised(visit.account, class_id, learner, day, topic)
    return _back(class_id, "practised")


@router.post("/classes/{class_id}/exam")
def exam(
    visit: Acts, class_id: str, text: Area = "", file: Annotated[UploadFile | None, File()] = None
) -> Response:
    """Results of the final exam, by list."""
    data = file.file.read() if file is not None and file.size else text.encode()
    visit.wired.supervision.certificates.take_results(visit.account, class_id, data)
    return _back(class_id, "exam")


@router.post("/classes/{class_id}/completions")
def issue(visit: Acts, class_id: str, learner: Line = "") -> Response:
    """Certify one learner."""
    visit.wired.supervision.certificates.issue(visit.account, class_id, learner)
    return _back(class_id, "issued")


@router.get("/completions/{completion}")
def completion_page(visit: Reads, completion: str) -> Response:
    """The proof as PDF, its QR code verifies without this server."""
    found, issued = visit.wired.supervision.certificates.one(visit.account, completion)
    return Response(pdf(found, issued), headers=FILE)


@router.post("/completions/{completion}/revoke")
def revoke(visit: Acts, completion: str, reason: Line = "") -> Response:
    """Take a proof back."""
    found = visit.wired.supervision.certificates.revoke(visit.account, completion, reason)
    return _back(found.place.partition("/")[2], "revoked")


def pdf(paper: Paper, issued: Issued) -> bytes:
    """A proof on paper; a revoked one says so."""
    value, words = parse(issued.note.encode())[0], WORDS["zh"]
    trade = f"{value.trade}（{words[f'level_{value.level}']}）"
    rows = [
        (words["pdf_serial"], value.serial), (words["name"], value.name),
        (words["pdf_project"], value.project), (words["file_trade"], trade),
        (words["pdf_days"], f"{value.begins} — {value.ends}"),
        (words["pdf_hours"], f"{value.theory_tenths / 10:g} / {value.practice_tenths / 10:g}"),
        (words["pdf_score"], f"{value.score_tenths / 10:g}"), (words["pdf_institution"], value.institution),
        (words["pdf_issued"], value.issued), (words["pdf_filing"], value.filing),
    ]  # fmt: skip
    if paper.state == "revoked":
        rows.insert(0, (words["file_revoked_mark"], issued.reason))
    foot = [words["pdf_check"], f"python -m ledger verify-certificate FILE --key {issued.vkey}", value.class_]
    return printing.certificate(words["pdf_title"], rows, issued.note.encode(), foot)
