"""An employer's enrolment tokens: its own learners, first sign-in only, so often, so long, until it is ended."""

from __future__ import annotations

import re

import pytest

from server_stub.domain.registry import Enrolment, Person
from tests.server_stub.conftest import Room, kept
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import Browsers, hire

DAY_MS = 24 * 3600 * 1000


@pytest.fixture
def works(room: Room) -> Browsers:
    """The works' three learners, one of another employer, and the staff's browsers."""
    browsers = hire(room)
    for number, name in enumerate(("wang", "li", "zhao", "other.works")):
        person = Person(name, f"{number:032x}", name.title(), employer="employer/works" if number < 3 else "employer/x")
        room.server.registry.enrol(CLASS, [Enrolment(person, f"{number + 16:032x}", True)])
    return browsers


def make(works: Browsers, days: int = 7, count: int = 2, who: str = "employer") -> str:
    form = {"place": "employer/works", "label": "二车间", "days": days, "count": count}
    page = works[who].post("/fleet/tokens", form)
    found = re.search(r"<code class=\"plainly\">([0-9A-Z-]{23})</code>", page.text)
    assert found is not None, page.text
    return found[1]


def enter(room: Room, code: str, account: str) -> int:
    return room.http.post("/v1/sign-in/activate", json={"code": code, "account": account}).status_code


def test_a_token_opens_the_employers_own_accounts_so_often(room: Room, works: Browsers) -> None:
    """Two of three; however it is typed; the page shows the count and never the token again."""
    code = make(works)
    assert enter(room, code.lower().replace("-", " "), "wang") == 200
    assert enter(room, code, "li") == 200
    assert enter(room, code, "zhao") == 403
    page = works["employer"].get("/fleet").text
    assert "2 / 2" in page
    assert "已用完" in page
    assert code not in page
    assert code.replace("-", "").encode() not in kept(room)


@pytest.mark.slow
def test_a_token_opens_nothing_else(room: Room, works: Browsers) -> None:
    """Another employer's learner, somebody without one, one of the staff, nobody, and the same account twice."""
    code = make(works, count=9)
    for account in ("other.works", "learner", "employer", "nobody"):
        assert enter(room, code, account) == 403
    assert enter(room, code, "wang") == 200
    assert enter(room, code, "wang") == 403
    assert "1 / 9" in works["employer"].get("/fleet").text


def test_an_account_that_has_a_device_is_not_opened_by_it(room: Room, works: Browsers) -> None:
    """A colleague with the token does not get into an account that is in use."""
    code = make(works, count=9)
    room.learner("wang").ready()
    assert enter(room, code, "wang") == 403


def test_a_token_ends_by_time_and_by_hand(room: Room, works: Browsers) -> None:
    first, second = make(works, days=2), make(works, count=5)
    room.clock.now += 2 * DAY_MS
    assert enter(room, first, "wang") == 403
    page = works["supervisor"].get("/fleet?place=employer/works")
    digest = re.search(r'name="token" value="([0-9a-f]{64})"', page.text)
    if digest is None:  # the sign-in of the browser was two days ago
        works.pop("employer")
        digest = re.search(r'name="token" value="([0-9a-f]{64})"', works["employer"].get("/fleet").text)
    assert digest is not None
    form = {"place": "employer/works", "token": digest[1]}
    works.pop("employer", None)
    assert works["employer"].post("/fleet/tokens/end", form).status_code == 303
    assert enter(room, second, "li") == 403


@pytest.mark.parametrize(("days", "count"), [(0, 1), (91, 1), (1, 0), (1, 10_001)])
def test_a_token_without_an_end_is_not_made(room: Room, works: Browsers, days: int, count: int) -> None:
    form = {"place": "employer/works", "days": days, "count": count}
    assert works["employer"].post("/fleet/tokens", form).status_code == 400


def test_another_employers_token_is_nobodys_to_make(room: Room, works: Browsers) -> None:
    form = {"place": "employer/x", "days": 1, "count": 1}
    assert works["employer"].post("/fleet/tokens", form).status_code == 404
    assert works["teacher"].post("/fleet/tokens", form | {"place": "employer/works"}).status_code == 404
