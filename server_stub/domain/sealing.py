"""Identity numbers at rest: sealed for whoever may reveal them, and a keyed hash by which one person is one account."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from typing import Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from server_stub.domain.errors import SetupError

_NONCE: Final = 12


class Sealer:
    """Keys derived from the server's secret: without that file no number can be read, nor found by trying all."""

    def __init__(self, secret: bytes) -> None:
        self._seal, self._hash, self._names = (
            HKDF(hashes.SHA256(), 32, None, f"trueseat/people/{what}/v1".encode()).derive(secret)
            for what in ("seal", "hash", "staff")
        )

    def digest(self, number: str) -> str:
        """The keyed hash of an identity number, 64 hex digits; "" for none."""
        return hmac.new(self._hash, number.encode(), hashlib.sha256).hexdigest() if number else ""

    def pseudonym(self, account: str) -> str:
        """What the class log calls somebody of the staff: the same for life, and no name."""
        return "staff/" + hmac.new(self._names, account.encode(), hashlib.sha256).hexdigest()[:32]

    def seal(self, data: bytes, bound: str) -> bytes:
        """AES-256-GCM under a fresh nonce; opens only with the same `bound`."""
        nonce = secrets.token_bytes(_NONCE)
        return nonce + AESGCM(self._seal).encrypt(nonce, data, bound.encode())

    def open(self, sealed: bytes, bound: str) -> bytes:
        """What was sealed, or `SetupError`: the secret is another one, or the bytes were changed."""
        try:
            return AESGCM(self._seal).decrypt(sealed[:_NONCE], sealed[_NONCE:], bound.encode())
        except (InvalidTag, ValueError) as error:
            raise SetupError("what was sealed does not open with this server's secret") from error
