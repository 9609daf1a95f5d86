"""Early warnings: what to look at, why, and what it may ordinarily be; set aside or taken up as a review case."""

from __future__ import annotations

from typing import Annotated

from fastapi import APIRouter, Form
from fastapi.responses import RedirectResponse, Response

from server_stub.domain.warnings.desk import STATES, Listed
from server_stub.routes.web import Acts, PageRoute, Reads, Visit
from server_stub.routes.words import WORDS

router = APIRouter(include_in_schema=False, route_class=PageRoute)
Reason = Annotated[str, Form(max_length=600)]


@router.get("/warnings")
def warnings(visit: Reads, state: str = "open", class_id: str = "", done: str = "") -> Response:
    """The warnings of the account's classes, the heaviest first."""
    state = state if state in STATES else "open"
    found = visit.wired.warnings.listed(visit.account, state, class_id[:64])
    return visit.show(
        "warnings.html", found=found, state=state, states=STATES, names=_names(visit, found), titles=_titles(visit),
        class_id=class_id, done=done if f"warned_{done}" in WORDS["zh"] else "",
    )  # fmt: skip


@router.post("/warnings/inspect")
def inspect(visit: Acts) -> Response:
    """Inspect now."""
    visit.wired.warnings.inspect_now(visit.account)
    return RedirectResponse("/warnings?done=inspected", 303)


@router.get("/warnings/{warning}")
def warning_page(visit: Reads, warning: str) -> Response:
    """One warning with its figures, its events, and the ordinary explanation."""
    found = visit.wired.warnings.look(visit.account, warning)
    words = found.warned.words[visit.lang]
    return visit.show(
        "warning.html", item=found, words=words, names=_names(visit, [found]), titles=_titles(visit),
        shown=filled(words["shown"], found.warned.values, visit.lang),
        figures=[(name, figure(name, value, visit.lang)) for name, value in sorted(found.warned.values.items())],
    )  # fmt: skip


@router.post("/warnings/{warning}/aside")
def aside(visit: Acts, warning: str, reason: Reason = "") -> Response:
    """Set aside for a stated reason."""
    visit.wired.warnings.set_aside(visit.account, warning, reason)
    return RedirectResponse("/warnings?done=aside", 303)


@router.post("/warnings/{warning}/case")
def case(visit: Acts, warning: str, reason: Reason = "") -> Response:
    """Take it up as a review case."""
    visit.wired.warnings.open_cases(visit.account, warning, reason)
    return RedirectResponse(f"/warnings/{warning}", 303)


@router.get("/self-inspections")
def reports(visit: Reads) -> Response:
    """The daily reports."""
    found = visit.wired.warnings.reports(visit.account)
    return visit.show("self_inspections.html", found=found, titles=_titles(visit))


@router.get("/self-inspections/{report}")
def report_of_a_day(visit: Reads, report: str) -> Response:
    """One day's report, with what was answered."""
    found, value = visit.wired.warnings.report(visit.account, report)
    pack = visit.wired.warnings.inspector.pack
    rules = {rule.id: rule.words[visit.lang].title for rule in pack.rules}
    classes = [place for place in value.by_class if place.startswith("class/")]
    return visit.show(
        "self_inspection.html", paper=found, report=value, titles=_titles(visit), rules=rules, classes=classes
    )


@router.post("/self-inspections/{report}")
def feed_back(
    visit: Acts, report: str, class_id: Annotated[str, Form(max_length=64)] = "", text: Reason = ""
) -> Response:
    """What was found out about an abnormal class."""
    visit.wired.warnings.feed_back(visit.account, report, class_id, text)
    return RedirectResponse(f"/self-inspections/{report}", 303)


def filled(text: str, values: object, lang: str) -> str:
    """A rule's sentence with its figures in people's units."""
    found = values if isinstance(values, dict) else {}
    for name, value in found.items():
        text = text.replace("{" + name + "}", figure(name, value, lang))
    return text


def figure(name: str, value: int, lang: str) -> str:
    """A figure as people read it: ms as minutes or seconds, per mille as percent."""
    zh = lang == "zh"
    if name.endswith("_permille"):
        return f"{value // 10}.{value % 10}%"
    if not name.endswith("_ms"):
        return str(value)
    if value >= 10**6 and name == "spread_ms":
        return "–"  # too few checks to tell
    if value >= 172_800_000:
        return f"{value // 86_400_000} {'天' if zh else 'days'}"
    if value >= 60_000:
        return f"{value // 60_000} {'分钟' if zh else 'min'}"
    return f"{value / 1000:.3g} {'秒' if zh else 's'}"


def _names(visit: Visit, found: list[Listed]) -> dict[str, str]:
    """Learner → how people call them."""
    learners = {learner for item in found for learner in item.warned.learners}
    accounts = ((learner, visit.wired.people.account_of(learner)) for learner in learners)
    return {learner: account.person if account else learner[:8] for learner, account in accounts}


def _titles(visit: Visit) -> dict[str, str]:
    return {f"class/{item.class_id}": item.title for item in visit.wired.people.classes()} | {
        place.key: place.name for place in visit.wired.office.tree().places.values()
    }
