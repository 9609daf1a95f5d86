"""The records in PostgreSQL, by URL: the same stores, one writer at a time, `synchronous_commit` on.

pg8000 at its lowest level, as sqlite3 is used for SQLite: a statement is prepared once a connection, then one round
trip each time. Of two processes that write, one waits for the other, as with SQLite's file.
"""

from __future__ import annotations

import ssl
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final

from pg8000.exceptions import DatabaseError, InterfaceError  # type: ignore[import-untyped]
from pg8000.native import Connection as Driver  # type: ignore[import-untyped]
from sqlalchemy import make_url

from server_stub.domain.errors import ServerError, SetupError
from server_stub.domain.store_errors import StoreFullError, StoreGoneError
from server_stub.storage.grouped import GroupedRecords
from server_stub.storage.schema import bring_up

_LOCK: Final = 0x7472756573656172  # of PostgreSQL's advisory locks: one process writes at a time
_WAIT_S: Final = 10.0
_FULL: Final = ("53100", "53200")  # disk_full, out_of_memory
_GONE: Final = ("08", "57P", "53", "58", "40")  # connection, shutdown, resources, system, serialisation and deadlock
_ERASED: Final = ("segment", "fork", "body", "erased")  # tables from which something is deleted


class _Rows:
    """The rows of one statement, all of them here already."""

    def __init__(self, rows: list[list[Any]] | None, rowcount: int) -> None:
        self._left, self.rowcount = iter([tuple(row) for row in rows or ()]), rowcount

    def fetchone(self) -> Any:
        return next(self._left, None)

    def fetchall(self) -> list[Any]:
        return list(self._left)

    def __iter__(self) -> Iterator[Any]:
        return self._left


class PgConnection:
    """`storage.connection.Connection` on one session of a PostgreSQL server."""

    def __init__(self, url: str) -> None:
        self._driver = _open(url)
        self._prepared: dict[str, tuple[bytes, Any, Any]] = {}
        self._seen: Callable[[str], object] | None = None

    @property
    def in_transaction(self) -> bool:
        return bool(self._driver._transaction_status != b"I")

    def set_trace_callback(self, seen: Callable[[str], object] | None, /) -> None:
        self._seen = seen

    def execute(self, sql: str, values: Sequence[Any] = (), /) -> _Rows:
        if self._seen is not None:
            self._seen(sql)
        if not values:
            plain = self._driver.execute_simple(sql)
            return _Rows(plain.rows, plain.row_count)
        if sql not in self._prepared:
            self._prepared[sql] = self._driver.prepare_statement(_numbered(sql), ())
        name, columns, read = self._prepared[sql]
        done = self._driver.execute_named(name, [_text(value) for value in values], columns, read, sql)
        return _Rows(done.rows, done.row_count)

    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> None:
        for row in values:
            self.execute(sql, row)

    def close(self) -> None:
        self._driver.close()


class PostgresRecords(GroupedRecords):
    """`domain.ports.Records` in a PostgreSQL database; refuses one that does not keep what it answered."""

    begin_write = f"BEGIN; SELECT pg_advisory_xact_lock({_LOCK})"
    begin_read = "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY"

    def __init__(self, url: str) -> None:
        self._url = url
        bring_up(url, "records")
        super().__init__()

    def connect(self) -> PgConnection:
        try:
            connection = PgConnection(self._url)
            (fsync,) = connection.execute("SHOW fsync").fetchone()
            connection.execute("SET synchronous_commit = on")
        except (OSError, InterfaceError, DatabaseError) as error:
            raise StoreGoneError("the database of the records does not answer") from error
        if fsync != "on":
            raise SetupError("this PostgreSQL runs with fsync off: what is answered would not be on the disk")
        return connection

    def translated(self, error: BaseException) -> ServerError | None:
        return postgres_error(error)

    def scrub(self) -> None:
        """Rewrite the tables from which something was deleted; the server's own log keeps it until it is recycled."""
        with self.writing() as connection:
            for table in _ERASED:
                connection.execute(f"VACUUM (FULL) {table}")


def postgres_error(error: BaseException) -> ServerError | None:
    """What an error of the driver means for whoever asked; None for one that is the program's own fault."""
    if isinstance(error, DatabaseError) and error.args and isinstance(error.args[0], dict):
        state = str(error.args[0].get("C", ""))
        if state in _FULL:
            return StoreFullError("the database has no room left")
        return StoreGoneError("the database refuses for now") if state.startswith(_GONE) else None
    if isinstance(error, (InterfaceError, OSError)):
        return StoreGoneError("the database does not answer")
    return None


def _open(url: str) -> Driver:
    parts = make_url(url)
    given: dict[str, Any] = {"unix_sock": parts.query["unix_sock"]} if "unix_sock" in parts.query else {}
    if not given:
        given = {"host": parts.host or "localhost", "port": parts.port or 5432}
        if parts.query.get("sslmode") != "disable" and parts.host not in (None, "localhost", "127.0.0.1", "::1"):
            given["ssl_context"] = ssl.create_default_context()
    return Driver(
        parts.username or "", database=parts.database, password=parts.password, timeout=_WAIT_S,
        application_name="trueseat", **given,
    )  # fmt: skip


def _numbered(sql: str) -> str:
    first, *rest = sql.split("?")
    return first + "".join(f"${number}{part}" for number, part in enumerate(rest, 1))


def _text(value: Any) -> str | None:
    """A value as PostgreSQL's text form; numbers for truth, as SQLite has it."""
    if value is None or isinstance(value, str):
        return value
    if isinstance(value, bytes):
        return "\\x" + value.hex()
    return str(int(value))
