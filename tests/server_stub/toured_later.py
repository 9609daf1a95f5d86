"""The pages that came later, once each in Chinese at a desk (ratings by a learner on a phone): for pictures.

One picture a page: docs/screens stays small.
"""

from __future__ import annotations

from collections.abc import Callable

from server_stub.domain.surveys import Rating
from tests.server_stub.browser import Chromium
from tests.server_stub.classlife import ok
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import number
from tests.server_stub.staff import Browsers
from tests.server_stub.test_practice_questions import LIST

PAID = f"身份证号,工种,等级,年份\n{number(1)},消防设施操作员,4,2024\n{number(2)},电工,5,2025\n"
FILE = {"what": "courses", "licence": "京培0012", "until": "2028-12-31", "contact": "王编辑 010-1234", "courses": "24",
        "free": "12", "titles": "消防\n电工基础"}  # fmt: skip


def scene(room: Room, browsers: Browsers) -> dict[str, str]:
    """A provider with a list that waits, payments on file, answers that helped; name → address."""
    ok(browsers["provider"].post("/providers/press", FILE))
    room.clock.now += 1_000
    ok(browsers["supervisor"].post("/providers/press/review", {"verdict": "yes", "text": "材料齐全，许可在有效期内"}))
    services = room.server.services
    path = f"/providers/press/questions/{services.practice.course(CLASS).sha256}"
    ok(browsers["provider"].post(ok(browsers["provider"].post(path, {"text": LIST})).headers["location"]))
    handed = services.supervision.bench.papers.find("questions")[0].paper
    ok(browsers["admin"].post(ok(browsers["admin"].post("/subsidies", {"text": PAID})).headers["location"]))
    for at, text in enumerate(("讲得清楚", "", "", "希望多一些实操", "", "")):
        value = Rating(5 - at % 2, 4, 5 - at % 3, text)
        services.supervision.bench.keep("rating", f"class/{CLASS}", f"{at:032x}", "plain", value)
    return {"providers": "/providers", "provider": "/providers/press", "ratings": "/ratings", "subsidies": "/subsidies",
            "questions": f"/questions/{handed}"}  # fmt: skip


def tour(browser: Chromium, url: str, papers: dict[str, str], shot: Callable[[str], None]) -> None:
    """Page by page, for somebody of the school who has signed in."""
    for name, path in papers.items():
        browser.open(url + path)
        shot(name)
