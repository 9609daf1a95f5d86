"""People and records in PostgreSQL, by URL: the tests that run on SQLite, on a real server that this module starts."""

from __future__ import annotations

import contextlib
import os
import pwd
import secrets
import shutil
import subprocess
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from server_stub.domain.errors import SetupError
from server_stub.storage.postgres import PgConnection
from tests.server_stub.conftest import Room
from tests.server_stub.school import School
from tests.server_stub.test_archive import *  # noqa: F403 - the same tests, by the fixtures below
from tests.server_stub.test_backup import *  # noqa: F403
from tests.server_stub.test_erasure import erase, played, study
from tests.server_stub.test_follow import (  # noqa: F401
    test_a_class_is_followed_while_it_studies,
    test_what_is_erased_there_is_erased_here,
)
from tests.server_stub.test_fsck import *  # noqa: F403
from tests.server_stub.test_import import *  # noqa: F403
from tests.server_stub.test_journal import *  # noqa: F403
from tests.server_stub.test_kill import *  # noqa: F403
from tests.server_stub.test_log import *  # noqa: F403
from tests.server_stub.test_schema import *  # noqa: F403
from tests.server_stub.test_segments import *  # noqa: F403
from tests.server_stub.test_sessions import *  # noqa: F403
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
    options = f"-c listen_addresses='' -c unix_socket_directories={folder}"  # fsync on, as the records ask for
    run("pg_ctl", "-w", "-o", options, "-l", folder / "log", "start")
    try:
        yield f"postgresql+pg8000://trueseat@/{{name}}?unix_sock={folder}/.s.PGSQL.5432"
    finally:
        run("pg_ctl", "-m", "immediate", "stop")
        shutil.rmtree(folder)


@pytest.fixture
def fresh(cluster: str) -> Callable[[], str]:
    """A new database of the cluster, by its URL."""
    import sqlalchemy

    def make() -> str:
        name = f"room{secrets.token_hex(4)}"
        root = sqlalchemy.create_engine(cluster.format(name="postgres"), isolation_level="AUTOCOMMIT")
        with root.connect() as connection:
            connection.execute(sqlalchemy.text(f"CREATE DATABASE {name}"))
        root.dispose()
        return cluster.format(name=name)

    return make


@pytest.fixture
def people(fresh: Callable[[], str]) -> Callable[[], str]:
    """Every room's people are in PostgreSQL."""
    return fresh


@pytest.fixture
def records_url(fresh: Callable[[], str]) -> Callable[[], str]:
    """Every room's records, too."""
    return fresh


def test_people_and_records_are_in_postgresql_and_nowhere_else(room: Room) -> None:
    """The URL is the directory's own, 0600; no second database lies beside it."""
    assert not list(room.settings.directory.glob("*.sqlite*"))
    kept = (room.settings.directory / "server.toml").read_text()
    assert kept.count("postgresql+pg8000") == 2
    assert room.server.people.account("learner") is not None


def test_what_is_erased_is_in_no_row_and_its_table_is_written_anew(room: Room, tmp_path: Path) -> None:
    """A deleted row of PostgreSQL stays in its file until the table is rewritten: erasure does that at once."""
    school = School(room, tmp_path / "school")
    device = study(room.learner().ready())
    index = played(device)
    gone, records = device.entries[index], room.server.records
    where = "SELECT pg_relation_filepath('segment')"
    held = "SELECT count(*) FROM segment WHERE position(?::bytea IN body) > 0"
    with records.writing() as connection:
        before = connection.execute(where).fetchone()
        assert connection.execute(held, (gone,)).fetchone() == (1,)
    erase(school, device, index)
    with records.writing() as connection:
        assert connection.execute(where).fetchone() != before
        assert connection.execute(held, (gone,)).fetchone() == (0,)
    assert school.verified("archive").sessions[0].withheld == 1


@contextlib.contextmanager
def away(cluster: str, *urls: str) -> Iterator[None]:
    """The databases take nobody in, and every connection to them is cut: as in a restart or a fail-over."""
    import sqlalchemy

    names = [str(sqlalchemy.make_url(url).database) for url in urls]
    root = sqlalchemy.create_engine(cluster.format(name="postgres"), isolation_level="AUTOCOMMIT")

    def allow(yes: bool) -> None:
        with root.connect() as connection:
            for name in names:
                connection.exec_driver_sql(f"ALTER DATABASE {name} WITH ALLOW_CONNECTIONS {str(yes).lower()}")
                connection.exec_driver_sql(
                    f"SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE datname = '{name}'"
                )

    allow(False)
    try:
        yield
    finally:
        allow(True)
        root.dispose()


def test_a_database_that_goes_and_comes_back_loses_nothing(room: Room, cluster: str) -> None:
    """503 with Retry-After while it is away, for records and for people; then it goes on without a restart."""
    device = room.learner().ready().open()
    device.send()
    device.play(5_000)
    with away(cluster, room.settings.records_url, room.settings.people):
        for _ in range(2):
            refused = device.post(device.body())
            assert refused.status_code == 503, refused.text
            assert (refused.json()["code"], refused.headers["retry-after"]) == ("TS-S-052", "5")
        assert room.http.post("/v1/sign-in/start", json={"account": "learner"}).status_code == 503
    device.send()
    device.close()
    assert room.server.records.read(lambda tx: tx.events.progress(device.sid).size) == len(device.entries)
    room.clock.now += 60_000
    answers = [room.http.post("/v1/sign-in/start", json={"account": "learner"}).status_code for _ in range(4)]
    assert 200 in answers


def test_a_server_that_does_not_wait_for_the_disk_is_refused(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """`synchronous_commit` is on for every connection of ours, and `fsync = off` is not taken."""
    with room.server.records.writing() as connection:
        assert connection.execute("SHOW synchronous_commit").fetchone() == ("on",)
    plain = PgConnection.execute

    def lies(self: PgConnection, sql: str, values: tuple[object, ...] = ()) -> object:
        return plain(self, "SELECT 'off'" if sql == "SHOW fsync" else sql, values)

    monkeypatch.setattr(PgConnection, "execute", lies)
    with pytest.raises(SetupError, match="fsync"):
        room.server.records.connect()
