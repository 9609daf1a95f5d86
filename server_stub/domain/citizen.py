"""Identity numbers (GB 11643-1999) and phone numbers as people type them and spreadsheets spoil them. Pure.

A spreadsheet keeps 15 digits of a number: an 18-digit one that was typed as a number is gone, and shows as 1.10101E+17
or with zeros at its end. Such damage is named, never guessed away.
"""

from __future__ import annotations

import datetime
import re
import unicodedata
from typing import Final

WEIGHTS: Final = tuple(2**power % 11 for power in range(17, 0, -1))  # GB 11643, ISO 7064 MOD 11-2
CHECKS: Final = "10X98765432"
_SCIENTIFIC: Final = re.compile(r"\+?[0-9]+(?:[.,][0-9]+)?E\+?[0-9]+")  # of what `plain` leaves
_PHONE: Final = re.compile(r"1[3-9]\d{9}")
# First two digits: the provinces of GB/T 2260, and 81–83 and 91 for residence permits and foreigners' cards
_PROVINCES: Final = frozenset(
    f"{head}{tail}"
    for head, tails in {"1": "12345", "2": "123", "3": "1234567", "4": "123456", "5": "01234", "6": "12345", "7": "1",
                        "8": "123", "9": "1"}.items()
    for tail in tails
)  # fmt: skip


class Damaged(ValueError):
    """What was typed is no such number; `code` names why, for the page's words."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


def plain(text: str) -> str:
    """NFKC, without spaces, quotes and the apostrophe by which spreadsheets mark text."""
    return re.sub(r"[\s'‘’`\"\u200b\ufeff-]", "", unicodedata.normalize("NFKC", text)).upper()


def check_digit(first17: str) -> str:
    """The 18th character of an identity number."""
    return CHECKS[sum(int(digit) * weight for digit, weight in zip(first17, WEIGHTS, strict=True)) % 11]


def identity(text: str, today: datetime.date) -> str:
    """The one spelling of an 18-character identity number, or `Damaged`: id_scientific | id_rounded | id_length |
    id_letters | id_place | id_date | id_checksum."""
    number = plain(text)
    if is_scientific(text):
        raise Damaged("id_scientific")
    number = number.removesuffix(".0")
    if len(number) != 18:
        raise Damaged("id_length")
    if not re.fullmatch(r"[0-9]{17}[0-9X]", number):
        raise Damaged("id_letters")
    if check_digit(number[:17]) != number[17]:
        raise Damaged("id_rounded" if number.endswith("000") else "id_checksum")
    if number[:2] not in _PROVINCES:
        raise Damaged("id_place")
    _check_birth(number[6:14], today)
    return number


def _check_birth(digits: str, today: datetime.date) -> None:
    try:
        born = datetime.date(int(digits[:4]), int(digits[4:6]), int(digits[6:]))
    except ValueError as error:
        raise Damaged("id_date") from error
    if not datetime.date(1900, 1, 1) <= born <= today:
        raise Damaged("id_date")


def phone(text: str) -> str:
    """The one spelling of a mobile number of the mainland (11 digits), or `Damaged`: phone_scientific | phone_form."""
    if is_scientific(text):
        raise Damaged("phone_scientific")
    number = plain(text).removesuffix(".0").removeprefix("+86").removeprefix("0086")
    if len(number) == 13:
        number = number.removeprefix("86")
    if not _PHONE.fullmatch(number):
        raise Damaged("phone_form")
    return number


def is_scientific(text: str) -> bool:
    """Whether a spreadsheet wrote this as a power of ten: 1.10101E+17."""
    return _SCIENTIFIC.fullmatch(plain(text)) is not None


def masked(number: str) -> str:
    """What a page shows of an identity number: first two and last two characters."""
    return f"{number[:2]}{'*' * 14}{number[-2:]}" if len(number) == 18 else ""
