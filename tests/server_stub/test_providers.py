"""R4.8, R4.6: a provider's file by the rules, reviewed, open for five working days; what happened stands beside."""

from __future__ import annotations

import datetime
from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import bodies
from server_stub.domain.errors import UnreadableError
from server_stub.domain.providers import File, Review, problems, read_form
from server_stub.domain.service import LEAST
from server_stub.domain.surveys import Rating
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import account, hire
from tests.server_stub.test_surveys import answers

TODAY = datetime.date(2026, 11, 18)
FORM = {"what": "courses", "licence": "京培0012", "until": "2028-12-31", "contact": "王编辑 010-1234", "courses": "24",
        "free": "12", "titles": "消防\n电工基础\n"}  # fmt: skip
FINE = File("courses", "1", "2028-12-31", "", 20, 10, (), (Review(2, "a", approved=True, text="ok"),), "2026-11-17", 1)


@pytest.mark.parametrize(("change", "found"), [
    ({}, ()), ({"what": "platform"}, ("few_courses",)), ({"courses": 19, "free": 10}, ("few_courses",)),
    ({"free": 9}, ("few_free",)), ({"licence": ""}, ("no_licence",)), ({"until": "2026-11-17"}, ("licence_over",)),
    ({"until": "2027-01-17"}, ("licence_soon",)), ({"until": "2027-01-18"}, ()), ({"reviews": ()}, ("no_review",)),
    ({"reviews": (Review(2, "a", approved=False, text="no"),)}, ("not_approved",)),
    ({"public_until": "2026-11-18"}, ("still_public",)), ({"changed": 3}, ("changed_since",)),
])  # fmt: skip
def test_what_is_missing_by_the_rules_is_named(change: dict[str, Any], found: tuple[str, ...]) -> None:
    """R4.8: numbers of courses, half of them free, the licence, the review and its notice; each by itself."""
    assert problems(replace(FINE, **change), TODAY) == found
    assert problems(None, TODAY) == ("no_file",)


def test_a_provider_writes_its_own_file_and_another_reviews_it(room: Room) -> None:
    """R4.8: five working days open to the public, without an account; then in order; a later change is pointed out."""
    browsers = hire(room)
    assert browsers["provider"].get("/providers/press").status_code == 200
    assert browsers["supervisor"].post("/providers/press", FORM).status_code == 403
    ok(browsers["provider"].post("/providers/press", FORM))
    assert browsers["provider"].post("/providers/press/review", {"verdict": "yes", "text": "fine"}).status_code == 403
    assert "还没有审核记录" in ok(browsers["supervisor"].get("/providers/press")).text
    assert "教育出版社" not in ok(room.http.get("/public/providers")).text
    room.clock.now += 1_000
    ok(browsers["supervisor"].post("/providers/press/review", {"verdict": "yes", "text": "材料齐全"}))
    page = ok(room.http.get("/public/providers")).text
    assert "教育出版社" in page
    assert "2026-11-25" in page  # five working days after the 18th, a Wednesday
    assert "王编辑" not in page
    room.clock.now += 8 * 86_400_000
    browsers.clear()
    assert "教育出版社" not in ok(room.http.get("/public/providers")).text
    assert "符合要求" in ok(browsers["supervisor"].get("/providers")).text
    ok(browsers["provider"].post("/providers/press", {**FORM, "free": "24"}))
    assert "审核后又有改动" in ok(browsers["supervisor"].get("/providers/press")).text


def test_complaints_exits_and_ratings_stand_beside_the_file(room: Room) -> None:
    """R4.6: how many complaints were answered, which classes it left, what learners say of its courses."""
    browsers = hire(room)
    ok(browsers["provider"].post("/providers/press", FORM))
    work, services = room.server.services.supervision, room.server.services
    work.tips.take("教育出版社", "课程里有广告", "")
    work.tips.take("", "教育出版社的客服不接电话", "")
    work.tips.take("别的单位", "与此无关", "")
    tip = next(paper for paper in work.bench.papers.find("tip") if "广告" in paper.data["text"])
    ok(browsers["supervisor"].post(f"/tips/{tip.paper}/answer", {"text": "已责令整改"}))
    answers(room, "rating", LEAST, Rating(5, 5, 5))
    record = work.providers.record(account(room, "supervisor"), "press")
    assert (record.complaints, record.answered, record.left) == (2, 1, ())
    assert [(one.title, one.answers) for one in record.ranked] == [("消防", LEAST)]
    exit_ = bodies.Exit(room.clock.now, room.server.keyring.origin(CLASS), "教育出版社")
    services.decisions.say(CLASS, exit_)
    assert work.providers.record(account(room, "supervisor"), "press").left == ("Fire",)
    assert "50 %" in ok(browsers["supervisor"].get("/providers/press")).text


@pytest.mark.slow
def test_a_file_of_another_provider_does_not_exist(room: Room) -> None:
    """A provider sees its own alone; an employer and a teacher see none."""
    browsers = hire(room)
    for who in ("employer", "teacher", "officer"):
        assert browsers[who].get("/providers/press").status_code == 404
        assert "教育出版社" not in ok(browsers[who].get("/providers")).text


@pytest.mark.parametrize("change", [
    {"what": "school"}, {"courses": "many"}, {"courses": "-1"}, {"courses": "٣"}, {"free": "25"},
    {"until": "31.12.2028"}, {"until": "2028-13-01"}, {"until": "20281231"},
])  # fmt: skip
def test_a_form_that_says_nothing_clear_is_refused(change: dict[str, str]) -> None:
    """Each field by itself."""
    with pytest.raises(UnreadableError):
        read_form({**FORM, **change})


@given(st.dictionaries(st.sampled_from(list(FORM)), st.text(max_size=20)))
def test_any_form_is_read_or_refused(form: dict[str, str]) -> None:
    """A fuzz: what is read can be judged."""
    try:
        found = read_form({**FORM, **form})
    except UnreadableError:
        return
    problems(found, TODAY)


def test_the_same_file_written_once_more_needs_no_other_review(room: Room) -> None:
    """Only a change is pointed out."""
    browsers = hire(room)
    ok(browsers["provider"].post("/providers/press", FORM))
    room.clock.now += 1_000
    ok(browsers["supervisor"].post("/providers/press/review", {"verdict": "yes", "text": "材料齐全"}))
    room.clock.now += 1_000
    ok(browsers["provider"].post("/providers/press", FORM))
    assert "审核后又有改动" not in ok(browsers["supervisor"].get("/providers/press")).text
    ok(browsers["provider"].post("/providers/press", FORM | {"free": "13"}))
    assert "审核后又有改动" in ok(browsers["supervisor"].get("/providers/press")).text
