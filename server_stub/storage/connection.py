"""What the stores need of a database connection: SQL that SQLite and PostgreSQL both read, `?` where a value goes."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Sequence
from typing import Any, Protocol

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


def marks(count: int) -> str:
    """`count` places for values."""
    return ", ".join("?" * count)
