"""The drill: a server is backed up while it works, its disk is lost, it stands again, and everything verifies."""

from __future__ import annotations

import json
import shutil
import stat
import threading
from collections.abc import Callable
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from server_stub.__main__ import main
from server_stub.app import create_app
from server_stub.domain import fsck
from server_stub.domain.errors import SetupError
from server_stub.settings import load
from server_stub.storage import backup
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.school import School
from tests.server_stub.test_archive import figures, study

pytestmark = pytest.mark.slow


def run(*words: object) -> int:
    return main([str(word) for word in words])


@pytest.fixture
def saved(room: Room, tmp_path: Path) -> tuple[Device, Path, Path]:
    """A session that ended, and a backup of it."""
    device = study(room.learner().ready())
    out, keys = tmp_path / "backup", tmp_path / "keys"
    assert run("backup", room.settings.directory, out, "--keys", keys) == 0
    return device, out, keys


def lose(room: Room) -> None:
    """The disk is gone, and whatever database it was goes nowhere near the drill."""
    room.server.close()
    shutil.rmtree(room.settings.directory)


def stand_again(room: Room, *words: object) -> int:
    return run("restore", *words, room.settings.directory, "--local")


def test_a_server_whose_disk_was_lost_stands_again_and_its_archive_verifies(
    room: Room, saved: tuple[Device, Path, Path], tmp_path: Path
) -> None:
    """restore ends with fsck; the archive of the restored server gives the same credit; a lesson goes on."""
    device, out, keys = saved
    lose(room)
    assert stand_again(room, out, "--keys", keys) == 0
    room.settings = load(room.settings.directory)
    room.restart()
    assert run("fsck", room.settings.directory) == 0
    school = School(room, tmp_path / "school", recognised=False)
    assert figures(school.verified("archive")) == {device.sid: ("closed", 60_000)}
    study(room.learner("other").ready())
    assert run("fsck", room.settings.directory) == 0


def test_what_is_written_during_the_backup_leaves_it_whole(
    room: Room, tmp_path: Path, people: Callable[[], str]
) -> None:
    """A lesson goes on all the while: the backup is of one moment, and fsck of the restored server finds nothing."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    stop = threading.Event()

    def study_on() -> None:
        while not stop.is_set():
            device.play(1_000)
            device.send()

    thread = threading.Thread(target=study_on)
    thread.start()
    try:
        for at in range(3):
            assert run("backup", room.settings.directory, tmp_path / f"b{at}", "--keys", tmp_path / f"k{at}") == 0
    finally:
        stop.set()
        thread.join()
    for at in range(3):
        assert run("restore", tmp_path / f"b{at}", tmp_path / f"new{at}", "--keys", tmp_path / f"k{at}", "--local") == 0


def test_a_device_that_is_ahead_of_a_restored_server_sends_the_rest_again(room: Room, tmp_path: Path) -> None:
    """The last minutes before the loss are on the device; the server says where it stands and takes them from there."""
    device = room.learner().ready().open()
    device.send()
    device.play(5_000)
    device.send()
    before = len(device.entries)
    assert run("backup", room.settings.directory, tmp_path / "b", "--keys", tmp_path / "k") == 0
    device.play(5_000)
    device.send()
    lose(room)
    assert stand_again(room, tmp_path / "b", "--keys", tmp_path / "k") == 0
    room.settings = load(room.settings.directory)
    room.restart()
    device.http = room.http
    behind = device.post(device.body())
    assert behind.status_code == 409
    device.sent = behind.json()["size"]
    assert device.sent <= before
    assert device.post(device.body()).status_code == 200
    assert fsck.check(room.server.people, room.server.records, room.server.keyring) == []


def test_keys_lie_apart_and_nothing_of_a_backup_is_readable_by_others(saved: tuple[Device, Path, Path]) -> None:
    """No private key and no secret in the folder of data; folders 0700, files 0600."""
    _, out, keys = saved
    names = {path.name for path in out.rglob("*")}
    assert not {"secret", "keys", "server.toml"} & names
    assert not any(path.suffix == ".pem" for path in out.rglob("*"))
    assert b"PRIVATE KEY" in b"".join(path.read_bytes() for path in keys.rglob("*.pem"))
    for path in (out, keys, *out.rglob("*"), *keys.rglob("*")):
        assert stat.S_IMODE(path.stat().st_mode) == (0o700 if path.is_dir() else 0o600), path


@pytest.mark.parametrize("damage", ["cut", "gone", "added"])
def test_a_backup_that_is_not_whole_is_not_restored(
    room: Room, saved: tuple[Device, Path, Path], tmp_path: Path, damage: str
) -> None:
    """Before anything is written: the file is named."""
    _, out, keys = saved
    path = out / "records.sqlite"
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:-100])
    elif damage == "gone":
        path.unlink()
    else:
        (out / "more").write_bytes(b"x")
    with pytest.raises(SetupError, match="more" if damage == "added" else "records"):
        backup.restore(out, keys, tmp_path / "new", None, local=True)
    assert not (tmp_path / "new").exists()


def test_a_backup_that_somebody_changed_is_found_by_the_logs(
    room: Room, saved: tuple[Device, Path, Path], tmp_path: Path
) -> None:
    """Whoever changes a figure and the list with it, still has no key: restore ends with 2 and names the session."""
    import sqlite3

    _, out, keys = saved
    db = sqlite3.connect(out / "records.sqlite")
    with db:
        db.execute("UPDATE progress SET size = size + 1")
    db.close()
    listed = json.loads((out / "manifest.json").read_bytes())
    listed["files"]["records.sqlite"] = backup._digest(out / "records.sqlite")
    (out / "manifest.json").write_text(json.dumps(listed))
    assert run("restore", out, tmp_path / "new", "--keys", keys, "--local") == 2


def test_nothing_is_overwritten(room: Room, saved: tuple[Device, Path, Path], tmp_path: Path) -> None:
    """Neither a backup, nor a data directory, nor a database with rows; nor do keys lie within the data."""
    _, out, keys = saved
    data = room.settings.directory
    assert run("backup", data, out, "--keys", tmp_path / "k2") == 2
    assert run("backup", data, tmp_path / "b2", "--keys", tmp_path / "b2" / "keys") == 2
    assert run("backup", data, data / "b2") == 2
    assert run("restore", out, data, "--keys", keys, "--local") == 2
    full = tmp_path / "full.toml"
    full.write_text(
        f'server = "{room.settings.server}"\ndevelopment = true\npeople = "sqlite:///{out}/people.sqlite"\n'
    )
    assert run("restore", out, tmp_path / "new", "--keys", keys, "--config", full) == 2


def test_a_restored_server_answers(room: Room, saved: tuple[Device, Path, Path], tmp_path: Path) -> None:
    """Sign-in, the class log and the pages: from the restored directory alone."""
    _, out, keys = saved
    head = room.http.get(f"/log/{CLASS}/checkpoint").content
    settings = backup.restore(out, keys, tmp_path / "new", None, local=True)
    app = create_app(settings, room.clock, sender=room.codes)
    http = TestClient(app)
    assert http.get(f"/log/{CLASS}/checkpoint").content == head
    given = http.post("/v1/staff/sign-in", json={"account": "admin", "password": room.password})
    assert given.status_code == 200
    app.state.server.close()
