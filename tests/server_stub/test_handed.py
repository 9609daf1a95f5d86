"""A provider's own practice questions: handed in for its own courses, looked at, then practised (R0.4)."""

from __future__ import annotations

import pytest

from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import Browsers, hire
from tests.server_stub.test_import import audits
from tests.server_stub.test_me import Phone
from tests.server_stub.test_practice_questions import LIST

FILE = {"what": "courses", "licence": "京培0012", "until": "2028-12-31", "courses": "24", "free": "12",
        "titles": "消防"}  # fmt: skip


def on_file(room: Room, browsers: Browsers, provider: str = "press", verdict: str = "yes") -> None:
    """The provider's file names the course, and a supervisor has looked at it."""
    ok(browsers["provider" if provider == "press" else "admin"].post(f"/providers/{provider}", FILE))
    room.clock.now += 1_000
    ok(browsers["supervisor"].post(f"/providers/{provider}/review", {"verdict": verdict, "text": "材料齐全"}))


def course(room: Room) -> str:
    return room.server.services.practice.course(CLASS).sha256


def at(room: Room, provider: str = "press") -> str:
    return f"/providers/{provider}/questions/{course(room)}"


def hand_in(room: Room, browsers: Browsers) -> str:
    """A list that was looked at and handed in; the reviewer's page."""
    made = ok(browsers["provider"].post(at(room), {"text": LIST})).headers["location"]
    assert "不拔保险销" in ok(browsers["provider"].get(made)).text
    ok(browsers["provider"].post(made))
    return "/questions/" + room.server.services.supervision.bench.papers.find("questions")[0].paper


@pytest.mark.slow
def test_what_a_provider_hands_in_is_practised_once_another_took_it(room: Room) -> None:
    """Nobody practises it before; the officer sees that it waits; the class log says who took whose list."""
    browsers = hire(room)
    on_file(room, browsers)
    assert at(room) in ok(browsers["provider"].get("/providers/press")).text
    path = hand_in(room, browsers)
    learner = room.learner().sign_in()
    practice = f"/me/classes/{learner.registration}/practice"
    assert "第一步做什么" not in Phone(room).get(practice).text
    assert not (room.settings.directory / "answers").exists()
    assert "练习题待审核" in ok(browsers["principal"].get("/")).text
    assert path in ok(browsers["officer"].get(f"/classes/{CLASS}/questions")).text
    assert "第一步做什么" in ok(browsers["officer"].get(path)).text
    before = len(audits(room))
    ok(browsers["officer"].post(path, {"do": "take", "reason": "逐题核对"}))
    (audit,) = audits(room)[before:]
    assert audit.did == "put practice questions"
    assert "provider press" in audit.reason
    assert "第一步做什么" in ok(Phone(room).get(practice)).text
    assert "已采用" in ok(browsers["provider"].get(at(room))).text
    assert browsers["officer"].post(path, {"do": "take", "reason": "逐题核对"}).status_code == 409


def test_what_is_returned_says_why_and_changes_nothing(room: Room) -> None:
    """The provider reads the reason; what learners practised with stays."""
    browsers = hire(room)
    on_file(room, browsers)
    ok(browsers["officer"].post(hand_in(room, browsers), {"do": "return", "reason": "第二题答案有误"}))
    page = ok(browsers["provider"].get(at(room))).text
    assert "已退回" in page
    assert "第二题答案有误" in page
    assert not (room.settings.directory / "answers").exists()


def test_nobody_takes_what_they_handed_in(room: Room) -> None:
    """An administrator may do both, and not both for one list."""
    browsers = hire(room)
    on_file(room, browsers)
    made = ok(browsers["admin"].post(at(room), {"text": LIST})).headers["location"]
    ok(browsers["admin"].post(made))
    path = "/questions/" + room.server.services.supervision.bench.papers.find("questions")[0].paper
    answer = browsers["admin"].post(path, {"do": "take", "reason": "逐题核对"})
    assert answer.status_code == 409
    assert "TS-S-085" in answer.text
    ok(browsers["principal"].post(path, {"do": "take", "reason": "逐题核对"}))


@pytest.mark.parametrize("attack", ["no file", "not approved", "changed since", "another's course", "claimed by two"])
def test_a_provider_reaches_only_its_own_reviewed_courses(room: Room, attack: str) -> None:
    """What a provider says of itself alone opens nothing."""
    browsers = hire(room)
    if attack != "no file":
        on_file(room, browsers, verdict="no" if attack == "not approved" else "yes")
    room.clock.now += 1_000
    if attack == "changed since":
        ok(browsers["provider"].post("/providers/press", FILE | {"titles": "消防\n电工"}))
    if attack == "another's course":
        ok(browsers["provider"].post("/providers/press", FILE | {"titles": "电工"}))
        room.clock.now += 1_000
        ok(browsers["supervisor"].post("/providers/press/review", {"verdict": "yes", "text": "材料齐全"}))
    if attack == "claimed by two":
        ok(browsers["admin"].post("/places", {"kind": "provider", "key": "twin", "name": "另一家"}))
        on_file(room, browsers, "twin")
    answer = browsers["provider"].post(at(room), {"text": LIST})
    assert answer.status_code in (404, 409)
    assert room.server.services.supervision.bench.papers.find("questions") == []
    assert "在此为所列课程" in (page := ok(browsers["provider"].get("/providers/press")).text) or "没有班级" in page


def test_a_list_that_nobody_looked_at_runs_out(room: Room) -> None:
    """After thirty days it is gone, answers and all; a new one can be handed in."""
    browsers = hire(room)
    on_file(room, browsers)
    path = hand_in(room, browsers)
    room.clock.now += 31 * 86_400_000
    browsers.clear()
    assert browsers["officer"].get(path).status_code == 404
    assert path not in ok(browsers["officer"].get(f"/classes/{CLASS}/questions")).text


def test_a_draft_is_its_makers_alone(room: Room) -> None:
    """Another account of the same provider, and another purpose, open nothing."""
    browsers = hire(room)
    on_file(room, browsers)
    made = ok(browsers["provider"].post(at(room), {"text": LIST})).headers["location"]
    assert browsers["spare"].get(made).status_code == 404
    draft = made.rpartition("/")[2]
    assert browsers["admin"].get(f"/classes/{CLASS}/questions/{draft}").status_code == 404
    assert browsers["far"].get(made).status_code in (403, 404)


def test_rows_that_cannot_be_read_are_handed_in_by_nobody(room: Room) -> None:
    """As for the school's own lists: named first, left out only when that was said."""
    browsers = hire(room)
    on_file(room, browsers)
    made = ok(browsers["provider"].post(at(room), {"text": LIST + "第九课\t题\t甲\t乙\t\tA\t\n"})).headers["location"]
    assert browsers["provider"].post(made).status_code == 400
    ok(browsers["provider"].post(made, {"leave_out": "yes"}))
    bad = ok(browsers["provider"].post(at(room), {"text": "[nowhere]\nq = 1\n"})).headers["location"]
    assert browsers["provider"].post(bad, {"leave_out": "yes"}).status_code == 400
