"""The pages of warnings and a learner's own, in a class where something stands on each: for pictures and for tests."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from server_stub.domain.warnings.inspector import EVERY_MS
from tests.server_stub.browser import Chromium
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.test_warnings import tool

ACCOUNT = "13800138007"


@dataclass(frozen=True)
class Papers:
    """Where the pages are."""

    warning: str
    report: str
    live: str


def scene(room: Room) -> Papers:
    """Two sessions with a tool, inspected and taken up; five more who begin at once, one with a hand up; a question."""
    learner = room.learner(ACCOUNT).ready()
    for _ in range(2):
        tool(room, learner)
    others = [room.learner(f"138001380{at:02d}").ready() for at in range(8, 13)]
    devices = [other.open() for other in others]
    for device in devices:
        device.send()
    devices[0].play(25_000)
    devices[0].send()
    room.clock.now += EVERY_MS
    services = room.server.services
    services.sweep()
    services.supervision.cases.open(CLASS, learner.learner, "warning", "学习助手两次报告宏工具，请您说明")
    text = {"letter": "ab" * 16, "registration": learner.registration, "what": "question", "text": "实操课在哪一天？"}
    assert room.http.post("/v1/letters", json=text, headers=learner.headers).status_code == 200
    hand = f"/v1/sessions/{devices[0].sid}/hand"
    assert room.http.post(hand, json={"up": True}, headers=others[0].headers).status_code == 200
    papers = services.warnings.inspector.bench.papers
    found = next(paper for paper in papers.find("warning") if paper.data["rule"] == "software.foreign")
    report = papers.find("self-inspection")[0].paper
    live = f"/classes/{CLASS}/live/{devices[0].sid}"
    return Papers(f"/warnings/{found.paper}", f"/self-inspections/{report}", live)


def warnings(browser: Chromium, url: str, papers: Papers, shot: Callable[[str], None]) -> None:
    """Warnings, reports, one learner now, sign-ins, the room: for a supervisor who has signed in."""
    for path, name in (
        ("/warnings", "warnings"), (papers.warning, "warning"), ("/self-inspections", "self-inspections"),
        (papers.report, "self-inspection"), (papers.live, "live-learner"), (f"/classes/{CLASS}/sign-ins", "sign-ins"),
        (f"/classes/{CLASS}/room", "room"),
    ):  # fmt: skip
        browser.open(url + path)
        shot(name)


def learner(browser: Chromium, url: str, room: Room, shot: Callable[[str], None]) -> None:
    """A learner's pages, from the sign-in on."""
    room.clock.now += 31_000
    browser.open(f"{url}/me/sign-in")
    shot("sign-in")
    browser.type("#account", ACCOUNT)
    browser.press("form button")
    browser.wait("return document.querySelector('#code') !== null")
    shot("code")
    browser.type("#code", room.codes.sent[ACCOUNT])
    browser.press("form button")
    browser.wait("return location.pathname === '/me'")
    shot("home")
    who = room.server.people.account(ACCOUNT)
    assert who is not None
    own = room.server.people.registrations(learner=who.learner)[0].registration
    sid = room.server.records.read(lambda tx: tx.events.sessions(learner=who.learner))[0]
    for path, name in (
        (f"/me/classes/{own}", "class"), (f"/me/sessions/{sid}", "session"), ("/me/cases", "cases"),
        ("/me/letters", "letters"), ("/me/privacy", "privacy"), ("/me/notices", "notices"),
        (f"/me/classes/{own}/preview", "preview"), (f"/me/classes/{own}/practice", "practice"),
    ):  # fmt: skip
        browser.open(url + path)
        shot(name)
