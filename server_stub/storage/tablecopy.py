"""All rows of a database as of one moment, into another of the same form: SQLite or PostgreSQL on either side."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sqlalchemy import Connection, Engine, MetaData, Table, create_engine, func, insert, select, text, tuple_
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from server_stub.domain.errors import SetupError
from server_stub.settings import touch_private
from server_stub.storage import schema

_MANY: Final = 500  # rows at a time: a segment has up to 1 MiB
_OWN: Final = ("alembic_version", "sqlite_sequence")


def copy_database(source: str, target: str, which: schema.Which) -> int:
    """Fill the empty database `target` with what `source` holds; how many rows. `SetupError` if either is not fit."""
    if target.startswith("sqlite:///"):
        touch_private(Path(target.removeprefix("sqlite:///")))
    schema.bring_up(target, which)
    from_, to = _engine(source), _engine(target)
    try:
        with from_.connect() as old, to.begin() as new:
            _snapshot(old)
            if schema.lacking(which, schema.heads_of(old)):
                raise SetupError(f"the database of {which} lacks steps: start this release's server on it once")
            tables = _tables(old)
            _check_empty(new, tables)
            copied = sum(_copy(old, new, table) for table in tables)
            _go_on_counting(new, tables)
            return copied
    except SQLAlchemyError as error:
        raise SetupError(f"the database of {which} cannot be copied: {error}") from error
    finally:
        from_.dispose()
        to.dispose()


def _engine(url: str) -> Engine:
    return create_engine(url, poolclass=NullPool)


def _snapshot(connection: Connection) -> None:
    """Everything that is read from here on is of one committed state, while others go on writing."""
    if connection.dialect.name == "sqlite":
        connection.exec_driver_sql("BEGIN")
    else:
        connection.exec_driver_sql("SET TRANSACTION ISOLATION LEVEL REPEATABLE READ, READ ONLY")


def _tables(connection: Connection) -> list[Table]:
    found = MetaData()
    found.reflect(connection)
    return [table for table in found.sorted_tables if table.name not in _OWN]


def _check_empty(connection: Connection, tables: Sequence[Table]) -> None:
    for table in tables:
        if connection.execute(select(func.count()).select_from(table)).scalar_one():
            raise SetupError(f"the table {table.name!r} of the new database is not empty")


def _copy(old: Connection, new: Connection, table: Table) -> int:
    count = 0
    for rows in _pages(old, table):
        new.execute(insert(table), rows)
        count += len(rows)
    return count


def _pages(connection: Connection, table: Table) -> Iterator[list[dict[str, Any]]]:
    """By the primary key, because not every driver leaves rows where they are until they are asked for."""
    keys = list(table.primary_key.columns)
    last: tuple[Any, ...] | None = None
    while True:
        query = select(table).order_by(*keys).limit(_MANY)
        if last is not None:
            query = query.where(tuple_(*keys) > tuple_(*last))
        rows = [dict(row._mapping) for row in connection.execute(query)]
        if not rows:
            return
        yield rows
        last = tuple(rows[-1][key.name] for key in keys)


def _go_on_counting(connection: Connection, tables: Sequence[Table]) -> None:
    """PostgreSQL counts identities by itself: from behind the last one that was copied."""
    if connection.dialect.name == "sqlite":
        return
    for table in tables:
        for column in table.primary_key.columns:
            given = {"table": f'"{table.name}"', "column": column.name}
            counter = connection.execute(text("SELECT pg_get_serial_sequence(:table, :column)"), given).scalar()
            if counter:
                last = connection.execute(select(func.coalesce(func.max(column), 0))).scalar_one()
                set_ = text("SELECT setval(:counter, :last, :called)")
                connection.execute(set_, {"counter": counter, "last": max(last, 1), "called": last > 0})
