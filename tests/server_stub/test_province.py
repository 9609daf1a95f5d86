"""The provincial leg of the supervision link: a real platform on this machine, well and ill: R2.5, R4.7."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterator
from hashlib import sha256
from http.server import BaseHTTPRequestHandler, HTTPServer

import pytest

from server_stub.domain import houserules
from server_stub.domain.opening import Link
from server_stub.storage import province
from server_stub.storage.province import HttpProvince
from tests.server_stub.classlife import approved, at, ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS


class Platform(HTTPServer):
    """Says what it received, or what the test tells it to say instead."""

    answer: tuple[int, bytes] | None = None
    got: list[bytes]


class Handler(BaseHTTPRequestHandler):
    server: Platform

    def do_POST(self) -> None:
        body = self.rfile.read(int(self.headers["Content-Length"]))
        self.server.got.append(body)
        status, said = self.server.answer or (200, json.dumps({"received": sha256(body).hexdigest()}).encode())
        self.send_response(status)
        self.send_header("Content-Length", str(len(said)))
        self.send_header("Location", "http://127.0.0.1:1/elsewhere")
        self.end_headers()
        self.wfile.write(said)

    def log_message(self, *_: object) -> None:
        """Quiet."""


@pytest.fixture
def platform(monkeypatch: pytest.MonkeyPatch) -> Iterator[Platform]:
    monkeypatch.setattr(province, "PATIENCE_S", 120.0)  # this machine may be busy: who hangs is another test's
    server = Platform(("127.0.0.1", 0), Handler)
    server.got = []
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield server
    server.shutdown()
    server.server_close()


def url(platform: Platform) -> str:
    return f"http://127.0.0.1:{platform.server_address[1]}/v1/echo"


def test_the_platform_says_what_it_received(platform: Platform) -> None:
    """The bytes that went are the bytes that came."""
    assert HttpProvince(url(platform)).echo(b"a checkpoint\n") == sha256(b"a checkpoint\n").hexdigest()
    assert not HttpProvince("").configured


@pytest.mark.parametrize("answer", [
    (500, b"{}"), (302, b""), (200, b"no json"), (200, b"[]"), (200, b'{"received": 3}'), (200, b'{"received": "zz"}'),
    (200, b"\xff" * 5000),
])  # fmt: skip
def test_any_other_answer_is_no_answer(platform: Platform, answer: tuple[int, bytes]) -> None:
    """An error, a redirect (which is not followed), or nothing of the published form: one sentence."""
    platform.answer = answer
    with pytest.raises(OSError, match=r"answers|too long|does not say"):
        HttpProvince(url(platform)).echo(b"x")
    assert len(platform.got) == 1


def test_a_class_opens_only_when_the_province_answers(room: Room, platform: Platform) -> None:
    """R2.5: the leg is named while it fails, with whom to call; the class opens once it works."""
    path = room.settings.directory / houserules.FILE
    path.write_text(f'province = "{url(platform)}"\n[contacts]\nprovince = "省平台值班 010-12345"\n', encoding="utf-8")
    room.restart()
    browsers = approved(room)
    for name in ("learner", "other"):
        room.learner(name).ready()
    officer, opening = browsers["officer"], room.server.services.supervision.opening
    ok(officer.post(at("eligibility")))
    platform.answer = (200, json.dumps({"received": "0" * 64}).encode())
    ok(officer.post(at("link-test")))
    page = officer.get(at("file")).text
    assert "省平台值班 010-12345" in page
    assert officer.post(at("open")).status_code == 409
    platform.answer = None
    room.clock.now += 1_000
    ok(officer.post(at("link-test")))
    link = opening.link(CLASS)
    assert link is not None
    assert [(leg.name, leg.works) for leg in link.read(Link).legs] == [
        ("client", True), ("server", True), ("province", True),
    ]  # fmt: skip
    ok(officer.post(at("open")))
    assert all(body.startswith(b"test.trueseat.example/c/class-1\n") for body in platform.got)


@pytest.mark.slow
def test_an_old_test_of_the_link_opens_nothing(room: Room) -> None:
    """R2.5: of the same day; a test of yesterday says nothing about now."""
    from tests.server_stub.classlife import later

    browsers = approved(room)
    for name in ("learner", "other"):
        room.learner(name).ready()
    ok(browsers["officer"].post(at("eligibility")))
    ok(browsers["officer"].post(at("link-test")))
    later(room, browsers, 2)
    assert "TS-S-086" in browsers["officer"].post(at("open")).text
