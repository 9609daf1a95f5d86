"""Beside the live view: raised hands, one learner now, who came today, and a room with an invigilator."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.events import Finding
from ledger.identify import LASTS_MS
from server_stub.domain.hands import LASTS_MS as HAND_MS
from server_stub.domain.rooms import SOON_MS
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner
from tests.server_stub.scene import populate
from tests.server_stub.school import School
from tests.server_stub.staff import Browsers, hire

LIVE = f"/classes/{CLASS}/live"


def hand(learner: Learner, device: Device, *, up: bool = True) -> int:
    path = f"/v1/sessions/{device.sid}/hand"
    return int(learner.http.post(path, json={"up": up}, headers=learner.headers).status_code)


def studying(room: Room, account: str = "learner") -> tuple[Learner, Device]:
    learner = room.learner(account).ready()
    device = learner.open()
    device.send()
    device.play(20_000)
    device.send()
    return learner, device


@pytest.mark.slow
def test_a_raised_hand_stands_first_until_somebody_answers(room: Room) -> None:
    """R1.4, R3.1: whoever asks stands above all others; a message answers, and so does the button."""
    browsers = hire(room)
    learner, device = studying(room)
    _other, trouble = studying(room, "other")
    trouble.add(Finding("input.injected", 1, "high", "pause", {}))
    trouble.send()
    assert hand(learner, device) == 200
    page = browsers["teacher"].get(LIVE + "?lang=zh").text
    assert page.index(f'data-sid="{device.sid}"') < page.index(f'data-sid="{trouble.sid}"')
    assert "举手" in page
    form = {"sid": device.sid, "do": "message", "text": "I am coming."}
    assert browsers["teacher"].post(f"/classes/{CLASS}/command", form).status_code == 303
    assert room.server.services.hands.up() == {}
    assert hand(learner, device) == 200
    assert browsers["teacher"].post(f"/classes/{CLASS}/hands", {"sid": device.sid}).status_code == 303
    assert "举手" not in browsers["teacher"].get(LIVE).text


@pytest.mark.slow
def test_a_hand_is_ones_own_and_goes_down_by_itself(room: Room) -> None:
    """Nobody raises another's hand, none stays up for ever, and the log knows nothing of it."""
    learner, device = studying(room)
    other, _ = studying(room, "other")
    before = room.server.records.read(lambda tx: tx.log.size(CLASS))
    assert hand(other, device) == 404
    assert hand(learner, device) == hand(learner, device) == 200
    at = room.server.services.hands.up()[device.sid]
    room.clock.now += HAND_MS
    assert room.server.services.hands.up() == {device.sid: at}
    room.clock.now += 1
    assert room.server.services.hands.up() == {}
    assert hand(learner, device) == 200
    assert hand(learner, device, up=False) == 200
    assert room.server.services.hands.up() == {}
    device.close()
    assert hand(learner, device) == 410
    body = {"up": "yes"}
    refused = learner.http.post(f"/v1/sessions/{device.sid}/hand", json=body, headers=learner.headers)
    assert refused.status_code == 400
    assert room.server.records.read(lambda tx: tx.log.size(CLASS)) >= before


def test_one_learner_now_has_everything_at_hand(room: Room) -> None:
    """R1.9, R3.4: checks, findings, sign-ins, and a command for a spot check and a call with the names filled in."""
    browsers = hire(room)
    learner, device = studying(room)
    device.add(Finding("windows.covered", 1, "medium", "report", {}))
    device.send()
    page = browsers["supervisor"].get(f"{LIVE}/{device.sid}?lang=zh").text
    for text in ("windows.covered", f"--sid {device.sid}", f"--method call --learner {learner.learner}", "通过"):
        assert text in page
    teacher = browsers["teacher"].get(f"{LIVE}/{device.sid}").text
    assert "--method call" not in teacher  # who may not decide is not told how
    assert browsers["supervisor"].get(f"{LIVE}/{'0' * 32}").status_code == 404
    device.close()
    assert browsers["supervisor"].get(f"{LIVE}/{device.sid}").status_code == 404


def test_sign_ins_name_who_has_not_come_today(room: Room) -> None:
    """R1.9, R3.4: per class and per learner; absent ones first."""
    browsers = populate(room)
    for account in ("13800138003", "13800138004"):
        studying(room, account)[1].close()
    room.clock.now += 86_400_000
    browsers.clear()
    studying(room, "13800138004")
    found = {item.person: item for item in room.server.services.rooms.sign_ins(CLASS)}
    assert (found["刘洋"].today, found["刘洋"].days, found["刘洋"].sessions) == (0, 1, 1)
    assert (found["陈静"].today, found["陈静"].days, found["陈静"].sessions) == (1, 2, 2)
    page = browsers["teacher"].get(f"/classes/{CLASS}/sign-ins?lang=zh").text
    assert page.index("刘洋") < page.index("陈静")


@pytest.fixture
def staffed(room: Room, tmp_path: Path) -> tuple[School, Browsers]:
    school = School(room, tmp_path / "school")
    return school, hire(room)


def test_an_invigilator_signs_the_room_again_before_it_runs_out(
    room: Room, staffed: tuple[School, Browsers], monkeypatch: pytest.MonkeyPatch
) -> None:
    """R1.9: present learners are due, a round by the invigilator's own key makes them held for an hour, and ten
    minutes before its end they are due again."""
    school, browsers = staffed
    invigilator = school.supervisor()
    learner, device = studying(room)
    rooms, page = room.server.services.rooms, f"/classes/{CLASS}/room?lang=zh"
    assert f"--learner {learner.learner}" in browsers["supervisor"].get(page).text
    monkeypatch.setattr("server_stub.signing.wall_ms", room.clock)
    out = school.folder / "round"
    school.run("identify", "--class", device.grant.class_, "--method", "room", "--learner", learner.learner,
               "--key", invigilator, "--out", out)  # fmt: skip
    notes = "".join(path.read_text(encoding="utf-8") for path in sorted(out.iterdir()))
    taken = browsers["supervisor"].post(f"/classes/{CLASS}/notes", {"text": notes, "back": "room"})
    assert taken.headers["location"] == f"/classes/{CLASS}/room?sent=notes"

    def due() -> list[str]:
        lines = room.server.services.board.view(CLASS, 0, 2).lines
        return [one.learner for one in rooms.present(CLASS, lines) if one.due]

    assert due() == []
    room.clock.now += LASTS_MS["room"] - SOON_MS + 60_000
    assert due() == [learner.learner]
    assert browsers["teacher"].get(page).status_code == 403
