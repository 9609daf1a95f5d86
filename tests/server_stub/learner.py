"""A learner's device made from ledger functions alone: it signs in, gets its grant and sends real signed segments."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import Any

from fastapi.testclient import TestClient
from httpx import Response

from ledger import certificate, checkpoint, events, grant, names, note, segment
from ledger.certificate import Certificate
from ledger.checkpoint import Checkpoint
from ledger.events import Answered, Body, Closed, Cosigned, Event, Heartbeat, Opened, Ordered, Played
from ledger.grant import Grant
from ledger.keys import ED25519, P256, Signer, generate
from ledger.segment import Answer
from ledger.tree import Tree, leaf_hash

SERVER = "test.trueseat.example"
CLASS = "class-1"
HASH = "ab" * 32


class Clock:
    """Ms since the epoch, moved by hand."""

    def __init__(self, now: int = 1_795_000_000_000) -> None:
        self.now = now

    def __call__(self) -> int:
        return self.now


@dataclass
class Codes:
    """A sender that remembers the last code of each account."""

    sent: dict[str, str] = field(default_factory=dict)

    def send(self, account: str, code: str) -> None:
        self.sent[account] = code


class Learner:
    """One learner on one device, talking to the server through `http`."""

    def __init__(self, http: TestClient, codes: Codes, clock: Clock, account: str = "learner") -> None:
        self.http, self.codes, self.clock, self.account = http, codes, clock, account
        self.device = generate(names.device(SERVER, secrets.token_hex(16)), P256)
        self.token = self.learner = self.registration = ""

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    @property
    def origin(self) -> str:
        return names.class_origin(SERVER, CLASS)

    def sign_in(self) -> Learner:
        started = self.http.post("/v1/sign-in/start", json={"account": self.account})
        assert started.status_code == 200, started.text
        code = {"challenge": started.json()["challenge"], "code": self.codes.sent[self.account]}
        finished = self.http.post("/v1/sign-in/finish", json=code).json()
        self.token, self.learner = finished["token"], finished["learner"]
        self.registration = self.me()["registrations"][0]["registration"]
        return self

    def me(self) -> dict[str, Any]:
        return self.http.get("/v1/me", headers=self.headers).json()

    def certify(self, device: Signer | None = None) -> Response:
        device = device or self.device
        text = f"trueseat/device/v1\n{SERVER}\n{self.origin}\n{self.learner}\n{device.vkey}\n"
        proof = note.sign(text, device).decode()
        body = {"registration": self.registration, "vkey": str(device.vkey), "proof": proof}
        return self.http.post("/v1/devices", json=body, headers=self.headers)

    def refer(self, digest: str = HASH) -> Response:
        data = note.sign(f"trueseat/reference/v1\n{self.registration}\n{digest}\n", self.device)
        return self.http.post("/v1/references", content=data, headers=self.headers)

    def ready(self) -> Learner:
        """Signed in, identified, with a certified device and a reference: can open sessions."""
        self.sign_in()
        self.http.post("/v1/identify", json={"registration": self.registration}, headers=self.headers)
        assert self.certify().status_code == 200
        assert self.refer().status_code == 200
        return self

    def previous(self) -> str:
        path = f"/v1/registrations/{self.registration}/device"
        return self.http.get(path, headers=self.headers | {"X-Device": str(self.device.vkey)}).json()["prev"]

    def certificate(self, sid: str, key: Signer, prev: str | None = None) -> bytes:
        line = certificate.parse_previous(self.previous() if prev is None else prev)
        return certificate.sign(Certificate(self.origin, key.vkey, self.registration, line), self.device)

    def request(self, cert: bytes, *, take_over: bool = False) -> Response:
        extra = {"X-Take-Over": "1"} if take_over else {}
        return self.http.post("/v1/sessions", content=cert, headers=self.headers | extra)

    def open(self, *, take_over: bool = False) -> Device:
        sid = secrets.token_hex(16)
        key = generate(names.session_origin(SERVER, sid), ED25519)
        cert = self.certificate(sid, key)
        answer = self.request(cert, take_over=take_over)
        assert answer.status_code == 200, answer.text
        return Device(self.http, self.clock, sid, key, cert, answer.content)


class Device:
    """One open session as its device keeps it: events, tree, and what the server answered."""

    def __init__(self, http: TestClient, clock: Clock, sid: str, key: Signer, cert: bytes, granted: bytes) -> None:
        self.http, self.clock, self.sid, self.key = http, clock, sid, key
        self.cert, self.granted, self.begun = cert, granted, clock.now
        self.grant: Grant = grant.parse(granted)[0]
        self.entries: list[bytes] = []
        self.tree = Tree()
        self.sent = 0
        self.position = 0
        self.answers: list[Answer] = []
        self.closed = False
        self.add(Opened(granted.decode(), cert.decode(), "client 1", "agent 1", "none", True))

    @property
    def mono(self) -> int:
        return self.clock.now - self.begun

    def add(self, body: Body) -> None:
        event = Event(len(self.entries), self.clock.now, self.mono, self.sid, secrets.token_hex(16), body)
        self.add_raw(events.encode(event))

    def add_raw(self, entry: bytes) -> None:
        self.entries.append(entry)
        self.tree.append(leaf_hash(entry))

    def play(self, ms: int) -> None:
        """Let `ms` pass while the lesson plays and the agent lives."""
        start = self.mono
        self.clock.now += ms
        self.add(Heartbeat(len(self.entries), self.mono, self.mono, HASH, HASH, "none"))
        self.add(Played("pass", self.position, self.position + ms, 1000, start, ms // 40))
        self.position += ms

    def body(self, old: int | None = None, entries: Sequence[bytes] | None = None, key: Signer | None = None) -> bytes:
        """The segment over what was not sent yet."""
        old = self.sent if old is None else old
        signed = checkpoint.sign(Checkpoint(self.key.vkey.name, len(self.tree), self.tree.root()), key or self.key)
        return segment.build(old, signed, self.entries[old:] if entries is None else entries)

    def post(self, body: bytes) -> Response:
        return self.http.post(f"/v1/sessions/{self.sid}/segments", content=body)

    def send(self) -> Answer:
        """Send the segment, note the answer as the next events, and answer an order at once: passed."""
        size = len(self.entries)
        reply = self.post(self.body())
        assert reply.status_code == 200, reply.text
        answer = segment.parse_answer(reply.content)
        self.sent = size
        self.answers.append(answer)
        if self.closed:
            return answer
        self.add(Cosigned(size, answer.cosignature, answer.seen))
        if answer.ordered is not None:
            self.answer(answer.ordered)
        return answer

    def answer(self, order: segment.Order, result: str = "passed", kind: str = "match") -> None:
        self.add(Ordered(order.i, order.a, order.nonce, order.deadline_ms))
        self.clock.now += 3_000
        scores = {"match": 700, "match_min": 363}
        reason = "ok" if result == "passed" else "dark"
        self.add(Answered(order.i, order.a, kind, result, reason, scores, {"sface": HASH}, None))

    def close(self) -> Answer:
        self.add(Closed("ended"))
        self.closed = True
        return self.send()
