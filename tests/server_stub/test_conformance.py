"""R4.1: what a third party runs: our own server keeps every clause, and each fault of a broken one is named."""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path

import pytest
from anyio.from_thread import start_blocking_portal
from fastapi.testclient import TestClient

from ledger import grant, note
from ledger.keys import ED25519, generate
from server_stub import setup
from server_stub.__main__ import main
from server_stub.asking import Reply
from server_stub.conformance.command import CLAUSES, examined, told
from tests.server_stub.browser import served
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS

Fault = Callable[["Between", str, str, Reply], Reply]


class Between:
    """The port of the test, over an app in this process; a fault may change what comes back."""

    def __init__(self, http: TestClient, fault: Fault | None = None) -> None:
        self.http, self.fault, self.seen = http, fault, dict[str, int]()

    def ask(self, method: str, path: str, body: bytes = b"", headers: Mapping[str, str] | None = None) -> Reply:
        self.http.cookies.clear()
        answer = self.http.request(method, path, content=body, headers=dict(headers or {}))
        reply = Reply(answer.status_code, answer.content, dict(answer.headers))
        return self.fault(self, method, path, reply) if self.fault else reply


def results(room: Room, fault: Fault | None = None, account: str = "learner", until: str = "") -> dict[str, str]:
    """Clause → result, of a fresh learner; the clauses after `until` are not tried."""
    learner = room.learner(account).sign_in()
    room.http.post("/v1/identify", json={"registration": learner.registration}, headers=learner.headers)
    names = [clause.name for clause in CLAUSES]
    wanted = CLAUSES[: names.index(until) + 1] if until else CLAUSES
    found = examined(Between(room.http, fault), learner.token, wanted)
    return {one.clause.name: f"{one.result}: {one.said}" if one.said else one.result for one in found}


def changed(reply: Reply, **fields: object) -> Reply:
    """The same object with other fields; None takes one out."""
    merged = {**reply.json(), **fields}
    kept = {key: value for key, value in merged.items() if value is not None}
    return replace(reply, body=json.dumps(kept, sort_keys=True, separators=(",", ":"), ensure_ascii=False).encode())


@pytest.mark.slow
def test_our_own_server_keeps_every_clause(room: Room) -> None:
    """All pass; none is left out."""
    found = results(room)
    assert {name: result for name, result in found.items() if result != "pass"} == {}
    assert len(found) == len(CLAUSES) == len({clause.name for clause in CLAUSES})


def on(what: str, change: Callable[[Reply], Reply], status: int = 200, *, from_: int = 1) -> Fault:
    """A change of every answer of this status to this request, from its n-th on."""

    def fault(between: Between, method: str, path: str, reply: Reply) -> Reply:
        method_, start, end = (*what.split(" "), "")[:3]
        hit = method == method_ and path.startswith(start) and path.endswith(end)
        if not hit or reply.status != status:
            return reply
        between.seen[what] = between.seen.get(what, 0) + 1
        return change(reply) if between.seen[what] >= from_ else reply

    return fault


def status(code: int) -> Callable[[Reply], Reply]:
    return lambda reply: replace(reply, status=code)


def forged_grant(reply: Reply) -> Reply:
    """By a key of the right name that nobody vouched for."""
    given, signed = grant.parse(reply.body)
    return replace(reply, body=note.sign(str(given), generate(signed.signatures[0].name, ED25519)))


def no_remedy(reply: Reply) -> Reply:
    return changed(reply, remedy=None)


def flipped(reply: Reply) -> Reply:
    """One bit of the last byte."""
    return replace(reply, body=reply.body[:-1] + bytes([reply.body[-1] ^ 1]))


def flipped_certificate(reply: Reply) -> Reply:
    """One bit of the first certificate in an archive."""
    at = reply.body.index(b"trueseat/session/v1\n")
    return replace(reply, body=reply.body[:at] + bytes([reply.body[at] ^ 1]) + reply.body[at + 1 :])


def other_nonce(reply: Reply) -> Reply:
    order = reply.json()["order"]
    return changed(reply, order={**order, "nonce": "ab" * 16}) if order else reply


SEGMENTS = "POST /v1/sessions/ /segments"
FAULTS: dict[str, tuple[Fault, str]] = {
    "health says more": (on("GET /v1/health", lambda reply: changed(reply, build="x")), "A1"),
    "no description": (on("GET /openapi.json", status(404)), "A2"),
    "errors without remedy": (on("GET /v1/me", no_remedy, 401), "A3"),
    "unknown fields taken": (on("POST /v1/letters", lambda _: Reply(200, b"{}"), 400), "A4"),
    "accounts told apart": (on("POST /v1/sign-in/start", lambda reply: changed(reply, known=False)), "A5"),
    "any code opens": (on("POST /v1/sign-in/finish", lambda _: Reply(200, b"{}"), 403), "A6"),
    "any token opens": (on("GET /v1/me", lambda _: Reply(200, b"{}"), 401, from_=2), "A7"),
    "no hours told": (on("GET /v1/me", lambda reply: changed(reply, registrations=[
        {key: value for key, value in reply.json()["registrations"][0].items() if key != "credited_ms"}])), "B1"),
    "trust in nobody": (on("GET /v1/me", lambda reply: changed(reply, registrations=[
        {**reply.json()["registrations"][0], "trust": "quorum none\n"}])), "B2"),
    "other bytes": (on("GET /v1/bodies/", flipped), "B3"),
    "no ranges": (on("GET /v1/courses/", status(200), 206), "B4"),
    "another owner": (on("POST /v1/devices", lambda reply: changed(reply, owner="ab" * 32)), "B5"),
    "a device twice": (on("POST /v1/devices", lambda reply: changed(reply, leaf=9_999), from_=2), "B5"),
    "any proof": (on("POST /v1/devices", lambda _: Reply(200, b"{}"), 400), "B6"),
    "a letter kept twice": (on("GET /v1/letters", lambda reply: changed(
        reply, letters=reply.json()["letters"] * 2)), "B8"),
    "a forged log": (on("GET /log/ /checkpoint", flipped), "C1"),
    "a changed entry": (on("GET /log/class-1/tile/entries", flipped), "C1"),
    "a forged grant": (on("POST /v1/sessions /sessions", forged_grant), "C3"),
    "another grant": (on("POST /v1/sessions /sessions", forged_grant, from_=2), "C5"),
    "prev not told": (on("POST /v1/sessions /sessions", lambda reply: changed(reply, prev=None), 409, from_=2), "C7"),
    "any certificate": (on("POST /v1/sessions /sessions", status(200), 403), "C8"),
    "a forged cosignature": (on(SEGMENTS, lambda reply: changed(
        reply, cosignature=reply.json()["cosignature"][:-8] + "AAAAAAA=")), "D1"),
    "a second answer": (on(SEGMENTS, lambda reply: changed(reply, seen="10.0.0.1"), from_=2), "D2"),
    "size not told": (on(SEGMENTS, lambda reply: changed(reply, size=None), 409), "D4"),
    "any root": (on(SEGMENTS, status(200), 422), "D5"),
    "any signature": (on(SEGMENTS, status(401), 403), "D6"),
    "any session": (on(SEGMENTS, status(403), 404), "D7"),
    "any length": (on(SEGMENTS, status(400), 413), "D8"),
    "a fault of its own": (on(SEGMENTS, status(500), 400), "D9"),
    "seed told early": (on("GET /v1/sessions/ /reveal", lambda _: Reply(200, b"{}"), 404), "D11"),
    "another seed": (on("GET /v1/sessions/ /reveal", lambda reply: changed(reply, seed="ab" * 32)), "D13"),
    "a nonce of its own": (on(SEGMENTS, other_nonce), "D14"),
    "open for ever": (on(SEGMENTS, status(200), 410), "D15"),
    "no receipt": (on("GET /v1/sessions/ /receipt", status(404)), "F3"),
    "time given away": (on("GET /v1/sessions/ /credit", lambda reply: changed(reply, credited_ms=60_000)), "F4"),
    "a copy with a flipped bit": (on("GET /v1/classes/ /copy", flipped_certificate), "F5"),
    "a token for ever": (on("GET /v1/me", lambda _: Reply(200, b"{}"), 401, from_=3), "E1"),
}  # fmt: skip


@pytest.mark.slow
def test_each_fault_of_a_broken_server_is_named(room: Room) -> None:
    """One fault at a time, and the clause that it breaks is among those that fail, with what came instead; with none,
    the last learner's run is clean again."""
    unnamed = {}
    with start_blocking_portal() as portal:
        room.http.portal = portal  # one loop for all requests
        for at, (fault, (change, clause)) in enumerate(FAULTS.items()):
            setup.add_learner(room.server.people, CLASS, f"learner {at}", "Learner")
            room.clock.now += 60_000
            found = results(room, change, f"learner {at}", clause)
            if not found[clause].startswith("fail: "):
                unnamed[fault] = found[clause], [name for name, result in found.items() if result.startswith("fail")]
        clean = results(room, None, "other")
    assert unnamed == {}
    assert set(clean.values()) == {"pass"}


def test_a_server_that_answers_nonsense_ends_nothing(room: Room) -> None:
    """Whatever comes back, every clause has a result, and none of those that need an answer passes."""
    for body in (b"", b"[" * 5_000, b"null", b"\xff\xfe", b'{"server": 1}'):
        between = Between(room.http, lambda *_, said=body: Reply(200, said))
        found = examined(between, "none")
        assert len(found) == len(CLAUSES)
        assert [one.clause.name for one in found if one.result == "pass"] == []


@pytest.mark.slow
def test_the_command_prints_clauses_and_one_line_of_json(
    room: Room, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Over a real socket, with a token file that others cannot read; exit 1 once a clause fails."""
    learner = room.learner().sign_in()
    room.http.post("/v1/identify", json={"registration": learner.registration}, headers=learner.headers)
    path = tmp_path / "token"
    path.write_text(learner.token)
    os.chmod(path, 0o644)
    with served(room.http.app) as url:
        assert main(["conformance", url, "--token-file", str(path)]) == 2
        assert "chmod 600" in capsys.readouterr().err
        os.chmod(path, 0o600)
        assert main(["conformance", url, "--token-file", str(path)]) == 0
        out = capsys.readouterr().out
        with pytest.raises(SystemExit) as ended:  # the token has ended with the last clause
            main(["conformance", url, "--token-file", str(path)])
    assert ended.value.code == 1
    end = json.loads(out.splitlines()[-1])
    assert (end["passed"], end["failed"], end["right"]) == (len(CLAUSES), [], True)
    assert "404 for an unknown sid" in out
    assert learner.token not in out
    assert json.loads(told("x", []).splitlines()[-1])["clauses"] == 0
