"""Every form that the ledger reads from outside: its parser, its writer, and valid examples from one real class."""

from __future__ import annotations

import io
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import (
    bodies,
    certificate,
    checkpoint,
    course,
    events,
    evidence,
    grant,
    keys,
    leaves,
    note,
    people,
    points,
    policy,
    proof,
    segment,
    submission,
    tiles,
    trust,
    zipform,
)
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError, FormatError, LedgerError
from tests.ledger.builder import Classroom, passes
from tests.ledger.memory import Memory

SID = "00112233445566778899aabbccddeeff"
ORIGIN = f"demo.trueseat.example/s/{SID}"
JPEG = b"\xff\xd8\xff\xe0 a very small picture \xff\xd9"
_KEY = bytes(range(32))


@dataclass(frozen=True)
class Form:
    """One form. `write` is None where one meaning has several spellings; `refuses` is all that may leave `parse`."""

    parse: Callable[[bytes], Any]
    write: Callable[[Any], bytes] | None = None
    refuses: type[LedgerError] = FormatError


def _segment(parsed: segment.Segment) -> bytes:
    return segment.build(parsed.old, bytes(parsed.note), parsed.entries)


def _note_of(pair: tuple[Any, note.Note]) -> bytes:
    return bytes(pair[1])


def _tile(data: bytes) -> list[bytes]:
    return tiles.split_hashes(data, 3)


def _photo(plain: bytes) -> tuple[evidence.Header, bytes]:
    """A photo as its recipient reads it, once opened: what lies inside the seal is hostile, too."""
    plain += bytes(-len(plain) % evidence.PAD)
    eid = SID[::-1]
    sealed = AESGCM(_KEY).encrypt(bytes(12), plain, evidence.associated(ORIGIN, eid))
    return evidence.decrypt(_KEY, sealed, ORIGIN, eid)


def _zip(data: bytes) -> dict[str, bytes]:
    """All members of a .zip in memory."""
    packed = zipform.Zip.__new__(zipform.Zip)
    packed._path = Path("memory.zip")  # what an error of reading would name
    packed._file = io.BytesIO(data)  # type: ignore[assignment]
    packed._members = {member.name: member for member in zipform._scan(packed._file, len(data))}
    packed._names = list(packed._members)
    return {name: packed.read(name) for name in packed.names()}


def _zipped(files: dict[str, bytes]) -> bytes:
    out = io.BytesIO()
    zipform.write_zip(Memory(files), out)
    return out.getvalue()


FORMS: dict[str, Form] = {
    "event": Form(events.decode, events.encode),
    "leaf": Form(leaves.decode, bytes),
    "note": Form(note.parse, bytes),
    "certificate": Form(certificate.parse, _note_of),
    "grant": Form(grant.parse, _note_of),
    "body": Form(bodies.parse, _note_of),
    "checkpoint": Form(checkpoint.parse, _note_of),
    "receipt": Form(proof.parse, bytes),
    "tile": Form(_tile, b"".join),
    "bundle": Form(tiles.decode_bundle, tiles.encode_bundle),
    "trust file": Form(trust.parse),
    "policy": Form(policy.parse),
    "course": Form(course.parse),
    "points": Form(points.parse),
    "vkey": Form(
        lambda data: keys.parse_vkey(data.decode("utf-8", "surrogateescape")),
        lambda key: str(key).encode(),
    ),
    "segment": Form(segment.parse, _segment),
    "answer": Form(segment.parse_answer, bytes),
    "submission": Form(submission.parse, bytes),
    "people": Form(people.decode),
    "photo": Form(_photo),
    "sealed keys": Form(evidence.parse_keys, evidence._encode_keys),
    "zip": Form(_zip, _zipped, ArchiveError),
}


def _as(name: str) -> keys.Signer:
    return keys.generate(name, keys.ED25519)


def examples() -> dict[str, list[bytes]]:
    """Valid bytes of every form."""
    room = Classroom(witnesses=2)
    device = room.device(room.learner())
    session = room.session(device, passes).study(20_000)
    session.log_checkpoint()
    session.close().settle(20_000)
    room.anchor()
    signed = room.checkpoint()
    size = len(room.entries)
    path = tuple(room.log.tree.inclusion_proof(7, size))
    room.say(bodies.Exam(room.now, room.origin, device.learner, 860, 600), room.grant_key)
    command = bodies.Command(1, room.origin, session.sid, "pause", "先休息")
    order = segment.Order("close", 0, "0" * 32, 60_000).to_json()
    answer = segment.Answer("line", order, (bodies.sign(command, room.grant_key).decode(),), "192.0.2.1")
    header = evidence.Header(SID, SID[::-1], 3, 1, "0f" * 16, 65_000, len(JPEG))
    sealed = evidence.seal(evidence.Taken(3, 1, "0f" * 16, 65_000, JPEG), ORIGIN, [str(room.evidence)])
    consistency = tuple(room.log.tree.consistency_proof(5, size))
    return {
        "event": session.log,
        "leaf": room.entries,
        "checkpoint": [signed, session.checkpoint],
        "certificate": [session.certificate],
        "grant": [grant.sign(session.grant, room.grant_key)],
        "body": [b for b in room.bodies.values() if b.startswith(b"trueseat/") and not b.startswith(b"trueseat/key")],
        "receipt": [bytes(proof.Receipt(7, path, signed)), bytes(proof.Receipt(7, path, signed, b"extra"))],
        "trust file": [str(room.trust()).encode()],
        "vkey": [str(k).encode() for k in (room.log_key.vkey, device.signer.vkey, room.cosigner.vkey, room.evidence)],
        "segment": [segment.build(3, checkpoint.sign(Checkpoint("a", 5, bytes(32)), _as("a")), [b"x", b"yy"])],
        "answer": [bytes(answer), bytes(segment.Answer("line", None, (), ""))],
        "submission": [submission.build(5, consistency, signed), submission.build(0, (), signed)],
        "bundle": [tiles.encode_bundle(session.log[:3])],
        "tile": [bytes(range(96))],
        "people": [people.encode("0" * 32, {"1" * 32: "王,小\"明", "2" * 32: "two\nlines"})],
        "note": [signed],
        "policy": [policy.preset("standard"), room.documents["policy"]],
        "course": [room.documents["course"]],
        "points": [room.documents["points"]],
        "photo": [evidence.canonical.encode(header.to_json()) + b"\n" + JPEG],
        "sealed keys": [sealed.keys_file],
        "zip": [_zipped({"a": b"1", "b/c.txt": b"hello"})],
    }  # fmt: skip
