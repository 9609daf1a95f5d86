"""The records' SQLite file: one writer, WAL, `synchronous=FULL`: what was answered is on the disk.

Plain sqlite3, because an ORM insert costs four times as much (server-notes); one row a segment, not one an event.
"""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import Final

from server_stub.domain.errors import ServerError, SetupError
from server_stub.settings import Settings, touch_private
from server_stub.storage.connection import sqlite_error
from server_stub.storage.grouped import GroupedRecords
from server_stub.storage.schema import bring_up

_BUSY_S: Final = 10.0


class SqliteRecords(GroupedRecords):
    """`domain.ports.Records` on one SQLite file."""

    begin_write = "BEGIN IMMEDIATE"
    begin_read = "BEGIN"

    def __init__(self, path: Path) -> None:
        self._path = path
        touch_private(path)  # SQLite gives its -wal and -shm files the same rights
        bring_up(f"sqlite:///{path}", "records")
        super().__init__()

    def connect(self) -> sqlite3.Connection:
        try:
            connection = sqlite3.connect(
                self._path, timeout=_BUSY_S, isolation_level=None, check_same_thread=False, cached_statements=256
            )
            connection.executescript(
                "PRAGMA journal_mode=WAL; PRAGMA synchronous=FULL; PRAGMA foreign_keys=ON; "
                "PRAGMA secure_delete=ON;"  # an erased event leaves zeros, not a free page
            )
        except sqlite3.Error as error:
            raise self.translated(error) or SetupError(f"{self._path} cannot be opened: {error}") from error
        return connection

    def translated(self, error: BaseException) -> ServerError | None:
        return sqlite_error(error) if isinstance(error, sqlite3.Error) else None

    def scrub(self) -> None:
        """Leave nothing of what was deleted in the database's files."""
        with self.writing() as connection:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")


def open_records(settings: Settings) -> GroupedRecords:
    """The records where the settings have them: in a file of their own, or in PostgreSQL by URL."""
    if settings.records_url:
        from server_stub.storage.postgres import PostgresRecords

        return PostgresRecords(settings.records_url)
    return SqliteRecords(settings.records)
