"""A sealed photo as it travels: both files in one row of bytes, so that a broken line goes on where it broke."""

from __future__ import annotations

from typing import Final

from ledger.evidence import MAX_FILE, EvidenceError, Named, Sealed, check_named, parse_keys

HEAD: Final = 4  # u32be: length of the file of sealed keys
MAX_KEYS: Final = 16 * 1024  # 32 recipients take about 10 KiB
MAX_PARCEL: Final = HEAD + MAX_KEYS + MAX_FILE


def pack(photo: Sealed) -> bytes:
    """u32be length of `keys_file` ‖ `keys_file` ‖ `file`."""
    return len(photo.keys_file).to_bytes(HEAD, "big") + photo.keys_file + photo.file


def unpack(data: bytes, named: Named) -> Sealed:
    """The photo that an event names, or `EvidenceError`: both hashes are right and the keys are of their one form."""
    if not HEAD < len(data) <= MAX_PARCEL:
        raise EvidenceError(f"a parcel of {len(data)} bytes")
    length = int.from_bytes(data[:HEAD], "big")
    if not 0 < length <= MAX_KEYS or HEAD + length >= len(data):
        raise EvidenceError("a parcel is the sealed keys and the sealed photo")
    photo = Sealed(named, data[HEAD + length :], data[HEAD : HEAD + length])
    check_named(photo)
    parse_keys(photo.keys_file)
    return photo
