"""The learners of a report: one table of all, then each with lessons, sessions, checks and what is not counted."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from ledger import words
from ledger.credit import Part
from ledger.page.markup import Html, join, row, table, tag
from ledger.page.tongue import Tongue
from ledger.report import Report, SessionRow
from ledger.summary import UnitLine
from ledger.words import shown

_SHOWN = 40  # parts of one session that are not counted; the rest are in the JSON report


def learners(report: Report, tongue: Tongue) -> Html:
    """Everything about people; empty where no session stands."""
    groups: dict[tuple[str, str], list[SessionRow]] = {}
    for session in report.sessions:
        groups.setdefault((session.learner, session.registration), []).append(session)
    if not groups:
        return Html()
    units: dict[str, list[UnitLine]] = {}
    for unit in report.units:
        units.setdefault(unit.registration, []).append(unit)
    head = tuple(tongue.say(f"learners.{name}") for name in ("name", "sessions", "credited", "checks", "findings"))
    overview = [_line(report, learner, rows, tongue) for (learner, _), rows in groups.items()]
    each = [
        _learner(report, learner, registration, rows, units.get(registration, []), tongue)
        for (learner, registration), rows in groups.items()
    ]
    judged = any(session.checks for session in report.sessions)
    alike = tag("p", tongue.say("learners.alike"), class_="note") if judged else None
    return join(tag("h2", tongue.say("learners.title")), table(head, *overview), alike, *each)


def _who(report: Report, learner: str, tongue: Tongue) -> Html:
    name = shown(report.people.get(learner, "")) or tongue.say("learners.unnamed")
    return join(name, " ", tag("code", learner[:8], title=learner))


def _line(report: Report, learner: str, rows: list[SessionRow], tongue: Tongue) -> Html:
    credited = tongue.length(sum(session.credited_ms or 0 for session in rows))
    findings = sum(len(session.findings) for session in rows)
    return row(_who(report, learner, tongue), len(rows), credited, _checks(rows, tongue), findings or "–")


def _checks(rows: list[SessionRow], tongue: Tongue) -> str:
    """How many checks of each outcome."""
    counts = Counter(check.outcome for session in rows for check in session.checks)
    outcomes = [what for what in ("passed", "failed", "missed") if counts[what]]
    return " · ".join(f"{tongue.name('outcome', what)} {counts[what]}" for what in outcomes) or "–"


def _learner(
    report: Report, learner: str, registration: str, rows: list[SessionRow], units: list[UnitLine], tongue: Tongue
) -> Html:
    head = tuple(tongue.say(f"learners.{name}") for name in ("unit", "credited", "of", "share"))
    lines = [
        row(unit.unit, tongue.length(unit.credited_ms), tongue.length(unit.duration_ms), _bar(unit)) for unit in units
    ]
    return join(
        tag("h3", _who(report, learner, tongue)),
        tag("p", tongue.say("learners.registration", id=registration), class_="note"),
        table(head, *lines) if lines else None,
        *_worth(report, learner, registration, tongue),
        *(_session(session, tongue) for session in rows),
    )


def _worth(report: Report, learner: str, registration: str, tongue: Tongue) -> Iterator[Html]:
    """Class hours, credit points and the exam, where the class log gives rise to them."""
    for line in report.points:
        if line.registration == registration:
            hours, points = f"{line.hours_tenths / 10:g}", f"{line.points_tenths / 10:g}"
            yield tag("p", tongue.say("learners.points", hours=hours, points=points, table=line.table))
    exam = report.exams.get(learner)
    if exam is not None:
        passed = tongue.say(f"learners.exam_{'passed' if exam.passed else 'failed'}")
        yield tag("p", tongue.say("learners.exam", score=f"{exam.score_tenths / 10:g}", passed=passed))
    for (who, unit), test in sorted(report.tests.items()):
        if who == learner:
            passed = tongue.say(f"learners.exam_{'passed' if test.passed else 'failed'}")
            given = {"unit": unit, "right": test.right, "asked": test.asked, "attempts": test.attempts}
            yield tag("p", tongue.say("learners.test", passed=passed, **given))


def _bar(unit: UnitLine) -> Html:
    share = min(100, unit.credited_ms * 100 // max(1, unit.duration_ms))
    return tag("div", tag("i", style=f"width:{share}%"), class_="bar", title=f"{share}%")


def _session(session: SessionRow, tongue: Tongue) -> Html:
    when = tongue.say("session.when", first=tongue.moment(session.first), last=tongue.moment(session.last))
    about = [tongue.name("state", session.state), tongue.say("session.events", count=session.events)]
    if session.withheld:
        about.append(tongue.say("session.withheld", count=session.withheld))
    replayed = sum(part.ms for part in session.not_credited if part.reason == "replay")
    if replayed:
        about.append(tongue.say("session.replayed", length=tongue.length(replayed)))
    credited = tongue.say("session.unchecked")
    if session.credited_ms is not None:
        times = {"credited": tongue.length(session.credited_ms), "played": tongue.length(session.played_ms)}
        credited = tongue.say("session.credited", **times)
    return tag(
        "div",
        tag("h4", when),
        tag("p", credited, " · ", _checks([session], tongue)),
        tag("p", "；".join(about) if tongue.lang == "zh" else ", ".join(about), class_="note"),
        tag("p", tongue.say("session.scripted"), class_="status") if session.scripted else None,
        _list(_findings(session, tongue), tongue.say("learners.findings")),
        _list(_lost(session, tongue), tongue.say("session.lost")),
        tag("p", tag("code", session.sid), class_="note"),
        class_="session",
    )


def _list(items: Iterator[str], title: str) -> Html | None:
    lines = [tag("li", item) for item in items]
    return join(tag("p", title, class_="soft"), tag("ul", *lines)) if lines else None


def _findings(session: SessionRow, tongue: Tongue) -> Iterator[str]:
    for found in session.findings:
        yield tongue.say(
            "session.finding", seq=found.seq, rule=found.rule, severity=tongue.name("severity", found.severity),
            response=tongue.name("response", found.response),
        )  # fmt: skip


def _lost(session: SessionRow, tongue: Tongue) -> Iterator[str]:
    """What is not counted and can be explained; a replay is nothing lost."""
    parts = [part for part in session.not_credited if part.reason != "replay"]
    for part in parts[:_SHOWN]:
        yield _part(part, tongue)
    if len(parts) > _SHOWN:
        yield tongue.say("steps.more", count=len(parts) - _SHOWN)


def _part(part: Part, tongue: Tongue) -> str:
    place = {"unit": part.unit, "begin": words.position(part.from_), "end": words.position(part.to)}
    colon = "：" if tongue.lang == "zh" else ": "
    return tongue.say("session.part", **place) + colon + tongue.reason(part.reason)
