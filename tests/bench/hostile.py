"""What must hold for any bytes at all: our own error or one reading, and nothing that was not signed is accepted."""

from __future__ import annotations

import random
from collections.abc import Callable

from ledger import bodies, certificate, checkpoint, events, grant, leaves, note, proof, tree
from ledger.errors import LedgerError
from tests.ledger.builder import Classroom
from tests.ledger.parsers import FORMS, examples

PARTS = (
    b"\n", b"\r\n", b"\x00", b" ", b"=", b"+", "—".encode(), b'"', b"{", b"[", b"0", b"-1", b"9" * 30, b"1e9", b"\xff",
    b"\xe2\x80\xa8", b"\\u0041", b"\xed\xa0\x80", b"true", b"null", b"{}", b"\xef\xbb\xbf",
)  # fmt: skip


class Accepted(AssertionError):
    """Bytes that nobody signed were accepted, or one thing has two spellings."""


class Hostile:
    """One class whose every signed byte is known; `check` raises `Accepted`, or what foreign error left a parser."""

    def __init__(self) -> None:
        self.seeds = examples()
        self.room = Classroom(witnesses=1)
        device = self.room.device(self.room.learner())
        session = self.room.session(device).study(20_000).close()
        self.room.anchor()
        room, self.device, self.session = self.room, device, session
        receipt = proof.Receipt(7, tuple(room.log.tree.inclusion_proof(7, len(room.entries))), room.checkpoint())
        self.seeds |= {
            "event": session.log, "leaf": room.entries, "checkpoint": [room.checkpoint()],
            "certificate": [session.certificate], "grant": [grant.sign(session.grant, room.grant_key)],
            "receipt": [bytes(receipt)], "note": [session.checkpoint],
            "body": [b for b in room.bodies.values() if b.startswith(b"trueseat/") and b[9:12] != b"key"],
        }  # fmt: skip
        self._leaf_hashes = {tree.leaf_hash(data) for data in (*session.log, *room.entries)}
        self._accepts: dict[str, Callable[[bytes], object]] = {
            "checkpoint": room.trust().verify,
            "certificate": lambda data: note.verify(certificate.parse(data)[1], [device.signer.vkey]),
            "grant": lambda data: note.verify(grant.parse(data)[1], [room.grant_key.vkey]),
            "body": lambda data: note.verify(bodies.parse(data)[1], [room.supervisor.vkey, device.signer.vkey]),
            "note": lambda data: note.verify(note.parse(data), [session.key.vkey, room.cosigner.vkey]),
            "event": lambda data: self._in_log(events.decode(data), data),
            "leaf": lambda data: self._in_log(leaves.decode(data), data),
            "receipt": self._receipt,
        }

    def _in_log(self, _: object, data: bytes) -> None:
        if tree.leaf_hash(data) not in self._leaf_hashes:
            raise LedgerError("in no log")

    def _receipt(self, data: bytes) -> None:
        found = proof.parse(data)
        seen = self.room.trust().verify_parsed(*checkpoint.parse(found.checkpoint))
        leaf = tree.leaf_hash(self.room.entries[7])
        if found.extra is not None:
            raise LedgerError("extra lines are not ours")
        tree.verify_inclusion(leaf, found.index, seen.checkpoint.size, found.path, seen.checkpoint.root)

    def check(self, name: str, data: bytes) -> bool:
        """Whether the bytes were of the form at all."""
        form = FORMS[name]
        try:
            parsed = form.parse(data)
        except form.refuses:
            return False
        if form.write is not None and form.write(parsed) != data:
            raise Accepted(f"{name}: {data!r} is read, and written otherwise")
        accept = self._accepts.get(name)
        if accept is not None and data not in self.seeds[name]:
            try:
                accept(data)
            except LedgerError:
                return True
            raise Accepted(f"{name}: {data!r} was never signed")
        return True


def bend(data: bytes, rnd: random.Random) -> bytes:
    """The same with one to three pieces cut, doubled, replaced or put in, or one bit flipped."""
    for _ in range(rnd.randint(1, 3)):
        at = rnd.randint(0, len(data))
        end = min(len(data), at + rnd.choice((0, 0, 1, 1, 2, 8, 40)))
        match rnd.randrange(5):
            case 0 if at < len(data):
                data = data[:at] + bytes([data[at] ^ 1 << rnd.randrange(8)]) + data[at + 1 :]
            case 1:
                data = data[:at] + data[at:end] * 2 + data[end:]
            case 2:
                data = data[:at] + rnd.randbytes(rnd.randint(0, 4)) + data[end:]
            case 3:
                other = rnd.randint(0, len(data))
                data = data[:at] + data[other : other + 8] + data[end:]
            case _:
                data = data[:at] + rnd.choice(PARTS) + data[end:]
    return data
