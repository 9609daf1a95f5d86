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

from tests.server_stub.conftest import Room
from tests.server_stub.test_import import *  # noqa: F403 - the same tests, by the fixture below
from tests.server_stub.test_schema import *  # noqa: F403
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
def people(cluster: str) -> Callable[[], str]:
    """A fresh database of the cluster for every room."""
    import sqlalchemy

    def fresh() -> str:
        name = f"people{secrets.token_hex(4)}"
        root = sqlalchemy.create_engine(cluster.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with root.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        root.dispose()
        return cluster.format(name=name)

    return fresh


def test_people_are_in_postgresql_and_nowhere_else(room: Room) -> None:
    """The URL is the directory's own, 0600; no second database of people lies beside it."""
    assert not list(room.settings.directory.glob("people*"))
    kept = (room.settings.directory / "server.toml").read_text()
    assert "postgresql+pg8000" in kept
    assert room.server.people.account("learner") is not None
