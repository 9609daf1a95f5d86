"""Credited time as the operator states it: `ledger.credit` over a registration, logged when a figure changes.

What is computed from is what the class log shows of each session, so that a verifier with the archive alone gets the
same figure: events up to the last logged checkpoint, the seed where it is revealed.
"""

from __future__ import annotations

import logging
from collections.abc import Sequence
from dataclasses import dataclass, replace
from functools import partial

from ledger import certificate, checkpoint, course, grant, leaves, points, policy, segment
from ledger.certificate import Previous
from ledger.classlog import ClassLog
from ledger.clocks import day
from ledger.credit import Check, Credit, Part, Ruling, SessionCredit, SessionRecord, UnitCredit, credit
from ledger.errors import LedgerError
from ledger.leaves import SettledLeaf
from ledger.policy import Policy
from ledger.sessionlog import SessionLog
from ledger.tree import leaf_hash
from server_stub.domain import said
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import UnknownSessionError
from server_stub.domain.live import document, empty_log
from server_stub.domain.people import Account
from server_stub.domain.ports import Progress, Records, Session, Transaction
from server_stub.domain.reveal import known
from server_stub.domain.signin import Clock

_log = logging.getLogger("server_stub")


@dataclass(frozen=True, slots=True)
class Figure:
    """One session's credit over its first `size` events; `earned` is None where nothing of it can be read."""

    sid: str
    size: int
    earned: SessionCredit | None
    made_up: int = 0
    kept_ms: int = 0  # settled before events of it were erased: what can still be computed is less, and not the truth

    @property
    def credited_ms(self) -> int:
        """What it earned."""
        return max(self.earned.credited_ms if self.earned else 0, self.kept_ms)


@dataclass(frozen=True, slots=True)
class Worth:
    """A registration's credit, and what it is worth in tenths of class hours and of credit points."""

    credit: Credit
    hours_tenths: int
    points_tenths: int


class Settler:
    """Computes and logs."""

    def __init__(self, records: Records, logs: ClassLogs, server: str, clock: Clock) -> None:
        self._records, self._logs, self._clock, self._server = records, logs, clock, server

    def sweep(self) -> int:
        """Settle every registration in which a session ended since; return how many."""
        ended = self._records.read(lambda tx: {known(tx, sid).registration for sid in tx.events.unsettled()})
        return sum(self.settle(registration) for registration in sorted(ended))

    def settle(self, registration: str) -> bool:
        """Log the figures that changed. Computed outside the write lock: when a session went on meanwhile, not now."""
        try:
            figures, seen = self._records.read(partial(self._figures, registration=registration))
        except LedgerError as error:  # nobody's answer may fail because of it; the sweep says it again
            _log.error("registration %s cannot be credited: %s", registration, error)
            return False

        def log(tx: Transaction) -> bool:
            if _progress(tx, registration) != seen:
                return False
            for figure in figures:
                self._log(tx, figure)
            return True

        return self._records.write(log)

    def settle_in(self, tx: Transaction, registration: str) -> None:
        """The same within the caller's transaction, which waits for it."""
        for figure in self.compute(tx, registration):
            self._log(tx, figure)

    def _log(self, tx: Transaction, figure: Figure) -> None:
        session, progress = known(tx, figure.sid), tx.events.progress(figure.sid)
        if (progress.settled_size, progress.settled_ms) != (figure.size, figure.credited_ms):
            leaf = SettledLeaf(self._clock(), figure.sid, figure.size, figure.credited_ms)
            self._logs.append(tx, session.class_id, leaf)
        checks = figure.earned.checks if figure.earned else ()
        done = replace(progress, settled_size=figure.size, settled_ms=figure.credited_ms, unsettled=False)
        missed, mismatched = _missed(checks), sum(check.mismatch for check in checks)
        tx.events.set_progress(replace(done, missed=missed, mismatched=mismatched, made_up=figure.made_up))

    def _figures(self, tx: Transaction, registration: str) -> tuple[list[Figure], list[Progress]]:
        found = self.compute(tx, registration)
        return found, _progress(tx, registration)

    def compute(self, tx: Transaction, registration: str) -> list[Figure]:
        """The figure of every session of which a checkpoint is logged."""
        sizes, records = {}, []
        for sid in tx.events.sessions(registration=registration):
            session, progress = known(tx, sid), tx.events.progress(sid)
            if progress.logged_leaf < 0:
                continue
            sizes[sid] = progress.logged_size
            entry = tx.log.entries(session.class_id, progress.logged_leaf, progress.logged_leaf + 1)[0]
            record = self._record(tx, session, progress, entry)
            if record is not None:
                records.append(record)
        if not records:
            return [Figure(sid, size, None) for sid, size in sizes.items()]
        log, learner = self._log_of(tx, records[0].sid), records[0].grant.learner
        ruled = said.rulings(tx, log, learner)
        found = _credit(records, ruled)
        earned = {item.sid: item for item in found.sessions}
        made_up = {item.sid: _made_up(item, found.units) for item in found.sessions}
        return [
            Figure(sid, size, earned.get(sid), made_up.get(sid, 0), self._kept(tx, log, sid, ruled))
            for sid, size in sizes.items()
        ]

    def whole(self, tx: Transaction, registration: str) -> Credit | None:
        """The credit of a registration by what is logged, with units and checks; None where nothing can be read."""
        found = self.worth(tx, registration)
        return found.credit if found else None

    def worth(self, tx: Transaction, registration: str) -> Worth | None:
        """The same with what it is counted by: the rules of its first grant, and the point table as a verifier takes
        it."""
        records = []
        for sid in tx.events.sessions(registration=registration):
            session, progress = known(tx, sid), tx.events.progress(sid)
            if progress.logged_leaf >= 0:
                entry = tx.log.entries(session.class_id, progress.logged_leaf, progress.logged_leaf + 1)[0]
                record = self._record(tx, session, progress, entry)
                records += [record] if record is not None else []
        if not records:
            return None
        first, log = records[0], self._log_of(tx, records[0].sid)
        found = _credit(records, said.rulings(tx, log, first.grant.learner))
        assert first.policy is not None
        table = points.named(log, first.order)
        counted = points.parse(document(tx, table)) if table else points.standard()
        hours = points.class_hours(found.credited_ms, first.policy)
        return Worth(found, hours, points.count(found, first.policy, counted))

    def tables(self, tx: Transaction, class_id: str) -> int:
        """How many point tables a class log has named so far."""
        return len(self._logs.log(tx, class_id).policies.get("points", []))

    def _log_of(self, tx: Transaction, sid: str) -> ClassLog:
        return self._logs.log(tx, known(tx, sid).class_id)

    def _kept(self, tx: Transaction, log: ClassLog, sid: str, ruled: list[Ruling]) -> int:
        """The figure that was settled before the first erasure; 0 without one, or while a verdict stands."""
        record = log.sessions[sid]
        gone = set(tx.events.erased(sid))  # an erased photo changes no figure
        first = next((at for at, leaf in record.erased if gone.intersection(leaf.index)), 0)
        before = [at for at in record.settled_at if at < first]
        if not before or said.zeroed(ruled, sid):
            return 0
        leaf = leaves.decode(tx.log.entries(known(tx, sid).class_id, before[-1], before[-1] + 1)[0])
        return leaf.credited_ms if isinstance(leaf, SettledLeaf) else 0

    def shown(self, account: Account, sid: str) -> dict[str, object]:
        """A learner's own session: its credited ms and every part with its reason ("" where credited)."""

        def find(tx: Transaction) -> SessionCredit | None:
            session = known(tx, sid)
            if session.learner != account.learner:
                raise UnknownSessionError("this learner has no such session")
            return self._now(tx, session)

        earned = self._records.read(find)
        return {"credited_ms": earned.credited_ms if earned else 0, "spans": _spans(earned)}

    def _now(self, tx: Transaction, session: Session) -> SessionCredit | None:
        """What one session stands at by all that was accepted, logged or not; None where nothing can be read."""
        records = []
        for sid in tx.events.sessions(registration=session.registration):
            other, progress = known(tx, sid), tx.events.progress(sid)
            record = self._record(tx, other, progress, progress.checkpoint) if progress.size else None
            if record is not None:
                records.append(record)
        ruled = said.rulings(tx, self._log_of(tx, session.sid), session.learner)
        found = _credit(records, ruled).sessions if records else ()
        return next((item for item in found if item.sid == session.sid), None)

    def _record(self, tx: Transaction, session: Session, progress: Progress, last: bytes) -> SessionRecord | None:
        """The session up to the checkpoint note `last`, as a verifier takes it; None where it holds no grant."""
        parsed, signed = checkpoint.parse(last)
        log = self._read(tx, session, parsed.size)
        if log.opened is None:
            return None
        end = log.fault.index if log.fault else len(log.events)
        if log.opened.grant.encode() != session.grant:
            end = 0  # its signature was not copied whole: the device's fault, nothing counts
        given, over = grant.parse(session.grant)[0], progress.state != "open"
        prev = certificate.parse(session.cert)[0].prev
        return SessionRecord(
            grant=given,
            order=session.leaf,
            events=log.events[:end],
            stamps=[stamp for stamp in log.stamps if stamp.seq < end],
            last=(parsed.size, signed.signatures[1].time),
            prev=prev.sid if isinstance(prev, Previous) else None,
            seed=session.seed if over else None,
            issued=progress.issued if over else None,
            changes=tuple(said.changes(tx, digest) for digest in given.accommodations),
            spots=said.spots(tx, log.events[:end], session.sid),
            identified=said.identifications(tx, log.events[:end], session.learner, session.sid),
            policy=policy.parse(document(tx, given.policy)),
            course=course.parse(document(tx, given.course)),
        )

    def _read(self, tx: Transaction, session: Session, size: int) -> SessionLog:
        keys = self._logs.log(tx, session.class_id).counting("cosign", session.leaf)
        log = empty_log(self._server, keys, session)
        erased = tx.events.erased(session.sid)
        for _, body in tx.events.segments(session.sid):
            for entry in segment.parse_kept(body).entries:
                if len(log.tree) < size:
                    log.add(entry or None, leaf_hash(entry) if entry else erased[len(log.tree)])
        return log


def carried(tx: Transaction, learner: str, rules: Policy, now: int) -> dict[str, int]:
    """Misses, mismatches and make-ups in this learner's sessions of today, as far as they are settled."""
    sessions = tx.events.sessions(learner=learner)
    today = [sid for sid in sessions if day(known(tx, sid).granted_at, rules) == day(now, rules)]
    found = [tx.events.progress(sid) for sid in today]
    return {
        "missed": sum(progress.missed for progress in found),
        "mismatched": sum(progress.mismatched for progress in found),
        "made_up": sum(progress.made_up for progress in found),
    }


def _spans(earned: SessionCredit | None) -> list[dict[str, object]]:
    """The parts of a session as `GET …/credit` lists them: `reason` "" for what is credited."""
    parts: Sequence[Part] = (*earned.credited, *earned.not_credited) if earned else ()
    return [
        {"unit": part.unit, "from": part.from_, "to": part.to, "first": part.first, "last": part.last,
         "reason": part.reason}
        for part in sorted(parts, key=lambda part: (part.first, part.from_))
    ]  # fmt: skip


def _credit(records: list[SessionRecord], ruled: Sequence[Ruling]) -> Credit:
    """`ledger.credit` with the rules and the course of the first session, as a verifier calls it."""
    first = records[0]
    assert first.course is not None
    assert first.policy is not None
    return credit(records, first.course, first.policy, ruled)


def _missed(checks: Sequence[Check]) -> int:
    return sum(check.outcome == "missed" for check in checks)


def _made_up(earned: SessionCredit, units: Sequence[UnitCredit]) -> int:
    """The session's missed checks, once every part that they left unproven has been credited after all; else 0."""
    credited = {unit.unit: unit.intervals for unit in units}
    lost = [part for part in earned.not_credited if part.reason in ("check_missed", "check_unclear")]
    again = all(any(a <= part.from_ and part.to <= b for a, b in credited.get(part.unit, ())) for part in lost)
    return _missed(earned.checks) if lost and again else 0


def _progress(tx: Transaction, registration: str) -> list[Progress]:
    return [tx.events.progress(sid) for sid in tx.events.sessions(registration=registration)]
