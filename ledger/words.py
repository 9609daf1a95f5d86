"""A verification as plain text for people: time, sessions, checks, findings, minutes, and what was verified."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime

from ledger import fingerprint
from ledger.across import TITLE, Across
from ledger.credit import Part
from ledger.findings import Status, Step
from ledger.reasons import reason
from ledger.report import Report, SessionRow

_OBEYED = re.compile("[\x7f-\x9f\u2028-\u202e\u2066-\u2069\ud800-\udfff]")  # JSON escapes what lies below a blank
_SHOWN = 12  # findings of one kind in one step; the rest are counted


def shown(said: str) -> str:
    """`said` on one line, without what a terminal obeys or what turns the order of letters: names come from outside."""
    return said if said.isprintable() else "".join(c if c.isprintable() else "\ufffd" for c in said)


def plain(json: str) -> str:
    """A JSON text whose strings hold nothing that a terminal obeys or that turns the order of letters; it reads the
    same."""
    return _OBEYED.sub(lambda found: f"\\u{ord(found[0]):04x}", json)


def moment(seconds: int) -> str:
    """A POSIX time as UTC; the bare number where no calendar has it."""
    try:
        return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%d %H:%M:%S UTC")
    except (OverflowError, ValueError, OSError):
        return f"{seconds} s"


def length(ms: int) -> str:
    """A duration as people read it, to a tenth of a second."""
    minutes, rest = divmod(ms, 60_000)
    seconds = f"{rest // 1000}.{rest % 1000 // 100} s"
    return f"{minutes} min {seconds}" if minutes else seconds


def position(ms: int) -> str:
    """A place in a lesson, m:ss.t."""
    return f"{ms // 60_000}:{ms % 60_000 // 1000:02d}.{ms % 1000 // 100}"


def across(found: Across) -> str:
    """Several archives: each report, then what comparing them found, then the learners' totals."""
    parts = [f"=== {shown(name)}\n\n{text(report)}" for name, report in found.reports.items()]
    lines = [f"=== {len(found.reports)} archives together", "", f"  {found.status:<14}  9  {TITLE}  ({found.compared})"]
    for finding in found.findings:
        lines.append(
            f"                     {'!!' if finding.status is Status.REFUSED else '·'} {shown(finding.message)}"
        )
    for learner, credited in found.totals().items():
        each = ", ".join(f"{shown(name)} {length(ms)}" for name, ms in credited.items())
        lines.append(f"  learner {learner or '(unknown)'}: {each}")
    return "\n".join([*parts, *lines, ""])


def text(report: Report) -> str:
    """The whole report."""
    return "\n".join([*_head(report), "", *_steps(report), *_learners(report), "", _result(report), ""])


def _head(report: Report) -> Iterator[str]:
    if report.checkpoint is None:
        yield "There is no verified class log; what rests on one cannot be checked."
        return
    yield f"Class archive of {report.checkpoint.origin}"
    yield f"{report.checkpoint.size} entries in the class log, root {report.checkpoint.root.hex()}"
    for name, time in sorted(report.witnesses.items()):
        yield f"witnessed by {name} at {moment(time)}"
    for stamp in report.timestamps:
        yield f"time-stamped at {stamp.size} entries by {shown(stamp.authority)} at {moment(stamp.time)}"
    if report.quorum == "none":
        yield "no witness is asked for (quorum none): this rests on the log's own key alone"
    if report.fingerprints:
        yield ""
        yield "Relied on (compare the groups with the letter of whoever gave you the trust file)"
    for name, groups in report.fingerprints.items():
        for label, half in zip((name, ""), fingerprint.halves(groups), strict=True):
            yield f"  {label:<40}  {half}"


def _steps(report: Report) -> Iterator[str]:
    yield "What was verified"
    for step in report.findings.steps.values():
        number = step.number.partition(" ")[0]
        counted = f"  ({step.checked})" if step.checked > 1 else ""
        yield f"  {step.status:<14}{number:>3}  {step.title}{counted}"
        yield from _findings(step)


def _findings(step: Step) -> Iterator[str]:
    by_status: dict[Status, int] = defaultdict(int)
    for finding in step.findings:
        by_status[finding.status] += 1
        if by_status[finding.status] > _SHOWN:
            continue
        where = f"session {finding.sid}" if finding.sid and finding.sid not in finding.message else ""
        if finding.index is not None and where:
            where += f", event {finding.index}"
        code = f" [{finding.code}]" if finding.code else ""
        mark = "!!" if finding.status is Status.REFUSED else "·"
        yield f"                     {mark} {where + ': ' if where else ''}{shown(finding.message)}{code}"
    for status, count in by_status.items():
        if count > _SHOWN:
            yield f"                     … and {count - _SHOWN} more {status}"


def _learners(report: Report) -> Iterator[str]:
    groups: dict[tuple[str, str], list[SessionRow]] = defaultdict(list)
    for row in report.sessions:
        groups[row.learner, row.registration].append(row)
    for (learner, registration), rows in groups.items():
        total = sum(row.credited_ms or 0 for row in rows)
        name = shown(report.people.get(learner, ""))
        yield ""
        yield f"Learner {learner or '(unknown)'}{f' {name}' if name else ''}, registration {registration}"
        yield f"  credited {length(total)} in {len(rows)} session{'s' if len(rows) > 1 else ''}"
        for unit in report.units:
            if unit.registration == registration and unit.credited_ms:
                yield f"    unit {unit.unit}: {length(unit.credited_ms)} of {length(unit.duration_ms)}"
        yield from _worth(report, learner, registration)
        for row in rows:
            yield from _session(row)


def _worth(report: Report, learner: str, registration: str) -> Iterator[str]:
    for line in report.points:
        if line.registration == registration:
            hours, points = line.hours_tenths / 10, line.points_tenths / 10
            yield f"  {hours:g} class hours, {points:g} credit points (table {line.table})"
    exam = report.exams.get(learner)
    if exam is not None:
        yield f"  final exam {exam.score_tenths / 10:g}, {'passed' if exam.passed else 'not passed'}"
    for (who, unit), test in sorted(report.tests.items()):
        if who == learner:
            passed = "passed" if test.passed else "not passed"
            yield f"  test of unit {unit}: {test.right} of {test.asked} right, {passed}, best of {test.attempts}"


def _session(row: SessionRow) -> Iterator[str]:
    camera = ", UNSAFE scripted camera" if row.scripted else ""
    yield f"  session {row.sid}: {moment(row.first)} to {moment(row.last)}, {row.state}, {row.events} events{camera}"
    if row.credited_ms is None:
        yield "    credited time not checkable"
    else:
        yield f"    credited {length(row.credited_ms)} of {length(row.played_ms)} played"
    if row.withheld:
        yield f"    {row.withheld} erased events are withheld; the figure is the settled one"
    if row.checks:
        yield "    checks: " + ", ".join(f"{c.i} {c.outcome}" + (f" ({c.why})" if c.why else "") for c in row.checks)
    for finding in row.findings:
        yield f"    finding at event {finding.seq}: {finding.rule} ({finding.severity}), response {finding.response}"
    for part in row.not_credited:
        yield f"    not credited: {_part(part)}"


def _part(part: Part) -> str:
    events = f"event {part.first}" if part.first == part.last else f"events {part.first}-{part.last}"
    return f"unit {part.unit} {position(part.from_)}-{position(part.to)} ({events}): {reason(part.reason).en}"


def _result(report: Report) -> str:
    if report.refused:
        worst = next(f for f in report.findings.all() if f.status is Status.REFUSED)
        return f"REFUSED: {shown(worst.message)}"
    unknown = sum(row.credited_ms is None for row in report.sessions)
    if unknown:
        some = f"the time of {unknown} of {len(report.sessions)} sessions is not checkable"
        return f"Nothing refused, but {some}. Credited in the others: {length(report.credited_ms)}."
    return f"Nothing refused. Credited in all: {length(report.credited_ms)} ({report.credited_ms} ms)."
