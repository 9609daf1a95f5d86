"""Every page in real Chromium under axe-core: the staff's at a desk, a learner's on a telephone of 360 pixels.

Which pages there are comes from the table of privileges: a new page is looked at without anybody adding it here.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.conftest import Room
from tests.server_stub.staff import PASSWORD
from tests.server_stub.test_browser import accessible
from tests.server_stub.test_privileges import TABLE, World, make_world

pytestmark = pytest.mark.slow
NO_PAGE = ("stream", ".csv", ".xlsx", "/completions/", "/copy/", "/media/", "/archive", "/v1/", "/log/", "/models/",
           "/notices/{", "/sign-in/oidc", "/deletions/", "/export")  # fmt: skip


@dataclass
class Look:
    """A browser that looks at one server."""

    browser: Chromium
    url: str
    room: Room
    world: World

    def code(self, account: str) -> None:
        """Sign a learner in by the two forms."""
        self.room.clock.now += 31_000
        self.browser.open(f"{self.url}/me/sign-in")
        self.browser.type("#account", account)
        self.browser.press("form button")
        self.browser.wait("return document.querySelector('#code') !== null")
        self.browser.type("#code", self.room.codes.sent[account])
        self.browser.press("form button")
        self.browser.wait("return location.pathname === '/me'")

    def password(self) -> None:
        """Sign the administrator in."""
        self.browser.open(self.url)
        self.browser.type("#account", "supervisor")
        self.browser.type("#password", PASSWORD)
        self.browser.press("form button")
        self.browser.wait("return document.querySelector('.me button') !== null")


@pytest.fixture
def look(make_room: Callable[..., Room], tmp_path: Path) -> Iterator[Look]:
    room = make_room()
    world = make_world(room)
    world.device.play(20_000)
    world.device.send()
    with served(room.http.app) as url, chromium(tmp_path / "profile") as browser:
        yield Look(browser, url, room, world)


def pages(by: str, who: str) -> list[str]:
    """The pages of the table that this one may read."""
    return [
        route for (method, route), row in sorted(TABLE.items())
        if method == "GET" and row.by == by and who in row.who and not any(part in route for part in NO_PAGE)
    ]  # fmt: skip


def complaints(look: Look, routes: list[str], languages: tuple[str, ...]) -> list[str]:
    """What axe-core and our own rules object to, page by page; every page must be a page."""
    wrong: list[str] = []
    for route in routes:
        for lang in languages:
            path = look.world.path(route)
            look.browser.open(f"{look.url}{path}?lang={lang}")
            assert look.browser.path == path, f"{route} led to {look.browser.path}\n{look.browser.text[:300]}"
            found = look.browser.axe() + accessible(look.browser)
            found += small(look.browser) if look.browser.mobile else []
            wrong += [f"{route} {lang}: {item}" for item in found]
    return wrong


def small(browser: Chromium) -> list[str]:
    """Buttons and the menu's links that a finger could miss, less than 44 pixels high; and what sticks out of 360."""
    found: list[str] = browser.run("""
        return [...document.querySelectorAll("main button, main .button, nav a")]
            .filter(item => item.getBoundingClientRect().height < 44).map(item => "small: " + item.outerHTML)
            .concat([...document.querySelectorAll("main *, header *")]
                .filter(item => !item.closest(".unseen") && item.getBoundingClientRect().right > 361)
                .map(item => "sticks out: " + item.outerHTML.slice(0, 120)));
    """)
    return found


def test_a_learners_pages_on_a_telephone(look: Look) -> None:
    """360 pixels, touch, both languages: axe-core finds nothing, nothing sticks out, all that is pressed is large."""
    look.browser.phone(360)
    look.code("learner")
    wrong = complaints(look, ["/me/sign-in", *pages("me", "learner")], ("zh", "en"))
    assert wrong == []
    assert look.browser.log() == []
    look.browser.run("document.querySelector('main').innerHTML += '<img src=/static/icon.svg><p><button></button></p>'")
    assert {item.split()[1] for item in look.browser.axe()} >= {"image-alt", "button-name"}  # it does look


LOOKS = [("zh", 1280), ("en", 390), *([("en", 1280), ("zh", 390)] if os.environ.get("TRUESEAT_LONG") else [])]


@pytest.mark.parametrize(("lang", "width"), LOOKS)
def test_the_staffs_pages_at_a_desk_and_on_a_telephone(look: Look, lang: str, width: int) -> None:
    """axe-core finds nothing on any page of the staff, at 1280 and at 390 pixels; nothing sticks out of the window but
    a table that scrolls in its own room, and no script or style of a page is refused. All four pairs:
    `TRUESEAT_LONG=1`."""
    look.password()
    if width < 720:
        look.browser.phone(width, 844)
    wrong: list[str] = []
    for route in pages("page", "supervisor"):
        look.browser.open(f"{look.url}{look.world.path(route)}?lang={lang}")
        assert look.browser.path == look.world.path(route), f"{route}\n{look.browser.text[:300]}"
        wrong += [f"{route}: {item}" for item in look.browser.axe() + accessible(look.browser)]
    assert wrong == []
    assert [line for line in look.browser.log() if "409" not in line] == []  # no notice before a decision: a page too


def test_scripts_of_others_do_not_run_and_nothing_comes_from_elsewhere(look: Look) -> None:
    """The content-security policy in the browser's own words: inline scripts and styles, foreign pictures: refused."""
    look.browser.phone(360)
    look.code("learner")
    look.browser.log()
    look.browser.run("""
        const script = document.createElement("script");
        script.textContent = "window.broken = 1";
        document.body.append(script);
        const image = new Image();
        image.src = "https://elsewhere.example/x.png";
        document.body.append(image);
        document.body.setAttribute("style", "color: red");
        window.blocked = [];
    """)
    look.browser.wait("return document.images.length > 0 && document.images[0].complete")
    assert look.browser.run("return window.broken === undefined") is True
    assert look.browser.run("return getComputedStyle(document.body).color") != "rgb(255, 0, 0)"
    said = " ".join(look.browser.log())
    assert "Content Security Policy" in said or "content security policy" in said.lower()
    assert not [url for url in look.browser.requests() if url.startswith("https://elsewhere") and "blocked" in url]


def test_a_learner_walks_by_keyboard_alone(look: Look) -> None:
    """Tab reaches the way past the menu first, then every link in order; enter follows; the focus can be seen."""
    look.code("learner")
    look.browser.open(f"{look.url}/me")
    seen = []
    for _ in range(12):
        look.browser.keys("tab")
        seen.append(
            look.browser.run("""
            const item = document.activeElement;
            return [item.textContent.trim(), getComputedStyle(item).outlineStyle];
        """)
        )
    assert seen[0][0] in ("跳到正文", "Skip to content") or "正文" in seen[0][0] or "main" in seen[0][0].lower()
    assert all(style != "none" for text, style in seen if text)
    assert "核实" in [text for text, _ in seen]
    look.browser.open(f"{look.url}/me")
    while look.browser.run("return document.activeElement.textContent.trim()") != "核实":
        look.browser.keys("tab")
    look.browser.keys("enter")
    look.browser.wait("return location.pathname === '/me/cases'")
