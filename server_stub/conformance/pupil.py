"""A device that studies for the test: real keys, real events, real segments, marked as scripted in its first event."""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from hashlib import sha256
from typing import Final

from ledger import certificate, checkpoint, events, grant, names, note, segment
from ledger.certificate import Certificate
from ledger.checkpoint import Checkpoint
from ledger.events import Answered, Body, Closed, Cosigned, Event, Opened, Ordered
from ledger.grant import Grant
from ledger.keys import ED25519, P256, Signer, generate
from ledger.segment import Answer, Order
from ledger.tree import Tree, leaf_hash

NAME: Final = "conformance"
NOTHING: Final = sha256(b"conformance").hexdigest()  # of models and templates that there are none of


@dataclass
class Pupil:
    """One learner's device in one class, as `/v1/me` names them."""

    server: str
    class_id: str
    learner: str
    registration: str
    device: Signer = field(init=False)

    def __post_init__(self) -> None:
        self.device = generate(names.device(self.server, secrets.token_hex(16)), P256)

    @property
    def origin(self) -> str:
        """The class log's."""
        return names.class_origin(self.server, self.class_id)

    def proof(self, by: Signer | None = None) -> str:
        """What registers this device's key; `by` another key it proves nothing."""
        text = f"trueseat/device/v1\n{self.server}\n{self.origin}\n{self.learner}\n{self.device.vkey}\n"
        return note.sign(text, by or self.device).decode()

    def reference(self) -> bytes:
        """A template's hash, of none that exists."""
        return note.sign(f"trueseat/reference/v1\n{self.registration}\n{NOTHING}\n", self.device)

    def session(self, prev: str) -> Session:
        """A session that is not asked for yet; `prev` as the server says what it has."""
        sid = secrets.token_hex(16)
        key = generate(names.session_origin(self.server, sid), ED25519)
        return Session(sid, key, self.certificate(key, prev))

    def certificate(self, key: Signer, prev: str, by: Signer | None = None) -> bytes:
        """The note that asks for a session."""
        previous = certificate.parse_previous(prev)
        return certificate.sign(Certificate(self.origin, key.vkey, self.registration, previous), by or self.device)


def wall_ms() -> int:
    """This machine's time."""
    return time.time_ns() // 1_000_000


@dataclass
class Session:
    """One session as its device keeps it: events, tree, and how much of it was sent."""

    sid: str
    key: Signer
    cert: bytes
    clock: Callable[[], int] = wall_ms
    entries: list[bytes] = field(default_factory=list)
    tree: Tree = field(default_factory=Tree)
    sent: int = 0
    granted: bytes = b""
    orders: list[Order] = field(default_factory=list)

    @property
    def grant(self) -> Grant:
        """What was granted."""
        return grant.parse(self.granted)[0]

    def begin(self, granted: bytes) -> None:
        """Event 0."""
        self.granted, self.begun = granted, self.clock()
        self.add(Opened(granted.decode(), self.cert.decode(), NAME, "none", "none", True))

    def add(self, body: Body) -> None:
        """One more event, as of now."""
        wall = self.clock()
        event = Event(len(self.entries), wall, wall - self.begun, self.sid, secrets.token_hex(16), body)
        self.add_raw(events.encode(event))

    def add_raw(self, entry: bytes) -> None:
        """One more entry, whatever it is."""
        self.entries.append(entry)
        self.tree.append(leaf_hash(entry))

    @property
    def checkpoint(self) -> Checkpoint:
        """Over all events so far."""
        return Checkpoint(self.key.vkey.name, len(self.tree), self.tree.root())

    def body(
        self, old: int | None = None, over: Checkpoint | None = None, by: Signer | None = None,
        entries: Sequence[bytes] | None = None,
    ) -> bytes:  # fmt: skip
        """The segment over what was not sent yet; or a wrong one."""
        old = self.sent if old is None else old
        signed = checkpoint.sign(over or self.checkpoint, by or self.key)
        return segment.build(old, signed, self.entries[old:] if entries is None else entries)

    def answered(self, answer: Answer) -> None:
        """Take a 200: what was sent is sent, its cosignature is the next event, an order is answered at once."""
        size, self.sent = len(self.entries), len(self.entries)
        self.add(Cosigned(size, answer.cosignature, answer.seen))
        if answer.ordered is not None:
            self._follow(answer.ordered)

    def _follow(self, order: Order) -> None:
        self.orders.append(order)
        self.add(Ordered(order.i, order.a, order.nonce, order.deadline_ms))
        self.add(Answered(order.i, order.a, "match", "passed", "ok", {"match": 700}, {NAME: NOTHING}, None))

    def close(self) -> None:
        """The last event."""
        self.add(Closed("ended"))
