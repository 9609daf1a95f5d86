"""Statistics to look at and to print, tables to take along, reminders, and masked lists for the public."""

from __future__ import annotations

from typing import Annotated, Final

from fastapi import APIRouter, Form, Query, Request
from fastapi.responses import RedirectResponse, Response
from markupsafe import Markup

from ledger.reasons import reason
from server_stub import charts
from server_stub.charts import AMBER, BLUE, GREEN, GREY, Bar
from server_stub.domain.duties import Place, Right
from server_stub.domain.service import LEAST, Service
from server_stub.domain.statistics import ClassFigures, Line
from server_stub.domain.tables_out import Rows, to_csv, to_xlsx
from server_stub.routes.deps import Wired
from server_stub.routes.web import SAFE, Acts, PageRoute, Reads, Visit, language, minutes, render
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)
XLSX: Final = "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"
_COLOURS: Final = {"passed": GREEN, "failed": AMBER, "missed": GREY}


@router.get("/statistics")
def statistics(visit: Reads, place: Annotated[str, Query(max_length=80)] = "") -> Response:
    """Every class of a district or institution beside the others."""
    work = visit.wired.supervision.statistics
    visit.wired.office.require_anywhere(visit.account, Right.FIGURES)
    found, whole = work.below(visit.account, place)
    groups = [(at, len(items), _sum(items)) for at, items in work.by_place(visit.account, found)]
    return visit.show(
        "statistics.html", classes=found, whole=whole, places=work.places(visit.account), place=place, groups=groups,
        sum=_sum(found), chart=_attendance(visit, found), times=_times(visit, found), now=visit.wired.clock(),
        by_place=_by_place(visit, groups), served=_served(visit, found), least=LEAST,
    )  # fmt: skip


@router.get("/statistics.csv")
def overview_csv(visit: Reads, place: Annotated[str, Query(max_length=80)] = "") -> Response:
    """The classes of a place as CSV."""
    return _file(to_csv(_overview(visit, place)), "text/csv; charset=utf-8", "statistics.csv")


@router.get("/statistics.xlsx")
def overview_xlsx(visit: Reads, place: Annotated[str, Query(max_length=80)] = "") -> Response:
    """The classes of a place as .xlsx."""
    return _file(to_xlsx(_overview(visit, place), "statistics"), XLSX, "statistics.xlsx")


def _overview(visit: Visit, place: str) -> Rows:
    visit.wired.office.require_anywhere(visit.account, Right.FIGURES)
    return visit.wired.supervision.statistics.overview(visit.account, place, WORDS[visit.lang])


def _sum(found: list[ClassFigures]) -> dict[str, int]:
    names = ("learners", "selected", "credited_ms", "played_ms", "hours_tenths", "points", "exams", "passed",
             "completions", "cases", "warnings")  # fmt: skip
    return {name: sum(getattr(item, name) for item in found) for name in names}


def _served(visit: Visit, found: list[ClassFigures]) -> list[tuple[str, Service]]:
    """Letters of these classes; tips, which belong to no class, beside them for those who decide."""
    surveys = visit.wired.supervision.surveys
    tips = surveys.served_tips(visit.account)
    letters = surveys.served([item.class_id for item in found])
    return [("letters", letters), *([("tips", tips)] if tips else [])]


def _attendance(visit: Visit, found: list[ClassFigures]) -> Markup:
    items = [Bar(item.title, ((item.attendance, BLUE),), f"{item.attendance / 10:g} %") for item in found[:40]]
    return charts.bars(visit.word("stat_attendance"), items, whole=1000, mark=800)


def _by_place(visit: Visit, groups: list[tuple[Place, int, dict[str, int]]]) -> Markup:
    shares = [(at, total["selected"] * 1000 // max(1, total["learners"])) for at, _, total in groups[:40]]
    items = [Bar(at.name, ((share, BLUE),), f"{share / 10:g} %") for at, share in shares]
    return charts.bars(visit.word("stat_by_place"), items, whole=1000)


def _times(visit: Visit, found: list[ClassFigures]) -> Markup:
    items = [
        Bar(item.title, ((item.credited_ms, GREEN), (max(0, item.played_ms - item.credited_ms), GREY)),
            f"{minutes(item.credited_ms)} / {minutes(item.played_ms)}")
        for item in found[:40]
    ]  # fmt: skip
    return charts.bars(visit.word("stat_times"), items)


@router.get("/classes/{class_id}/statistics")
def class_statistics(visit: Reads, class_id: str, done: Annotated[str, Query(max_length=12)] = "") -> Response:
    """One class: who is where, who is behind."""
    work, office = visit.wired.supervision.statistics, visit.wired.office
    room = office.require(visit.account, Right.SEE, class_id)
    lines, figures = work.lines(visit.account, class_id), work.of_class(room)
    may = {right.value for right in Right if office.may(visit.account, right, class_id)}
    return visit.show(
        "class_statistics.html", room=room, lines=lines, figures=figures, may=may, spread=_spread(visit, lines),
        checks=_checks(visit, figures), reasons=_reasons(visit, figures), lists=work.publications(class_id),
        now=visit.wired.clock(), done=int(done) if done.isascii() and done.isdigit() else None,
    )  # fmt: skip


def _spread(visit: Visit, lines: list[Line]) -> Markup:
    tenths = [min(9, line.progress.permille // 100) for line in lines]
    values = [(f"{n * 10}–{n * 10 + 10}", tenths.count(n)) for n in range(10)]
    return charts.columns(visit.word("stat_spread"), values)


def _checks(visit: Visit, figures: ClassFigures) -> Markup:
    items = [
        Bar(visit.word(f"outcome_{name}"), ((figures.checks.get(name, 0), colour),), str(figures.checks.get(name, 0)))
        for name, colour in _COLOURS.items()
    ]
    return charts.bars(visit.word("case_checks"), items)


def _reasons(visit: Visit, figures: ClassFigures) -> Markup:
    ranked = sorted(figures.reasons.items(), key=lambda item: -item[1])[:8]
    said = {name: reason(name).zh.partition("，")[0] if visit.lang == "zh" else reason(name).en.partition(".")[0]
            for name, _ in ranked}  # fmt: skip
    items = [Bar(said[name], ((ms, AMBER),), minutes(ms)) for name, ms in ranked]
    return charts.bars(visit.word("stat_reasons"), items, label=280)


@router.get("/classes/{class_id}/statistics.csv")
def as_csv(visit: Reads, class_id: str) -> Response:
    """The class as CSV."""
    return _file(to_csv(_table(visit, class_id)), "text/csv; charset=utf-8", f"{class_id}.csv")


@router.get("/classes/{class_id}/statistics.xlsx")
def as_xlsx(visit: Reads, class_id: str) -> Response:
    """The class as .xlsx."""
    return _file(to_xlsx(_table(visit, class_id), class_id), XLSX, f"{class_id}.xlsx")


def _table(visit: Visit, class_id: str) -> list[list[str | int | float]]:
    rows = visit.wired.supervision.statistics.table(visit.account, class_id, WORDS[visit.lang])
    visit.wired.office.audit(visit.account, "exported figures", class_id, f"{len(rows) - 1} learners", class_id)
    return [list(row) for row in rows]


def _file(data: bytes, kind: str, name: str) -> Response:
    return Response(data, headers={**SAFE, "Content-Type": kind,
                                   "Content-Disposition": f'attachment; filename="{name}"'})  # fmt: skip


@router.post("/classes/{class_id}/reminders")
def remind(visit: Acts, class_id: str) -> Response:
    """One button: everybody who is behind finds a reminder on the own page."""
    done = visit.wired.supervision.statistics.remind(visit.account, class_id)
    return RedirectResponse(f"/classes/{class_id}/statistics?done={done}", 303)


@router.post("/classes/{class_id}/matching")
def matching(visit: Acts, class_id: str, reason: Annotated[str, Form(max_length=500)] = "") -> Response:
    """Identity numbers of those who completed, for another department, for a stated reason."""
    rows = visit.wired.supervision.statistics.matching(visit.account, class_id, reason)
    return _file(to_xlsx(rows, class_id), XLSX, f"{class_id}-matching.xlsx")


@router.post("/classes/{class_id}/publication")
def publish(visit: Acts, class_id: str) -> Response:
    """A masked list for the public, open for three working days."""
    found = visit.wired.supervision.statistics.publish(visit.account, class_id)
    return RedirectResponse(f"/public/lists/{found.paper}", 303)


@router.get("/public/lists/{publication}")
def public_list(wired: Wired, request: Request, publication: str) -> Response:
    """The list while it is open; afterwards that it was."""
    found, value, is_open = wired.supervision.statistics.published(publication)
    return render(
        request, "public_list.html", language(request), paper=found, value=value, is_open=is_open
    )
