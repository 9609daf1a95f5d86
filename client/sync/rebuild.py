"""A damaged database is put aside and made anew: from the copies of what was not sent, and from the server's copy.

`mend` needs no network: sessions that were not sent come back whole from the journal beside the database. What was sent
already is the server's to show: `refill` asks for the learner's own copy and takes from it what this device signed.
No session is signed on after this unless every event of it is here: nobody is made to fork.
"""

from __future__ import annotations

import contextlib
import sqlite3
import tempfile
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from client.errors import ClientError, LocalRecordsError
from client.profile import claim, disk, sync_folder, write_private
from client.sync.classlog import keys_of
from client.sync.enrol import Enrolment, Registration
from client.sync.journal import Copied, journal_of
from client.sync.keyring import write_keys
from client.sync.outbox import Outbox, State
from client.sync.receipts import Keys
from client.sync.renewal import opened_by
from ledger import archive, certificate, checkpoint, events, note
from ledger.archive import Source
from ledger.errors import ArchiveError, LedgerError
from ledger.events import Closed, Opened
from ledger.keys import Vkey, parse_vkey
from ledger.steps.session import folder
from ledger.tree import Tree, leaf_hash

FRESH: Final = "rebuilt"  # the new database, whole, until it takes the place of the old one
HALF: Final = "rebuilding"  # the same while it is filled: a crash leaves nothing that looks whole
WANTED: Final = "refill"  # a mark: sessions that were sent are still to be fetched
ASIDE: Final = "damaged"  # where damaged files are kept, for whoever looks into them
_SAVED: Final = ("consent", "photo", "spot")  # rows that only the database has; taken over as far as they can be read
_PARTS: Final = ("", "-wal", "-shm")


def mend(path: Path) -> bool:
    """Make the database at `path` usable; whether it had to be made anew. Close it everywhere before.

    `AlreadyRunningError` while another program holds it; `DiskError`, too, where there is no room for a second one.
    """
    claim(path)
    fresh, copies = path.with_name(FRESH), journal_of(path).read()
    if path.exists() and _is_sound(path, copies):
        _remove(fresh)
        return False
    if not path.exists() and not fresh.exists() and not copies:
        return False  # a first start
    if path.exists() or not fresh.exists():
        half = path.with_name(HALF)
        _remove(fresh)
        _remove(half)
        _fill(half, copies, path if path.exists() else None)
        write_private(path.with_name(WANTED), b"1")
        with disk(str(fresh)):
            half.replace(fresh)
            sync_folder(path.parent)
    _put_aside(path)  # also what a crash left of the damaged one: its log would be read into the new one
    with disk(str(path)):
        fresh.replace(path)
        sync_folder(path.parent)
    return True


def wants_refill(path: Path) -> bool:
    """Whether sessions that were sent are still missing here."""
    return path.with_name(WANTED).exists()


def refill(enrolment: Enrolment, outbox: Outbox, registrations: Sequence[Registration]) -> int:
    """Take back from the server what this device signed and no longer has; how many sessions. Later, if it is offline.

    Whatever the copy says, a session comes in only with a certificate by this profile's device and a checkpoint by that
    session's key over every event.
    """
    found = 0
    for registration in registrations:
        data = enrolment.api.long(f"/v1/classes/{registration.class_id}/copy")
        with tempfile.TemporaryDirectory() as scratch:
            path = Path(scratch) / "copy.zip"
            write_private(path, data)
            try:
                found += _taken(outbox, enrolment, registration, archive.open_source(path))
            except LedgerError as error:
                raise LocalRecordsError(f"the server's copy: {error}") from error
    with disk(str(outbox.path)):
        outbox.path.with_name(WANTED).unlink(missing_ok=True)
    return found


# --- what is left of the old one --------------------------------------------------------------------------------------


def _is_sound(path: Path, copies: Iterable[Copied]) -> bool:
    """Whether SQLite finds nothing wrong with the file, and everything of ours is in it: with its log of last changes
    damaged it is a whole database of an hour ago, and to sign on from there would be a second history."""
    try:
        outbox = Outbox(path)
    except LocalRecordsError:
        return False
    try:
        with outbox.write() as db:
            (said,) = db.execute("PRAGMA quick_check(1)").fetchone()
        here = {kept.sid: kept.size for kept in outbox.sessions()}
        return bool(said == "ok") and all(_size(copied) <= here.get(copied.head.sid, 0) for copied in copies)
    except ClientError:
        return False
    finally:
        outbox.close()


def _size(copied: Copied) -> int:
    """How many events of a session its copies prove to have been signed."""
    _, good = _proven(copied)
    return good[-1][1] if good else 0


def _fill(fresh: Path, copies: Iterable[Copied], damaged: Path | None) -> None:
    outbox = Outbox(fresh)
    try:
        for copied in copies:
            _restore(outbox, copied)
        if damaged is not None:
            _save_rows(outbox, damaged)
    finally:
        outbox.close()


def _proven(copied: Copied) -> tuple[list[bytes], list[tuple[int, int, bytes]]]:
    """A session from its copies: its events, and every upload that its key signed over the events before it (from, to,
    checkpoint); none where the copies do not belong to it."""
    head, tree, entries = copied.head, Tree(), list[bytes]()
    good: list[tuple[int, int, bytes]] = []
    for part in copied.segments:
        if part.old > len(entries) or entries[part.old :] != list(part.entries[: len(entries) - part.old]):
            break
        for entry in part.entries[len(entries) - part.old :]:
            entries.append(entry)
            tree.append(leaf_hash(entry))
        if not _is_signed(part.note, head.vkey) or tree.root() != part.checkpoint.root:
            break
        good.append((part.old, part.checkpoint.size, bytes(part.note)))
    return entries, good if _is_of(head.cert, head.sid, head.vkey) else []


def _restore(outbox: Outbox, copied: Copied) -> None:
    """One session as far as its copies prove it, and no further."""
    head, (entries, good) = copied.head, _proven(copied)
    if not good:
        return
    size = good[-1][1]
    ends = not copied.whole or size < len(entries) or _is_closed(entries[size - 1])  # what may be missing is never
    state: State = "closed" if ends else "open"  # signed again: then nobody has to believe in two histories
    named = (head.sid, head.registration, head.class_, head.vkey, head.cert, head.grant, head.keys)
    _put(outbox, named, state, entries[:size], [(*part, None, 0) for part in good])


def _is_signed(signed: note.Note, vkey: str) -> bool:
    try:
        note.verify(signed, [parse_vkey(vkey)])
    except LedgerError:
        return False
    return True


def _is_of(cert: bytes, sid: str, vkey: str) -> bool:
    try:
        parsed, _ = certificate.parse(cert)
    except LedgerError:
        return False
    return parsed.sid == sid and str(parsed.session_key) == vkey


def _is_closed(entry: bytes) -> bool:
    try:
        return isinstance(events.decode(entry).body, Closed)
    except LedgerError:
        return False


def _save_rows(outbox: Outbox, damaged: Path) -> None:
    """Consents, photos and spot checks, row by row from either end, as far as they can be read."""
    try:
        old = sqlite3.connect(f"file:{damaged}?mode=ro", uri=True)
    except sqlite3.Error:
        return
    try:
        for table in _SAVED:
            rows: dict[tuple[Any, ...], None] = {}
            for way in ("ASC", "DESC"):
                try:
                    for row in old.execute(f"SELECT * FROM {table} ORDER BY 1 {way}"):  # noqa: S608 - a name of ours
                        rows[row] = None
                except sqlite3.Error:
                    continue
            with contextlib.suppress(ClientError), outbox.write() as db:
                marks = ", ".join("?" * len(next(iter(rows), ())))
                db.executemany(f"INSERT OR IGNORE INTO {table} VALUES ({marks})", list(rows))  # noqa: S608 - as above
    finally:
        old.close()


def _put_aside(path: Path) -> None:
    with disk(str(path)):
        number = 0
        while (aside := path.with_name(f"{ASIDE}-{number}")).exists():
            number += 1
        for part in _PARTS:
            was = path.with_name(path.name + part)
            if was.exists():
                was.replace(aside.with_name(aside.name + part))
        sync_folder(path.parent)


def _remove(path: Path) -> None:
    with disk(str(path)):
        for part in _PARTS:
            path.with_name(path.name + part).unlink(missing_ok=True)


# --- what the server has ----------------------------------------------------------------------------------------------


def _taken(outbox: Outbox, enrolment: Enrolment, registration: Registration, source: Source) -> int:
    """Every session of the copy that this device opened and no longer has; how many."""
    log = enrolment.follower(registration).update()
    found = Keys(registration.class_, keys_of(log, "cosign"), keys_of(log, "grant"), keys_of(log, "supervisor"))
    device, keys = enrolment.device(registration).vkey, write_keys(found)
    here = {kept.sid for kept in outbox.sessions()}
    count = 0
    for sid in source.folders("sessions/"):
        cert = source.read(folder(sid) + "device.cert")
        if sid not in here and opened_by(cert) == device.name:
            _take(outbox, registration, source, device, (sid, cert, keys))
            count += 1
    return count


def _take(
    outbox: Outbox, registration: Registration, source: Source, device: Vkey, session: tuple[str, bytes, str]
) -> None:
    """One session as it was sent; a `LedgerError` where it is not what this device and the session's key signed."""
    sid, cert, keys = session
    parsed, by_device = certificate.parse(cert)
    note.verify(by_device, [device])
    point, logged = checkpoint.parse(source.read(folder(sid) + "checkpoint"))
    note.verify(logged, [parsed.session_key], others=True)
    if (parsed.sid, parsed.registration, point.origin) != (sid, registration.registration, parsed.origin):
        raise ArchiveError(f"session {sid}: its certificate is another session's")
    entries = [entry or b"" for entry, _ in archive.read_log(source, folder(sid), point, f"session {sid}")]
    first = events.decode(entries[0]).body
    if not isinstance(first, Opened):
        raise ArchiveError(f"session {sid} does not begin with its grant")
    ours = [line for line in logged.signatures if line.is_by(parsed.session_key)]
    others = [line for line in logged.signatures if line not in ours]
    head = (sid, parsed.registration, registration.class_, str(parsed.session_key), cert, first.grant.encode(), keys)
    seen = (str(others[0]), others[0].time) if others else ("", 0)
    signed = bytes(note.Note(logged.text, tuple(ours)))
    _put(outbox, head, "sent", entries, [(0, len(entries), signed, *seen)])


def _put(
    outbox: Outbox,
    head: tuple[str, str, str, str, bytes, bytes, str],
    state: State,
    entries: Sequence[bytes],
    segments: Sequence[tuple[int, int, bytes, str | None, int]],
) -> None:
    """One session with its events and checkpoints (old, size, note, cosignature, its time), all of it or nothing."""
    sid = head[0]
    with outbox.write() as db:
        db.execute(
            "INSERT INTO session (sid, registration, class, vkey, cert, grant_note, keys, state, size)"
            " VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
            (*head, state, len(entries)),
        )
        db.executemany("INSERT INTO event VALUES (?, ?, ?)", [(sid, seq, entry) for seq, entry in enumerate(entries)])
        db.executemany(
            "INSERT INTO segment (sid, old, size, note, line, time) VALUES (?, ?, ?, ?, ?, ?)",
            [(sid, *part) for part in segments],
        )
