"""The main jobs of a supervisor by the keyboard alone in a real Chromium: no pointer, no script of ours presses."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger import bodies
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import lesson, populate
from tests.server_stub.school import School
from tests.server_stub.test_browser import Desk
from tests.server_stub.test_spot import spot

pytestmark = pytest.mark.slow
FOCUS = "const item = document.activeElement; return"


@pytest.fixture
def seated(make_room: Callable[..., Room], tmp_path: Path) -> Iterator[tuple[Desk, Path]]:
    """A desk, and a spot check of the first learner that the supervisor signed on the own computer."""
    room = make_room()
    school = School(room, tmp_path / "school")
    key = school.supervisor()
    populate(room)
    devices = lesson(room, 6)
    signed = spot(school, devices[0], key)
    with served(room.http.app) as url, chromium(tmp_path / "profile") as browser:
        yield Desk(browser, url, room, devices), signed


def enter(browser: Chromium, url: str) -> None:
    """Sign in: the first field has the focus already."""
    browser.open(url)
    browser.wait("return document.activeElement && document.activeElement.id === 'account'")
    browser.keys(*"supervisor", "tab", *"correct horse battery", "enter")
    browser.wait("return document.querySelector('.me button') !== null")


def go(browser: Chromium, wanted: str) -> None:
    """Tab until the focus is on what `wanted` (a condition on `item`) says; each stop on the way can be seen."""
    for _ in range(120):
        browser.keys("tab")
        found, outline = browser.run(f"{FOCUS} [Boolean({wanted}), getComputedStyle(item).outlineStyle]")
        assert outline != "none", browser.run(f"{FOCUS} item.outerHTML.slice(0, 200)")
        if found:
            return
    raise AssertionError(f"never reached: {wanted} at {browser.path}")


def arrive(browser: Chromium, condition: str) -> None:
    """Press enter, and be where the condition says."""
    browser.keys("enter")
    browser.wait(f"return document.readyState === 'complete' && ({condition})")


def text(words: str) -> str:
    return f"item.textContent.trim() === '{words}'"


def test_a_supervisor_works_by_keyboard_alone(seated: tuple[Desk, Path]) -> None:
    """Open the class now from the first page, message the learner who is held up, hand in a spot check that was signed
    at home, open a case about it, propose what to do; a second person decides. No pointer anywhere."""
    desk, signed = seated
    browser, held = desk.browser, desk.devices[3]
    enter(browser, desk.url)
    go(browser, text("实时查看"))
    arrive(browser, f"location.pathname === '/classes/{CLASS}/live'")
    _message(desk)
    _spot_check(desk, signed)
    case = _case(desk, held.grant.learner, held.sid)
    _decide(desk, case)
    _sort(desk)


def _sort(desk: Desk) -> None:
    """A table is sorted by its headings, as numbers where it holds numbers; the heading says how, the focus stays."""
    browser = desk.browser
    browser.open(f"{desk.url}/classes/{CLASS}/statistics")
    go(browser, "item.closest('th') && item.textContent.startsWith('播放时长')")
    for wanted in ("ascending", "descending"):
        browser.keys("enter")
        browser.wait(f"return document.activeElement.closest('th').getAttribute('aria-sort') === '{wanted}'")
        shown = browser.run("""
            const at = document.activeElement.closest("th").cellIndex;
            return [...document.querySelectorAll("table[data-sort] tbody tr")].map(row => +row.cells[at].textContent);
        """)
        assert shown == sorted(shown, reverse=wanted == "descending")
        assert shown[0] != shown[-1]


def _message(desk: Desk) -> None:
    """Incidents stand first: the first name is the learner's who is held up; the page of this learner has the form."""
    browser, held = desk.browser, desk.devices[3]
    go(browser, "item.closest('#live tbody')")
    assert browser.run(f"{FOCUS} item.closest('tr').dataset.sid") == held.sid
    arrive(browser, f"location.pathname.endsWith('{held.sid}')")
    go(browser, "item.id === 'text'")
    browser.keys(*"please wait")
    browser.keys("enter")
    browser.wait("return document.querySelector('.done') !== null")
    [note] = held.send().commands
    said = bodies.parse(note.encode())[0]
    assert isinstance(said, bodies.Command)
    assert (said.do, said.text) == ("message", "please wait")


def _spot_check(desk: Desk, signed: Path) -> None:
    """The signed note is pasted into the page, and goes to the session as it was signed."""
    browser, device = desk.browser, desk.devices[0]
    note = signed.read_text(encoding="utf-8")
    browser.open(f"{desk.url}/classes/{CLASS}/live")
    go(browser, "item.id === 'notes'")
    browser.cdp("Input.insertText", {"text": note})
    go(browser, "item.tagName === 'BUTTON' && item.form && item.form.action.endsWith('/notes')")
    browser.keys("enter")
    browser.wait("return document.querySelector('.done') !== null")
    device.play(5_000)
    assert note in device.send().commands


def _case(desk: Desk, learner: str, sid: str) -> str:
    browser = desk.browser
    go(browser, text("核实"))
    arrive(browser, "location.pathname === '/cases'")
    go(browser, text("登记核实事项"))
    browser.keys("enter")
    browser.wait("return document.querySelector('details.how').open")
    go(browser, "item.id === 'c-learner'")
    browser.keys(*learner, "tab", *sid, "tab", *"keys pressed by a program", "enter")
    browser.wait("return location.pathname.startsWith('/cases/') && document.readyState === 'complete'")
    go(browser, "item.id === 's'")
    browser.keys("down")
    go(browser, "item.id === 'r'")
    browser.keys(*"the learner was asked twice")
    browser.keys("enter")
    browser.wait("return document.querySelector('.done') !== null")
    return browser.path


def _decide(desk: Desk, case: str) -> None:
    """Who proposed is told that another person decides; that person, by keyboard too, agrees."""
    browser = desk.browser
    browser.wait("return document.getElementById('cr') === null")
    go(browser, text("退出"))
    arrive(browser, "document.getElementById('account') !== null")
    browser.keys(*"principal", "tab", *"correct horse battery", "enter")
    browser.wait("return document.querySelector('.me button') !== null")
    browser.open(desk.url + case)
    go(browser, "item.id === 'cr'")
    browser.keys(*"I see it the same way", "tab", "enter")
    browser.wait("return document.querySelector('.done') !== null")
    found = desk.room.server.services.supervision.bench.papers.get("case", case.rpartition("/")[2])
    assert found is not None
    assert found.state == "decided"
