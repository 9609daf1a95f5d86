"""Who may sign: verifier keys as one line of text (C2SP signed-note "vkey") and the private keys behind them.

0x01 Ed25519 · 0x02 ECDSA P-256 (device) · 0x04 Ed25519 cosignature/v1 · 0xff X25519 for sealed evidence, signs nothing.
Files of private keys belong to the caller, who keeps them 0600.
"""

from __future__ import annotations

import base64
import binascii
import re
from dataclasses import dataclass
from functools import lru_cache
from hashlib import sha256
from typing import Final, Protocol, runtime_checkable

from cryptography.exceptions import InvalidSignature, UnsupportedAlgorithm
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey, Ed25519PublicKey
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.serialization import (
    Encoding,
    NoEncryption,
    PrivateFormat,
    PublicFormat,
    load_der_public_key,
    load_pem_private_key,
)

from ledger.errors import KeyFormatError, SignatureError

ED25519: Final = 0x01
P256: Final = 0x02
COSIGNATURE: Final = 0x04
EVIDENCE: Final = 0xFF
EVIDENCE_LABEL: Final = b"trueseat-hpke"  # a type without a byte of its own carries a longer name (signed-note)

MAX_VKEY = 400  # a name of 255 bytes and an SPKI of 91; longer is no key of ours
_VKEY = re.compile(r"([^\s+]{1,255})\+([0-9a-f]{8})\+([A-Za-z0-9+/]+={0,2})")
_SIGNING: Final = (ED25519, P256, COSIGNATURE)

# Points of small order: a signature by such a key "verifies" for texts that nobody signed.
_ORDER_8 = (
    "26e8958fc2b227b045c3f489f2ef98f0d5dfac05d3c63339b13802886d53fc05",
    "c7176a703d4dd84fba3c0b760d10670f2a2053fa2c39ccc64ec7fd7792ac037a",
)
_P = 2**255 - 19
_WEAK_Y = frozenset({0, 1, _P - 1, *(int.from_bytes(bytes.fromhex(y), "little") for y in _ORDER_8)})


def b64decode(text: str) -> bytes:
    """Decode standard base64, refusing every spelling but the one that `b64encode` writes; `KeyFormatError` if not."""
    try:
        data = base64.b64decode(text, validate=True)
    except (binascii.Error, ValueError) as error:
        raise KeyFormatError(f"not base64: {text[:40]!r}") from error
    if base64.b64encode(data).decode() != text:
        raise KeyFormatError(f"base64 with loose bits: {text[:40]!r}")
    return data


def b64encode(data: bytes) -> str:
    """Standard base64 with padding."""
    return base64.b64encode(data).decode()


@dataclass(frozen=True, slots=True)
class Vkey:
    """One verifier key: its name, its type byte and its bytes (32 raw bytes, or the DER SPKI for P-256)."""

    name: str
    type: int
    key: bytes

    @property
    def key_id(self) -> bytes:
        """Four bytes that find the key; never proof of it (signed-note, "Signatures")."""
        if self.type == P256:  # that ID does not cover the name: compare name *and* key
            return sha256(self.key).digest()[:4]
        return sha256(self.name.encode() + b"\n" + self.material).digest()[:4]

    @property
    def material(self) -> bytes:
        """Type byte and key, as they stand in the text form."""
        label = EVIDENCE_LABEL if self.type == EVIDENCE else b""
        return bytes([self.type]) + label + self.key

    def __str__(self) -> str:
        return f"{self.name}+{self.key_id.hex()}+{b64encode(self.material)}"

    def verify(self, text: bytes, signature: bytes) -> None:
        """Return quietly, or raise `SignatureError`: `signature` over the note text is by this key."""
        public = _public(self.type, self.key)
        try:
            if isinstance(public, ec.EllipticCurvePublicKey):
                public.verify(signature, text, ec.ECDSA(SHA256()))
            elif self.type == COSIGNATURE:
                public.verify(signature[8:], cosigned_message(text, cosignature_time(signature)))
            else:
                public.verify(signature, text)
        except (InvalidSignature, ValueError, OverflowError) as error:
            raise SignatureError(f"the signature by {self.name} does not fit the text") from error


def parse_vkey(text: str) -> Vkey:
    """Return the key that `text` is the one spelling of, or raise `KeyFormatError`."""
    match = _VKEY.fullmatch(text) if len(text) <= MAX_VKEY else None
    if match is None or not text.isprintable():
        raise KeyFormatError(f"no verifier key: {text[:60]!r}")
    name, key_id, material = match[1], match[2], b64decode(match[3])
    kind, key = material[0], material[1:]
    if kind == EVIDENCE:
        if not key.startswith(EVIDENCE_LABEL):
            raise KeyFormatError(f"{name}: unknown key type 0xff")
        key = key.removeprefix(EVIDENCE_LABEL)
    if kind not in (*_SIGNING, EVIDENCE):
        raise KeyFormatError(f"{name}: unknown key type {kind:#04x}")
    if kind != P256 and len(key) != 32:
        raise KeyFormatError(f"{name}: {len(key)} bytes of key, not 32")
    if kind != EVIDENCE:
        _public(kind, key)
    vkey = Vkey(name, kind, key)
    if vkey.key_id.hex() != key_id:
        raise KeyFormatError(f"{name}: the key ID is {vkey.key_id.hex()}, not {key_id}")
    return vkey


@lru_cache(maxsize=64)  # a session's own, and those of its server and witnesses
def _public(kind: int, key: bytes) -> Ed25519PublicKey | ec.EllipticCurvePublicKey:
    """Load a public key, refusing what is of another curve, weak, or not in its one encoding."""
    try:
        if kind == P256:
            public = load_der_public_key(key)
            if not isinstance(public, ec.EllipticCurvePublicKey) or not isinstance(public.curve, ec.SECP256R1):
                raise KeyFormatError("not a P-256 key")
            if public.public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo) != key:
                raise KeyFormatError("the P-256 key is not in its DER form")
            return public
        if kind in (ED25519, COSIGNATURE):
            y = int.from_bytes(key, "little") & (2**255 - 1)
            if y >= _P or y in _WEAK_Y:
                raise KeyFormatError("an Ed25519 key of small order or loose encoding")
            return Ed25519PublicKey.from_public_bytes(key)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError(f"unusable key of type {kind:#04x}") from error
    raise KeyFormatError(f"a key of type {kind:#04x} signs nothing")


def cosigned_message(text: bytes, time: int) -> bytes:
    """What a cosigner signs: header, time (POSIX seconds) and the checkpoint's text (tlog-cosignature)."""
    return b"cosignature/v1\ntime %d\n" % time + text


def cosignature_time(signature: bytes) -> int:
    """The POSIX seconds that a cosignature states; `SignatureError` when it is none. Believe it only once verified."""
    if len(signature) != 72 or signature[0] & 0x80:
        raise SignatureError("no timestamped cosignature")
    return int.from_bytes(signature[:8], "big")


@runtime_checkable
class NoteSigner(Protocol):
    """Whatever can sign a note text: a key of ours, or one that lives in hardware."""

    @property
    def vkey(self) -> Vkey:
        """The public half."""
        ...

    def sign(self, text: bytes) -> bytes:
        """The raw signature over the note text."""
        ...


@dataclass(frozen=True, slots=True)
class Signer:
    """A private key of type 0x01, 0x02 or 0x04 in this process."""

    vkey: Vkey
    private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey

    def __repr__(self) -> str:
        return f"Signer({self.vkey.name})"

    def sign(self, text: bytes) -> bytes:
        """Sign a note text; a cosigner does not sign texts but checkpoints, see `cosign`."""
        if isinstance(self.private, ec.EllipticCurvePrivateKey):
            return self.private.sign(text, ec.ECDSA(SHA256()))
        if self.vkey.type != ED25519:
            raise KeyFormatError(f"{self.vkey.name} is a cosigner's key, it signs checkpoints only")
        return self.private.sign(text)

    def cosign(self, text: bytes, time: int) -> bytes:
        """The timestamped signature over a checkpoint's text at `time` (POSIX seconds)."""
        if self.vkey.type != COSIGNATURE or not isinstance(self.private, Ed25519PrivateKey):
            raise KeyFormatError(f"{self.vkey.name} is no cosigner's key")
        return time.to_bytes(8, "big") + self.private.sign(cosigned_message(text, time))

    def to_pem(self) -> bytes:
        """The private key as unencrypted PKCS #8 PEM; the caller stores it 0600 or sealed."""
        return self.private.private_bytes(Encoding.PEM, PrivateFormat.PKCS8, NoEncryption())


def generate(name: str, kind: int) -> Signer:
    """Draw a new key of type 0x01, 0x02 or 0x04 under `name`."""
    if kind == P256:
        return _signer(name, kind, ec.generate_private_key(ec.SECP256R1()))
    return _signer(name, kind, Ed25519PrivateKey.generate())


def load_signer(name: str, kind: int, pem: bytes) -> Signer:
    """Read what `Signer.to_pem` wrote, or raise `KeyFormatError`."""
    try:
        private = load_pem_private_key(pem, None)
    except (ValueError, TypeError, UnsupportedAlgorithm) as error:
        raise KeyFormatError(f"{name}: no private key in PEM") from error
    if not isinstance(private, ec.EllipticCurvePrivateKey if kind == P256 else Ed25519PrivateKey):
        raise KeyFormatError(f"{name}: the private key is of another type than {kind:#04x}")
    return _signer(name, kind, private)


def _signer(name: str, kind: int, private: Ed25519PrivateKey | ec.EllipticCurvePrivateKey) -> Signer:
    if isinstance(private, ec.EllipticCurvePrivateKey):
        key = private.public_key().public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
    else:
        key = private.public_key().public_bytes_raw()
    return Signer(parse_vkey(str(Vkey(name, kind, key))), private)


def generate_evidence(name: str) -> tuple[Vkey, bytes]:
    """Draw a key that photos are sealed to: its public half, and the 32 private bytes."""
    private = X25519PrivateKey.generate()
    return Vkey(name, EVIDENCE, private.public_key().public_bytes_raw()), private.private_bytes_raw()
