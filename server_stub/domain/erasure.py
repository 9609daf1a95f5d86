"""Erasing what must be erased: an event's bytes or a document go, their hashes stay, and the log says that they went.

First the figure, then the deletion: a session is settled before anything of it is erased, and keeps that figure
(records.md, "Archive").
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from hashlib import sha256

from ledger import bodies, canonical, note, segment
from ledger.errors import LedgerError
from ledger.leaves import ErasedLeaf
from ledger.tree import leaf_hash
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.decisions import Decisions
from server_stub.domain.errors import DecisionError
from server_stub.domain.keyring import Keyring
from server_stub.domain.photos import Photo, PhotoFiles, drop
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import known
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock

_KEPT = ("policy", "rules", "models", "course", "client")  # what every figure rests on


class Eraser:
    """Deletes, and leaves the leaf and the receipt that a verifier asks for."""

    def __init__(
        self,
        records: Records,
        photos: PhotoFiles,
        logs: ClassLogs,
        keyring: Keyring,
        decisions: Decisions,
        settler: Settler,
        clock: Clock,
    ) -> None:
        self._records, self._photos, self._logs, self._keyring = records, photos, logs, keyring
        self._decisions, self._settler, self._clock = decisions, settler, clock

    def events(self, class_id: str, sid: str, indexes: Sequence[int], reason: str) -> bytes:
        """Erase these events of a session that is over; return the deletion receipt, signed by the grant key.

        `DecisionError`: the session still runs, an index is not in it, or one was erased before. Event 0 stays: it
        holds the grant without which nobody knows whose session it is. The photos that these events name go, too.
        """
        return self._settled(class_id, sid, partial(self._events, sid=sid, indexes=sorted(set(indexes)), reason=reason))

    def photos(self, class_id: str, sid: str, eids: Sequence[str], reason: str) -> bytes:
        """Erase sealed photos and their keys; return the deletion receipt. The events that name them stay.

        `DecisionError`: the session still runs, a name is none of its photos, or one was erased before. A photo that
        has not come yet is erased, too: it is not taken any more.
        """
        return self._settled(class_id, sid, partial(self._erase_photos, sid=sid, eids=sorted(set(eids)), reason=reason))

    def old_photos(
        self, class_id: str, until: int, reason: str, *, hold: Sequence[str] = ()
    ) -> dict[str, bytes | None]:
        """Erase every photo whose state is as of `until` (ms) or older; session → receipt, None where it still runs.

        `hold`: sessions whose photos a case keeps for now.
        """
        found: dict[str, list[str]] = {}
        running = set()

        def look(tx: Transaction) -> None:
            for sid in tx.events.sessions(class_id=class_id):
                old = [photo.eid for photo in tx.photos.photos(sid) if photo.state != "erased" and photo.at <= until]
                if old and sid not in hold:
                    found[sid] = old
                    if tx.events.progress(sid).state == "open":
                        running.add(sid)

        self._records.read(look)
        return {
            sid: None if sid in running else self.photos(class_id, sid, eids, reason) for sid, eids in found.items()
        }

    def _settled(self, class_id: str, sid: str, job: Callable[[Transaction], bytes]) -> bytes:
        """Settle the session, then do it, then leave nothing of it in the database's files."""
        session = self._records.read(lambda tx: known(tx, sid))
        if session.class_id != class_id:
            raise DecisionError("no such session stands in this class")
        self._settler.settle(session.registration)
        try:
            receipt = self._records.write(job)
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        self._records.scrub()
        return receipt

    def _events(self, tx: Transaction, sid: str, indexes: list[int], reason: str) -> bytes:
        size = _ended(tx, sid)
        if not indexes or indexes[0] < 1 or indexes[-1] >= size:
            raise DecisionError(f"the session has events 1 to {size - 1} that can be erased")
        hashes = _hashes(tx, sid, indexes)
        named = [photo for photo in tx.photos.photos(sid) if photo.seq in hashes and photo.state != "erased"]
        receipt = self._receipt(tx, sid, indexes, reason)
        tx.events.erase(sid, hashes)
        self._drop(tx, named)
        return receipt

    def _erase_photos(self, tx: Transaction, sid: str, eids: list[str], reason: str) -> bytes:
        _ended(tx, sid)
        named = [photo for photo in tx.photos.photos(sid) if photo.eid in eids]
        if not eids or {photo.eid for photo in named} != set(eids):
            raise DecisionError("no event of this session names such a photo")
        if any(photo.state == "erased" for photo in named):
            raise DecisionError("a photo was erased before")
        receipt = self._receipt(tx, sid, [photo.seq for photo in named], reason, photos=eids)
        self._drop(tx, named)
        return receipt

    def _drop(self, tx: Transaction, photos: Sequence[Photo]) -> None:
        """The files go before the leaf is committed: a crash between leaves a deletion to be repeated, never a photo
        that the log calls erased."""
        for photo in photos:
            tx.photos.set_state(photo, "erased", self._clock())
            drop(self._photos, photo)

    def _receipt(self, tx: Transaction, sid: str, indexes: list[int], reason: str, **more: list[str]) -> bytes:
        """Sign the receipt, keep it, append its leaf."""
        session = known(tx, sid)
        origin, now = self._keyring.origin(session.class_id), self._clock()
        said = {"v": 1, "at": now, "class": origin, "sid": sid, "index": indexes, "reason": reason, **more}
        text = f"trueseat/erasure/v1\n{canonical.encode(said).decode()}\n"
        receipt = note.sign(text, self._keyring.grant)
        digest = sha256(receipt).hexdigest()
        tx.log.put_body(session.class_id, digest, receipt)
        self._logs.append(tx, session.class_id, ErasedLeaf(now, sid, tuple(indexes), digest))
        return receipt

    def document(self, class_id: str, digest: str, reason: str) -> None:
        """Erase a document that a leaf names; the log says so by an audit. Rules and courses are not erased."""
        try:
            self._records.write(partial(self._document, class_id=class_id, digest=digest, reason=reason))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        self._records.scrub()

    def _document(self, tx: Transaction, class_id: str, digest: str, reason: str) -> None:
        log = self._logs.log(tx, class_id)
        in_use = {leaf.sha256 for what in _KEPT for _, leaf in log.policies.get(what, [])}
        if digest in in_use or digest not in tx.log.bodies(class_id):
            raise DecisionError("no document of this class, or one on which figures rest")
        data = tx.log.body(digest) or b""
        if data.startswith((b"trueseat/verdict/", b"trueseat/reversal/", b"trueseat/accommodation/")):
            raise DecisionError(f"a {bodies.parse(data)[0].kind} is part of every figure that it changed")
        tx.log.drop_body(digest)
        self._decisions.audit(tx, class_id, "erased a document", digest, reason)


def _ended(tx: Transaction, sid: str) -> int:
    """The size of a session that is over and settled."""
    progress = tx.events.progress(sid)
    if progress.state == "open" or progress.settled_size != progress.size:
        raise DecisionError("a session is erased from only after it has ended and was settled")
    return progress.size


def _hashes(tx: Transaction, sid: str, indexes: list[int]) -> dict[int, bytes]:
    """Leaf hashes of the entries that are to go; `DecisionError` when one is gone already."""
    wanted, found = set(indexes), {}
    for _, body in tx.events.segments(sid):
        parsed = segment.parse_kept(body)
        for index, entry in enumerate(parsed.entries, parsed.old):
            if index in wanted and entry:
                found[index] = leaf_hash(entry)
    if set(found) != wanted:
        raise DecisionError(f"event {min(wanted - set(found))} was erased before")
    return found
