"""Review cases, employers' pledges, tips as the staff reads them, and the written notices."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, File, Form, Query, UploadFile
from fastapi.responses import JSONResponse, RedirectResponse, Response

from ledger.reasons import REASONS
from server_stub import notices
from server_stub.domain import answers, dossier
from server_stub.domain.cases import SANCTIONS
from server_stub.domain.duties import Right
from server_stub.domain.errors import ServerError, UnreadableError
from server_stub.domain.office import stated
from server_stub.domain.reviewing import Opening
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads, Visit
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Line = Annotated[str, Form(max_length=500)]
Area = Annotated[str, Form(max_length=20_000)]
Signed = Annotated[UploadFile | None, File()]
PDF: Final = {**SAFE, "Content-Type": "application/pdf"}
STATES: Final = ("open", "proposed", "decided", "appealed", "kept", "reversed", "closed")


@router.get("/cases")
def cases(visit: Reads, state: Annotated[str, Query(max_length=20)] = "") -> Response:
    """What is to be looked at, with tips and employers beside it."""
    work = visit.wired.supervision
    found = work.cases.listed(visit.account, [state] if state in STATES else None)
    letters = work.mailroom.listed(visit.account)
    about = {paper.about for paper in found} | {paper.about for paper, _ in letters}
    return visit.show(
        "cases.html", cases=found, names=names(visit, about), titles=work.bench.titles(),
        states=STATES, state=state if state in STATES else "", tips=work.tips.listed(visit.account),
        letters=letters,
        employers=work.employers.lines(visit.account),
        classes=visit.wired.office.classes(visit.account, Right.DECIDE),
    )  # fmt: skip


def _reasons(lang: str) -> dict[str, str]:
    """Why a part is not counted, in a language."""
    return {code: item.zh if lang == "zh" else item.en for code, item in REASONS.items()}


def names(visit: Visit, learners: set[str]) -> dict[str, str]:
    """Learner → name."""
    found = ((learner, visit.wired.people.account_of(learner)) for learner in learners if learner)
    return {learner: account.person or account.name for learner, account in found if account}


@router.post("/cases")
def open_case(visit: Acts, class_id: Line = "", learner: Line = "", sid: Line = "", title: Line = "") -> Response:
    """Somebody opens a case by hand."""
    work = visit.wired.supervision.cases
    found = work.open_by(visit.account, class_id, learner.strip(), sid.strip(), title, "person")
    return RedirectResponse(f"/cases/{found.paper}", 303)


@router.get("/cases/{case}")
def case_page(visit: Reads, case: str, done: str = "") -> Response:
    """One case: what it rests on, what was said, what can be done now."""
    work = visit.wired.supervision
    paper, value = work.cases.look(visit.account, case)
    class_id = paper.place.partition("/")[2]
    look = None
    if value.sid:
        try:
            look = dossier.read(work.bench, work.settler, value.sid)
        except ServerError:  # an export of another server; the case still stands
            look = None
    offset, units = visit.wired.overview.facts(class_id)
    return visit.show(
        "case.html", paper=paper, case=value, look=look, names=names(visit, {paper.about}), class_id=class_id,
        reasons=_reasons(visit.lang),
        title=work.bench.titles().get(class_id, class_id), sanctions=SANCTIONS, offset=offset, units=units,
        me=visit.account.name, origin=visit.wired.logs.origin(class_id),
        standing=work.cases.offences().get(paper.about, 0) if paper.about else 0,
        done=done if f"case_done_{done}" in WORDS["zh"] else "",
    )  # fmt: skip


def _back(case: str, done: str) -> RedirectResponse:
    return RedirectResponse(f"/cases/{case}?done={done}", 303)


@router.post("/cases/{case}/note")
def note(visit: Acts, case: str, text: Line = "") -> Response:
    """One more line: a finding, a call, the district's feedback."""
    visit.wired.supervision.cases.note(visit.account, case, text)
    return _back(case, "noted")


@router.post("/cases/{case}/close")
def close(visit: Acts, case: str, reason: Line = "") -> Response:
    """Nothing is to be done."""
    visit.wired.supervision.cases.close(visit.account, case, reason)
    return _back(case, "closed")


@router.post("/cases/{case}/propose")
def propose(
    visit: Acts, case: str, sanction: Line = "", reason: Line = "", first: Line = "0", last: Line = "0"
) -> Response:
    """One person proposes a measure."""
    span = (_number(first), _number(last) + 1) if sanction == "zeroing" else (0, 0)
    visit.wired.supervision.cases.propose(visit.account, case, sanction, reason, span)
    return _back(case, "proposed")


@router.post("/cases/{case}/confirm")
def confirm(
    visit: Acts, case: str, reason: Line = "", do: Line = "", text: Area = "", file: Signed = None
) -> Response:
    """A second person decides, or does not agree."""
    work = visit.wired.supervision.cases
    if do == "refuse":
        work.refuse(visit.account, case, reason)
    else:
        work.confirm(visit.account, case, reason, _note(text, file))
    return _back(case, "decided")


@router.post("/cases/{case}/answer")
def answer(visit: Acts, case: str, reason: Line = "", do: Line = "", text: Area = "", file: Signed = None) -> Response:
    """A third person answers an appeal."""
    visit.wired.supervision.cases.answer(
        visit.account, case, reason, uphold=do == "uphold", data=_note(text, file)
    )
    return _back(case, "answered")


@router.post("/cases/{case}/photo")
def photo(visit: Acts, case: str, eid: Line = "", reason: Line = "", vkey: Line = "") -> Response:
    """A sealed photo of the case's session, for this browser to open with a key that is never sent."""
    class_id, sid, by = _session_of(visit, case)
    asked = Opening(class_id, sid, eid, by, stated(reason))
    return JSONResponse(visit.wired.reviewer.hand_out(asked, vkey), headers=SAFE)


@router.post("/cases/{case}/answers")
def sealed_answers(visit: Acts, case: str, reason: Line = "", vkey: Line = "") -> Response:
    """The sealed answers of the case's session, for this browser to open in the same way."""
    asked = answers.Opening(*_session_of(visit, case), stated(reason))
    return JSONResponse(visit.wired.sealed_answers.hand_out(asked, vkey), headers=SAFE)


def _session_of(visit: Visit, case: str) -> tuple[str, str, str]:
    """Class and session of a case, and how the class log calls who asks."""
    work = visit.wired.supervision
    paper, value = work.cases.look(visit.account, case)
    if not value.sid:
        raise UnreadableError("this case is about no session")
    return paper.place.partition("/")[2], value.sid, work.bench.sealer.pseudonym(visit.account.name)


@router.get("/cases/{case}/notice")
def notice(visit: Reads, case: str) -> Response:
    """The written notice as PDF."""
    work = visit.wired.supervision
    paper, value = work.cases.look(visit.account, case)
    class_id = paper.place.partition("/")[2]
    tree = work.bench.office.tree()
    at = tree.places.get(paper.place)
    institution = tree.places[at.parent].name if at and at.parent in tree.places else work.bench.server
    to = names(visit, {paper.about}).get(paper.about, institution)
    by = work.rules.controller or work.bench.server
    data = notices.of_case(paper, value, to, work.bench.titles().get(class_id, class_id), by)
    return Response(data, headers=PDF)


@router.post("/employers/pledge")
def pledge(visit: Acts, place: Line = "", text: Area = "") -> Response:
    """An employer's pledge and report."""
    visit.wired.supervision.employers.pledge(visit.account, place, text)
    rights = visit.wired.office.rights(visit.account)
    return RedirectResponse("/cases" if Right.DECIDE in rights else "/fleet", 303)


@router.post("/letters/{letter}/answer")
def answer_letter(visit: Acts, letter: str, text: Line = "") -> Response:
    """A learner's letter is answered."""
    visit.wired.supervision.mailroom.answer(visit.account, letter, text)
    return RedirectResponse("/cases", 303)


@router.post("/tips/{tip}/answer")
def answer_tip(visit: Acts, tip: str, text: Line = "") -> Response:
    """A tip is answered."""
    visit.wired.supervision.tips.answer(visit.account, tip, text)
    return RedirectResponse("/cases", 303)


def _note(text: str, file: UploadFile | None) -> bytes:
    """A signed note as it came: a file, or pasted; a browser sends a text area's line ends as CR LF."""
    return file.file.read() if file is not None and file.size else text.replace("\r\n", "\n").encode()


def _number(text: str) -> int:
    if not (text.isascii() and text.isdigit() and len(text) < 9):
        raise UnreadableError("events are numbers")
    return int(text)
