"""What goes into a class archive: one consistent cut of the class log, and everything that it names.

The cut is made in one transaction: every open session has a logged checkpoint, every figure is that of what is logged,
the list of people is named. What happens afterwards belongs to the next archive.
"""

from __future__ import annotations

import secrets
from collections import Counter
from collections.abc import Iterator
from functools import partial
from hashlib import sha256
from typing import Final

from ledger import bodies, checkpoint, events, note, people, segment
from ledger.classlog import ClassLog, SessionRecord
from ledger.errors import LedgerError
from ledger.events import Command, Consent
from ledger.export import ArchiveData, SessionFiles
from ledger.leaves import BodyLeaf
from ledger.trust import Trust
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import BeingOpenedError, NotThereError
from server_stub.domain.keyring import Keyring
from server_stub.domain.people import People
from server_stub.domain.photos import PhotoFiles
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.reveal import Revealer, known
from server_stub.domain.settle import Settler
from server_stub.domain.signin import Clock
from server_stub.domain.since import may_be_logged

OPENING_MS: Final = 60_000  # a device sends `opened` seconds after its grant; one that did not by then starts anew


class Archivist:
    """Prepares and collects archives."""

    def __init__(
        self,
        known_people: People,
        records: Records,
        photos: PhotoFiles,
        logs: ClassLogs,
        keyring: Keyring,
        revealer: Revealer,
        settler: Settler,
        clock: Clock,
    ) -> None:
        self._people, self._records, self._logs, self._keyring = known_people, records, logs, keyring
        self._photos = photos
        self._revealer, self._settler, self._clock = revealer, settler, clock

    def trust(self, class_id: str) -> Trust:
        """The operator's own trust file, against which an archive is verified before it is given away."""
        return self._keyring.trust(class_id)

    def prepare(self, class_id: str) -> int:
        """Bring the class log to a state that can be exported; return its size there.

        `BeingOpenedError` while a session is granted but its first event is not here yet.
        """
        self._check_class(class_id)
        self._revealer.sweep()
        self._records.write(partial(self._show_open, class_id=class_id))
        for registration in self._records.read(partial(_unsettled, class_id=class_id)):
            self._settler.settle(registration)  # most of the work, outside the lock
        return self._records.write(partial(self._cut, class_id=class_id))

    def _check_class(self, class_id: str) -> None:
        if class_id not in {classroom.class_id for classroom in self._people.classes()}:
            raise NotThereError(f"this server keeps no class {class_id[:64]!r}")

    def _show_open(self, tx: Transaction, class_id: str) -> None:
        """Log a checkpoint of every open session; end those that were granted and never begun.

        One that has an entry already and whose device is silent keeps that entry (`since`).
        """
        for sid in tx.events.sessions(class_id=class_id, state="open"):
            progress = tx.events.progress(sid)
            if progress.size:
                if progress.logged_leaf < 0 or may_be_logged(tx, known(tx, sid)):
                    self._revealer.log_checkpoint(tx, sid)
            elif self._clock() - known(tx, sid).granted_at > OPENING_MS:
                self._revealer.reveal(tx, sid, "abandoned")

    def _cut(self, tx: Transaction, class_id: str) -> int:
        for sid in tx.events.sessions(class_id=class_id, state="open"):
            progress = tx.events.progress(sid)
            if not progress.size:
                raise BeingOpenedError("a session is being opened at this moment", {"retry_after": 60})
            if progress.logged_leaf < 0:  # opened since the look before
                self._revealer.log_checkpoint(tx, sid)
        for registration in _unsettled(tx, class_id):
            self._settler.settle_in(tx, registration)
        self._name_people(tx, class_id)
        return tx.log.size(class_id)

    def _name_people(self, tx: Transaction, class_id: str) -> None:
        """Append a `people` leaf when the list is another one than the last that was named."""
        listed = self._listed(class_id)
        last = tx.log.body(self._logs.log(tx, class_id).people() or "")
        if last is not None and people.decode(last) == listed:
            return
        data = people.encode(secrets.token_hex(16), listed)
        digest = sha256(data).hexdigest()
        tx.log.put_body(class_id, digest, data)
        self._logs.append(tx, class_id, BodyLeaf(self._clock(), "people", digest))

    def _listed(self, class_id: str) -> dict[str, str]:
        """Pseudonym → name of everybody who is registered in the class."""
        learners = (item.learner for item in self._people.registrations(class_id=class_id))
        accounts = ((learner, self._people.account_of(learner)) for learner in learners)
        return {learner: account.person if account else "" for learner, account in accounts}

    def collect(
        self, tx: Transaction, class_id: str, signed: bytes, *, masked: bool, learner: str | None = None
    ) -> ArchiveData:
        """Everything of the class as its log showed it at the checkpoint `signed`; sessions are read when asked for.

        `masked`: without the list of people, and without photos. `learner`: only this one's sessions and photos.
        """
        size = checkpoint.parse(signed)[0].size
        entries = tx.log.entries(class_id, 0, size)
        log = ClassLog(self._keyring.origin(class_id))
        for entry in entries:
            log.add(entry)
        named: set[str] = set()
        shown: dict[str, int] = {}
        listed = log.people()
        return ArchiveData(
            checkpoint=signed,
            entries=entries,
            sessions=_sessions(tx, log, entries, (named, shown), learner),
            bodies=_bodies(tx, log, named),
            people=None if masked or listed is None else tx.log.body(listed),
            evidence=() if masked else _evidence(tx, self._photos, shown),
        )


def _sessions(
    tx: Transaction, log: ClassLog, entries: list[bytes], found: tuple[set[str], dict[str, int]], learner: str | None
) -> Iterator[SessionFiles]:
    """Sessions with events, in order; adds to `found` the documents that their events name, and their sizes."""
    named, shown = found
    for record in log.missing():
        session = known(tx, record.sid)
        if record.logged and learner in (None, session.learner):
            shown[record.sid] = record.size
            logged = list(_entries(tx, record))
            named.update(digest for entry in logged for digest in _names(entry))
            hashes = tx.events.erased(record.sid)
            yield SessionFiles(record.sid, entries[record.logged[-1][0]], session.cert, logged, hashes)


def _evidence(tx: Transaction, files: PhotoFiles, shown: dict[str, int]) -> Iterator[tuple[str, bytes]]:
    """Sealed photos that are kept, of events that stand in the archive; asked for after the sessions.

    A crooked device may give one name to two photos: then neither's keys go in, or the whole class would be refused.
    """
    photos = [
        photo
        for sid, size in shown.items()
        for photo in tx.photos.photos(sid)
        if photo.seq < size
    ]
    names = Counter(photo.eid for photo in photos)
    for photo in {photo.sha256: photo for photo in photos if photo.state == "kept"}.values():
        sealed, keys = files.read(photo.sha256), files.read(photo.keys)
        if sealed is not None:
            yield f"sha256/{photo.sha256}", sealed
        if keys is not None and names[photo.eid] == 1:
            yield f"keys/{photo.eid}.json", keys


def _entries(tx: Transaction, record: SessionRecord) -> Iterator[bytes]:
    """The session's entries up to its last logged checkpoint, b"" where one was erased."""
    left = record.size
    for _, body in tx.events.segments(record.sid):
        found = segment.parse_kept(body).entries[:left]
        left -= len(found)
        yield from found
        if not left:
            return


def _names(entry: bytes) -> Iterator[str]:
    """The digests of documents that an event names: commands and notices."""
    if b'"verb":"command"' not in entry and b'"verb":"consent"' not in entry:
        return
    try:
        body = events.decode(entry).body
    except LedgerError:  # no event: it names nothing
        return
    match body:
        case Command(digest):
            yield digest
        case Consent(notice):
            yield notice


def _bodies(tx: Transaction, log: ClassLog, named: set[str]) -> Iterator[tuple[str, bytes]]:
    """Every document that is named and kept; asked for after the sessions, whose events name some."""
    wanted = set(named)
    for history in log.policies.values():
        wanted.update(leaf.sha256 for _, leaf in history)
    for key in log.keys:
        wanted.update(digest for digest in (key.leaf.owner, key.leaf.vouched) if digest)
        if key.revocation is not None and key.revocation.vouched:
            wanted.add(key.revocation.vouched)
    for session in log.sessions.values():
        wanted.update(erased.sha256 for _, erased in session.erased)
    wanted.update(leaf.sha256 for _, leaf in log.bodies if leaf.kind != "people")
    for digest in sorted(wanted):
        data = tx.log.body(digest)
        if data is not None:
            yield digest, data
            notice = _notice(data)
            if notice and notice not in wanted and (shown := tx.log.body(notice)) is not None:
                wanted.add(notice)
                yield notice, shown


def _notice(data: bytes) -> str:
    """The notice that a consent names, "" for any other document."""
    if not data.startswith(b"trueseat/consent/v1\n"):
        return ""
    body = bodies.parse_text(note.parse(data).text)
    return body.notice if isinstance(body, bodies.Consent) else ""


def _unsettled(tx: Transaction, class_id: str) -> list[str]:
    """Registrations of which something is logged that no figure covers yet."""
    found = {}
    for sid in tx.events.sessions(class_id=class_id):
        progress = tx.events.progress(sid)
        if progress.logged_leaf >= 0 and (progress.unsettled or progress.settled_size != progress.logged_size):
            found[known(tx, sid).registration] = True
    return list(found)
