"""People in PostgreSQL, by URL: the same tests as on SQLite, against a real server that this module starts."""

from __future__ import annotations

import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.settings import Settings
from tests.server_stub.conftest import Room, make_course, policy
from tests.server_stub.learner import CLASS, SERVER, Clock, Codes
from tests.server_stub.test_import import *  # noqa: F403 - the same tests, by the fixture below
from tests.server_stub.test_signin import *  # noqa: F403

pytestmark = [
    pytest.mark.slow,
    pytest.mark.skipif(not os.environ.get("TRUESEAT_POSTGRES"), reason="left out: make test-postgres runs it"),
]


def programs() -> Path:
    """Where Debian keeps PostgreSQL's programs; skips where they are not installed."""
    found = sorted(Path("/usr/lib/postgresql").glob("*/bin/initdb"))
    pytest.importorskip("pg8000", reason="left out: pg8000 is not installed")
    if not found:
        pytest.skip("left out: postgresql is not installed")
    return found[-1].parent


@pytest.fixture(scope="module")
def cluster(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    """A database server of its own, on a Unix socket alone, without a port; the start of a URL."""
    bin_, folder = programs(), Path(f"/tmp/trueseat-pg-{secrets.token_hex(4)}")  # a socket's path is short
    folder.mkdir(mode=0o700)
    user: dict[str, int] = {}
    if os.getuid() == 0:  # PostgreSQL refuses to run as root
        owner = pwd.getpwnam("postgres")
        os.chown(folder, owner.pw_uid, owner.pw_gid)
        user = {"user": owner.pw_uid, "group": owner.pw_gid}
    data = folder / "data"

    def run(program: str, *words: object) -> None:
        command = [bin_ / program, "-D", data, *map(str, words)]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, cwd=folder, **user)

    run("initdb", "-U", "trueseat", "-A", "trust", "-E", "UTF8", "--locale=C")
    options = f"-c listen_addresses='' -c unix_socket_directories={folder} -c fsync=off"
    run("pg_ctl", "-w", "-o", options, "-l", folder / "log", "start")
    try:
        yield f"postgresql+pg8000://trueseat@/{{name}}?unix_sock={folder}/.s.PGSQL.5432"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def make_room(cluster: str, tmp_path: Path) -> Iterator[Callable[..., Room]]:
    """As in conftest, with people in a fresh database of the cluster."""
    import sqlalchemy

    rooms: list[Room] = []

    def make(changes: dict[bytes, bytes] | None = None) -> Room:
        name = f"people{secrets.token_hex(4)}"
        root = sqlalchemy.create_engine(cluster.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with root.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        root.dispose()
        clock, codes = Clock(), Codes()
        settings = Settings(tmp_path / f"data{len(rooms)}", SERVER, people=cluster.format(name=name))
        setup.make_directory(settings)
        setup.make_class_key(settings, CLASS)
        server = Server(settings, clock, codes)
        course = make_course(tmp_path / f"course{len(rooms)}")
        server.class_maker.make(setup.ClassPlan(CLASS, "Fire", course, policy(changes)), clock)
        password = setup.add_administrator(server.people)
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


def test_people_are_in_postgresql_and_nowhere_else(room: Room) -> None:
    """The URL is the directory's own, 0600; no second database of people lies beside it."""
    assert not list(room.settings.directory.glob("people*"))
    kept = (room.settings.directory / "server.toml").read_text()
    assert "postgresql+pg8000" in kept
    assert room.server.people.account("learner") is not None
