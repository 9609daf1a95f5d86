"""Steps 7 and 8 for one registration: checks against the seeds, and the credited time that follows from them."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable
from typing import TypeVar

from ledger import clocks, course, policy
from ledger.bodies import Accommodation, Spot
from ledger.bodies import Command as CommandNote
from ledger.certificate import Previous
from ledger.course import Course
from ledger.credit import Credit, SessionCredit, SessionRecord, credit
from ledger.errors import MissingFileError, RootMismatchError, ScheduleError, VerifyError
from ledger.events import Answered, Command, Ordered
from ledger.findings import Findings, Refused, Status
from ledger.grant import Grant
from ledger.identify import Identified, identified
from ledger.policy import Policy
from ledger.reasons import reason
from ledger.schedule import SPOT
from ledger.steps.bodies import Reader, Signed
from ledger.steps.classlog import VerifiedClass
from ledger.steps.session import VerifiedSession

_T = TypeVar("_T", Policy, Course)
Credited = tuple[VerifiedSession, SessionCredit]


class Rules:
    """Policies and courses by hash, each read and parsed once."""

    def __init__(self, reader: Reader) -> None:
        self.reader = reader
        self._parsed: dict[str, Policy | Course] = {}

    def policy(self, digest: str) -> Policy:
        """The policy with this hash; `MissingFileError` where it is not kept."""
        return self._get(digest, "policy", policy.parse)

    def course(self, digest: str) -> Course:
        """The course with this hash; `MissingFileError` where it is not kept."""
        return self._get(digest, "course", course.parse)

    def _get(self, digest: str, what: str, parse: Callable[[bytes], _T]) -> _T:
        data = self.reader.plain(digest, what)
        if data is None:
            raise MissingFileError(f"the {what} {digest} is not kept")
        if digest not in self._parsed:
            self._parsed[digest] = parse(data)
        return self._parsed[digest]  # type: ignore[return-value]


class Crediting:
    """Computes registration by registration and compares with what the operator settled."""

    def __init__(self, verified: VerifiedClass, reader: Reader, findings: Findings) -> None:
        self._verified, self._reader, self._findings = verified, reader, findings
        self.rules = Rules(reader)
        self.complete = True  # whether every figure could be computed
        findings.reach("7", "8")

    def take(self, sessions: list[VerifiedSession]) -> tuple[Credit | None, list[Credited]]:
        """Credit one registration's sessions; None where what it needs is not here."""
        granted = [(s, s.grant) for s in sessions if s.grant is not None]
        if not granted:
            return None, []
        try:
            with self._findings.step("8"):
                found = self._credit(granted)
        except Refused:
            self.complete = False
            return None, []
        if isinstance(found, str):
            self.complete = False
            for step in ("7", "8"):
                self._findings.add(step, Status.NOT_CHECKABLE, found, sid=granted[0][0].sid)
            return None, []
        return found, [(s, self._judge(s, found.session(s.sid))) for s, _ in granted]

    def _credit(self, granted: list[tuple[VerifiedSession, Grant]]) -> Credit | str:
        """The credit of these sessions, or why it cannot be checked."""
        first, learner = granted[0][1], granted[0][1].learner
        if len({grant.learner for _, grant in granted}) > 1:
            raise VerifyError(f"registration {first.registration} is of two learners")
        if undecided := self._reader.found.undecided(learner, [session.sid for session, _ in granted]):
            return undecided
        try:
            rules, lessons = self.rules.policy(first.policy), self.rules.course(first.course)
            records = [self._record(session, grant, first) for session, grant in granted]
        except MissingFileError as error:
            return str(error)
        return credit(records, lessons, rules, self._reader.found.rulings(learner))

    def _record(self, session: VerifiedSession, grant: Grant, first: Grant) -> SessionRecord:
        """The session as `ledger.credit` takes it: only what counts, before its fault if it has one."""
        end = len(session.log.events) if session.fault is None else session.fault.index
        revealed, prev = session.record.revealed, session.certificate.prev
        return SessionRecord(
            grant=grant,
            order=session.record.granted_at,
            events=session.log.events[:end],
            stamps=[stamp for stamp in session.log.stamps if stamp.seq < end],
            last=(session.checkpoint.size, session.cosigned),
            prev=prev.sid if isinstance(prev, Previous) else None,
            seed=None if revealed is None else bytes.fromhex(revealed.seed),
            issued=None if revealed is None else revealed.issued,
            changes=tuple(self._changes(digest, grant) for digest in grant.accommodations),
            spots=self._spots(session, end),
            identified=self._identified(session, grant, end),
            policy=self.rules.policy(grant.policy) if grant.policy != first.policy else None,
            course=self.rules.course(grant.course) if grant.course != first.course else None,
        )

    def _changes(self, digest: str, grant: Grant) -> dict[str, object]:
        signed = self._reader.found.signed.get(digest)
        if signed is None or not isinstance(signed.body, Accommodation):
            raise MissingFileError(f"the accommodation {digest} is not kept")
        if signed.body.learner != grant.learner or signed.body.until <= grant.time:
            raise VerifyError(f"session {grant.sid}: its accommodation {digest} is another learner's, or had run out")
        self._by_a_person(signed)
        return dict(signed.body.changes)

    def _spots(self, session: VerifiedSession, end: int) -> dict[str, Spot]:
        """Spot checks that the session's `command` events name; commands are read, too, so that no file is loose.

        `MissingFileError`: a note is not kept, and a check was ordered that only it could account for.
        """
        spots, lost = {}, False
        for event in session.log.naming:
            if event.seq >= end or not isinstance(event.body, Command):
                continue
            at = session.record.granted_at
            body = self._reader.body(event.body.digest, ("command", "spot"), at, session.sid)
            if isinstance(body, Spot):
                self._by_a_person(self._reader.found.signed[event.body.digest])
                spots[f"spot-{body.n}"] = body
            lost |= event.body.digest in self._reader.found.missing
        for event_ in session.log.events[:end] if lost else ():
            order = event_.body if event_ is not None else None
            if isinstance(order, Ordered) and str(order.i).startswith(SPOT) and order.i not in spots:
                raise MissingFileError(f"session {session.sid}: the note of check {order.i} is not kept")
        return spots

    def _identified(self, session: VerifiedSession, grant: Grant, end: int) -> dict[str, Identified]:
        """The notes that this session's `identify` answers name, by hash: the server's word, or a supervisor's."""
        found = {}
        for event in session.log.events[:end]:
            if event is None or not isinstance(event.body, Answered) or event.body.kind != "identify":
                continue
            for digest in event.body.models.values():
                if digest in self._reader.found.missing:
                    raise MissingFileError(f"the identification {digest} is not kept")
                signed = self._reader.found.signed.get(digest)
                note = identified(signed.body, grant.learner, session.sid) if signed else None
                if signed is not None and note is not None:
                    if not isinstance(signed.body, CommandNote):  # the server signs for its own codes
                        self._by_a_person(signed)
                    found[digest] = note
        return found

    def _by_a_person(self, signed: Signed) -> None:
        """Return quietly, or raise `MissingFileError`: a person counts once an --authority key vouches for them."""
        if not self._reader.found.vouched.issuperset(signed.by):
            raise MissingFileError(f"the {signed.body.kind} is by somebody whom no --authority key vouches for")

    # --- what came of it ----------------------------------------------------------------------------------------------

    def _judge(self, session: VerifiedSession, earned: SessionCredit) -> SessionCredit:
        """Record what steps 7 and 8 say of one session."""
        self._list_checks(session, earned)
        self._list_parts(session, earned)
        try:
            with self._findings.step("8", session.sid):
                self._compare(session, earned)
        except Refused:
            pass
        return earned

    def _list_checks(self, session: VerifiedSession, earned: SessionCredit) -> None:
        findings, sid = self._findings, session.sid
        if earned.seed_wrong:
            error = ScheduleError(f"session {sid}: the revealed seed is not the one that was committed to")
            findings.refuse("7", error, sid)
        if session.record.revealed is None:
            findings.add("7", Status.NOT_CHECKABLE, "its seed is not revealed yet", sid=sid)
        for seq, check in earned.stray:
            findings.add(
                "7", Status.NOT_CREDITED, f"nothing accounts for the order of check {check}", sid=sid, index=seq
            )
        for check_ in earned.checks:
            if check_.outcome == "passed":
                findings.count("7")
            else:
                said = f"check {check_.i} {check_.outcome}" + (f" ({check_.why})" if check_.why else "")
                findings.add("7", Status.NOT_CREDITED, said, sid=sid, index=check_.place[0])

    def _list_parts(self, session: VerifiedSession, earned: SessionCredit) -> None:
        lost: Counter[str] = Counter()
        for part in earned.not_credited:
            lost[part.reason] += part.ms
        for code, ms in lost.items():
            if code != "replay":
                said = f"{ms} ms not credited: {reason(code).en}"
                self._findings.add("8", Status.NOT_CREDITED, said, sid=session.sid)

    def _compare(self, session: VerifiedSession, earned: SessionCredit) -> None:
        """The operator's last figure for this session is ours."""
        settled, revealed = session.record.settled, session.record.revealed
        if settled is None or (settled.size != session.checkpoint.size and revealed is None):
            if revealed is not None:
                self._findings.add("8", Status.NOT_CHECKABLE, "it was never settled", sid=session.sid)
            return
        if settled.size != session.checkpoint.size:
            raise RootMismatchError(f"session {session.sid}: settled over {settled.size} events, not all of them")
        same = settled.credited_ms == earned.credited_ms
        if session.withheld:  # each counts as a failed check, so ours may only be lower
            same = earned.credited_ms <= settled.credited_ms <= self._most(session)
        if not same:
            raise RootMismatchError(
                f"session {session.sid}: settled as {settled.credited_ms} ms, its events give {earned.credited_ms} ms"
            )
        if session.withheld:
            said = f"{len(session.withheld)} events were erased since: its figure is the one that was settled before"
            self._findings.add("8", Status.NOT_CHECKABLE, said, sid=session.sid)

    def _most(self, session: VerifiedSession) -> int:
        """Ms that nobody earns more than in this session: the time from its grant to its last cosignature, as media."""
        assert session.grant is not None
        rules = self.rules.policy(session.grant.policy)
        passed = (session.cosigned + 1) * 1000 - session.grant.time + rules.clock_slack_ms
        return max(0, passed) * max(*rules.rates, 1000) // 1000 + clocks.LEAD_MS


def figure(session: VerifiedSession, earned: SessionCredit) -> int:
    """The credited ms to report: the settled figure where events were erased since, else what was computed."""
    settled = session.record.settled
    return settled.credited_ms if session.withheld and settled is not None else earned.credited_ms
