"""The signed records on this device's disk: events first, then the size, only then a signature (records.md).

So a crash at any moment never makes an honest device sign two histories: what was signed is durable before anybody
sees the signature. SQLite in WAL mode with synchronous=FULL; one connection for one thread.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Literal

from client.errors import BadAnswerError, DiskError, LocalRecordsError
from client.profile import disk, make_folder
from ledger import parcel
from ledger.evidence import Sealed

State = Literal["asked", "open", "closed", "sent", "stuck"]

VERSION: Final = 1
SCHEMA: Final = """
CREATE TABLE IF NOT EXISTS session (
  number INTEGER PRIMARY KEY, sid TEXT NOT NULL UNIQUE, registration TEXT NOT NULL, class TEXT NOT NULL,
  vkey TEXT NOT NULL, cert BLOB NOT NULL, grant_note BLOB NOT NULL DEFAULT x'', keys TEXT NOT NULL DEFAULT '{}',
  state TEXT NOT NULL DEFAULT 'asked', size INTEGER NOT NULL DEFAULT 0, problem TEXT NOT NULL DEFAULT '',
  receipt BLOB NOT NULL DEFAULT x'', seed BLOB NOT NULL DEFAULT x'', issued INTEGER NOT NULL DEFAULT -1) STRICT;
CREATE TABLE IF NOT EXISTS event (
  sid TEXT NOT NULL, seq INTEGER NOT NULL, data BLOB NOT NULL, PRIMARY KEY (sid, seq)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS segment (
  sid TEXT NOT NULL, size INTEGER NOT NULL, old INTEGER NOT NULL, note BLOB NOT NULL,
  line TEXT, time INTEGER NOT NULL DEFAULT 0, PRIMARY KEY (sid, size)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS consent (
  number INTEGER PRIMARY KEY, registration TEXT NOT NULL, what TEXT NOT NULL, given INTEGER NOT NULL,
  notice TEXT NOT NULL, version INTEGER NOT NULL, note BLOB NOT NULL, sent INTEGER NOT NULL DEFAULT 0) STRICT;
CREATE TABLE IF NOT EXISTS spot (
  sid TEXT NOT NULL, note BLOB NOT NULL, PRIMARY KEY (sid, note)) STRICT, WITHOUT ROWID;
CREATE TABLE IF NOT EXISTS photo (
  number INTEGER PRIMARY KEY, sid TEXT NOT NULL, size INTEGER NOT NULL, eid TEXT NOT NULL,
  parcel BLOB NOT NULL) STRICT;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One session as this device keeps it. `cosigned` is the size that the server has receipted."""

    sid: str
    registration: str
    class_: str
    vkey: str
    cert: bytes
    grant: bytes
    keys: str
    state: State
    size: int
    cosigned: int
    problem: str
    receipt: bytes
    seed: bytes  # b"" until it is revealed; `issued` is the highest check that was ordered under it
    issued: int


@dataclass(frozen=True, slots=True)
class Signed:
    """One checkpoint of ours: events [old, size) under `note`; `line` is the cosignature, None while it is not here."""

    sid: str
    old: int
    size: int
    note: bytes
    line: str | None
    time: int


@dataclass(frozen=True, slots=True)
class KeptPhoto:
    """A sealed photo that waits to be sent: its place in the queue, its session, its name, its parcel's length."""

    number: int
    sid: str
    eid: str
    length: int


@dataclass(frozen=True, slots=True)
class KeptConsent:
    """What the learner agreed to or withdrew, signed on this device."""

    number: int
    registration: str
    what: str
    given: bool
    notice: str
    version: int
    note: bytes
    sent: bool


class Outbox:
    """The database of one learner's records. Errors of the disk leave as `DiskError`."""

    def __init__(self, path: Path) -> None:
        with disk(str(path)):
            make_folder(path.parent)
            path.touch(mode=0o600, exist_ok=True)
        self.path = path
        with _errors():
            self._db = sqlite3.connect(path, timeout=10, isolation_level=None)
            self._db.execute("PRAGMA journal_mode=WAL")
            self._db.execute("PRAGMA synchronous=FULL")
            (version,) = self._db.execute("PRAGMA user_version").fetchone()
            if version not in (0, VERSION):
                raise LocalRecordsError(f"{path} is of version {version}: a newer client made it")
            self._db.executescript(f"{SCHEMA} PRAGMA user_version={VERSION};")

    @contextmanager
    def write(self) -> Iterator[sqlite3.Connection]:
        """One transaction, durable when it returns; an error undoes all of it."""
        with _errors():
            self._db.execute("BEGIN IMMEDIATE")
            try:
                yield self._db
            except BaseException:
                self._db.execute("ROLLBACK")
                raise
            self._db.execute("COMMIT")

    def _read(self, sql: str, *values: Any) -> list[Any]:
        with _errors():
            return self._db.execute(sql, values).fetchall()

    def close(self) -> None:
        """Give the file back."""
        self._db.close()

    # --- sessions -----------------------------------------------------------------------------------------------------

    def ask(self, sid: str, registration: str, class_: str, vkey: str, cert: bytes) -> None:
        """Keep a certificate before it is sent: the same request again gets the same grant."""
        with self.write() as db:
            db.execute(
                "INSERT INTO session (sid, registration, class, vkey, cert) VALUES (?, ?, ?, ?, ?)",
                (sid, registration, class_, vkey, cert),
            )

    def grant(self, sid: str, grant: bytes, keys: str) -> None:
        """The grant is here and verified: the session is open."""
        with self.write() as db:
            db.execute("UPDATE session SET grant_note=?, keys=?, state='open' WHERE sid=?", (grant, keys, sid))

    def forget(self, sid: str) -> None:
        """Drop a session of which nothing was ever signed."""
        with self.write() as db:
            db.execute("DELETE FROM session WHERE sid=? AND size=0", (sid,))

    def settle(self, sid: str, state: State, problem: str = "") -> None:
        """Note where a session stands."""
        with self.write() as db:
            db.execute("UPDATE session SET state=?, problem=? WHERE sid=?", (state, problem, sid))

    def keep_receipt(self, sid: str, receipt: bytes) -> None:
        """Keep a verified receipt."""
        with self.write() as db:
            db.execute("UPDATE session SET receipt=? WHERE sid=?", (receipt, sid))

    def keep_seed(self, sid: str, seed: bytes, issued: int) -> None:
        """Keep a revealed seed that is the one the grant commits to."""
        with self.write() as db:
            db.execute("UPDATE session SET seed=?, issued=? WHERE sid=?", (seed, issued, sid))

    def sessions(self) -> list[Kept]:
        """All sessions in the order in which they were asked for."""
        rows = self._read(
            "SELECT sid, registration, class, vkey, cert, grant_note, keys, state, size, (SELECT coalesce(max(size), 0)"
            " FROM segment WHERE segment.sid=session.sid AND line IS NOT NULL), problem, receipt, seed, issued"
            " FROM session ORDER BY number"
        )
        return [Kept(*row) for row in rows]

    def session(self, sid: str) -> Kept:
        """One session; `LocalRecordsError` if it is unknown."""
        for kept in self.sessions():
            if kept.sid == sid:
                return kept
        raise LocalRecordsError(f"no session {sid} on this device")

    # --- events and checkpoints ---------------------------------------------------------------------------------------

    def persist(
        self, sid: str, start: int, events: Iterable[bytes], state: State | None = None, photos: Iterable[Sealed] = ()
    ) -> int:
        """Make events from index `start` on durable, and with them the photos they name and the new size (returned)."""
        data = list(events)
        size = start + len(data)
        with self.write() as db:
            db.executemany(
                "INSERT INTO event (sid, seq, data) VALUES (?, ?, ?)", [(sid, start + i, e) for i, e in enumerate(data)]
            )
            done = db.execute(
                "UPDATE session SET size=?, state=coalesce(?, state) WHERE sid=? AND size=?", (size, state, sid, start)
            )
            if done.rowcount != 1:
                raise LocalRecordsError(f"session {sid} does not end at {start} any more: somebody else writes to it")
            db.executemany(
                "INSERT INTO photo (sid, size, eid, parcel) VALUES (?, ?, ?, ?)",
                [(sid, size, one.named.eid, parcel.pack(one)) for one in photos],
            )
        return size

    def sign(self, sid: str, old: int, size: int, note: bytes) -> None:
        """Keep a checkpoint over events that are durable already, and so queue it for upload."""
        with self.write() as db:
            db.execute("INSERT INTO segment (sid, size, old, note) VALUES (?, ?, ?, ?)", (sid, size, old, note))

    def events(self, sid: str, start: int = 0, stop: int | None = None) -> list[bytes]:
        """The events [start, stop) of a session; `LocalRecordsError` if one is missing."""
        stop = self.session(sid).size if stop is None else stop
        rows = self._read(
            "SELECT seq, data FROM event WHERE sid=? AND seq>=? AND seq<? ORDER BY seq", sid, start, stop
        )
        if [seq for seq, _ in rows] != list(range(start, stop)):
            raise LocalRecordsError(f"session {sid}: events between {start} and {stop} are missing")
        return [data for _, data in rows]

    def signed(self, sid: str) -> list[Signed]:
        """The session's checkpoints in their order."""
        rows = self._read("SELECT sid, old, size, note, line, time FROM segment WHERE sid=? ORDER BY size", sid)
        return [Signed(*row) for row in rows]

    def cosigned(self, sid: str, size: int, line: str, time: int) -> None:
        """The server has seen the checkpoint of `size` at `time` (POSIX seconds); `line` "" when only that is known.

        With the last one of a closed session all of it is sent: one transaction, so that no crash leaves it between.
        """
        with self.write() as db:
            db.execute("UPDATE segment SET line=?, time=? WHERE sid=? AND size=?", (line, time, sid, size))
            db.execute("UPDATE session SET state='sent' WHERE sid=? AND size=? AND state='closed'", (sid, size))

    def last_sent(self) -> int:
        """When (POSIX seconds, the server's clock) something was last receipted; 0 before the first time."""
        return int(self._read("SELECT coalesce(max(time), 0) FROM segment WHERE line IS NOT NULL")[0][0])

    # --- sealed photos ------------------------------------------------------------------------------------------------

    def photos_waiting(self) -> int:
        """Bytes of the sealed photos that the server does not have yet."""
        return int(self._read("SELECT coalesce(sum(length(parcel)), 0) FROM photo")[0][0])

    def photos(self) -> list[KeptPhoto]:
        """Those whose event the server has cosigned, oldest first, without their bytes."""
        rows = self._read(
            "SELECT number, sid, eid, length(parcel) FROM photo WHERE size <= (SELECT coalesce(max(size), 0)"
            " FROM segment WHERE segment.sid=photo.sid AND line IS NOT NULL) ORDER BY number"
        )
        return [KeptPhoto(*row) for row in rows]

    def photo_piece(self, number: int, start: int, length: int) -> bytes:
        """Some bytes of a photo's parcel."""
        rows = self._read("SELECT substr(parcel, ?, ?) FROM photo WHERE number=?", start + 1, length, number)
        return bytes(rows[0][0]) if rows else b""

    def drop_photo(self, number: int) -> None:
        """The server has it, or nobody will: it is not kept here any longer."""
        with self.write() as db:
            db.execute("DELETE FROM photo WHERE number=?", (number,))

    def drop_photos(self, registration: str) -> int:
        """Forget every photo of a registration that was not sent: the consent was withdrawn. How many they were."""
        with self.write() as db:
            found = "DELETE FROM photo WHERE sid IN (SELECT sid FROM session WHERE registration=?)"
            return int(db.execute(found, (registration,)).rowcount)

    def keep_spots(self, sid: str, notes: Iterable[bytes]) -> None:
        """Keep verified notes of supervisors' spot checks: what such a check asked for decides what it proves."""
        with self.write() as db:
            db.executemany("INSERT OR IGNORE INTO spot (sid, note) VALUES (?, ?)", [(sid, note) for note in notes])

    def spots(self, sid: str) -> list[bytes]:
        """The notes of a session's spot checks."""
        return [note for (note,) in self._read("SELECT note FROM spot WHERE sid=?", sid)]

    # --- consents -----------------------------------------------------------------------------------------------------

    def keep_consent(
        self, registration: str, what: str, *, given: bool, notice: str, version: int, note: bytes
    ) -> None:
        """Keep a signed consent or withdrawal at once; it is sent, and repeated in the next session, later."""
        with self.write() as db:
            db.execute(
                "INSERT INTO consent (registration, what, given, notice, version, note) VALUES (?, ?, ?, ?, ?, ?)",
                (registration, what, given, notice, version, note),
            )

    def consents(self, registration: str) -> list[KeptConsent]:
        """The last word on each thing, in the order in which they were said."""
        rows = self._read(
            "SELECT number, registration, what, given, notice, version, note, sent FROM consent WHERE registration=?"
            " ORDER BY number", registration,
        )  # fmt: skip
        said = (KeptConsent(*row[:3], bool(row[3]), *row[4:7], bool(row[7])) for row in rows)  # type: ignore[call-arg]
        last = {consent.what: consent for consent in said}
        return sorted(last.values(), key=lambda consent: consent.number)

    def consent_sent(self, number: int) -> None:
        """The server keeps a copy of it."""
        with self.write() as db:
            db.execute("UPDATE consent SET sent=1 WHERE number=?", (number,))


@contextmanager
def _errors() -> Iterator[None]:
    """Only our own errors leave the database."""
    try:
        yield
    except sqlite3.IntegrityError as error:
        raise LocalRecordsError(f"the records' database refuses: {error}") from error
    except OverflowError as error:
        raise BadAnswerError("a number that no record of ours holds") from error
    except sqlite3.DatabaseError as error:
        if "malformed" in str(error) or "not a database" in str(error):
            raise LocalRecordsError(f"the records' database is damaged: {error}") from error
        raise DiskError(f"the records' database: {error}") from error
