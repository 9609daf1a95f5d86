"""Identity and phone numbers: what is right passes, what a spreadsheet spoiled is named and never guessed."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain import citizen
from server_stub.domain.citizen import Damaged

TODAY = datetime.date(2026, 11, 22)
STANDARD = ("11010519491231002X", "440524188001010014")  # the two examples of GB 11643-1999 itself


def number(first17: str = "11010119900307723") -> str:
    return first17 + citizen.check_digit(first17)


def why(text: str) -> str:
    with pytest.raises(Damaged) as damage:
        citizen.identity(text, TODAY)
    return damage.value.code


def test_the_standards_own_examples() -> None:
    """Both check characters of GB 11643-1999's examples; the second one's owner would be older than anybody is."""
    assert citizen.identity(STANDARD[0], TODAY) == STANDARD[0]
    assert citizen.check_digit(STANDARD[1][:17]) == STANDARD[1][17]
    assert why(STANDARD[1]) == "id_date"


@pytest.mark.parametrize(
    "spelled", ["'11010519491231002x", " 110105 19491231 002X", "１１０１０５１９４９１２３１００２Ｘ"]
)
def test_one_number_has_one_spelling(spelled: str) -> None:
    """Spaces, the apostrophe of spreadsheets, full-width digits, a small x."""
    assert citizen.identity(spelled, TODAY) == STANDARD[0]


@pytest.mark.parametrize(
    ("text", "code"),
    [
        ("1.10105E+17", "id_scientific"),
        ("1.1010519491231E+017", "id_scientific"),
        ("110105194912310000", "id_rounded"),
        ("110105194912310021", "id_checksum"),
        ("11010519491231", "id_length"),
        ("1101051949123100AX", "id_letters"),
        (number("00010519491231002"), "id_place"),
        (number("11010519491331002"), "id_date"),
        (number("11010520301231002"), "id_date"),
    ],
)
def test_each_damage_is_named(text: str, code: str) -> None:
    """Scientific notation, digits lost beyond the fifteenth, a typing error, and so on: a row says which."""
    assert why(text) == code


@given(at=st.integers(0, 17), digit=st.sampled_from("0123456789"))
def test_any_single_wrong_digit_is_noticed(at: int, digit: str) -> None:
    """ISO 7064 MOD 11-2 catches every single substitution."""
    right = number()
    wrong = right[:at] + digit + right[at + 1 :]
    if wrong != right:
        assert why(wrong)


@given(at=st.integers(0, 16))
def test_two_neighbours_that_changed_places_are_noticed(at: int) -> None:
    right = number()
    wrong = right[:at] + right[at + 1] + right[at] + right[at + 2 :]
    if wrong != right:
        assert why(wrong)


@given(st.text(max_size=40))
def test_any_text_is_a_number_or_named(text: str) -> None:
    """Nothing but our own word leaves the parser."""
    codes = set()
    for read in (lambda: citizen.identity(text, TODAY), lambda: citizen.phone(text)):
        try:
            assert len(read()) in (11, 18)
        except Damaged as damage:
            codes.add(damage.code.partition("_")[0])
    assert codes <= {"id", "phone"}


@pytest.mark.parametrize(
    "spelled", ["13800138000", "+86 138-0013-8000", "008613800138000", "8613800138000", "13800138000.0"]
)
def test_a_phone_number_has_one_spelling(spelled: str) -> None:
    assert citizen.phone(spelled) == "13800138000"


@pytest.mark.parametrize(
    ("text", "code"), [("1.38E+10", "phone_scientific"), ("12800138000", "phone_form"), ("010-6552", "phone_form")]
)
def test_a_spoiled_phone_number_is_named(text: str, code: str) -> None:
    with pytest.raises(Damaged, match=code):
        citizen.phone(text)


def test_a_page_shows_four_characters_of_eighteen() -> None:
    assert citizen.masked(STANDARD[0]) == "11**************2X"
    assert citizen.masked("") == ""
