"""Every table has its steps, both ways; a database is brought up once, and never by halves."""

from __future__ import annotations

import importlib
import pkgutil
import sqlite3
from collections.abc import Callable
from pathlib import Path

import pytest
import sqlalchemy
from alembic import command
from alembic.autogenerate import compare_metadata
from alembic.runtime.migration import MigrationContext
from sqlalchemy.exc import OperationalError

import server_stub.storage
from server_stub.__main__ import main
from server_stub.domain.errors import SetupError
from server_stub.storage import schema
from server_stub.storage.people import Base, open_engine
from tests.server_stub.conftest import Room

for module in pkgutil.iter_modules(server_stub.storage.__path__):
    importlib.import_module(f"server_stub.storage.{module.name}")  # whatever declares tables


@pytest.fixture
def url(people: Callable[[], str], tmp_path: Path) -> str:
    return people() or f"sqlite:///{tmp_path / 'people.sqlite'}"


def tables(url: str) -> set[str]:
    engine = sqlalchemy.create_engine(url)
    found = set(sqlalchemy.inspect(engine).get_table_names())
    engine.dispose()
    return found


def to_the_first(url: str) -> None:
    """The form of the first release: everything that other parts made is taken back."""
    for part in reversed(schema.parts("people")):
        schema.take_back(url, "people", "people_1" if part == "people" else f"{part}_0")


def test_the_steps_make_exactly_the_tables_that_the_program_declares(url: str) -> None:
    """A table, column, index or type without a step is named here (docs/deploy-server.md, "Migrations")."""
    engine = open_engine(url)
    with engine.connect() as connection:
        context = MigrationContext.configure(connection, opts={"compare_type": True})
        assert compare_metadata(context, Base.metadata) == []
    engine.dispose()


def test_every_step_can_be_taken_back_and_done_again(url: str) -> None:
    """Down to an empty database, and up to the same form: each branch's last step first, one after the other."""
    schema.bring_up(url, "people")
    full = tables(url)
    for step in reversed(schema.steps("people")):
        part, _, number = step.rpartition("_")
        schema.take_back(url, "people", f"{part}_{int(number) - 1}")
    assert tables(url) <= {"alembic_version"}
    schema.bring_up(url, "people")
    assert tables(url) == full


def test_a_step_back_and_on_keeps_what_the_older_form_holds(room: Room) -> None:
    """Every part's own tables are taken back; accounts and registrations are still there."""
    url = room.settings.people_url
    room.server.close()
    to_the_first(url)
    room.restart()
    assert room.server.people.account("learner") is not None


def test_a_database_from_before_there_were_steps_is_taken_as_it_is(room: Room) -> None:
    """Earlier releases made their tables without a word of steps: nothing is lost, the later steps are done."""
    url = room.settings.people_url
    room.server.close()
    to_the_first(url)
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("DROP TABLE alembic_version"))
    engine.dispose()
    room.restart()
    assert room.server.people.account("other") is not None
    with schema.alone(url) as connection:
        assert schema.lacking("people", schema.heads_of(connection)) == []


def test_the_operator_brings_both_databases_up_and_a_part_back(
    room: Room, capsys: pytest.CaptureFixture[str]
) -> None:
    """`migrate` says where they stand; `--back` takes one part's tables away, and the next start makes them again."""
    directory = str(room.settings.directory)
    room.server.close()
    assert main(["migrate", directory]) == 0
    assert {"people:", "records:"} <= set(capsys.readouterr().out.split())
    assert main(["migrate", directory, "--back", "fleet_0"]) == 0
    assert "enrolment_token" not in tables(room.settings.people_url)
    assert main(["migrate", directory, "--back", "records_1"]) == 0
    assert main(["migrate", directory, "--back", "none_7"]) == 2
    room.restart()
    assert "enrolment_token" in tables(room.settings.people_url)
    with schema.alone(room.settings.records_database) as connection:
        assert schema.lacking("records", schema.heads_of(connection)) == []


def test_a_database_of_a_later_release_is_refused(url: str) -> None:
    """Its step is unknown here: nothing is touched, and the sentence names it."""
    schema.bring_up(url, "people")
    engine = sqlalchemy.create_engine(url)
    with engine.begin() as connection:
        connection.execute(sqlalchemy.text("INSERT INTO alembic_version VALUES ('future_9')"))
    engine.dispose()
    with pytest.raises(SetupError, match="future_9"):
        schema.bring_up(url, "people")


def test_a_run_that_fails_in_the_middle_leaves_no_half(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Its last statement fails: no table of the run is there, and the next run does all of it."""
    url = f"sqlite:///{tmp_path / 'people.sqlite'}"

    def fails(*_: object) -> None:
        raise OperationalError("the disk", None, sqlite3.OperationalError("is full"))

    real = command.upgrade
    monkeypatch.setattr(command, "upgrade", lambda *given: (real(*given), fails()))
    with pytest.raises(SetupError, match="is full"):
        schema.bring_up(url, "people")
    assert tables(url) == set()
    monkeypatch.undo()
    schema.bring_up(url, "people")
    assert "account" in tables(url)
