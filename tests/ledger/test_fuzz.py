"""Every parser on hostile bytes: it returns what it would write again, byte for byte, or raises our own error."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import canonical, leaves, trust
from ledger.errors import FormatError, LedgerError
from tests.ledger.builder import Classroom
from tests.ledger.parsers import FORMS, examples
from tests.tries import tries

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


@pytest.mark.parametrize("name", FORMS)
def test_every_valid_example_reads_and_writes_the_same(name: str) -> None:
    """Round trip: what we write, we read; what we read, we write again byte for byte."""
    form = FORMS[name]
    assert EXAMPLES[name]
    for data in EXAMPLES[name]:
        parsed = form.parse(data)
        if form.write is not None:
            assert form.write(parsed) == data


@pytest.mark.parametrize("name", FORMS)
def test_hostile_bytes_are_refused_with_our_own_error_or_read_in_one_way(name: str) -> None:
    """Nothing but its own error leaves the parser, and no two byte strings read as the same thing."""
    form = FORMS[name]

    @settings(max_examples=tries(250), deadline=None)
    @given(hostile(name))
    def check(data: bytes) -> None:
        try:
            parsed = form.parse(data)
        except form.refuses:
            return
        if form.write is not None:
            assert form.write(parsed) == data

    check()


@settings(max_examples=tries(200), deadline=None)
@given(hostile("trust file"))
def test_a_trust_file_reads_the_same_after_it_was_written_again(data: bytes) -> None:
    """Spaces and comments are free, the meaning is not."""
    try:
        parsed = trust.parse(data)
    except FormatError:
        return
    assert trust.parse(str(parsed).encode("utf-8", "surrogateescape")) == parsed


@settings(max_examples=tries(100), deadline=None)
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
