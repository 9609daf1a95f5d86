"""The staff beside the server under test: one account a role, each with a browser of its own."""

from __future__ import annotations

import re
from dataclasses import dataclass
from functools import cache
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from server_stub.domain.duties import Duty, Place
from server_stub.domain.passwords import hash_password
from server_stub.domain.people import Account
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS

PASSWORD = "correct horse battery"
PLACES = (
    Place("district/north", "北区"), Place("district/south", "南区"),
    Place("institution/school", "市职业培训学校", "district/north"),
    Place(f"class/{CLASS}", "消防安全", "institution/school"), Place("employer/works", "机械厂", "district/north"),
    Place("provider/press", "教育出版社"),
)  # fmt: skip
DUTIES = {  # who is in scope of the class, and "far", who holds a large duty elsewhere
    "supervisor": ("supervisor", "district/north"), "principal": ("administrator", "institution/school"),
    "officer": ("officer", "institution/school"), "teacher": ("teacher", f"class/{CLASS}"),
    "employer": ("employer", "employer/works"), "provider": ("provider", "provider/press"),
    "spare": ("provider", "provider/press"), "far": ("administrator", "district/south"),
}  # fmt: skip


@dataclass
class Browser:
    """One signed-in browser: its cookie, and the proof that its forms carry."""

    http: TestClient
    csrf: str

    def get(self, path: str, **more: Any) -> Response:
        return self.http.get(path, follow_redirects=False, **more)

    def post(self, path: str, data: dict[str, Any] | None = None, **more: Any) -> Response:
        return self.http.post(path, data={"csrf": self.csrf, **(data or {})}, follow_redirects=False, **more)


def sign_in(room: Room, account: str, password: str = PASSWORD) -> Browser:
    """A browser of its own in which this account has signed in."""
    http = TestClient(room.http.app, raise_server_exceptions=False)
    answer = http.post("/sign-in", data={"account": account, "password": password}, follow_redirects=False)
    assert answer.status_code == 303, answer.text
    found = re.search(r'name="csrf" value="([0-9a-f]{64})"', http.get("/").text)
    assert found is not None
    return Browser(http, found[1])


class Browsers(dict[str, Browser]):
    """Everybody's browser; who was not asked for has not signed in."""

    def __init__(self, room: Room) -> None:
        super().__init__()
        self.room = room

    def __missing__(self, name: str) -> Browser:
        self[name] = sign_in(self.room, name, self.room.password if name == "admin" else PASSWORD)
        return self[name]


@cache
def kept_password() -> str:
    """One hash for all: making one takes its time by intent."""
    return hash_password(PASSWORD)


def hire(room: Room) -> Browsers:
    """The places and an account a duty; `admin` holds all."""
    for place in PLACES:
        room.server.registry.put_place(place)
    for name, duty in DUTIES.items():
        room.server.people.add_account(Account(name, name.title(), password=kept_password()))
        room.server.registry.add_duty(Duty(name, *duty))
    return Browsers(room)


def account(room: Room, name: str) -> Account:
    found = room.server.people.account(name)
    assert found is not None
    return found


def clear(room: Room) -> None:
    """Time passes: no rate limit stands in the way of the next question."""
    room.clock.now += 60_000
