"""The form of a database: brought up to what this program knows, step by step, all steps of a run or none.

A database of a later release is refused, one from before there were steps is taken as the first of them.
"""

from __future__ import annotations

import contextlib
from collections.abc import Iterator, Sequence
from functools import cache
from pathlib import Path
from typing import Final, Literal

from alembic import command
from alembic.config import Config
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from alembic.util import CommandError
from sqlalchemy import Connection, Engine, create_engine, inspect, text
from sqlalchemy.exc import SQLAlchemyError
from sqlalchemy.pool import NullPool

from server_stub.domain.errors import SetupError

Which = Literal["people", "records"]
FIRST: Final[dict[Which, tuple[str, str]]] = {  # a table from before there were steps, and the step it stands for
    "people": ("account", "people_1"),
    "records": ("entry", "records_1"),
}
_FOLDER: Final = Path(__file__).parent / "migrations"
_LOCK: Final = 0x7472756573656174  # of PostgreSQL's advisory locks: two processes do not migrate at once


def bring_up(url: str, which: Which) -> None:
    """Do the steps that the database at `url` lacks; `SetupError` for one that this program does not know."""
    with alone(url) as connection:
        here = heads_of(connection)
        _check_known(here, which)
        if not lacking(which, here):
            return
        config = config_of(connection, which)
        first, step = FIRST[which]
        if not here and inspect(connection).has_table(first):
            command.stamp(config, step)
        command.upgrade(config, "heads")


def take_back(url: str, which: Which, to: str) -> None:
    """Undo the steps of one part after `to` ("lessons_1"; "lessons_0": all of them); what their tables held is gone."""
    with alone(url) as connection:
        here = heads_of(connection)
        _check_known(here, which)
        if to in here or to in lacking(which, here):
            return
        part, _, number = to.rpartition("_")
        try:
            command.downgrade(config_of(connection, which), f"{part}@base" if number == "0" else f"{part}@{to}")
        except CommandError as error:
            raise SetupError(f"no way back to {to[:80]!r}: {error}") from error


def heads_of(connection: Connection) -> Sequence[str]:
    """The last steps that were done, one of every branch; () for a database without any."""
    return MigrationContext.configure(connection).get_current_heads()


def lacking(which: Which, here: Sequence[str]) -> list[str]:
    """The steps that are still to be done where these are the last ones, first to last."""
    done, look = set[str](), list(here)
    while look:
        script = _scripts(which).get_revision(look.pop())
        done.add(script.revision)
        for before in (script.down_revision, script.dependencies):
            look += [before] if isinstance(before, str) else before or ()
    return [step for step in steps(which) if step not in done]


def steps(which: Which) -> list[str]:
    """Every step, first to last, whatever its branch."""
    return [step.revision for step in reversed(list(_scripts(which).walk_revisions()))]


def parts(which: Which) -> list[str]:
    """The branches, the first of them that on which all others depend."""
    return list(dict.fromkeys(step.rpartition("_")[0] for step in steps(which)))


def steps_of(which: Which, branch: str) -> list[str]:
    """The steps of one branch, first to last."""
    return [step for step in steps(which) if step.rpartition("_")[0] == branch]


def config_of(connection: Connection, which: Which) -> Config:
    """What Alembic's commands take, on an open connection."""
    config = _config(which)
    config.attributes["connection"] = connection
    return config


def _config(which: Which) -> Config:
    config = Config()
    config.set_main_option("script_location", str(_FOLDER))
    config.set_main_option("version_locations", str(_FOLDER / which))
    config.set_main_option("file_template", "%%(rev)s")
    config.set_main_option("path_separator", "newline")  # a folder's name may hold any other character
    return config


@cache
def _scripts(which: Which) -> ScriptDirectory:
    return ScriptDirectory.from_config(_config(which))


def _check_known(here: Sequence[str], which: Which) -> None:
    if unknown := set(here) - set(steps(which)):
        raise SetupError(f"the database of {which} has the form {min(unknown)!r} of another release of this program")


@contextlib.contextmanager
def alone(url: str) -> Iterator[Connection]:
    """One transaction that nobody else's steps can enter."""
    engine = _engine(url)
    try:
        with engine.connect() as connection:
            if engine.dialect.name == "sqlite":
                connection.execute(text("BEGIN IMMEDIATE"))  # the driver begins none before DDL
                with _finished(connection):
                    yield connection
            else:
                with connection.begin():
                    connection.execute(text("SELECT pg_advisory_xact_lock(:key)"), {"key": _LOCK})
                    yield connection
    except SQLAlchemyError as error:
        raise SetupError(f"the database cannot be brought to its form: {error}") from error
    finally:
        engine.dispose()


@contextlib.contextmanager
def _finished(connection: Connection) -> Iterator[None]:
    try:
        yield
        connection.execute(text("COMMIT"))
    except BaseException:
        connection.execute(text("ROLLBACK"))
        raise


def _engine(url: str) -> Engine:
    if url.startswith("sqlite"):
        return create_engine(url, poolclass=NullPool, isolation_level="AUTOCOMMIT", connect_args={"timeout": 10.0})
    return create_engine(url, poolclass=NullPool)
