"""Whether the database is what the logs say: every hash computed again, every size counted again. Reads only.

For after a restore, a full disk or a doubt: what is found is named, nothing is repaired.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import partial
from hashlib import sha256

from ledger import bodies, checkpoint, note, segment
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.tree import Tree, leaf_hash
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import People
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import known


def check(people: People, records: Records, keyring: Keyring) -> list[str]:
    """One sentence a fault; [] when all is as it should be."""
    found: list[str] = []
    for class_id in keyring.logs:
        found += records.read(partial(_whole_class, keyring=keyring, class_id=class_id))
        enrolled = {item.registration for item in people.registrations(class_id=class_id)}
        for sid, registration in records.read(partial(_sessions, class_id=class_id)):
            found += [f"session {sid}: {fault}" for fault in records.read(partial(_whole_session, sid=sid))]
            if registration not in enrolled:
                found.append(f"session {sid}: nobody is enrolled under its registration")
    return found


def _sessions(tx: Transaction, class_id: str) -> list[tuple[str, str]]:
    return [(sid, known(tx, sid).registration) for sid in tx.events.sessions(class_id=class_id)]


def _whole_class(tx: Transaction, keyring: Keyring, class_id: str) -> list[str]:
    return list(_class(tx, keyring, class_id))


def _whole_session(tx: Transaction, sid: str) -> list[str]:
    return list(_session(tx, sid))


def _class(tx: Transaction, keyring: Keyring, class_id: str) -> Iterator[str]:
    """The class log: entries are of its form and hash to the signed checkpoint, bodies hash to what names them."""
    log, size = ClassLog(keyring.origin(class_id)), tx.log.size(class_id)
    try:
        for entry in tx.log.entries(class_id, 0, size):
            log.add(entry)
        head, signed = checkpoint.parse(tx.log.head(class_id))
        note.verify(signed, [keyring.log(class_id).vkey])
    except LedgerError as error:
        yield f"class {class_id}: {error.code}: {error}"
        return
    if (head.size, head.root) != (size, log.tree.root()):
        yield f"class {class_id}: {size} entries do not hash to the checkpoint of {head.size} that was signed"
    for index, leaf in log.bodies:
        data = tx.log.body(leaf.sha256)
        if data is not None and leaf.sha256 not in (_digest(data), sha256(data).hexdigest()):  # notes, or files
            yield f"class {class_id}: the body of entry {index} is another one"


def _digest(data: bytes) -> str:
    try:
        return bodies.parse(data)[1].digest
    except LedgerError:
        return ""


def _session(tx: Transaction, sid: str) -> Iterator[str]:
    """A session: its segments follow each other, hash to the checkpoint, and what is logged of it is a prefix."""
    progress, erased, tree = tx.events.progress(sid), tx.events.erased(sid), Tree()
    roots = {0: tree.root()}
    for _, body in tx.events.segments(sid):
        kept = segment.parse_kept(body)
        if kept.old != len(tree):
            yield f"a segment begins at {kept.old}, {len(tree)} events are here"
            return
        for entry in kept.entries:
            tree.append(leaf_hash(entry) if entry else erased.get(len(tree), b""))
        roots[len(tree)] = tree.root()
    if (progress.size, progress.root) != (len(tree), tree.root()):
        yield f"{len(tree)} events do not hash to the {progress.size} that were accepted"
    if progress.logged_leaf < 0:
        return
    entry = tx.log.entries(known(tx, sid).class_id, progress.logged_leaf, progress.logged_leaf + 1)[0]
    try:
        logged = checkpoint.parse(entry)[0]
    except LedgerError:
        yield f"entry {progress.logged_leaf} of the class log is no checkpoint of it"
        return
    if roots.get(logged.size) != logged.root:
        yield f"the checkpoint in the class log (entry {progress.logged_leaf}) is of another history"
