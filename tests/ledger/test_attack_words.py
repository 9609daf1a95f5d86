"""What a name may try that is printed: a terminal obeys some characters, and a line end makes two lines of one."""

from __future__ import annotations

import json

import pytest

from ledger import events as ev
from ledger import words
from ledger.page import render
from ledger.show import session_table
from tests.ledger.builder import Classroom
from tests.ledger.conftest import Made, made

HOSTILE = {
    "clears the screen": "Wang\x1b[2J\x1b[H",
    "a C1 control": "Wang\x9b2J",
    "a second line": "Wang\nNothing refused. Credited in all: 99 min",
    "turns the order of letters": "Wang\u202e.cte deifirev",
}


@pytest.mark.parametrize("name", HOSTILE.values(), ids=HOSTILE.keys())
def test_a_name_is_printed_as_one_harmless_line(tmp_path_factory: pytest.TempPathFactory, name: str) -> None:
    """people.csv may hold any name; what reads the report does as it says."""
    room = Classroom()
    room.session(room.device(room.learner(f'"{name}"'))).study(10_000).close()
    path = tmp_path_factory.mktemp("words") / "a"
    room.export(path)
    report = made(room, path).verify()
    assert list(report.people.values()) == [name]
    for line in words.text(report).split("\n"):
        assert line.isprintable(), line
        assert not line.startswith("Nothing refused. Credited in all: 99")
    assert name not in render.page(report, "en").decode()
    told = words.plain(json.dumps(report.to_json(), ensure_ascii=False))
    assert told.isprintable()
    assert json.loads(told) == report.to_json()


def test_an_event_is_shown_on_one_harmless_line(tmp_path_factory: pytest.TempPathFactory) -> None:
    """`show` prints what a device wrote; a device writes what it likes."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    for name in HOSTILE.values():
        session.say(ev.Fault("camera", name.replace("\x1b", "")))
    session.study(10_000).close()
    path = tmp_path_factory.mktemp("show") / "a"
    room.export(path)
    found: Made = made(room, path)
    table = session_table(found.source, session.sid)
    assert table.count("\n") == session.sent + 2
    assert all(line.isprintable() for line in table.split("\n"))
