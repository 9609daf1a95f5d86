"""By what a learner's credit points are counted: as server and verifier do it, by the class log and the first grant."""

from __future__ import annotations

from dataclasses import dataclass

from client.errors import ClientError
from client.sync.enrol import Enrolment, Registration
from client.sync.outbox import Kept, Outbox
from ledger import grant, points
from ledger import policy as policies
from ledger.errors import LedgerError
from ledger.points import Rules
from ledger.policy import Policy


@dataclass(frozen=True, slots=True)
class Basis:
    """The rules of a registration's first session, and the point table that counts for it: neither changes later."""

    policy: Policy
    table: Rules


def basis(enrolment: Enrolment, outbox: Outbox, registration: Registration) -> Basis | None:
    """None before the first session, where the class names no table, and where a document cannot be had now: points
    wait then, a lesson does not. Slow the first time: the class log is read as this device last saw it."""
    try:
        log = enrolment.follower(registration).log

        def granted_at(kept: Kept) -> int:
            record = log.sessions.get(kept.sid)
            return len(log) if record is None else record.granted_at

        mine = [kept for kept in outbox.sessions() if kept.registration == registration.registration and kept.grant]
        first = min(mine, key=granted_at, default=None)
        digest = points.named(log, granted_at(first)) if first is not None else None
        if first is None or digest is None:
            return None
        policy = policies.parse(enrolment.document(grant.parse(first.grant)[0].policy))
        return Basis(policy, points.parse(enrolment.document(digest)))
    except (ClientError, LedgerError):
        return None
