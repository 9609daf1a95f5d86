"""Opening a sealed photo: by a person whose key it is sealed to, for a stated reason, and never without a trace.

The private key is that person's and not kept here; what the server adds is the blob, the check of everything that the
event says of it, and an audit in the class log that stands before the picture is shown.
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import partial

from ledger import names, segment
from ledger.errors import LedgerError
from ledger.events import Ordered, decode
from ledger.evidence import Header, Recipient, Sealed, associated, check_named, expect, parse_keys
from ledger.keys import b64encode, parse_vkey
from server_stub.domain.classlog import LATEST, ClassLogs
from server_stub.domain.decisions import Decisions
from server_stub.domain.errors import DecisionError, NotThereError
from server_stub.domain.keyring import Keyring
from server_stub.domain.photo_errors import PhotoErasedError
from server_stub.domain.photos import Photo, PhotoFiles
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import known

OPENED = "opened a photo"  # what the audit says was done


@dataclass(frozen=True, slots=True)
class Opening:
    """Who opens which photo, and why. `by` is how the person is called; the audit names the key beside it."""

    class_id: str
    sid: str
    eid: str
    by: str
    reason: str


@dataclass(frozen=True, slots=True)
class Shown:
    """An opened photo: what stood inside the seal before the picture, the JPEG, the class-log entry of the audit."""

    header: Header
    jpeg: bytes
    leaf: int


class Reviewer:
    """Opens photos and lists them."""

    def __init__(
        self, records: Records, files: PhotoFiles, logs: ClassLogs, keyring: Keyring, decisions: Decisions
    ) -> None:
        self._records, self._files, self._logs = records, files, logs
        self._keyring, self._decisions = keyring, decisions

    def listed(self, class_id: str, *, readable: bool = False) -> list[Photo]:
        """Every photo that an event of the class names, in the order of sessions and events.

        `readable`: of events that stand in an archive still; from these a sample is drawn.
        """

        def read(tx: Transaction) -> list[Photo]:
            found = []
            for sid in tx.events.sessions(class_id=class_id):
                gone = tx.events.erased(sid) if readable else {}
                found += [photo for photo in tx.photos.photos(sid) if photo.seq not in gone]
            return found

        return self._records.read(read)

    def open(self, asked: Opening, key: Recipient) -> Shown:
        """The photo; the audit is in the class log, on the disk, when this returns.

        `DecisionError` without a reason or a name, with a key that does not count in the class, or for a photo that is
        not what its event names; `NotThereError`, `PhotoErasedError`. No refusal leaves an audit: nobody saw anything.
        """
        if not asked.reason.strip() or not asked.by.strip():
            raise DecisionError("a photo is opened by somebody, for a reason that is stated")
        try:
            found = self._records.read(partial(self._sealed, asked=asked, key=key))
            header, jpeg = key.open(found.sealed, found.origin)
            expect(header, found.ordered.i, found.ordered.a, found.ordered.nonce)
            leaf = self._records.write(partial(self._audit, asked=asked, key=key))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        return Shown(header, jpeg, leaf)

    def hand_out(self, asked: Opening, vkey: str) -> dict[str, object]:
        """A photo as it is sealed to the reviewer's key `vkey`, for a page that opens it with the private half there.

        As with `open`, the audit is in the class log when this returns; what is handed out is not checked here but
        where it is opened, against the hashes of the event that are part of the answer.
        """
        if not asked.reason.strip() or not asked.by.strip():
            raise DecisionError("a photo is opened by somebody, for a reason that is stated")
        try:
            key = Recipient(parse_vkey(vkey), b"")
            found = self._records.read(partial(self._sealed, asked=asked, key=key))
            check_named(found.sealed)
            mine = parse_keys(found.sealed.keys_file).get(vkey)
            if mine is None:
                raise DecisionError(f"the photo is not sealed to {key.vkey.name}")
            self._records.write(partial(self._audit, asked=asked, key=key))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error
        named, order = found.sealed.named, found.ordered
        return {
            "sid": asked.sid, "eid": asked.eid, "aad": associated(found.origin, asked.eid).decode(),
            "file": b64encode(found.sealed.file), "key": b64encode(mine), "sha256": named.sha256, "kc": named.kc,
            "i": str(order.i), "a": order.a, "nonce": order.nonce,
        }  # fmt: skip

    def _sealed(self, tx: Transaction, asked: Opening, key: Recipient) -> _Found:
        session = known(tx, asked.sid)
        photo = tx.photos.photo(asked.sid, asked.eid)
        if session.class_id != asked.class_id or photo is None:
            raise NotThereError("no event of this class names such a photo")
        if key.vkey not in self._logs.log(tx, asked.class_id).counting("evidence", LATEST):
            raise DecisionError(f"{key.vkey.name} is no reviewer of this class (any more)")
        if photo.state == "erased":
            raise PhotoErasedError("this photo was erased")
        file, keys = self._files.read(photo.sha256), self._files.read(photo.keys)
        if photo.state == "named" or file is None or keys is None:
            raise NotThereError("this photo has not come from the device yet")
        origin = names.session_origin(self._keyring.server, asked.sid)
        return _Found(Sealed(photo.named, file, keys), origin, _ordered(tx, photo))

    def _audit(self, tx: Transaction, asked: Opening, key: Recipient) -> int:
        """A photo that was erased while it was being opened is not shown."""
        photo = tx.photos.photo(asked.sid, asked.eid)
        if photo is None or photo.state != "kept":
            raise PhotoErasedError("this photo was erased")
        by = f"{asked.by.strip()} ({key.vkey.name}+{key.vkey.key_id.hex()})"
        target, reason = f"{asked.sid}/{asked.eid}", asked.reason.strip()
        return self._decisions.audit(tx, asked.class_id, OPENED, target, reason, by=by)


@dataclass(frozen=True, slots=True)
class _Found:
    """A photo with what it must agree with."""

    sealed: Sealed
    origin: str
    ordered: Ordered


def _ordered(tx: Transaction, photo: Photo) -> Ordered:
    """The order that the photo's event answers; `NotThereError` when it was erased."""
    found = None
    for _, body in tx.events.segments(photo.sid):
        parsed = segment.parse_kept(body)
        for seq, entry in enumerate(parsed.entries, parsed.old):
            if seq >= photo.seq:
                break
            if b'"verb":"ordered"' in entry and isinstance(said := decode(entry).body, Ordered):
                found = said if (str(said.i), said.a) == (photo.check, photo.attempt) else found
    if found is None:
        raise NotThereError("the order that this photo answers is not kept")
    return found
