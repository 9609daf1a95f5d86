"""Reference photos in the envelope of evidence: opened by a reviewer, as whose they are, or not at all."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger import reference
from ledger.evidence import EvidenceError, Recipient
from ledger.keys import generate_evidence

ORIGIN, LEARNER = "demo.trueseat.example/c/demo-2026", "1" * 32
ONE, TWO = (Recipient(*generate_evidence(f"{name}.example/e")) for name in ("school", "city"))
PHOTO = b"\xff\xd8\xff" + bytes(range(256)) * 40


def sealed(photo: bytes = PHOTO, kind: str = "image/jpeg") -> bytes:
    return reference.seal(photo, kind, ORIGIN, LEARNER, [str(ONE.vkey)])


@given(st.binary(max_size=9_000), st.sampled_from(reference.TYPES))
def test_what_is_sealed_is_what_a_reviewer_opens(photo: bytes, kind: str) -> None:
    """Every length, zeros at the end among them; the sealed one tells neither."""
    assert reference.open_(sealed(photo, kind), ONE, ORIGIN, LEARNER) == (photo, kind)
    assert (len(reference.parse(sealed(photo, kind)).file) - 16) % 4096 == 0


@pytest.mark.parametrize(("key", "origin", "learner"), [
    (TWO, ORIGIN, LEARNER), (ONE, ORIGIN.replace("2026", "2027"), LEARNER), (ONE, ORIGIN, "2" * 32),
])  # fmt: skip
def test_it_opens_for_nobody_else_and_as_nobody_elses(key: Recipient, origin: str, learner: str) -> None:
    """Another reviewer, another class, another learner."""
    with pytest.raises(EvidenceError):
        reference.open_(sealed(), key, origin, learner)


@given(st.integers(0, 10**6), st.integers(1, 255))
def test_a_changed_bit_is_noticed(at: int, change: int) -> None:
    """Wherever it is: commitment, keys, photo."""
    data = bytearray(SEALED)
    data[at % len(data)] ^= change
    with pytest.raises(EvidenceError):
        reference.open_(bytes(data), ONE, ORIGIN, LEARNER)


SEALED = sealed()


@given(st.binary(max_size=400))
def test_any_bytes_are_refused_in_our_words(data: bytes) -> None:
    """A fuzz of the parser."""
    with contextlib.suppress(EvidenceError):
        reference.parse(data)


def test_there_is_somebody_to_seal_to_and_a_picture() -> None:
    """No reviewer, or a file that is no photo: nothing is sealed."""
    with pytest.raises(EvidenceError):
        reference.seal(PHOTO, "image/jpeg", ORIGIN, LEARNER, [])
    with pytest.raises(EvidenceError):
        reference.seal(PHOTO, "image/gif", ORIGIN, LEARNER, [str(ONE.vkey)])
