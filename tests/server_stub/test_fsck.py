"""The database against its logs: a clean one is clean, whatever happened in it, and every change is named."""

from __future__ import annotations

import sqlite3

import pytest

from server_stub.__main__ import main
from server_stub.domain import fsck
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Device


def text(column: str, old: str, new: str) -> str:
    """Bytes with some letters changed, in SQL."""
    return f"convert_to(replace(convert_from({column}, 'LATIN1'), '{old}', '{new}'), 'LATIN1')"


@pytest.fixture
def studied(room: Room) -> tuple[Room, Device]:
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    device.play(5_000)
    device.send()
    device.close()
    open_ = learner.open()
    open_.send()
    return room, device


def faults(room: Room) -> list[str]:
    return fsck.check(room.server.people, room.server.records, room.server.keyring)


def change(room: Room, sql: str, *values: object) -> None:
    """What a damaged disk, a careless hand or a wrong restore does; the triggers that forbid it are gone."""
    db = room.server.records.connect()
    if isinstance(db, sqlite3.Connection):
        db.executescript("DROP TRIGGER IF EXISTS entry_stays; DROP TRIGGER IF EXISTS entry_kept;")
        db.create_function("convert_from", 2, lambda data, _: bytes(data).decode("latin-1"))
        db.create_function("convert_to", 2, lambda text, _: text.encode("latin-1"))
    else:
        db.execute("ALTER TABLE entry DISABLE TRIGGER USER")
    assert db.execute(sql, values).rowcount > 0
    db.close()


def test_a_class_that_was_studied_in_is_clean(studied: tuple[Room, Device]) -> None:
    room, _ = studied
    assert faults(room) == []
    assert main(["fsck", str(room.settings.directory)]) == 0


@pytest.mark.parametrize(
    ("sql", "word"),
    [
        ("DELETE FROM segment WHERE sid = :sid AND old = 1", "begins at"),
        ("UPDATE progress SET size = size + 1 WHERE sid = :sid", "do not hash"),
        ("UPDATE progress SET root = checkpoint WHERE sid = :sid", "do not hash"),
        ("UPDATE progress SET logged_leaf = 1 WHERE sid = :sid", "no checkpoint"),
        ("DELETE FROM entry WHERE idx = (SELECT max(idx) FROM entry)", "do not hash to the checkpoint"),
        (f"UPDATE entry SET entry = {text('entry', 'at', 'ta')} WHERE idx = 2", "class"),
        (
            f"UPDATE body SET bytes = {text('bytes', 'development', 'identified')} "
            "WHERE substr(bytes, 1, 23) = convert_to('trueseat/identification', 'LATIN1')",
            "body",
        ),
    ],
)
def test_what_was_changed_is_named(studied: tuple[Room, Device], sql: str, word: str) -> None:
    room, device = studied
    change(room, sql.replace(":sid", f"'{device.sid}'"))
    found = faults(room)
    assert any(word in fault for fault in found), found
    assert main(["fsck", str(room.settings.directory)]) == 2


def test_people_restored_from_another_day_are_named(studied: tuple[Room, Device]) -> None:
    """Records and people are two databases: a session without its registration shows that one is older."""
    room, _ = studied
    with room.server.registry._engine.begin() as connection:
        connection.exec_driver_sql("DELETE FROM registration")
    assert all("nobody is enrolled" in fault for fault in faults(room))
    assert len(faults(room)) == 2
