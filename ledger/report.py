"""What a verification found, as values: for people as text, for programs as JSON."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any

from ledger.checkpoint import Checkpoint
from ledger.credit import Check, Credit, Part, SessionCredit
from ledger.events import Finding
from ledger.findings import Findings
from ledger.packed import Plain, Spool, fields_of
from ledger.steps.session import VerifiedSession
from ledger.summary import ExamLine, PointLine, Results, SessionLine, TestLine, UnitLine, fields
from ledger.timestamps import Timestamp

Rows = Spool["SessionRow"]
Units = Spool[UnitLine]
Earned = Spool[PointLine]


@dataclass(frozen=True, slots=True)
class AgentFinding:
    """What the agent noticed on the device (待核实情况), as the session says it."""

    seq: int
    rule: str
    severity: str
    response: str


@dataclass(frozen=True, slots=True)
class SessionRow:
    """One session. Times: `granted_ms` by the server's clock, `first` and `last` POSIX seconds of cosignatures."""

    order: int
    sid: str
    learner: str
    registration: str
    granted_ms: int
    first: int
    last: int
    state: str
    events: int
    withheld: int
    scripted: bool
    credited_ms: int | None
    played_ms: int
    credited: tuple[Part, ...]
    not_credited: tuple[Part, ...]
    checks: tuple[Check, ...]
    findings: tuple[AgentFinding, ...]

    @classmethod
    def of(cls, session: VerifiedSession, earned: SessionCredit | None, credited_ms: int | None) -> SessionRow:
        """The row of a verified session; `earned` None where credit was not checkable."""
        revealed, grant, stamps = session.record.revealed, session.grant, session.log.stamps
        state = revealed.how if revealed else ("closed" if session.log.closed else "open")
        if grant is None:
            credited_ms = 0
        return cls(
            order=session.record.granted_at,
            sid=session.sid,
            learner=grant.learner if grant else "",
            registration=session.certificate.registration,
            granted_ms=grant.time if grant else 0,
            first=stamps[0].time if stamps else session.cosigned,
            last=session.cosigned,
            state=state,
            events=session.checkpoint.size,
            withheld=len(session.withheld),
            scripted=bool(session.log.opened and session.log.opened.scripted),
            credited_ms=credited_ms,
            played_ms=earned.played_ms if earned else 0,
            credited=earned.credited if earned else (),
            not_credited=earned.not_credited if earned else (),
            checks=earned.checks if earned else (),
            findings=tuple(_agent_findings(session)),
        )

    def line(self) -> SessionLine:
        """The row as it stands in the summaries."""
        return SessionLine(
            learner=self.learner,
            registration=self.registration,
            sid=self.sid,
            granted_ms=self.granted_ms,
            state=self.state,
            events=self.events,
            credited_ms=self.credited_ms,
        )


def rows(items: Iterable[SessionRow] = ()) -> Rows:
    """Rows that lie in a file: what one session's checks and gaps take is not held for all of them."""
    return Spool(_plain_row, _row_again, items)


def unit_lines() -> Units:
    """Unit lines, kept the same way."""
    return Spool(fields_of, UnitLine)


def point_lines() -> Earned:
    """Point lines, kept the same way."""
    return Spool(fields_of, PointLine)


def _plain_row(row: SessionRow) -> Plain:
    *plain, credited, not_credited, checks, findings = fields_of(row)
    return (*plain, *(tuple(map(fields_of, items)) for items in (credited, not_credited, checks, findings)))


def _row_again(*values: Any) -> SessionRow:
    *plain, credited, not_credited, checks, findings = values
    pieces = ((Part, credited), (Part, not_credited), (Check, checks), (AgentFinding, findings))
    return SessionRow(*plain, *(tuple(kind(*item) for item in items) for kind, items in pieces))


def _agent_findings(session: VerifiedSession) -> list[AgentFinding]:
    return [
        AgentFinding(event.seq, event.body.rule, event.body.severity, event.body.response)
        for event in session.log.naming
        if isinstance(event.body, Finding)
    ]


def unit_rows(registration: str, credit: Credit) -> list[UnitLine]:
    """One line a unit of the registration's course."""
    return [UnitLine(registration, unit.unit, unit.duration_ms, unit.credited_ms) for unit in credit.units]


@dataclass(slots=True)
class Report:
    """The outcome of one verification."""

    findings: Findings
    checkpoint: Checkpoint | None = None
    witnesses: dict[str, int] = field(default_factory=dict)
    timestamps: list[Timestamp] = field(default_factory=list)
    quorum: str = "none"
    fingerprints: dict[str, str] = field(default_factory=dict)  # what the verifier brought → groups, as in the letter
    sessions: Rows = field(default_factory=rows)
    units: Units = field(default_factory=unit_lines)
    points: Earned = field(default_factory=point_lines)
    exams: dict[str, ExamLine] = field(default_factory=dict)  # learner → the last result
    tests: dict[tuple[str, str], TestLine] = field(default_factory=dict)  # (learner, unit) → the best attempt
    people: dict[str, str] = field(default_factory=dict)
    vouchers: dict[str, str] = field(default_factory=dict)  # hash of a voucher's text → SHA-256 of its file

    @property
    def refused(self) -> bool:
        """Whether any step refused."""
        return self.findings.refused

    @property
    def exit_code(self) -> int:
        """0 nothing refused, 1 refused (2, unreadable, is the caller's)."""
        return 1 if self.refused else 0

    @property
    def credited_ms(self) -> int:
        """All credited ms of the archive, as far as they were computed."""
        return sum(row.credited_ms or 0 for row in self.sessions)

    @property
    def results(self) -> Results:
        """Points, exams and tests, as they stand in the summaries."""
        exams = tuple(line for _, line in sorted(self.exams.items()))
        return Results(self.points, exams, tuple(line for _, line in sorted(self.tests.items())))

    def to_json(self) -> dict[str, Any]:
        """The report as plain values (its own format, not a signed one)."""
        return {
            "refused": self.refused,
            "class": self.checkpoint.origin if self.checkpoint else None,
            "size": self.checkpoint.size if self.checkpoint else None,
            "root": self.checkpoint.root.hex() if self.checkpoint else None,
            "witnesses": self.witnesses,
            "timestamps": [{"size": t.size, "time": t.time, "authority": t.authority} for t in self.timestamps],
            "quorum": self.quorum,
            "fingerprints": self.fingerprints,
            "credited_ms": self.credited_ms,
            "steps": [
                {
                    "step": step.number, "title": step.title, "status": str(step.status), "checked": step.checked,
                    "findings": [
                        {"status": str(f.status), "message": f.message, "code": f.code, "sid": f.sid, "index": f.index}
                        for f in step.findings
                    ],
                }
                for step in self.findings.steps.values()
            ],
            "sessions": [_session_json(row) for row in self.sessions],
            "units": [fields(unit) for unit in self.units],
            "points": [fields(line) for line in self.points],
            "exams": [fields(line) for line in self.results.exams],
            "tests": [fields(line) for line in self.results.tests],
        }  # fmt: skip


def _session_json(row: SessionRow) -> dict[str, Any]:
    def part(p: Part) -> dict[str, Any]:
        return {"unit": p.unit, "from": p.from_, "to": p.to, "first": p.first, "last": p.last, "reason": p.reason}

    return {
        "sid": row.sid, "learner": row.learner, "registration": row.registration, "granted_ms": row.granted_ms,
        "first": row.first, "last": row.last, "state": row.state, "events": row.events, "withheld": row.withheld,
        "scripted": row.scripted, "credited_ms": row.credited_ms, "played_ms": row.played_ms,
        "credited": [part(p) for p in row.credited], "not_credited": [part(p) for p in row.not_credited],
        "checks": [
            {"i": c.i, "mode": c.mode, "outcome": c.outcome, "why": c.why, "attempts": c.attempts, "seq": c.place[0]}
            for c in row.checks
        ],
        "findings": [
            {"seq": f.seq, "rule": f.rule, "severity": f.severity, "response": f.response} for f in row.findings
        ],
    }  # fmt: skip
