"""A witness's memory: one SQLite file, `synchronous=FULL`, one writer: what it signed it never forgets."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import TypeVar

from ledger.keys import Vkey, parse_vkey
from server_stub.domain.errors import SetupError
from server_stub.domain.witness import Contradiction, Watched, WatchStore
from server_stub.settings import touch_private

T = TypeVar("T")
MAX_CONTRADICTIONS = 1000  # of one log; a liar does not fill the disk
_BUSY_S = 10.0
_SCHEMA = """
CREATE TABLE IF NOT EXISTS log (
    origin TEXT PRIMARY KEY, vkey TEXT NOT NULL, size INTEGER NOT NULL, root BLOB NOT NULL, time INTEGER NOT NULL,
    signed BLOB NOT NULL);
CREATE TABLE IF NOT EXISTS contradiction (
    origin TEXT NOT NULL, at INTEGER NOT NULL, ours BLOB NOT NULL, theirs BLOB NOT NULL,
    PRIMARY KEY (origin, ours, theirs));
CREATE TRIGGER IF NOT EXISTS log_grows BEFORE UPDATE ON log WHEN new.size < old.size OR new.vkey <> old.vkey
    BEGIN SELECT RAISE(ABORT, 'a witness never goes back'); END;
"""


class SqliteWatchStore:
    """`domain.witness.WatchStore` inside one transaction."""

    def __init__(self, db: sqlite3.Connection) -> None:
        self._db = db

    def watched(self, origin: str) -> Watched | None:
        row = self._db.execute("SELECT vkey, size, root, time, signed FROM log WHERE origin = ?", (origin,)).fetchone()
        return Watched(parse_vkey(row[0]), *row[1:]) if row else None

    def watch(self, key: Vkey, instead: Vkey | None = None) -> None:
        """Watch a log; `instead` of the key that it had, from the size where it stands."""
        known = self.watched(key.name)
        if known is not None and known.key != key:
            if known.key != instead:
                raise SetupError(f"{key.name} is watched under another key: say which one this replaces")
            self._db.execute("DELETE FROM log WHERE origin = ?", (key.name,))
        if known is None or known.key != key:
            new = replace(known, key=key) if known else Watched(key)
            self._db.execute(
                "INSERT INTO log VALUES (?, ?, ?, ?, ?, ?)",
                (key.name, str(key), new.size, new.root, new.time, new.signed),
            )

    def remember(self, watched: Watched) -> None:
        self._db.execute(
            "UPDATE log SET size = ?, root = ?, time = ?, signed = ? WHERE origin = ?",
            (watched.size, watched.root, watched.time, watched.signed, watched.key.name),
        )

    def add_contradiction(self, found: Contradiction) -> None:
        (count,) = self._db.execute("SELECT count(*) FROM contradiction WHERE origin = ?", (found.origin,)).fetchone()
        if count < MAX_CONTRADICTIONS:
            self._db.execute(
                "INSERT OR IGNORE INTO contradiction VALUES (?, ?, ?, ?)",
                (found.origin, found.at, found.ours, found.theirs),
            )

    def contradictions(self) -> Sequence[Contradiction]:
        query = "SELECT origin, at, ours, theirs FROM contradiction ORDER BY at, origin"
        return [Contradiction(*row) for row in self._db.execute(query)]

    def logs(self) -> Sequence[Watched]:
        """Every log that is watched, by name."""
        rows = self._db.execute("SELECT vkey, size, root, time, signed FROM log ORDER BY origin")
        return [Watched(parse_vkey(row[0]), *row[1:]) for row in rows]


class SqliteWatchbook:
    """`domain.witness.Watchbook` on one SQLite file; processes beside one another wait for each other."""

    def __init__(self, path: Path) -> None:
        self._lock = threading.Lock()
        touch_private(path)
        try:
            self._db = sqlite3.connect(path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False)
            self._db.executescript("PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL;" + _SCHEMA)
        except sqlite3.Error as error:
            raise SetupError(f"{path} cannot be opened: {error}") from error

    def write(self, job: Callable[[WatchStore], T]) -> T:
        with self._lock:
            self._db.execute("BEGIN IMMEDIATE")
            try:
                result = job(SqliteWatchStore(self._db))
                self._db.execute("COMMIT")
            except BaseException:
                if self._db.in_transaction:
                    self._db.execute("ROLLBACK")
                raise
            return result

    def logs(self) -> Sequence[Watched]:
        """Every log that is watched."""
        with self._lock:
            return SqliteWatchStore(self._db).logs()

    def close(self) -> None:
        """Close the file."""
        self._db.close()
