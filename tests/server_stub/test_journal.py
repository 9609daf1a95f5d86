"""The journal is searched by person, verb, class and day, and shows nobody more than before (R4.3)."""

from __future__ import annotations

import re

import pytest

from server_stub.domain.office import PAGE
from server_stub.domain.registry import Deed
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.staff import Browsers, hire

DAY = 86_400_000
DEEDS = (  # account, verb, target, place, days ago
    ("supervisor", "sent a message", "张伟", f"class/{CLASS}", 0),
    ("teacher", "sent a message", "王芳", f"class/{CLASS}", 1),
    ("supervisor", "opened a case", "李娜", f"class/{CLASS}", 1), ("admin", "made an account", "somebody", "", 2),
    ("admin", "opened a case", "elsewhere", "class/elsewhere", 2),
)  # fmt: skip


@pytest.fixture
def browsers(room: Room) -> Browsers:
    made = hire(room)
    for by, did, target, place, ago in reversed(DEEDS):
        room.server.registry.write_down(Deed(room.clock.now - ago * DAY, by, did, target, "as asked", place, 7))
    return made


def found(browsers: Browsers, who: str, query: str = "") -> list[str]:
    """The targets of the lines on the page."""
    page = ok(browsers[who].get(f"/journal?{query}")).text
    return re.findall(r'</td><td class="break">([^<]*)</td><td class="break">as asked', page)


def test_lines_are_found_by_person_verb_class_and_day(room: Room, browsers: Browsers) -> None:
    """Each alone and together; a person by a part of the account or of the name, a day as China counts it."""
    assert found(browsers, "admin") == ["张伟", "王芳", "李娜", "somebody", "elsewhere"]
    assert found(browsers, "admin", "by=superv") == found(browsers, "admin", "by=SUPERV") == ["张伟", "李娜"]
    person = room.server.people.account("teacher").person  # type: ignore[union-attr]
    assert found(browsers, "admin", f"by={person[1:].upper()}") == ["王芳"]
    assert found(browsers, "admin", "did=opened+a+case") == ["李娜", "elsewhere"]
    assert found(browsers, "admin", f"class_id={CLASS}") == ["张伟", "王芳", "李娜"]
    assert found(browsers, "admin", "day=2026-11-17") == ["王芳", "李娜"]
    assert found(browsers, "admin", f"by=superv&did=opened+a+case&class_id={CLASS}&day=2026-11-17") == ["李娜"]
    assert found(browsers, "admin", "by=superv&day=2026-11-16") == []
    assert "没有符合条件的记录" in browsers["admin"].get("/journal?by=nobody").text


def test_a_search_shows_nobody_more(browsers: Browsers) -> None:
    """A supervisor of the district finds what was done in its classes; another's class does not exist."""
    assert found(browsers, "supervisor", "by=admin") == []
    assert found(browsers, "far", "did=opened+a+case") == []
    assert browsers["far"].get(f"/journal?class_id={CLASS}").status_code == 404
    assert browsers["supervisor"].get("/journal?class_id=elsewhere").status_code == 404


@pytest.mark.parametrize("query", [
    "day=yesterday", "day=2026-02-30", "day=٢٠٢٦-11-17", "before=-1", "by=" + "x" * 101, "day=2026-11-17T00",
])  # fmt: skip
def test_what_is_no_search_is_refused(browsers: Browsers, query: str) -> None:
    assert browsers["admin"].get(f"/journal?{query}").status_code in (400, 422)


@pytest.mark.parametrize("text", ["%", "_", "' or 1=1 --", "\\", "<b>"])
def test_signs_are_sought_as_they_are(browsers: Browsers, text: str) -> None:
    """No wildcard of the database, no markup."""
    answer = browsers["admin"].get("/journal", params={"by": text})
    assert answer.status_code == 200
    assert "as asked" not in answer.text
    assert "<b>" not in answer.text


def test_pages_go_on_where_the_last_one_ended(room: Room, browsers: Browsers) -> None:
    """Many deeds of one moment: each stands on one page, and the search goes along."""
    for at in range(2 * PAGE + 3):
        room.server.registry.write_down(Deed(5, "robot", "sent a message", f"n{at}", "as asked", "", -1))
    path, seen = "/journal?by=robot", []
    while path:
        page = ok(browsers["admin"].get(path)).text
        seen += re.findall(r">(n\d+)<", page)
        link = re.search(r'href="(/journal\?[^"]*before=\d+)"', page)
        path = link[1].replace("&amp;", "&") if link else ""
    assert seen == [f"n{at}" for at in reversed(range(2 * PAGE + 3))]
