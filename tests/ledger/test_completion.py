"""A completion proof: one signed note in a QR code, checked by anybody offline: R1.13, R3.5."""

from __future__ import annotations

import dataclasses
from pathlib import Path

import pytest
import segno
from hypothesis import given
from hypothesis import strategies as st

from ledger import canonical, completion, note
from ledger.__main__ import main
from ledger.completion import Completion, CompletionError, person_hash, sign, verify
from ledger.errors import LedgerError
from ledger.keys import ED25519, generate

NUMBER = "11010519491231002X"
SALT = "0f" * 16
VALUE = Completion(
    "TS2026-000001-ABCD", "demo.trueseat.example/c/class-1", "张伟", SALT, person_hash(SALT, NUMBER), "消防班",
    "消防设施操作员", 5, "2026-12-01", "2026-12-05", "市职业培训学校", "2026-12-06", "ab12cd34", 60, 60, 865,
)  # fmt: skip
KEY, OTHER = generate("demo.trueseat.example/g", ED25519), generate("demo.trueseat.example/g", ED25519)


def test_a_proof_reads_back_and_only_its_key_signs_it() -> None:
    """Another key of the same name is not enough; every field is as it was signed."""
    data = sign(VALUE, KEY)
    assert verify(data, KEY.vkey) == VALUE
    with pytest.raises(LedgerError):
        verify(data, OTHER.vkey)


def test_no_bit_of_it_changes_unnoticed() -> None:
    """Every byte of text and signature."""
    data = sign(VALUE, KEY)
    for at in range(0, len(data), 7):
        bent = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        with pytest.raises(LedgerError):
            verify(bent, KEY.vkey)


def test_the_number_is_compared_and_not_shown() -> None:
    """Whoever has the card compares; the text holds no number, and a number in small letters is the same."""
    assert NUMBER.encode() not in sign(VALUE, KEY)
    VALUE.check_person(NUMBER.lower() + "\n")
    with pytest.raises(CompletionError):
        VALUE.check_person("110105194912310039")


def test_it_fits_a_qr_code_of_a_size_that_telephones_read() -> None:
    """The longest names included; what would not fit is refused when it is signed."""
    long = dataclasses.replace(VALUE, name="名" * 60, project="项" * 100, trade="工" * 60, institution="构" * 100,
                               filing="f" * 60)  # fmt: skip
    assert segno.make(sign(VALUE, KEY), error="l", micro=False).version <= 25
    assert segno.make(sign(long, KEY), error="l", micro=False).version <= 40


@pytest.mark.parametrize("changes", [
    {"level": 6}, {"score_tenths": 1001}, {"serial": "x"}, {"issued": "6 December"}, {"name": "n" * 61}, {"salt": "00"},
])  # fmt: skip
def test_a_field_of_another_form_is_refused(changes: dict[str, object]) -> None:
    """Also when it is signed well."""
    data = note.sign(f"{completion.HEADER}\n{canonical.encode({'v': 1, **VALUE.to_json(), **changes}).decode()}\n", KEY)
    with pytest.raises(CompletionError):
        verify(data, KEY.vkey)


@given(st.binary(max_size=400))
def test_no_other_bytes_are_a_proof(data: bytes) -> None:
    """Only our own errors."""
    with pytest.raises(LedgerError):
        completion.parse(data)


def test_the_command_says_what_it_certifies(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """0 and the fields; 1 for another key; 2 for no file."""
    file = tmp_path / "proof"
    file.write_bytes(sign(VALUE, KEY))
    assert main(["verify-certificate", str(file), "--key", str(KEY.vkey)]) == 0
    said = capsys.readouterr().out
    assert "张伟" in said
    assert "TS2026-000001-ABCD" in said
    assert main(["verify-certificate", str(file), "--key", str(OTHER.vkey)]) == 1
    assert "refused" in capsys.readouterr().out
    assert main(["verify-certificate", str(tmp_path / "none"), "--key", str(KEY.vkey)]) == 2
