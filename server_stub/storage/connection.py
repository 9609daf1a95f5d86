"""What the stores need of a database connection: SQL that SQLite and PostgreSQL both read, `?` where a value goes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Final, Protocol

from server_stub.domain.errors import ServerError
from server_stub.domain.store_errors import StoreFullError, StoreGoneError

Value = str | bytes | int | None


class Rows(Protocol):
    """What a statement answered."""

    @property
    def rowcount(self) -> int: ...
    def fetchone(self) -> Any: ...
    def fetchall(self) -> list[Any]: ...
    def __iter__(self) -> Iterator[Any]: ...


class Connection(Protocol):
    """One connection; transactions are begun and ended by statements."""

    @property
    def in_transaction(self) -> bool: ...
    def execute(self, sql: str, values: Sequence[Any] = ..., /) -> Rows: ...
    def executemany(self, sql: str, values: Iterable[Sequence[Any]], /) -> object: ...
    def set_trace_callback(self, seen: Callable[[str], object] | None, /) -> None:
        """Tell `seen` every statement just before it is done."""

    def close(self) -> None: ...


_FULL: Final = (sqlite3.SQLITE_FULL,)
_GONE: Final = (sqlite3.SQLITE_IOERR, sqlite3.SQLITE_BUSY, sqlite3.SQLITE_CANTOPEN, sqlite3.SQLITE_READONLY)


def sqlite_error(error: sqlite3.Error) -> ServerError | None:
    """What an error of SQLite means for whoever asked; None for one that is the program's own fault."""
    number = getattr(error, "sqlite_errorcode", 0) & 0xFF
    if number in _FULL:
        return StoreFullError("the disk of the database is full")
    return StoreGoneError("the database's file cannot be used now") if number in _GONE else None


def marks(count: int) -> str:
    """`count` places for values."""
    return ", ".join("?" * count)
