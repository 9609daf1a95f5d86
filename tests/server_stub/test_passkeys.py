"""Passkeys of the staff: the whole ceremony in a real Chromium with a device of its own, and what is refused."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.domain.key_errors import PasskeyRefusedError
from server_stub.domain.passkeys import Passkey, Site
from tests.server_stub.browser import Chromium, chromium, served
from tests.server_stub.conftest import Room
from tests.server_stub.staff import PASSWORD, account, hire, sign_in
from tests.tries import tries

SITE = Site("http://localhost")


@dataclass
class Desk:
    browser: Chromium
    url: str
    room: Room
    device: str


@pytest.fixture
def desk(room: Room, tmp_path: Path) -> Iterator[Desk]:
    hire(room)
    with served(room.http.app) as address, chromium(tmp_path / "profile") as browser:
        url = address.replace("127.0.0.1", "localhost")  # a passkey is bound to a name, never to an address
        yield Desk(browser, url, room, browser.authenticator())


def by_password(desk: Desk, name: str = "supervisor") -> None:
    desk.browser.open(desk.url)
    desk.browser.type("#account", name)
    desk.browser.type("#password", PASSWORD)
    desk.browser.press("form[action='/sign-in'] button")
    desk.browser.wait("return document.querySelector('.me button') !== null")


def add(desk: Desk, password: str = PASSWORD) -> None:
    desk.browser.open(f"{desk.url}/account")
    desk.browser.type("#label", "办公室电脑")
    desk.browser.type("#passkey-password", password)
    desk.browser.press("form[data-makes] button")


def sign_out(desk: Desk) -> None:
    desk.browser.press("form[action='/sign-out'] button")
    desk.browser.wait("return document.querySelector('form[data-passkey=\"/sign-in/passkey\"]') !== null")


def by_passkey(desk: Desk) -> None:
    desk.browser.open(desk.url)
    desk.browser.press("form[data-passkey] button")


def said(desk: Desk) -> str:
    desk.browser.wait("const hint = document.querySelector('form[data-passkey] .hint'); return hint && !hint.hidden")
    return str(desk.browser.run("return document.querySelector('form[data-passkey] .hint').textContent"))


def added(desk: Desk) -> None:
    by_password(desk)
    add(desk)
    desk.browser.wait("return document.querySelector('.done') !== null")


@pytest.mark.slow
def test_a_passkey_is_made_used_and_removed(desk: Desk) -> None:
    """After the password once; then without it: a new cookie, the same person; removed, it opens nothing."""
    added(desk)
    kept = desk.room.server.services.passkeys.of(account(desk.room, "supervisor"))
    assert [(item.label, item.used) for item in kept] == [("办公室电脑", 0)]
    sign_out(desk)
    by_passkey(desk)
    desk.browser.wait("return document.querySelector('.me button') !== null")
    assert "Supervisor" in desk.browser.text
    assert desk.browser.log() == []
    assert desk.room.server.services.passkeys.of(account(desk.room, "supervisor"))[0].used > 0
    desk.browser.open(f"{desk.url}/account")
    desk.browser.press("form[action='/account/passkeys/end'] button")
    desk.browser.wait("return document.querySelector('.done') !== null")
    sign_out(desk)
    by_passkey(desk)
    assert "通行密钥" in said(desk)
    assert desk.browser.run("return document.querySelector('.me button')") is None


@pytest.mark.slow
def test_a_wrong_password_adds_no_passkey(desk: Desk) -> None:
    """A browser that was left open does not give its account away for good."""
    by_password(desk)
    add(desk, "not the password")
    assert said(desk)
    assert desk.browser.credentials(desk.device) == []
    assert desk.room.server.services.passkeys.of(account(desk.room, "supervisor")) == []


@pytest.mark.slow
def test_a_copied_passkey_that_counts_behind_is_refused(desk: Desk) -> None:
    """The device counts its signatures: a copy that was made earlier says a number that was here already."""
    added(desk)
    [copy] = desk.browser.credentials(desk.device)
    sign_out(desk)
    by_passkey(desk)
    desk.browser.wait("return document.querySelector('.me button') !== null")
    sign_out(desk)
    desk.browser.drop_authenticator(desk.device)
    desk.browser.give_credential(desk.browser.authenticator(), copy | {"signCount": 0})
    by_passkey(desk)
    assert said(desk)
    assert desk.browser.run("return document.querySelector('.me button')") is None


@pytest.mark.slow
def test_a_device_that_does_not_know_its_owner_is_refused(desk: Desk) -> None:
    """Without user verification a found telephone would be enough."""
    added(desk)
    [copy] = desk.browser.credentials(desk.device)
    sign_out(desk)
    desk.browser.drop_authenticator(desk.device)
    desk.browser.give_credential(desk.browser.authenticator(verified=False), copy)
    by_passkey(desk)
    assert said(desk)
    assert desk.browser.run("return document.querySelector('.me button')") is None


@pytest.mark.slow
def test_an_answer_is_taken_once_and_for_its_own_site_only(desk: Desk) -> None:
    """Replayed, brought under another challenge, or asked for by another site: refused, and no cookie is set."""
    added(desk)
    sign_out(desk)
    asked = desk.browser.run("""
        const given = await (await fetch('/sign-in/passkey/start', {method: 'POST'})).json();
        const raw = given.options.challenge;
        given.options.challenge = bytes(raw);
        const made = await navigator.credentials.get({publicKey: given.options});
        return [given.handle, answer(made)];
    """)
    handle, reply = asked
    passkeys, site = desk.room.server.services.passkeys, Site(desk.url)
    other = passkeys.ask(site)["handle"]
    with pytest.raises(PasskeyRefusedError):
        passkeys.enter(other, reply, site)  # another challenge
    with pytest.raises(PasskeyRefusedError):
        passkeys.enter(handle, reply, Site("http://localhost:1"))  # another origin
    fresh = passkeys.ask(site)["handle"]
    with pytest.raises(PasskeyRefusedError):
        passkeys.enter(handle, reply, site)  # that ceremony is over
    with pytest.raises(PasskeyRefusedError):
        passkeys.enter(fresh, reply.replace('"userHandle":"', '"userHandle":"AAAA'), site)


@contextlib.contextmanager
def clients(room: Room) -> Iterator[Callable[..., Any]]:
    http = room.http
    yield lambda path, form: http.post(path, data=form, headers={"host": "localhost"}, follow_redirects=False)


def test_a_passkey_sign_in_takes_no_cookie_that_was_there_before(room: Room, monkeypatch: pytest.MonkeyPatch) -> None:
    """Session fixation: whoever planted a cookie in the browser holds nothing after it."""
    hire(room)
    planted = sign_in(room, "teacher").http.cookies["trueseat_staff"]
    mine = room.server.services.sign_in.admit(account(room, "supervisor"))
    enter = type(room.server.services.passkeys).enter
    monkeypatch.setattr(type(room.server.services.passkeys), "enter", lambda *_: (mine, account(room, "supervisor")))
    room.http.cookies.set("trueseat_staff", planted)
    with clients(room) as post:
        answer = post("/sign-in/passkey/finish", {"handle": "0", "answer": "{}"})
    monkeypatch.setattr(type(room.server.services.passkeys), "enter", enter)
    assert f"trueseat_staff={mine}" in answer.headers["set-cookie"]
    assert "SameSite=strict" in answer.headers["set-cookie"]
    assert "HttpOnly" in answer.headers["set-cookie"]
    room.http.cookies.clear()
    room.http.cookies.set("trueseat_staff", planted)
    assert room.http.get("/account", follow_redirects=False).headers["location"] == "/"


@pytest.mark.slow
def test_what_is_asked_tells_nobody_who_has_a_passkey(room: Room) -> None:
    """The same question for everybody: no list of keys, no account in it."""
    hire(room)
    room.server.services.passkeys._store.add_passkey(Passkey("AAAA", "teacher", b"k", 0, "x", 1))
    with clients(room) as post:
        asked = post("/sign-in/passkey/start", {}).json()["options"]
    assert not asked.get("allowCredentials")
    assert "teacher" not in json.dumps(asked)


def test_an_address_is_no_site(room: Room) -> None:
    """A server that does not know its own name has no passkeys; the password works as ever."""
    answer = room.http.post("/sign-in/passkey/start", headers={"host": "192.0.2.7"})
    assert answer.status_code == 403
    assert "TS-S-110" in answer.text


@settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    answer=st.one_of(
        st.text(max_size=60),
        st.recursive(st.none() | st.booleans() | st.text(max_size=8), lambda x: st.lists(x) | st.dictionaries(
            st.sampled_from(["id", "rawId", "type", "response", "clientDataJSON", "attestationObject",
                             "authenticatorData", "signature", "userHandle"]), x), max_leaves=12).map(json.dumps),
    )
)  # fmt: skip
def test_whatever_a_browser_answers_it_is_refused_in_our_words(room: Room, answer: str) -> None:
    """Neither ceremony lets an error of the library out, nor anybody in."""
    passkeys, sites = room.server.services.passkeys, SITE
    with pytest.raises(PasskeyRefusedError):
        passkeys.enter(passkeys.ask(sites)["handle"], answer, sites)
    admin = account(room, "admin")
    handle = passkeys.ask_new(admin, room.password, sites)["handle"] if answer == "" else "0"
    with pytest.raises(PasskeyRefusedError):
        passkeys.take_new(admin, handle, answer, "x", sites)
