"""Reference photos that a school brings, in the envelope of evidence: only a class's reviewers can open one.

kc (32 bytes) ‖ u32be length of the file of sealed keys ‖ that file ‖ AES-256-GCM(K, nonce 0⁹⁶, AAD of `associated`) of
canonical JSON {bytes, learner, type} ‖ 0x0A ‖ photo, zero-padded to 4 KiB. K, `kc` and the sealed keys are as in
`ledger.evidence`. The operator keeps all of it and cannot open it.
"""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from ledger import canonical
from ledger.errors import CanonicalError
from ledger.evidence import KC_LABEL, KEY_BYTES, MAX_FILE, PAD, TAG, EvidenceError, Recipient, parse_keys, wrap
from ledger.parcel import MAX_KEYS

TYPES: Final = ("image/jpeg", "image/png")
_KC, _LENGTH, _NONCE = 32, 4, bytes(12)


@dataclass(frozen=True, slots=True)
class Reference:
    """A sealed reference photo, read; nothing of it is opened."""

    kc: str
    keys_file: bytes
    file: bytes


def associated(origin: str, learner: str) -> bytes:
    """What binds a photo to the class log's origin and the learner."""
    return f"trueseat/portrait/v1\n{origin}\n{learner}\n".encode()


def seal(photo: bytes, kind: str, origin: str, learner: str, recipients: Sequence[str]) -> bytes:
    """Seal a photo of this media type to the evidence keys `recipients`; `EvidenceError` for none, or another type."""
    if kind not in TYPES:
        raise EvidenceError(f"a reference photo is one of {', '.join(TYPES)}")
    key = secrets.token_bytes(KEY_BYTES)
    head = canonical.encode({"bytes": len(photo), "learner": learner, "type": kind})
    file, keys_file = wrap(head + b"\n" + photo, associated(origin, learner), recipients, key)
    return sha256(KC_LABEL + key).digest() + len(keys_file).to_bytes(_LENGTH, "big") + keys_file + file


def parse(data: bytes) -> Reference:
    """The parts of a sealed reference photo, or `EvidenceError`: its form alone is looked at."""
    at = _KC + _LENGTH + int.from_bytes(data[_KC : _KC + _LENGTH], "big")
    keys_file, file = data[_KC + _LENGTH : at], data[at:]
    if not 0 < len(keys_file) <= MAX_KEYS or not PAD <= len(file) <= MAX_FILE or len(file) % PAD != TAG:
        raise EvidenceError("a reference photo is a commitment, the sealed keys and the sealed photo")
    parse_keys(keys_file)
    return Reference(data[:_KC].hex(), keys_file, file)


def open_(data: bytes, key: Recipient, origin: str, learner: str) -> tuple[bytes, str]:
    """The photo and its media type, or `EvidenceError`: not for this key, of another class or learner, or changed."""
    found, aad = parse(data), associated(origin, learner)
    try:
        plain = AESGCM(key.unwrap(found.keys_file, aad, found.kc)).decrypt(_NONCE, found.file, aad)
        line, _, rest = plain.partition(b"\n")
        head: dict[str, Any] = canonical.decode(line)
    except (InvalidTag, CanonicalError) as error:
        raise EvidenceError("the reference photo does not open, or was changed") from error
    length = head.get("bytes")
    right = set(head) == {"bytes", "learner", "type"} and head["learner"] == learner and head["type"] in TYPES
    if not right or type(length) is not int or not 0 <= length <= len(rest) or rest[length:].strip(b"\0"):
        raise EvidenceError("the reference photo is not what its header says")
    return rest[:length], str(head["type"])
