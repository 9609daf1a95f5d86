"""A learner's own copy of a class archive: that learner's sessions and documents, and nobody else's.

The class log stands in it whole (it names no person); `python -m ledger verify --partial` checks the copy as it stands.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

from ledger import bodies
from ledger.bodies import Audit, Body, Correction, Exit, Reversal
from ledger.errors import LedgerError
from ledger.export import ArchiveData
from server_stub.domain.ports import Transaction
from server_stub.domain.reveal import known
from server_stub.domain.reviewing import OPENED

OWNER_BYTES = 48  # 16 random bytes and the learner: the body that a device's `owner` names


def of_learner(tx: Transaction, data: ArchiveData, learner: str) -> ArchiveData:
    """`data` without the sessions, documents and names of anybody but `learner`."""
    mine = (session for session in data.sessions if known(tx, session.sid).learner == learner)
    return replace(data, sessions=mine, bodies=_bodies(tx, data, learner), people=None)


def _bodies(tx: Transaction, data: ArchiveData, learner: str) -> Iterator[tuple[str, bytes]]:
    for digest, body in data.bodies:
        if concerns(tx, body, learner):
            yield digest, body


def concerns(tx: Transaction, data: bytes, learner: str) -> bool:
    """Whether a document is about this learner, or about nobody in particular (rules, notices, vouchers, commands)."""
    if len(data) == OWNER_BYTES:
        return data[16:] == learner.encode()
    try:
        body = bodies.parse(data)[0]
    except LedgerError:
        return not data.startswith(b"trueseat/erasure/v1\n") or _is_mine(tx, _sid(data), learner)
    return _body_concerns(tx, body, learner)


def _body_concerns(tx: Transaction, body: Body, learner: str) -> bool:
    match body:
        case Exit():
            return True
        case Audit(did=did, target=target) if did == OPENED:
            return _is_mine(tx, target.partition("/")[0], learner)  # who looked at one's face, and why
        case Audit() | Correction():
            return False  # the staff's own bookkeeping; it may speak of others
        case Reversal():
            verdict = tx.log.body(body.verdict)
            return verdict is not None and concerns(tx, verdict, learner)
    sid = getattr(body, "sid", None)
    if sid is not None:
        return _is_mine(tx, sid, learner)
    return bool(getattr(body, "learner", learner) == learner)


def _is_mine(tx: Transaction, sid: str, learner: str) -> bool:
    session = tx.events.session(sid)
    return session is not None and session.learner == learner


def _sid(receipt: bytes) -> str:
    """The session of a deletion receipt, "" where it says none."""
    _, found, rest = receipt.partition(b'"sid":"')
    return rest[:32].decode("ascii", "replace") if found else ""
