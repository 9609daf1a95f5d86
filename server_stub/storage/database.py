"""The records' SQLite file: one writer, WAL, `synchronous=FULL`: what was answered is on the disk.

Plain sqlite3, because an ORM insert costs four times as much (server-notes); one row a segment, not one an event.
"""

from __future__ import annotations

import contextlib
import sqlite3
import threading
from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeVar, cast

from server_stub.domain.errors import SetupError
from server_stub.domain.ports import Transaction
from server_stub.settings import touch_private
from server_stub.storage.classlog import LOG_SCHEMA, SqliteLogStore
from server_stub.storage.eventstore import EVENT_SCHEMA, SqliteEventStore
from server_stub.storage.evidence import PHOTO_SCHEMA, SqlitePhotoIndex
from server_stub.storage.witnessed import WITNESSED_SCHEMA, SqliteWitnessedStore

T = TypeVar("T")
_BUSY_S = 10.0
_MAX_GROUP = 64


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


@dataclass(slots=True)
class _Waiting:
    """One write that waits for the disk, and what became of it."""

    job: Callable[[Transaction], Any]
    done: bool = False
    result: Any = None
    error: BaseException | None = None
    tx: _Transaction | None = None


class SqliteRecords:
    """`domain.ports.Records` on one SQLite file. Writes that come at the same time share one commit: whoever holds the
    lock works for all who wait, each in a savepoint of its own, and nobody is answered before the disk has it."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._writing = threading.Lock()
        self._queue: deque[_Waiting] = deque()
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
        mine = _Waiting(job)
        self._queue.append(mine)
        with self._writing:
            if not mine.done:
                self._write_group()
        if mine.error is not None:
            raise mine.error
        return cast(T, mine.result)

    def _write_group(self) -> None:
        """Everything that waits now, in the order in which it came, and one COMMIT for it."""
        group = [self._queue.popleft() for _ in range(min(len(self._queue), _MAX_GROUP))]
        try:
            with _transaction(self._writer, "BEGIN IMMEDIATE"):
                for item in group:
                    self._in_savepoint(item)
        except BaseException as error:  # nothing of the group is on the disk: nobody may believe otherwise
            for item in group:
                _undo(item)
                item.error = item.error or error
        for item in group:
            item.done = True

    def _in_savepoint(self, item: _Waiting) -> None:
        self._writer.execute("SAVEPOINT one")
        item.tx = _Transaction(self._writer)
        try:
            item.result = item.job(item.tx)
        except Exception as error:
            item.error = error
            _undo(item)
            if not self._writer.in_transaction:  # a full disk ends the whole transaction
                raise
            self._writer.execute("ROLLBACK TO one")
        self._writer.execute("RELEASE one")

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


def _undo(item: _Waiting) -> None:
    if item.tx is not None:
        for forget in item.tx.undo:
            forget()
        item.tx = None


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
