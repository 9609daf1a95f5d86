"""Content keys: with an open session of one's own, for its own course; otherwise nobody learns one."""

from __future__ import annotations

import io
import secrets
import stat
from hashlib import sha256
from pathlib import Path

import pytest
from fastapi.testclient import TestClient

from ledger import content
from server_stub import setup
from server_stub.app import Server, create_app
from server_stub.domain.errors import SetupError
from server_stub.settings import Settings
from tests.server_stub.conftest import Room, make_course, policy
from tests.server_stub.learner import CLASS, SERVER, Clock, Codes

KEY = secrets.token_bytes(32)


def encrypted_course(folder: Path, *, key: bool = True) -> Path:
    """The test's course with its media encrypted; the key file beside it."""
    make_course(folder)
    media = folder / "lesson.mp4"
    plain = media.read_bytes()
    media.write_bytes(b"".join(content.seal(io.BytesIO(plain), len(plain), KEY)))
    manifest = (folder / "course.toml").read_text(encoding="utf-8")
    swapped = manifest.replace(sha256(plain).hexdigest(), sha256(media.read_bytes()).hexdigest())
    (folder / "course.toml").write_text(swapped, encoding="utf-8")
    if key:
        folder.with_name(folder.name + ".key").write_text(content.write_keys([bytes(32), KEY]), encoding="ascii")
    return folder


@pytest.fixture
def sealed_room(tmp_path: Path) -> Room:
    """A class whose course is encrypted."""
    clock, codes = Clock(), Codes()
    settings = Settings(tmp_path / "data", SERVER)
    setup.make_directory(settings)
    setup.make_class_key(settings, CLASS)
    server = Server(settings, clock, codes)
    server.class_maker.make(setup.ClassPlan(CLASS, "Fire", encrypted_course(tmp_path / "course"), policy()), clock)
    for account in ("learner", "other"):
        setup.add_learner(server.people, CLASS, account, account.title())
    server.close()
    app = create_app(settings, clock, sender=codes)
    return Room(settings, TestClient(app, raise_server_exceptions=False), clock, codes, app.state.server, "")


def test_the_key_comes_with_an_open_session_and_goes_with_it(sealed_room: Room) -> None:
    """Before a session there is no address to ask; while it is open the key that opens the media; after it, 410."""
    learner = sealed_room.learner().ready()
    device = learner.open()
    device.send()
    path = f"/v1/sessions/{device.sid}/content-key"
    answer = sealed_room.http.get(path, headers=learner.headers)
    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert answer.json() == {"keys": [KEY.hex()]}, "only the keys that this course needs"
    device.close()
    over = sealed_room.http.get(path, headers=learner.headers)
    assert (over.status_code, over.json()["code"]) == (410, "TS-S-038")


def test_nobody_else_gets_it(sealed_room: Room) -> None:
    """Another learner of the same class: 404, as if the session did not exist; without a token: 401."""
    device = sealed_room.learner().ready().open()
    path = f"/v1/sessions/{device.sid}/content-key"
    other = sealed_room.learner("other").ready()
    assert sealed_room.http.get(path, headers=other.headers).status_code == 404
    assert sealed_room.http.get(path).status_code == 401
    unknown = f"/v1/sessions/{'0' * 32}/content-key"
    assert sealed_room.http.get(unknown, headers=other.headers).status_code == 404


@pytest.mark.slow
def test_a_session_that_was_never_opened_in_time_gets_no_key(sealed_room: Room) -> None:
    """The grant alone is not enough for ever."""
    learner = sealed_room.learner().ready()
    device = learner.open()
    sealed_room.clock.now = device.grant.open_by + 1
    path = f"/v1/sessions/{device.sid}/content-key"
    assert sealed_room.http.get(path, headers=learner.headers).status_code == 410


def test_the_key_stands_in_no_grant_log_or_download(sealed_room: Room) -> None:
    """What every archive shows, and what every learner downloads, does not hold it."""
    learner = sealed_room.learner().ready()
    device = learner.open()
    device.send()
    course = learner.me()["registrations"][0]["course"]
    seen = device.granted
    for name in ("course.toml", "lesson.mp4"):
        seen += sealed_room.http.get(f"/v1/courses/{course}/{name}", headers=learner.headers).content
    for name in (f"{course}.key", "course.key", f"..%2f{course}.key"):
        assert sealed_room.http.get(f"/v1/courses/{course}/{name}", headers=learner.headers).status_code == 404
    for form in (KEY, KEY.hex().encode()):
        assert form not in seen
        assert form not in sealed_room.settings.records.read_bytes()
    kept = sealed_room.settings.courses / f"{course}.key"
    assert stat.S_IMODE(kept.stat().st_mode) == 0o600


def test_a_plain_course_has_no_key(room: Room) -> None:
    """404, and the client does not ask."""
    learner = room.learner().ready()
    device = learner.open()
    assert room.http.get(f"/v1/sessions/{device.sid}/content-key", headers=learner.headers).status_code == 404


def test_an_encrypted_package_without_its_key_is_not_installed(tmp_path: Path) -> None:
    """The operator hears it on the day of installation and not from learners."""
    settings = Settings(tmp_path / "data", SERVER)
    setup.make_directory(settings)
    server = Server(settings, Clock(), Codes())
    with pytest.raises(SetupError, match="lacks the key"):
        server.packages.install(encrypted_course(tmp_path / "course", key=False))
    server.close()
