"""Sealed answers: read by whom the grant names, for the event that holds them, and by nobody and nowhere else."""

from __future__ import annotations

import base64
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.answers import CHOICES, SealedAnswerError, open_, seal
from ledger.events import Question
from ledger.evidence import Recipient
from ledger.keys import ED25519, generate, generate_evidence

ORIGIN = "test.trueseat.example/s/" + "5e" * 16
ASKED = Question("pass", "q1", 1, "")
SCHOOL, CITY = (Recipient(*generate_evidence(f"{name}.example/e")) for name in ("school", "city"))
BOTH = (str(SCHOOL.vkey), str(CITY.vkey))


@pytest.mark.parametrize("choice", range(CHOICES))
def test_each_recipient_reads_the_choice(choice: int) -> None:
    """Whichever it is, it has the same length and never the same bytes."""
    said = replace(ASKED, sealed=seal(choice, ORIGIN, ASKED, BOTH))
    assert [open_(BOTH, one, ORIGIN, said) for one in (SCHOOL, CITY)] == [choice, choice]
    assert len(said.sealed) == len(seal(0, ORIGIN, ASKED, BOTH))
    assert said.sealed != seal(choice, ORIGIN, ASKED, BOTH)


def test_for_nobody_nothing_is_kept() -> None:
    """A session whose grant names nobody seals to nobody: the event says that an answer was given."""
    assert seal(1, ORIGIN, ASKED, ()) == ""


@pytest.mark.parametrize(
    "moved", [replace(ASKED, item="q2"), replace(ASKED, unit="types"), replace(ASKED, attempt=2)]
)
def test_an_answer_moved_to_another_event_does_not_open(moved: Question) -> None:
    """Unit, item and attempt are bound, and so is the session."""
    sealed = seal(2, ORIGIN, ASKED, BOTH)
    with pytest.raises(SealedAnswerError):
        open_(BOTH, SCHOOL, ORIGIN, replace(moved, sealed=sealed))
    with pytest.raises(SealedAnswerError):
        open_(BOTH, SCHOOL, ORIGIN.replace("5e", "5f"), replace(ASKED, sealed=sealed))


def test_a_stranger_reads_nothing() -> None:
    """A key that the grant does not name, and another's copy taken for one's own."""
    said = replace(ASKED, sealed=seal(2, ORIGIN, ASKED, BOTH))
    stranger = Recipient(*generate_evidence("stranger.example/e"))
    with pytest.raises(SealedAnswerError):
        open_(BOTH, stranger, ORIGIN, said)
    with pytest.raises(SealedAnswerError):
        open_((str(stranger.vkey), BOTH[1]), stranger, ORIGIN, said)


@pytest.mark.parametrize("choice", [-1, CHOICES])
def test_no_question_has_such_a_choice(choice: int) -> None:
    """Refused before anything is sealed; and nothing is sealed to a key of another kind."""
    with pytest.raises(SealedAnswerError):
        seal(choice, ORIGIN, ASKED, BOTH)
    with pytest.raises(SealedAnswerError):
        seal(0, ORIGIN, ASKED, (str(generate("test.trueseat.example/g", ED25519).vkey),))


@given(
    st.text(alphabet="ABCabc019+/=", max_size=200)
    | st.binary(max_size=128).map(lambda data: base64.b64encode(data).decode())
)
def test_whatever_stands_in_an_event_opens_or_is_refused(sealed: str) -> None:
    """Nothing but our own error leaves."""
    with pytest.raises(SealedAnswerError):
        open_(BOTH, SCHOOL, ORIGIN, replace(ASKED, sealed=sealed))


@given(st.integers(0, 127), st.integers(1, 255))
def test_a_changed_byte_opens_for_nobody_it_was_changed_for(at: int, by: int) -> None:
    """Each copy is whole or refused."""
    data = bytearray(base64.b64decode(seal(1, ORIGIN, ASKED, BOTH)))
    data[at] ^= by
    said = replace(ASKED, sealed=base64.b64encode(bytes(data)).decode())
    whose = SCHOOL if at < len(data) // 2 else CITY
    try:
        assert open_(BOTH, whose, ORIGIN, said) == 1, "the unused top bit of an X25519 share is no part of it"
    except SealedAnswerError:
        return
    assert at % (len(data) // 2) == 31
    assert by == 0x80
