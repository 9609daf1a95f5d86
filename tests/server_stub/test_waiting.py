"""The first page says what waits for whoever looks, with a way there; and nothing of what is not theirs to decide."""

from __future__ import annotations

import re

import pytest

from server_stub.domain.people import Classroom
from server_stub.domain.waiting import KINDS, waiting
from tests.server_stub.classlife import FORM, at, ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import Browsers, hire


@pytest.fixture
def staff(room: Room) -> Browsers:
    """One case by hand, one of those proposed, a tip, a letter, an application that was handed in."""
    browsers = hire(room)
    supervisor, officer = browsers["supervisor"], browsers["officer"]
    learner = room.learner().ready()
    for title in ("one to look at", "another one"):
        case = ok(supervisor.post("/cases", {"class_id": CLASS, "learner": learner.learner, "title": title}))
    ok(supervisor.post(f"{case.headers['location']}/propose", {"sanction": "talk", "reason": "let them say"}))
    room.server.services.supervision.tips.take("class", "somebody sells hours", "")
    letter = {"letter": "ab" * 16, "registration": learner.registration, "what": "question", "text": "when is it?"}
    assert room.http.post("/v1/letters", json=letter, headers=learner.headers).status_code == 200
    ok(officer.post(at("application"), FORM))
    for party in ("institution", "provider"):
        ok(officer.post(at("commitment"), {"party": party, "agreed": "yes"}))
    ok(officer.post(at("application/submit")))
    return browsers


def test_what_waits_stands_first_with_a_way_there(staff: Browsers) -> None:
    """Each number is the number of lines that its address shows; a class says by name what waits in it."""
    supervisor = staff["supervisor"]
    page = supervisor.get("/", headers={"Accept-Language": "zh"}).text
    found = dict(re.findall(r'<dd><a href="([^"]+)">(\d+)<', page))
    assert found == {"/cases?state=open": "1", "/cases?state=proposed": "1", "/cases#letters": "1", "/cases#tips": "1",
                     "#classes": "1"}  # fmt: skip
    assert f'href="/classes/{CLASS}/file">开班申请待审核 1' in page
    assert "one to look at" in supervisor.get("/cases?state=open").text
    assert "another one" not in supervisor.get("/cases?state=open").text
    assert page.index("等待处理") < page.index('class="dense"')


def test_who_decides_nothing_is_told_of_nothing(staff: Browsers, room: Room) -> None:
    """A teacher and an employer see their classes; a supervisor of elsewhere no case of this one."""
    for who in ("teacher", "employer", "officer", "provider"):
        assert "等待处理" not in staff[who].get("/", headers={"Accept-Language": "zh"}).text
    far = room.server.people.account("far")
    assert far is not None
    due = waiting(room.server.services.supervision.bench, far)
    assert due is not None
    assert {what for what in KINDS if due.total[what]} == {"tip"}
    assert due.by_class == {}


def test_nothing_waits_is_said_too(room: Room) -> None:
    page = hire(room)["supervisor"].get("/", headers={"Accept-Language": "en"}).text
    assert "Nothing waits for you." in page


@pytest.mark.slow
def test_a_class_of_many_is_found_by_a_part_of_its_name(room: Room) -> None:
    """A district with three hundred classes: two hundred are listed, the others by their names."""
    admin = hire(room)["admin"]
    for number in range(300):
        room.server.people.add_class(Classroom(f"many-{number:03d}", f"电工 {number:03d} 班", 1))
    page = admin.get("/", headers={"Accept-Language": "zh"}).text
    assert "200 / 30" in page
    found = admin.get("/?q=299").text
    assert "电工 299 班" in found
    assert "电工 298 班" not in found
    assert "没有名称符合" in admin.get("/?q=none", headers={"Accept-Language": "zh"}).text
