"""Steps 3 to 8 and 10 for one registration after the other; what came of several can be put together again.

A `Registrations` is one worker's desk: it keeps nothing of an event once its registration is done.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from ledger.archive import Source
from ledger.classlog import SessionRecord
from ledger.credit import Credit, SessionCredit
from ledger.errors import CertificateError
from ledger.events import Consent
from ledger.findings import Findings, Refused, Status
from ledger.report import Earned, Rows, SessionRow, Units, point_lines, rows, unit_lines, unit_rows
from ledger.sessionlog import Fault
from ledger.steps import answered
from ledger.steps.bodies import Documents, Reader
from ledger.steps.classlog import VerifiedClass
from ledger.steps.credit import Crediting, figure
from ledger.steps.evidence import Evidence
from ledger.steps.overview import Overview
from ledger.steps.points import Counting
from ledger.steps.session import VerifiedSession, verify_session
from ledger.steps.witnessed import Witnessed
from ledger.summary import PointLine


@dataclass(slots=True)
class Share:
    """What came of some registrations, as values that another process can send."""

    findings: Findings
    documents: Documents
    unnamed: set[str]  # sealed evidence that none of them names
    unbounded: int  # sessions that no two anchors stand around
    complete: bool  # whether every figure could be computed
    sessions: Rows = field(default_factory=rows)
    units: Units = field(default_factory=unit_lines)
    points: Earned = field(default_factory=point_lines)


class Registrations:
    """Verifies registrations and gathers the rows of the report."""

    def __init__(self, source: Source, verified: VerifiedClass, reader: Reader, overview: Overview) -> None:
        self._source, self._verified, self._reader, self._overview = source, verified, reader, overview
        self._findings = reader.findings
        self._evidence = Evidence(source, self._findings)
        self._crediting = Crediting(verified, reader, self._findings)
        self._witnessed = Witnessed(verified, self._findings)
        self._counting = Counting(verified.log, reader, self._findings)
        self._sessions, self._units, self._points = rows(), unit_lines(), point_lines()
        self._findings.reach("3", "4", "6")

    def take(self, sids: list[str]) -> None:
        """Verify one registration's sessions, which are in the order of their `granted` leaves."""
        standing = []
        for sid in sids:
            try:
                standing.append(self._session(self._verified.log.sessions[sid]))
            except Refused:
                self._crediting.complete = False
        credit, earned = self._crediting.take(standing)
        by_sid = {session.sid: credited for session, credited in earned}
        self._sessions.extend(self._row(session, by_sid.get(session.sid)) for session in standing)
        if credit is not None and standing:
            registration = standing[0].certificate.registration
            self._units.extend(unit_rows(registration, credit))
            self._points.extend(self._worth(registration, standing, credit))

    def _worth(self, registration: str, standing: list[VerifiedSession], found: Credit) -> list[PointLine]:
        """The registration's points, none where the class has no table."""
        first = next(session for session in standing if session.grant is not None)
        assert first.grant is not None
        line = self._counting.line(
            registration, first.record.granted_at, found, self._crediting.rules.policy(first.grant.policy),
            erased=any(session.withheld for session in standing),
        )  # fmt: skip
        return [] if line is None else [line]

    def _session(self, record: SessionRecord) -> VerifiedSession:
        sid = record.sid
        if sid in self._overview.shared:
            with self._findings.step("3", sid):
                raise CertificateError(f"session {sid} uses the key of another session")
        session = verify_session(self._source, self._verified, record, self._findings)
        if sid in self._overview.broken:
            session.fault = Fault(0, self._overview.broken[sid])
            self._findings.add("3", Status.NOT_CREDITED, session.fault.reason, sid=sid, index=0)
        self._evidence.take(session.log, record)
        if results := self._reader.found.handed.get(sid):
            answered.check(session, results, self._findings)
        for event in session.log.naming:
            if isinstance(event.body, Consent):
                self._reader.plain(event.body.notice, "notice", quiet=True)
        return session

    def _row(self, session: VerifiedSession, earned: SessionCredit | None) -> SessionRow:
        if earned is not None:
            self._witnessed.take(session, earned)
        credited = None if earned is None else figure(session, earned)
        return SessionRow.of(session, earned, credited)

    def share(self) -> Share:
        """What came of those taken so far."""
        return Share(
            findings=self._findings, documents=self._reader.found, unnamed=self._evidence.unnamed,
            unbounded=self._witnessed.unbounded, complete=self._crediting.complete and self._counting.complete,
            sessions=self._sessions, units=self._units, points=self._points,
        )  # fmt: skip

    def merge(self, share: Share) -> None:
        """Put in what another process found, as if it had been found here."""
        self._findings.merge(share.findings)
        self._reader.found.merge(share.documents)
        self._evidence.unnamed &= share.unnamed
        self._witnessed.unbounded += share.unbounded
        self._crediting.complete &= share.complete
        self._sessions.extend(share.sessions)
        self._units.extend(share.units)
        self._points.extend(share.points)

    def close(self) -> Share:
        """All of them are done: say what only then can be said, and return the whole."""
        self._evidence.close()
        self._witnessed.close()
        self._sessions.sort(key=lambda row: row.order)
        return self.share()
