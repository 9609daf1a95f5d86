"""The live view in a real Chromium: it changes under a reader's eyes, and whoever reads keeps their place."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from ledger.events import Finding, Paused
from server_stub.routes import live_pages
from server_stub.setup import add_learner
from tests.server_stub.browser import chromium, lasting_port, served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import lesson, populate
from tests.server_stub.screens import sign_in
from tests.server_stub.test_browser import Desk

pytestmark = pytest.mark.slow
ORDER = "return [...document.querySelectorAll('#live tbody tr')].map(row => row.dataset.sid)"
SAYS = "const state = document.getElementById('live-state'); return (state.hidden ? '' : state.textContent)"


@pytest.fixture
def desk(make_room: Callable[..., Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    """A supervisor looks at six learners."""
    monkeypatch.setattr(live_pages, "LOOK_EVERY_S", 0.1)
    room = make_room()
    populate(room)
    devices = lesson(room, 6)
    with served(room.http.app) as url, chromium(tmp_path / "profile") as browser:
        sign_in(browser, url, "supervisor")
        browser.open(f"{url}/classes/{CLASS}/live")
        browser.run("window.mark = 'loaded once'")
        yield Desk(browser, url, room, devices)


def order(desk: Desk) -> list[str]:
    found: list[str] = desk.browser.run(ORDER)
    return found


def held_up(desk: Desk, at: int) -> None:
    """This learner is held up by a finding; the page knows it when the row says so."""
    device = desk.devices[at]
    device.add(Paused("pass", device.position, "finding"))
    device.send()
    row = f"document.querySelector('tr[data-sid=\"{device.sid}\"]')"
    desk.browser.wait(f"return {row}.cells[0].textContent.includes('学习被暂停')")


def test_who_reads_keeps_focus_place_and_words(desk: Desk) -> None:
    """Rows change and change places: the focus, the place on the screen and what was begun in the form stay as they
    are; whoever comes new can be chosen; how many need a look is said once; and the page was loaded once."""
    desk.browser.size(1280, 420)
    _without_a_focus_the_page_does_not_scroll(desk)
    _the_focus_and_its_row_stay(desk)
    _what_is_typed_and_chosen_stays(desk)
    _a_screen_reader_hears_how_many(desk)
    _a_long_name_leaves_room_for_the_others(desk)
    assert desk.browser.run("return window.mark") == "loaded once"
    assert desk.browser.log() == []


def _without_a_focus_the_page_does_not_scroll(desk: Desk) -> None:
    browser = desk.browser
    browser.run("scrollTo(0, 300)")
    before, first = browser.run("return scrollY"), order(desk)
    assert before > 0
    held_up(desk, 5)
    assert order(desk) != first
    assert browser.run("return scrollY") == before


def _the_focus_and_its_row_stay(desk: Desk) -> None:
    """The focus is on the last name, and that learner rises."""
    browser = desk.browser
    last = order(desk)[-1]
    at = next(index for index, device in enumerate(desk.devices) if device.sid == last)
    browser.run("""
        const link = [...document.querySelectorAll("#live tbody a")].at(-1);
        link.focus();
        scrollTo(0, link.getBoundingClientRect().top + scrollY - 150);
        window.held = link;
        window.lost = 0;
        link.addEventListener("blur", () => { window.lost += 1; });
        window.top0 = link.getBoundingClientRect().top;
    """)
    held_up(desk, at)
    browser.wait(f"{ORDER}.indexOf('{last}') < 5")
    assert browser.run("return document.activeElement === window.held && window.lost === 0") is True
    assert abs(browser.run("return window.held.getBoundingClientRect().top - window.top0")) <= 1


def _what_is_typed_and_chosen_stays(desk: Desk) -> None:
    browser = desk.browser
    chosen = desk.devices[4].sid
    browser.run("document.getElementById('sid').value = arguments[0]", chosen)
    browser.type("#text", "请坐")
    held_up(desk, 4)
    new = desk.room.learner("13800138020").ready().open()
    new.send()
    browser.wait(f"return document.querySelector('#sid option[value=\"{new.sid}\"]') !== null")
    assert browser.run("return document.getElementById('sid').value") == chosen
    assert browser.run("return document.getElementById('text').value") == "请坐"
    assert browser.run("return document.activeElement.id") == "text"
    assert "学习被暂停" in browser.run("return document.querySelector('#sid option:checked').textContent")
    new.close()
    browser.wait(f"return document.querySelector('#sid option[value=\"{new.sid}\"]') === null")


def _a_screen_reader_hears_how_many(desk: Desk) -> None:
    for at in range(6):
        held_up(desk, at)
    said = "return document.getElementById('live-said')"
    desk.browser.wait(f"{said}.textContent === '需要留意: 6'")
    desk.browser.wait("return document.title.startsWith('(6) ')")
    assert desk.browser.run(f"{said}.getAttribute('role')") == "status"


def _a_long_name_leaves_room_for_the_others(desk: Desk) -> None:
    """Sixty letters without a place to break: the sentence beside them still stands in a line or two."""
    add_learner(desk.room.server.people, CLASS, "latin", "Maximiliana-Alexandrina Wolfeschlegelsteinhausenbergerdorff")
    device = desk.room.learner("latin").ready().open()
    device.add(Finding("window.unrecorded", 1, "medium", "report", {"program": "helper"}))
    device.send()
    row = f"document.querySelector('tr[data-sid=\"{device.sid}\"]')"
    desk.browser.size(1280, 800)
    desk.browser.wait(f"return {row} !== null && {row}.cells.length > 4")
    heights = desk.browser.run("return [...document.querySelectorAll('#live tbody tr')].map(row => row.offsetHeight)")
    assert max(heights) <= 4 * min(heights)


def test_it_goes_on_after_whatever_happened_to_the_connection(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    """The server is started again, or a gateway answers for it, at which a browser gives up by itself: the page says
    so, and shows what happens as soon as it can; nobody reloads. Signed out elsewhere: it says that it is over."""
    browser, room = desk.browser, desk.room
    port = lasting_port()
    with served(room.http.app, port) as url:
        browser.open(f"{url}/classes/{CLASS}/live")
        browser.run("window.mark = 'before'")
    browser.wait(f"{SAYS}.includes('正在重新连接')")
    with served(room.http.app, port):
        browser.wait(f"{SAYS} === ''")
        held_up(desk, 5)
        assert browser.run("return window.mark") == "before"
    with monkeypatch.context() as full:
        full.setattr(live_pages, "MAX_STREAMS", 0)
        browser.open(f"{desk.url}/classes/{CLASS}/live")
        browser.wait(f"{SAYS}.includes('正在重新连接')")
    browser.wait(f"{SAYS} === ''")
    held_up(desk, 4)
    account = room.server.people.account("supervisor")
    assert account is not None
    room.server.services.sign_in.end_others(account, "")
    browser.wait(f"{SAYS}.includes('已结束')")
    assert len(order(desk)) == 6  # what was seen last stays to be read
