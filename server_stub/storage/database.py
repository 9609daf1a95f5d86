"""The records' SQLite file: one writer, WAL, `synchronous=FULL`: what was answered is on the disk.

Plain sqlite3, because an ORM insert costs four times as much (server-notes); one row a segment, not one an event.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import TypeVar

from server_stub.domain.errors import SetupError
from server_stub.domain.ports import Transaction
from server_stub.settings import touch_private
from server_stub.storage.classlog import LOG_SCHEMA, SqliteLogStore
from server_stub.storage.eventstore import EVENT_SCHEMA, SqliteEventStore
from server_stub.storage.evidence import PHOTO_SCHEMA, SqlitePhotoIndex
from server_stub.storage.witnessed import WITNESSED_SCHEMA, SqliteWitnessedStore

T = TypeVar("T")
_BUSY_S = 10.0


class _Transaction:
    """All stores on one connection."""

    def __init__(self, connection: sqlite3.Connection) -> None:
        self.log = SqliteLogStore(connection)
        self.events = SqliteEventStore(connection)
        self.witnessed = SqliteWitnessedStore(connection)
        self.photos = SqlitePhotoIndex(connection)
        self.undo: list[Callable[[], object]] = []

    def on_undo(self, forget: Callable[[], object]) -> None:
        self.undo.append(forget)


class SqliteRecords:
    """`domain.ports.Records` on one SQLite file."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._idle: list[sqlite3.Connection] = []  # lent to one reader at a time, whatever thread it runs in
        self._open: list[sqlite3.Connection] = []
        touch_private(path)  # SQLite gives its -wal and -shm files the same rights
        self._writer = self._connect()
        self._writer.executescript(LOG_SCHEMA + EVENT_SCHEMA + WITNESSED_SCHEMA + PHOTO_SCHEMA)

    def _connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA secure_delete=ON;"  # an erased event leaves zeros, not a free page
            )
        except sqlite3.Error as error:
            raise SetupError(f"{self._path} cannot be opened: {error}") from error
        self._open.append(connection)
        return connection

    def write(self, job: Callable[[Transaction], T]) -> T:
        with self._writing, _transaction(self._writer, "BEGIN IMMEDIATE") as tx:
            return job(tx)

    def read(self, job: Callable[[Transaction], T]) -> T:
        try:
            connection = self._idle.pop()
        except IndexError:
            connection = self._connect()
        try:
            with _transaction(connection, "BEGIN") as tx:
                return job(tx)
        finally:
            self._idle.append(connection)

    def scrub(self) -> None:
        with self._writing:
            self._writer.execute("PRAGMA wal_checkpoint(TRUNCATE)")

    def close(self) -> None:
        """Close every connection; the file stays whole without this too."""
        for connection in self._open:
            connection.close()


@contextlib.contextmanager
def _transaction(connection: sqlite3.Connection, begin: str) -> Iterator[_Transaction]:
    connection.execute(begin)
    tx = _Transaction(connection)
    try:
        yield tx
        connection.execute("COMMIT")
    except BaseException:
        for forget in tx.undo:
            forget()
        if connection.in_transaction:
            connection.execute("ROLLBACK")
        raise
