"""Signing in: codes that cannot be guessed, answers that tell nobody who has an account, tokens kept by hash."""

from __future__ import annotations

import pytest
from fastapi.testclient import TestClient
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain.limits import line_of
from tests.server_stub.conftest import Room, kept


def start(room: Room, account: str) -> str:
    answer = room.http.post("/v1/sign-in/start", json={"account": account})
    assert answer.status_code == 200, answer.text
    return answer.json()["challenge"]


def finish(room: Room, challenge: str, code: str) -> int:
    return room.http.post("/v1/sign-in/finish", json={"challenge": challenge, "code": code}).status_code


def wrong(code: str) -> str:
    return f"{(int(code) + 1) % 10**6:06d}"


def test_the_right_code_gives_a_token_once(room: Room) -> None:
    """And the token tells who it is, until it is given back."""
    learner = room.learner().sign_in()
    me = learner.me()
    assert (me["learner"], me["name"], me["real_name"]) == (learner.learner, "Learner", "open")
    challenge, code = start_later(room), room.codes.sent["learner"]
    assert finish(room, challenge, code) == 200
    assert finish(room, challenge, code) == 403
    assert room.http.post("/v1/sign-out", headers=learner.headers).status_code == 200
    assert room.http.get("/v1/me", headers=learner.headers).status_code == 401


def start_later(room: Room, account: str = "learner") -> str:
    room.clock.now += 30_000
    return start(room, account)


def test_a_code_dies_after_five_tries(room: Room) -> None:
    """Even the right one is refused then."""
    challenge, code = start(room, "learner"), ""
    code = room.codes.sent["learner"]
    for _ in range(5):
        assert finish(room, challenge, wrong(code)) == 403
    assert finish(room, challenge, code) == 403


def test_a_code_dies_after_five_minutes(room: Room) -> None:
    challenge = start(room, "learner")
    room.clock.now += 5 * 60 * 1000
    assert finish(room, challenge, room.codes.sent["learner"]) == 403


def test_an_unknown_account_gets_the_same_answer_and_no_code(room: Room) -> None:
    """Nobody learns from the answers who is enrolled; the same limits hold for both."""
    known = room.http.post("/v1/sign-in/start", json={"account": "learner"})
    unknown = room.http.post("/v1/sign-in/start", json={"account": "nobody"})
    assert known.status_code == unknown.status_code == 200
    assert set(known.json()) == set(unknown.json())
    assert list(room.codes.sent) == ["learner"]
    assert finish(room, unknown.json()["challenge"], "123456") == 403
    for account in ("learner", "nobody"):
        again = room.http.post("/v1/sign-in/start", json={"account": account})
        assert again.status_code == 429
        assert again.json()["code"] == "TS-S-003"


def test_ten_codes_a_day(room: Room) -> None:
    """The eleventh waits for tomorrow; asking too early does not count."""
    for _ in range(10):
        start_later(room)
        assert room.http.post("/v1/sign-in/start", json={"account": "learner"}).status_code == 429
    room.clock.now += 30_000
    assert room.http.post("/v1/sign-in/start", json={"account": "learner"}).status_code == 429
    room.clock.now += 24 * 3600 * 1000
    start(room, "learner")


def test_the_account_is_spelled_one_way(room: Room) -> None:
    """Full-width letters, capitals and outer spaces are the same account: no limit is dodged by spelling."""
    start(room, "learner")
    for account in ("Learner", " learner ", "ｌｅａｒｎｅｒ"):
        assert room.http.post("/v1/sign-in/start", json={"account": account}).status_code == 429


def test_a_token_ends(room: Room) -> None:
    learner = room.learner().sign_in()
    room.clock.now += 30 * 24 * 3600 * 1000
    assert room.http.get("/v1/me", headers=learner.headers).status_code == 401


@pytest.mark.parametrize("header", ["", "Bearer", "Bearer ", "Basic abc", "Bearer " + "x" * 300, "Bearer unknown"])
def test_without_a_token_nothing_is_told(room: Room, header: str) -> None:
    for path in ("/v1/me", "/v1/bodies/" + "a" * 64, "/v1/classes", f"/v1/classes/{'class-1'}/archive"):
        refused = room.http.get(path, headers={"Authorization": header})
        assert refused.status_code == 401
        assert refused.json()["code"] == "TS-S-010"


def test_a_learner_is_not_of_the_staff_and_the_staff_are_no_learners(room: Room) -> None:
    """A token opens its own doors only."""
    learner = room.learner().sign_in()
    assert room.http.get("/v1/classes", headers=learner.headers).status_code == 401
    body = {"account": "admin", "password": room.password}
    token = room.http.post("/v1/staff/sign-in", json=body).json()["token"]
    staff = {"Authorization": f"Bearer {token}"}
    assert room.http.get("/v1/me", headers=staff).status_code == 401
    listed = room.http.get("/v1/classes", headers=staff).json()["classes"]
    assert listed == [{"class": "class-1", "title": "Fire", "learners": 2, "sessions": 0, "credited_ms": 0}]


def test_a_wrong_password_and_an_unknown_account_are_one_answer(room: Room) -> None:
    answers = [
        room.http.post("/v1/staff/sign-in", json={"account": account, "password": "wrong"})
        for account in ("admin", "nobody", "learner")
    ]
    assert {answer.status_code for answer in answers} == {403}
    assert len({answer.text for answer in answers}) == 1


def test_passwords_cannot_be_tried_without_end(room: Room) -> None:
    """429 after twenty from one address, with the seconds to wait."""
    bodies = [{"account": f"nobody{n}", "password": "wrong"} for n in range(21)]
    tried = [room.http.post("/v1/staff/sign-in", json=body) for body in bodies]
    assert [answer.status_code for answer in tried] == [403] * 20 + [429]
    assert tried[-1].headers["Retry-After"] == "5"


@pytest.mark.slow
def test_attack_passwords_tried_from_the_many_addresses_of_one_line(room: Room) -> None:
    """Whoever has an IPv6 line has 2**64 addresses: they share one bucket; another line, and IPv4, have their own."""
    codes = []
    for number in range(21):
        guest = TestClient(room.http.app, client=(f"2001:db8:0:1::{number:x}", 4711))
        codes.append(guest.post("/v1/staff/sign-in", json={"account": f"n{number}", "password": "x"}).status_code)
    assert codes == [403] * 20 + [429]
    for other in ("2001:db8:0:2::1", "192.0.2.1", "::ffff:192.0.2.2"):
        guest = TestClient(room.http.app, client=(other, 4711))
        assert guest.post("/v1/staff/sign-in", json={"account": "n", "password": "x"}).status_code == 403


@given(st.text(max_size=40) | st.ip_addresses().map(str))
def test_any_address_belongs_to_one_line(address: str) -> None:
    """Whatever is counted has a bucket, and the bucket's name is its own."""
    assert line_of(line_of(address)) == line_of(address)


@pytest.mark.slow
def test_attack_one_accounts_password_guessed_from_many_addresses(room: Room) -> None:
    """Ten at once for one account, wherever they come from, by the page and by the API together: then 429."""
    for number in range(10):
        guest = TestClient(room.http.app, client=(f"198.51.100.{number}", 4711))
        path = {"json" if number % 2 else "data": {"account": " Admin", "password": f"guess {number}"}}
        assert guest.post("/v1/staff/sign-in" if number % 2 else "/sign-in", **path).status_code == 403
    last = TestClient(room.http.app, client=("198.51.100.99", 4711))
    for address, kind in (("/v1/staff/sign-in", "json"), ("/sign-in", "data")):
        refused = last.post(address, **{kind: {"account": "admin", "password": room.password}})
        assert refused.status_code == 429
    room.clock.now += 30_000
    assert last.post("/v1/staff/sign-in", json={"account": "admin", "password": room.password}).status_code == 200


def test_no_secret_stands_in_the_database(room: Room) -> None:
    """Tokens and codes are kept as hashes, the password as argon2id."""
    learner = room.learner().sign_in()
    challenge = start_later(room)
    code = room.codes.sent["learner"]
    dump = kept(room)
    assert challenge.encode() in dump
    for secret in (learner.token, f"\n{code}\n", room.password):
        assert secret.encode() not in dump
