"""A server in a temporary data directory, its clock in the test's hand, and learners that sign for real."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger.policy import preset
from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.settings import Settings
from server_stub.storage.people import Base
from tests import ready
from tests.server_stub.learner import CLASS, SERVER, Clock, Codes, Learner

COURSE = """\
id = "fire"
version = 1
[title]
zh = "消防"
en = "Fire safety"
[[unit]]
id = "pass"
duration_ms = 3600000
media = "lesson.mp4"
media_sha256 = "{digest}"
[unit.title]
zh = "四步"
en = "Four steps"
"""
POLICY = {
    b'opening_kind = "liveness"': b'opening_kind = "match"',
    b'kinds = ["match", "match", "liveness"]': b'kinds = ["match"]',
}


@dataclass
class Room:
    """A server under test: `http` talks to it, `clock` is its time, `learner` makes signed-in devices."""

    settings: Settings
    http: TestClient
    clock: Clock
    codes: Codes
    server: Server
    password: str

    def learner(self, account: str = "learner") -> Learner:
        return Learner(self.http, self.codes, self.clock, account)

    def restart(self) -> None:
        """What a new process would see: nothing but the files."""
        self.server.close()
        app = create_app(self.settings, self.clock, sender=self.codes)
        self.http = TestClient(app, raise_server_exceptions=False)
        self.server = app.state.server


def policy(changes: dict[bytes, bytes] | None = None) -> bytes:
    """The demo preset with every check a `match`, and further changes."""
    data = preset("demo")
    for old, new in (POLICY | (changes or {})).items():
        assert old in data
        data = data.replace(old, new)
    return data


def make_course(folder: Path) -> Path:
    import hashlib

    folder.mkdir()
    media = bytes(range(256)) * 40
    (folder / "lesson.mp4").write_bytes(media)
    text = COURSE.format(digest=hashlib.sha256(media).hexdigest())
    (folder / "course.toml").write_text(text, encoding="utf-8")
    return folder


@pytest.fixture
def people() -> Callable[[], str]:
    """The database of people of each new room; "" is the directory's own."""
    return str


@pytest.fixture
def records_url() -> Callable[[], str]:
    """The database of the records of each new room; "" is the directory's own."""
    return str


@pytest.fixture
def make_room(
    tmp_path: Path, people: Callable[[], str], records_url: Callable[[], str]
) -> Iterator[Callable[..., Room]]:
    """Makes a server with one class and two learners, `learner` and `other`."""
    rooms: list[Room] = []

    def make(changes: dict[bytes, bytes] | None = None) -> Room:
        clock, codes = Clock(), Codes()
        settings = Settings(tmp_path / f"data{len(rooms)}", SERVER, people=people(), records_url=records_url())
        plan = setup.ClassPlan(CLASS, "Fire", make_course(tmp_path / f"course{len(rooms)}"), policy(changes))
        password = ready.make_directory(settings)
        setup.make_class_key(settings, CLASS)
        server = Server(settings, clock, codes)
        server.class_maker.make(plan, clock)
        for account in ("learner", "other"):
            setup.add_learner(server.people, CLASS, account, account.title())
        server.close()
        app = create_app(settings, clock, sender=codes)
        http = TestClient(app, raise_server_exceptions=False)
        rooms.append(Room(settings, http, clock, codes, app.state.server, password))
        return rooms[-1]

    yield make
    for room in rooms:
        room.server.close()


@pytest.fixture
def room(make_room: Callable[..., Room]) -> Room:
    return make_room()


def kept(room: Room) -> bytes:
    """All that the databases hold: their files, and every row of people, whatever database they are in."""
    found = [path.read_bytes() for path in sorted(room.settings.directory.glob("*.sqlite*"))]
    with room.server.registry._engine.connect() as connection:
        for table in Base.metadata.sorted_tables:
            for row in connection.execute(table.select()):
                found += [value if isinstance(value, bytes) else str(value).encode() for value in row]
    return b"\n".join(found)
