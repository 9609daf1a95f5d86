"""A sealed photo on its case's page: opened in a real browser with a key that the server never sees: R2.3, R0.12."""

from __future__ import annotations

import io
from collections.abc import Iterator
from pathlib import Path

import pytest
from PIL import Image

from server_stub.domain.reviewing import OPENED
from tests.server_stub import test_evidence
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.screens import sign_in
from tests.server_stub.staff import hire
from tests.server_stub.test_enrolment import consent
from tests.server_stub.test_evidence import Desk, Photographer, desk  # noqa: F401 - a fixture
from tests.server_stub.test_portraits import REVIEWER, bring, school

SIZE = "const c = document.getElementById('photo-shown'); return c.hidden ? [] : [c.width, c.height]"
SAYS = "return !document.getElementById('photo-said').hidden"
SAID = "const s = document.getElementById('photo-said'); return s.hidden ? '' : s.textContent"


def case_of(desk: Desk) -> tuple[str, Photographer]:  # noqa: F811
    """A case about a session whose photos are here; its paper."""
    camera = desk.study()
    for photo in camera.photos:
        assert camera.put(photo).json()["kept"] is True
    sid, learner = camera.device.sid, camera.device.grant.learner
    cases = desk.room.server.services.supervision.cases
    return cases.open(CLASS, learner, "finding", "to look at", sid=sid).paper, camera


def audits(desk: Desk) -> int:  # noqa: F811
    """How often the class log says that a photo was opened."""
    entries = desk.room.server.records.read(lambda tx: [tx.log.body(item) or b"" for item in tx.log.bodies(CLASS)])
    return sum(OPENED.encode() in entry for entry in entries)


def test_what_is_handed_out_is_sealed_and_named_in_the_log_first(desk: Desk) -> None:  # noqa: F811
    """Without a reason, with another's key or for another session: nothing, and no trace of an opening."""
    case, camera = case_of(desk)
    browsers = hire(desk.room)
    vkey = desk.key.read_text().split("\n")[0]
    eid = camera.photos[0].named.eid
    good = {"eid": eid, "reason": "与登记照片比对", "vkey": vkey}
    for bad in ({"reason": ""}, {"vkey": "none"}, {"eid": "00" * 16}):
        assert browsers["supervisor"].post(f"/cases/{case}/photo", good | bad).status_code in (400, 404, 409)
    assert browsers["teacher"].post(f"/cases/{case}/photo", good).status_code == 403
    assert audits(desk) == 0
    given = browsers["supervisor"].post(f"/cases/{case}/photo", good).json()
    assert audits(desk) == 1
    assert (given["eid"], given["sha256"]) == (eid, camera.photos[0].named.sha256)
    assert b"\xff\xd8\xff" not in given["file"].encode()


def forged(desk: Desk) -> Path:  # noqa: F811
    """The reviewer's public half with another private half: the server hands out, nothing opens."""
    path = desk.key.with_name("forged")
    vkey = desk.key.read_text().split("\n")[0]
    path.write_text(f"{vkey}\n{'11' * 32}\n", encoding="utf-8")
    return path


@pytest.fixture
def real_jpeg(monkeypatch: pytest.MonkeyPatch) -> None:
    """A picture that a browser draws."""
    out = io.BytesIO()
    Image.new("RGB", (64, 48), (29, 95, 209)).save(out, "JPEG")
    monkeypatch.setattr(test_evidence, "JPEG", out.getvalue())


@pytest.fixture
def window(tmp_path: Path) -> Iterator[Chromium]:
    with chromium(tmp_path / "profile") as browser:
        yield browser


@pytest.mark.slow
@pytest.mark.usefixtures("real_jpeg")
def test_a_reviewer_opens_a_photo_in_the_browser(desk: Desk, window: Chromium) -> None:  # noqa: F811
    """RFC 9180 by WebCrypto gives the picture; another key gives one sentence; the key is in no request."""
    case, _ = case_of(desk)
    hire(desk.room)
    secret = desk.key.read_text().split("\n")[1]
    with served(desk.room.http.app) as url:
        sign_in(window, url, "supervisor")
        window.open(f"{url}/cases/{case}")
        window.requests()
        window.type("#photo-reason", "与登记照片比对")
        window.type("#photo-key", str(desk.key))
        window.press("#photo-open button")
        window.wait(SAYS)
        assert "已打开" in window.run(SAID)
        assert window.run(SIZE) == [64, 48]
        assert audits(desk) == 1
        assert not any(secret in address for address in window.requests())
        window.open(f"{url}/cases/{case}")
        window.type("#photo-reason", "与登记照片比对")
        window.type("#photo-key", str(forged(desk)))
        window.press("#photo-open button")
        window.wait(SAYS)
        assert "无法打开" in window.run(SAID)
        assert window.run(SIZE) == []


@pytest.mark.slow
def test_a_reviewer_compares_a_reference_photo_in_the_browser(room: Room, window: Chromium, tmp_path: Path) -> None:
    """What a school brought, sealed to this reviewer: the same page opens it with the same key file, PNG or JPEG."""
    out = io.BytesIO()
    Image.new("RGB", (40, 30), (20, 107, 67)).save(out, "PNG")
    browsers = school(room)
    ok(bring(browsers, {"learner.png": out.getvalue()}))
    learner = room.learner().ready()
    assert room.http.post("/v1/consents", content=consent(learner), headers=learner.headers).status_code == 200
    key = tmp_path / "reviewer"
    key.write_text(f"{REVIEWER.vkey}\n{REVIEWER.private.hex()}\n", encoding="utf-8")
    with served(room.http.app) as url:
        sign_in(window, url, "supervisor")
        window.open(f"{url}/people/{learner.learner}/privacy")
        window.type("#photo-reason", "核对身份证")
        window.type("#photo-key", str(key))
        window.press("#photo-open button")
        window.wait(SAYS)
        assert "已打开" in window.run(SAID)
        assert window.run(SIZE) == [40, 30]
