"""Vouchers: an authority's word that a key is a supervisor's, or opens photos. Verifier and client ask the same way."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from ledger import note
from ledger.bodies import FOLDER, voucher_text
from ledger.classlog import KeyRecord
from ledger.errors import BodyError, RootMismatchError
from ledger.keys import Vkey
from ledger.note import Note

WHAT: Final = "voucher"


def read(data: bytes, record: KeyRecord, op: str = "add") -> Note:
    """The voucher that `record`'s leaf (its revocation's, where `op` is revoke) names by hash, or a `LedgerError`.

    It is these bytes' text, of this operation, this role and this key. Who signed it is `verify`'s to say.
    """
    leaf = record.leaf if op == "add" else record.revocation
    signed = note.parse(data)
    if leaf is None or signed.digest != leaf.vouched:
        raise RootMismatchError(f"{FOLDER}{(leaf or record.leaf).vouched} ({WHAT}): its text was changed")
    if signed.text != voucher_text(op, record.leaf.role, record.leaf.vkey):
        raise BodyError(f"{FOLDER}{leaf.vouched} vouches for something else than {record.key.name}")
    return signed


def verify(data: bytes, record: KeyRecord, authority: Iterable[Vkey]) -> None:
    """Return quietly, or raise a `LedgerError`: one of `authority` vouches for the key of this record.

    Without any authority nobody does. A line by a key that is not among them refuses the voucher, as in an archive.
    """
    note.verify(read(data, record), tuple(authority))
