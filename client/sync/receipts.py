"""Believes no answer before it is verified: cosignatures, commands, receipts (records.md, "Segments", "Class log")."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.errors import ForgedAnswerError, StaleAnswerError
from client.events import Order, SegmentAnswered
from ledger import bodies, checkpoint, note, proof, segment
from ledger.bodies import Command, Spot
from ledger.checkpoint import Checkpoint
from ledger.errors import LedgerError
from ledger.keys import Vkey
from ledger.trust import Seen, Trust


@dataclass(frozen=True, slots=True)
class Keys:
    """Who may sign what for one session: from the class log, never from an answer."""

    class_origin: str
    cosigners: tuple[Vkey, ...]
    grants: tuple[Vkey, ...]
    supervisors: tuple[Vkey, ...] = ()


def read_answer(data: bytes, signed: bytes, keys: Keys, last_time: int) -> SegmentAnswered:
    """Return the answer to the segment under our checkpoint note `signed`, verified, or raise.

    `ForgedAnswerError`: not of the form, or not by the server's cosigner over *our* checkpoint. `StaleAnswerError`: its
    time (POSIX seconds) lies before `last_time`.
    """
    try:
        answer = segment.parse_answer(data)
        ours, _ = checkpoint.parse(signed)
        time = cosigned_at(ours, answer.cosignature, keys.cosigners)
    except LedgerError as error:
        raise ForgedAnswerError(f"the answer to a segment: {error}") from error
    if time < last_time:
        raise StaleAnswerError(f"a cosignature of {time}, after one of {last_time}")
    order = answer.ordered
    return SegmentAnswered(
        size=ours.size,
        line=answer.cosignature,
        time_ms=time * 1000,
        order=None if order is None else Order(order.i, order.a, order.nonce, order.deadline_ms),
        commands=tuple(text for text in answer.commands if is_command(text, ours.origin, keys)),
        seen=answer.seen,
    )


def cosigned_at(ours: Checkpoint, line: str, cosigners: Sequence[Vkey]) -> int:
    """POSIX seconds at which one of `cosigners` saw `ours`; a `LedgerError` if the line is not theirs over it."""
    parsed = note.parse_line(line)
    for key in cosigners:
        if parsed.is_by(key):
            return checkpoint.verify_cosignature(ours, line, key)
    raise ForgedAnswerError(f"a cosignature by {parsed.name}, whom the class log does not name")


def is_command(text: str, session_origin: str, keys: Keys) -> bool:
    """Whether a note is a command to this session by the grant key, or a spot check by a supervisor of the class."""
    try:
        body, signed = bodies.parse(text.encode())
        match body:
            case Command():
                note.verify(signed, keys.grants)
            case Spot():
                note.verify(signed, keys.supervisors)
            case _:
                return False
    except LedgerError:
        return False
    return body.class_ == keys.class_origin and body.sid == session_origin.rpartition("/")[2]


def is_spot(text: str) -> bool:
    """Whether a note that `is_command` accepted asks for a spot check."""
    return isinstance(bodies.parse(text.encode())[0], Spot)


def logged_entry(signed: bytes, line: str) -> bytes:
    """The class-log entry of a session's checkpoint: our note, the server's cosignature second."""
    return note.add(signed, line)


def verify_receipt(data: bytes, entry: bytes, trusted: Trust) -> Seen:
    """Return the class checkpoint that the receipt rests on, by *our* trust file with its quorum; or raise."""
    try:
        return proof.parse(data).verify(entry, trusted, others=True)
    except LedgerError as error:
        raise ForgedAnswerError(f"the receipt: {error}") from error
