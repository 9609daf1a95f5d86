"""Sealed photos: only the grant's recipients can open one, and it opens as what its event named, or not at all.

The file is AES-256-GCM under a key K drawn for it alone; K is HPKE-sealed to each recipient in a small file beside it,
so that deleting that file erases the photo. AES-GCM does not commit to its key: `kc` in the event does (records.md,
"Evidence").
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from hashlib import sha256
from typing import Any, ClassVar, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hpke import AEAD, KDF, KEM, Suite

from ledger import canonical, names
from ledger.errors import CanonicalError, FormatError, KeyFormatError
from ledger.fields import ID128, MS, VERSION, Record, Table, integer, is_vkey, strip_version
from ledger.keys import EVIDENCE, Vkey, b64decode, b64encode, parse_vkey
from ledger.segment import is_check

AAD_LABEL: Final = "trueseat/evidence/v1\n"
KC_LABEL: Final = b"trueseat/evidence-key/v1\n"
KEY_BYTES: Final = 32
PAD: Final = 4096  # a photo's length says little about what is on it
TAG: Final = 16
MAX_JPEG: Final = 1 << 20
MAX_FILE: Final = MAX_JPEG + 2 * PAD + TAG
MAX_RECIPIENTS: Final = 32  # as many as a grant may name
SEALED_KEY: Final = 80  # HPKE: 32 bytes of the sender's share, K, and a tag
_NONCE: Final = bytes(12)  # K is used once, so the nonce may be fixed
_JPEG: Final = b"\xff\xd8\xff"
_SUITE: Final = Suite(KEM.X25519, KDF.HKDF_SHA256, AEAD.AES_256_GCM)


class EvidenceError(FormatError):
    """A sealed photo, or the file with its keys, is not the one that its event names, or not for this key."""

    code = "TS-L-066"
    remedy = "Do not use the photo; get it and its keys from the archive again, and open it with the right key."
    zh = "加密照片或其密钥文件与记录不符，或密钥不匹配。请勿采用该照片，重新从档案获取后再试。"


@dataclass(frozen=True, slots=True)
class Header(Record):
    """What stands before the picture, sealed with it: attempt `a` of check `i` with its nonce, when, how many bytes.

    `mono` in ms since `opened`; `bytes_` is the length of the JPEG.
    """

    sid: str
    eid: str
    i: int | str
    a: int
    nonce: str
    mono: int
    bytes_: int
    error = EvidenceError
    checks: ClassVar[Table] = {
        "sid": ID128, "eid": ID128, "i": is_check, "a": MS, "nonce": ID128, "mono": MS,
        "bytes": integer(len(_JPEG), MAX_JPEG),
    }  # fmt: skip


@dataclass(frozen=True, slots=True)
class Named:
    """The four values by which an `answered` event names a photo."""

    eid: str
    sha256: str
    keys: str
    kc: str

    def to_json(self) -> dict[str, str]:
        """The event's `evidence` field."""
        return {"eid": self.eid, "sha256": self.sha256, "keys": self.keys, "kc": self.kc}


@dataclass(frozen=True, slots=True)
class Sealed:
    """A photo as it is kept: `file` is `evidence/sha256/<sha256>`, `keys_file` is `evidence/keys/<eid>.json`."""

    named: Named
    file: bytes
    keys_file: bytes


@dataclass(frozen=True, slots=True)
class Taken:
    """A photo before it is sealed: attempt `a` of check `i`, its nonce, `mono` in ms, the JPEG."""

    i: int | str
    a: int
    nonce: str
    mono: int
    jpeg: bytes


def seal(taken: Taken, origin: str, recipients: Sequence[str], eid: str | None = None) -> Sealed:
    """Seal a photo of the session log `origin` to the evidence keys `recipients`; `eid` is drawn unless given."""
    return _seal(taken, origin, recipients, eid or secrets.token_hex(16), secrets.token_bytes(KEY_BYTES))


def _seal(taken: Taken, origin: str, recipients: Sequence[str], eid: str, key: bytes) -> Sealed:
    header = Header(_sid(origin), eid, taken.i, taken.a, taken.nonce, taken.mono, len(taken.jpeg))
    if not taken.jpeg.startswith(_JPEG):
        raise EvidenceError("a photo is a JPEG")
    plain = canonical.encode(header.to_json()) + b"\n" + taken.jpeg
    file, keys_file = wrap(plain, associated(origin, eid), recipients, key)
    digests = (sha256(data).hexdigest() for data in (file, keys_file, KC_LABEL + key))
    return Sealed(Named(eid, *digests), file, keys_file)


def wrap(plain: bytes, aad: bytes, recipients: Sequence[str], key: bytes) -> tuple[bytes, bytes]:
    """The envelope itself: `plain`, padded, under `key` (drawn for it alone), and the file of `key` sealed to each
    recipient; both open only with the same `aad`."""
    file = AESGCM(key).encrypt(_NONCE, plain + bytes(-len(plain) % PAD), aad)
    return file, _encode_keys({text: _seal_key(key, text, aad) for text in recipients})


def associated(origin: str, eid: str) -> bytes:
    """What binds a photo to its session and its name: the AAD of the file, the `info` of every sealed key."""
    return f"{AAD_LABEL}{origin}\n{eid}\n".encode()


def _seal_key(key: bytes, recipient: str, info: bytes) -> bytes:
    try:
        vkey = parse_vkey(recipient)
        if vkey.type != EVIDENCE:
            raise EvidenceError(f"{vkey.name} is no evidence key")
        return _SUITE.encrypt(key, X25519PublicKey.from_public_bytes(vkey.key), info=info)
    except (KeyFormatError, ValueError) as error:  # a point of small order has no shared secret
        raise EvidenceError(f"nothing can be sealed to {recipient[:60]!r}") from error


def _encode_keys(keys: Mapping[str, bytes]) -> bytes:
    if not 0 < len(keys) <= MAX_RECIPIENTS:
        raise EvidenceError(f"{len(keys)} recipients; a photo is for 1 to {MAX_RECIPIENTS}")
    listed = [{"to": to, "key": b64encode(data)} for to, data in sorted(keys.items())]
    return canonical.encode({"v": VERSION, "keys": listed}) + b"\n"


def parse_keys(data: bytes) -> dict[str, bytes]:
    """Recipient → K sealed to it, from the bytes of `evidence/keys/<eid>.json`; `EvidenceError` if it is none."""
    if not data.endswith(b"\n"):
        raise EvidenceError("a file of sealed keys is one line")
    try:
        obj: dict[str, Any] = strip_version(canonical.decode(data[:-1]), EvidenceError)
    except CanonicalError as error:
        raise EvidenceError(str(error)) from error
    listed = obj.get("keys")
    if set(obj) != {"keys"} or not isinstance(listed, list) or not 0 < len(listed) <= MAX_RECIPIENTS:
        raise EvidenceError("a file of sealed keys lists 1 to 32 of them, and nothing else")
    found = dict(_recipient(item) for item in listed)
    if list(found) != sorted(found) or len(found) != len(listed):
        raise EvidenceError("the recipients rise, and none stands twice")
    return found


def _recipient(item: Any) -> tuple[str, bytes]:
    if not isinstance(item, dict) or set(item) != {"to", "key"} or not isinstance(item["key"], str):
        raise EvidenceError("a sealed key has a recipient and its bytes")
    try:
        key = b64decode(item["key"])
    except KeyFormatError as error:
        raise EvidenceError(str(error)) from error
    if not is_vkey(item["to"]) or parse_vkey(item["to"]).type != EVIDENCE or len(key) != SEALED_KEY:
        raise EvidenceError(f"a sealed key is {SEALED_KEY} bytes, to an evidence key")
    return item["to"], key


@dataclass(frozen=True, slots=True)
class Recipient:
    """Who may open photos: an evidence key and its 32 private bytes (as `keys.generate_evidence` gives them)."""

    vkey: Vkey
    private: bytes

    def __repr__(self) -> str:
        return f"Recipient({self.vkey.name})"

    def check(self) -> None:
        """Return quietly, or raise `EvidenceError`: the private bytes are those of the key."""
        try:
            public = X25519PrivateKey.from_private_bytes(self.private).public_key().public_bytes_raw()
        except ValueError as error:
            raise EvidenceError("no private evidence key") from error
        if self.vkey.type != EVIDENCE or public != self.vkey.key:
            raise EvidenceError(f"not the private key of {self.vkey.name}")

    def open(self, sealed: Sealed, origin: str) -> tuple[Header, bytes]:
        """The header and the JPEG, or `EvidenceError`: what the event names, unchanged, sealed to this key.

        sha256 of both files, `kc` and the inner header are checked before a byte of the picture is given away. Whether
        `i`, `a` and `nonce` are those of the check is compared with `expect`.
        """
        check_named(sealed)
        key = self.unwrap(sealed.keys_file, associated(origin, sealed.named.eid), sealed.named.kc)
        return decrypt(key, sealed.file, origin, sealed.named.eid)

    def unwrap(self, keys_file: bytes, aad: bytes, kc: str) -> bytes:
        """The key K of an envelope, or `EvidenceError`: not sealed to this key, or another one than `kc` commits to."""
        mine = parse_keys(keys_file).get(str(self.vkey))
        if mine is None:
            raise EvidenceError(f"the photo is not sealed to {self.vkey.name}")
        try:
            key = _SUITE.decrypt(mine, X25519PrivateKey.from_private_bytes(self.private), info=aad)
        except (InvalidTag, ValueError) as error:
            raise EvidenceError(f"the key sealed to {self.vkey.name} does not open") from error
        if not hmac.compare_digest(sha256(KC_LABEL + key).hexdigest(), kc) or len(key) != KEY_BYTES:
            raise EvidenceError("the sealed key is not the one that the event commits to")
        return key


def check_named(sealed: Sealed) -> None:
    """Return quietly, or raise `EvidenceError`: both files are the ones whose hashes the event holds."""
    for what, data, digest in (
        ("photo", sealed.file, sealed.named.sha256),
        ("file of sealed keys", sealed.keys_file, sealed.named.keys),
    ):
        if sha256(data).hexdigest() != digest:
            raise EvidenceError(f"the {what} is not the one that the event names")


def decrypt(key: bytes, file: bytes, origin: str, eid: str) -> tuple[Header, bytes]:
    """The header and the JPEG of a sealed photo whose K is known; `EvidenceError` for anything but its one form."""
    if len(file) > MAX_FILE or len(file) % PAD != TAG or len(file) < PAD:
        raise EvidenceError(f"a sealed photo is a multiple of {PAD} bytes and a tag, at most {MAX_FILE}")
    try:
        plain = AESGCM(key).decrypt(_NONCE, file, associated(origin, eid))
    except InvalidTag as error:
        raise EvidenceError("the sealed photo does not open: another session, another name, or changed") from error
    line, newline, rest = plain.partition(b"\n")
    try:
        header = Header.from_json(canonical.decode(line))
    except CanonicalError as error:
        raise EvidenceError(str(error)) from error
    jpeg, padding = rest[: header.bytes_], rest[header.bytes_ :]
    if not newline or len(jpeg) != header.bytes_ or len(padding) >= PAD or padding.strip(b"\0"):
        raise EvidenceError("the sealed photo is not as long as its header says, or is padded with something")
    if (header.sid, header.eid) != (_sid(origin), eid) or not jpeg.startswith(_JPEG):
        raise EvidenceError("the sealed photo belongs to another session or name, or is no JPEG")
    return header, jpeg


def expect(header: Header, i: int | str, a: int, nonce: str) -> None:
    """Return quietly, or raise `EvidenceError`: the photo was taken for this attempt of this check."""
    if (header.i, header.a, header.nonce) != (i, a, nonce):
        raise EvidenceError(f"the photo was taken for check {header.i}, attempt {header.a}, not for {i}, {a}")


def _sid(origin: str) -> str:
    found = names.split("session origin", origin)
    if found is None:
        raise EvidenceError(f"{origin[:80]!r} is no session")
    return found[1]
