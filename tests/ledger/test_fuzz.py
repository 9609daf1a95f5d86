"""Every parser on hostile bytes: it returns what it would write again, byte for byte, or raises our own error."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import (
    bodies,
    canonical,
    certificate,
    checkpoint,
    events,
    grant,
    keys,
    leaves,
    note,
    people,
    proof,
    segment,
    tiles,
    trust,
)
from ledger.checkpoint import Checkpoint
from ledger.errors import FormatError, LedgerError
from tests.ledger.builder import Classroom, passes

Parser = tuple[str, Callable[[bytes], Any], Callable[[Any], bytes], list[bytes]]


def examples() -> dict[str, list[bytes]]:
    """Valid bytes of every form, from one real class."""
    room = Classroom(witnesses=2)
    device = room.device(room.learner())
    session = room.session(device, passes).study(20_000)
    session.log_checkpoint()
    session.close().settle(20_000)
    room.anchor()
    signed = room.checkpoint()
    path = tuple(room.log.tree.inclusion_proof(7, len(room.entries)))
    command = bodies.Command(1, room.origin, session.sid, "pause", "先休息")
    order = segment.Order("close", 0, "0" * 32, 60_000).to_json()
    answer = segment.Answer("line", order, (bodies.sign(command, room.grant_key).decode(),), "192.0.2.1")
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
        "bundle": [tiles.encode_bundle(session.log[:3])],
        "people": [people.encode("0" * 32, {"1" * 32: "王,小\"明", "2" * 32: "two\nlines"})],
        "note": [signed],
    }  # fmt: skip


def _as(name: str) -> keys.Signer:
    return keys.generate(name, keys.ED25519)


def _segment(parsed: segment.Segment) -> bytes:
    return segment.build(parsed.old, bytes(parsed.note), parsed.entries)


PARSERS: dict[str, tuple[Callable[[bytes], Any], Callable[[Any], bytes] | None]] = {
    "event": (events.decode, events.encode),
    "leaf": (leaves.decode, bytes),
    "checkpoint": (checkpoint.parse, lambda pair: bytes(pair[1])),
    "certificate": (certificate.parse, lambda pair: bytes(pair[1])),
    "grant": (grant.parse, lambda pair: bytes(pair[1])),
    "body": (bodies.parse, lambda pair: bytes(pair[1])),
    "receipt": (proof.parse, bytes),
    "trust file": (trust.parse, None),  # comments and spaces are free: the reading is compared instead
    "vkey": (lambda data: keys.parse_vkey(data.decode("utf-8", "surrogateescape")), lambda key: str(key).encode()),
    "segment": (segment.parse, _segment),
    "answer": (segment.parse_answer, bytes),
    "bundle": (tiles.decode_bundle, tiles.encode_bundle),
    "people": (people.decode, None),  # further columns are the operator's
    "note": (note.parse, bytes),
}
EXAMPLES = examples()
PARTS = [
    b"\n",
    b"\r\n",
    b"\x00",
    b" ",
    b"=",
    b"+",
    "—".encode(),
    b'"',
    b"{",
    b"[",
    b"0",
    b"9" * 30,
    b"\xff",
    b"\xe2\x80\xa8",
]


@st.composite
def hostile(draw: st.DrawFn, name: str) -> bytes:
    """A valid example with a few bytes cut, doubled, replaced or put in; or anything at all."""
    if draw(st.integers(0, 9)) == 0:
        return draw(st.binary(max_size=200))
    data = draw(st.sampled_from(EXAMPLES[name]))
    for _ in range(draw(st.integers(1, 3))):
        at, end = sorted((draw(st.integers(0, len(data))), draw(st.integers(0, len(data)))))
        end = min(end, at + draw(st.integers(0, 12)))
        data = data[:at] + draw(st.sampled_from(PARTS) | st.binary(max_size=4) | st.just(data[at:end] * 2)) + data[end:]
    return data


@pytest.mark.parametrize("name", PARSERS)
def test_every_valid_example_reads_and_writes_the_same(name: str) -> None:
    """Round trip: what we write, we read; what we read, we write again byte for byte."""
    parse, write = PARSERS[name]
    assert EXAMPLES[name]
    for data in EXAMPLES[name]:
        parsed = parse(data)
        if write is not None:
            assert write(parsed) == data


@pytest.mark.parametrize("name", PARSERS)
def test_hostile_bytes_are_refused_with_our_own_error_or_read_in_one_way(name: str) -> None:
    """Nothing but a FormatError leaves the parser, and no two byte strings read as the same thing."""
    parse, write = PARSERS[name]

    @settings(max_examples=250, deadline=None)
    @given(hostile(name))
    def check(data: bytes) -> None:
        try:
            parsed = parse(data)
        except FormatError:
            return
        if write is not None:
            assert write(parsed) == data

    check()


@settings(max_examples=200, deadline=None)
@given(hostile("trust file"))
def test_a_trust_file_reads_the_same_after_it_was_written_again(data: bytes) -> None:
    """Spaces and comments are free, the meaning is not."""
    try:
        parsed = trust.parse(data)
    except FormatError:
        return
    assert trust.parse(str(parsed).encode("utf-8", "surrogateescape")) == parsed


@settings(max_examples=100, deadline=None)
@given(hostile("checkpoint"))
def test_hostile_checkpoints_never_verify_as_another(data: bytes) -> None:
    """Whatever is verified says what was signed, or is refused with our own error."""
    room = Classroom(witnesses=1)
    good = room.checkpoint()
    try:
        seen = room.trust().verify(data)
    except LedgerError:
        return
    assert bytes(seen.note) == good


def test_an_object_too_deep_or_too_long_is_refused_before_it_is_read() -> None:
    """Depth and length are checked before any parser of ours sees the bytes."""
    for data in (b"[" * 60_000, b"{" * 60_000, b'{"a":' * 20_000, b"x" * 100_000):
        with pytest.raises(FormatError):
            canonical.decode(data)
        with pytest.raises(FormatError):
            leaves.decode(b"{" + data)
