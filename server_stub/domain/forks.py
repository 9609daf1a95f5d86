"""What the server keeps of a session's other history, for people: every piece, and a proof where there is one.

A segment or checkpoint that the session's own key signed and that contradicts what was accepted shows that the key was
in two places. Which of the two is the learner's, people decide.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger import checkpoint, names, segment
from ledger.compare import History, Outcome, compare_histories
from ledger.errors import LedgerError
from ledger.keys import ED25519, Vkey
from ledger.tree import Tree, leaf_hash
from server_stub.domain.ports import Session, Transaction
from server_stub.domain.reveal import known


@dataclass(frozen=True, slots=True)
class Kept:
    """One piece of evidence: its bytes, and the proof (a file) that it and the accepted history make, if they do."""

    data: bytes
    proof: bytes | None


def kept(tx: Transaction, sid: str, server: str) -> list[Kept]:
    """Everything that is kept beside a session's accepted history."""
    hashes = _hashes(tx, sid)
    return [Kept(data, prove(tx, sid, server, data, hashes)) for data in tx.events.forks(sid)]


def prove(tx: Transaction, sid: str, server: str, data: bytes, hashes: list[bytes] | None = None) -> bytes | None:
    """The proof that `data` (a segment or checkpoint by the session's key) contradicts what was accepted, or None."""
    session, progress = known(tx, sid), tx.events.progress(sid)
    if not progress.size:
        return None
    accepted = _hashes(tx, sid) if hashes is None else hashes
    parsed, signed = checkpoint.parse(progress.checkpoint)
    return _prove(History(parsed, signed, _key(session, server), Tree(accepted)), data, accepted)


def _prove(ours: History, data: bytes, hashes: list[bytes]) -> bytes | None:
    theirs = _history(data, hashes, ours.key)
    if theirs is None or theirs.checkpoint.origin != ours.checkpoint.origin:
        return None
    outcome = Outcome()
    compare_histories(ours, theirs, outcome)
    return bytes(outcome.proofs[0]) if outcome.proofs else None


def _history(data: bytes, hashes: list[bytes], key: Vkey) -> History | None:
    """The history that a kept segment or checkpoint states, with its tree where its entries lead to its root."""
    try:
        given = segment.parse_kept(data)
    except LedgerError:
        try:
            return History(*checkpoint.parse(data), key)
        except LedgerError:
            return None  # a certificate: it speaks for itself
    tree = Tree([*hashes[: given.old], *(leaf_hash(entry) for entry in given.entries)])
    whole = len(tree) == given.checkpoint.size and tree.root() == given.checkpoint.root
    return History(given.checkpoint, given.note, key, tree if whole else None)


def _hashes(tx: Transaction, sid: str) -> list[bytes]:
    """Leaf hashes of the accepted events."""
    erased = tx.events.erased(sid)
    found: list[bytes] = []
    for _, body in tx.events.segments(sid):
        for index, entry in enumerate(segment.parse_kept(body).entries, len(found)):
            found.append(leaf_hash(entry) if entry else erased[index])
    return found


def _key(session: Session, server: str) -> Vkey:
    return Vkey(names.session_origin(server, session.sid), ED25519, bytes.fromhex(session.key))
