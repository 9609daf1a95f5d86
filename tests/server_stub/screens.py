"""Every page in real Chromium as docs/screens/staff-*.png and me-*.png: `python -m tests.server_stub.screens OUT`.

The staff's at a desk in both languages and on a phone; a learner's on a phone of 360 pixels in both languages.
"""

from __future__ import annotations

import sys
import tempfile
from collections.abc import Callable
from functools import partial
from pathlib import Path

from tests.server_stub import conftest, supervised, toured, toured_later
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS
from tests.server_stub.scene import lesson, number, populate
from tests.server_stub.staff import PASSWORD

SPOILED = (
    f"姓名\t身份证号\t手机号\n孙小美\t{number(77)}\t13900139001\n钱多\t1.10105E+17\t13900139002\n"
    f"李四\t110105199003071000\t13900139003\n王二\t{number(79)}\t1.39E+10\n张玮\t{number(1)}\t13800138000\n"
    f"孙小妹\t{number(77)}\t13900139005\n"
)


def sign_in(browser: Chromium, url: str, account: str) -> None:
    """By the form, as a person does."""
    browser.open(url)
    browser.type("#account", account)
    browser.type("#password", PASSWORD)
    browser.press("form button")
    browser.wait("return document.querySelector('.me button') !== null")


def sign_out(browser: Chromium) -> None:
    """By the button on every page."""
    browser.press(".me button")
    browser.wait("return document.querySelector('#password') !== null")


def tour(browser: Chromium, url: str, shot: Callable[[str], None]) -> None:
    """Page by page; `shot` is told a name at each."""
    browser.open(url)
    shot("sign-in")
    sign_in(browser, url, "supervisor")
    shot("classes")
    browser.open(f"{url}/classes/{CLASS}")
    browser.run("document.querySelector('details').open = true")
    shot("class")
    browser.open(f"{url}/classes/{CLASS}/live")
    browser.run("scrollTo(0, 0)")
    shot("live")
    browser.open(f"{url}/people?q=张伟")
    shot("people")
    browser.press("tbody a")
    browser.wait("return location.pathname.length > 30")
    shot("person")
    browser.open(f"{url}/fleet")
    shot("fleet")
    browser.open(f"{url}/journal")
    shot("journal")
    sign_out(browser)
    sign_in(browser, url, "principal")
    browser.open(f"{url}/import")
    shot("import")
    browser.run("document.getElementById('text').value = arguments[0]", SPOILED)
    browser.press("main button")
    browser.wait("return location.pathname.startsWith('/import/')")
    shot("import-preview")
    browser.open(f"{url}/staff")
    shot("staff")
    browser.open(f"{url}/account")
    shot("account")


WINDOWS = (("zh-CN", "", 1280, 800), ("en-GB", "-en", 1280, 800), ("zh-CN", "-390", 390, 844))
PHONE = 390


def _draw(browser: Chromium, out: Path, tag: str, name: str, who: str = "staff") -> None:
    browser.screenshot(out / f"{who}-{name}{tag}.png")


def main(out: Path) -> None:
    """Draw all of them, in Chinese at two widths and in English at one."""
    out.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        maker = conftest.make_room.__wrapped__(Path(folder), str, str)  # type: ignore[attr-defined]
        room: Room = next(maker)()
        staff = populate(room)
        devices = lesson(room)
        warned = toured.scene(room)  # while the class needs no application yet
        papers = supervised.scene(room, staff, devices)
        later = toured_later.scene(room, staff)
        for at in (0, 2, 4, 5, 6):  # they go on
            devices[at].play(20_000)
            devices[at].send()
        for language, tag, width, height in WINDOWS:
            profile = Path(folder) / f"profile{tag}"
            with served(room.http.app) as url, chromium(profile, language=language) as browser:
                browser.size(width, height)
                if width == PHONE:
                    browser.phone(width, height)
                tour(browser, url, partial(_draw, browser, out, tag))
                sign_out(browser)
                sign_in(browser, url, "second")
                supervised.tour(browser, url, papers, partial(_draw, browser, out, tag))
                toured.warnings(browser, url, warned, partial(_draw, browser, out, tag))
                if not tag:
                    sign_out(browser)
                    sign_in(browser, url, "principal")
                    toured_later.tour(browser, url, later, partial(_draw, browser, out, tag))
                if width > PHONE:
                    browser.phone(360)
                    toured.learner(browser, url, room, partial(_draw, browser, out, tag, who="me"))
        room.server.close()


if __name__ == "__main__":
    main(Path(sys.argv[1]))
