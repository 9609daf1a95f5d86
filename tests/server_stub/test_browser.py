"""The pages in a real Chromium: a person signs in, looks, types and presses; nothing comes from elsewhere."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from ledger import bodies
from ledger.events import Paused
from server_stub.routes import live_pages
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.scene import lesson, populate
from tests.server_stub.screens import sign_in, tour

pytestmark = pytest.mark.slow


@dataclass
class Desk:
    """A supervisor's desk: the browser, the server it looks at, and the learners' devices."""

    browser: Chromium
    url: str
    room: Room
    devices: list[Device]


@pytest.fixture
def desk(make_room: Callable[..., Room], tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Desk]:
    monkeypatch.setattr(live_pages, "LOOK_EVERY_S", 0.2)
    room = make_room()
    populate(room)
    devices = lesson(room, 6)
    with served(room.http.app) as url, chromium(tmp_path / "profile") as browser:
        yield Desk(browser, url, room, devices)


LOOK = """
    const wrong = [];
    for (const field of document.querySelectorAll("input:not([type=hidden]), select, textarea"))
        if (!field.labels.length) wrong.push("no label: " + field.outerHTML.slice(0, 80));
    for (const item of document.querySelectorAll("a, button"))
        if (!item.textContent.trim()) wrong.push("no name: " + item.outerHTML.slice(0, 80));
    if (document.querySelectorAll("h1").length !== 1) wrong.push("headings: " + location.pathname);
    if (!document.documentElement.lang) wrong.push("no language");
    const ids = [...document.querySelectorAll("[id]")].map(item => item.id);
    if (new Set(ids).size !== ids.length) wrong.push("an id twice: " + location.pathname);
    for (const head of document.querySelectorAll("th")) if (!head.scope) wrong.push("no scope: " + head.innerText);
    if (document.documentElement.scrollWidth > (arguments[0] || innerWidth))
        wrong.push("too wide: " + location.pathname);
    return wrong;
"""


def accessible(browser: Chromium) -> list[str]:
    """What a screen reader would stumble over: fields without a label, more than one first heading, empty links."""
    width = browser.mobile[0] if browser.mobile else 0  # a telephone's window grows with what sticks out
    found: list[str] = browser.run(LOOK, width)
    return found


@pytest.mark.parametrize("width", [1280, 390])
def test_every_page_loads_nothing_from_elsewhere_and_reads_well(desk: Desk, width: int) -> None:
    """Content-security policy kept, no script fails, every field has a label, nothing sticks out at either width."""
    desk.browser.size(width, 844)
    wrong: list[str] = []
    tour(desk.browser, desk.url, lambda _name: wrong.extend(accessible(desk.browser)))
    assert wrong == []
    assert desk.browser.log() == []
    asked = [address for address in desk.browser.requests() if address.startswith(("http", "ws"))]
    assert asked
    assert [address for address in asked if not address.startswith(desk.url)] == []


def test_the_live_view_changes_without_reloading(desk: Desk) -> None:
    """A learner who is held up moves to the top within a moment, and the page was loaded once."""
    browser, device = desk.browser, desk.devices[5]
    sign_in(browser, desk.url, "supervisor")
    browser.open(f"{desk.url}/classes/{CLASS}/live")
    browser.run("window.mark = 'loaded once'")
    first = browser.run("return document.querySelector('tbody tr').dataset.sid")
    assert first == desk.devices[3].sid
    device.add(Paused("pass", device.position, "finding"))
    device.send()
    browser.wait(f"""
        const rows = [...document.querySelectorAll('tbody tr')].slice(0, 2).map(row => row.dataset.sid);
        return rows.includes('{device.sid}');
    """)
    device.close()
    browser.wait(f"return document.querySelector('tr[data-sid=\"{device.sid}\"]') === null")
    assert browser.run("return window.mark") == "loaded once"


def test_a_message_reaches_the_learner_and_the_class_log(desk: Desk) -> None:
    """Typed on the page, carried by the next answer, audited before it went."""
    browser = desk.browser
    sign_in(browser, desk.url, "teacher")
    browser.open(f"{desk.url}/classes/{CLASS}/live")
    chosen = str(browser.run("return document.getElementById('sid').value"))
    browser.type("#text", "请坐正一些，谢谢。")
    browser.press("button[value=message]")
    browser.wait("return document.querySelector('.done') !== null")
    device = next(item for item in desk.devices if item.sid == chosen)
    device.play(5_000)
    [note] = device.send().commands
    body = bodies.parse(note.encode())[0]
    assert isinstance(body, bodies.Command)
    assert (body.do, body.text) == ("message", "请坐正一些，谢谢。")


def test_by_the_keyboard_alone(desk: Desk) -> None:
    """Sign in and open a class with Tab and Enter; the focus is always to be seen."""
    browser = desk.browser
    browser.open(desk.url)
    browser.wait("return document.activeElement && document.activeElement.id === 'account'")
    browser.keys(*"supervisor", "tab", *"correct horse battery", "enter")
    browser.wait("return document.querySelector('.me button') !== null")
    for _ in range(30):
        browser.keys("tab")
        outline = browser.run("return getComputedStyle(document.activeElement).outlineStyle")
        assert outline != "none"
        if browser.run("return document.activeElement.closest('tbody th') !== null"):
            break
    browser.keys("enter")
    browser.wait(f"return location.pathname === '/classes/{CLASS}'")


def test_a_class_prints(desk: Desk) -> None:
    """On paper: the list and its figures; no menu, no forms."""
    browser = desk.browser
    sign_in(browser, desk.url, "supervisor")
    browser.open(f"{desk.url}/classes/{CLASS}/live")
    data = browser.pdf()
    assert data.startswith(b"%PDF")
    browser.cdp("Emulation.setEmulatedMedia", {"media": "print"})
    shown = browser.run("return [...document.querySelectorAll('nav, .screen, .me')].filter(x => x.offsetParent).length")
    assert shown == 0
