"""Passwords: argon2id, kept as PHC strings; the scrypt of earlier releases is still read, and replaced at sign-in."""

from __future__ import annotations

import hashlib
import hmac
import threading
import unicodedata
from typing import Final

from argon2 import PasswordHasher
from argon2.exceptions import Argon2Error, InvalidHashError

from server_stub.domain.errors import PasswordWeakError

# OWASP's first choice for argon2id: 19 MiB, 2 passes, 1 lane; the library's 64 MiB would let forty sign-ins at once
# take 2.5 GB. More than `_AT_ONCE` wait for their turn.
_HASHER: Final = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
_AT_ONCE: Final = threading.BoundedSemaphore(4)
_SCRYPT_N, _SCRYPT_R, _SCRYPT_P = 2**15, 8, 1
MIN_LENGTH: Final = 12
# compared with when the account is unknown: the same work, and no password fits
NOBODY: Final = "$argon2id$v=19$m=19456,t=2,p=1$" + "A" * 22 + "$" + "A" * 43


def hash_password(password: str) -> str:
    """A salted argon2id hash to keep."""
    with _AT_ONCE:
        return _HASHER.hash(_form(password))


def check_password(password: str, kept: str) -> bool:
    """Whether `password` is the one that was hashed; False for a hash that nobody made."""
    if kept.startswith("scrypt$"):
        return _check_scrypt(password, kept)
    try:
        with _AT_ONCE:
            return _HASHER.verify(kept, _form(password))
    except (Argon2Error, InvalidHashError):
        return False


def is_outdated(kept: str) -> bool:
    """Whether a hash was made by weaker means than today's, and is replaced at the next sign-in."""
    return kept.startswith("scrypt$") or _HASHER.check_needs_rehash(kept)


def check_strength(password: str, account: str) -> None:
    """Return quietly, or raise `PasswordWeakError`: length is what counts (NIST SP 800-63B), and not the account."""
    form = _form(password)
    if len(form) < MIN_LENGTH or len(set(form)) < 5:
        raise PasswordWeakError(f"a password has at least {MIN_LENGTH} characters, five of them different")
    if account and account in form.lower():
        raise PasswordWeakError("a password does not contain the account")


def _form(password: str) -> str:
    """One spelling, whatever keyboard it was typed on."""
    return unicodedata.normalize("NFKC", password)


def _check_scrypt(password: str, kept: str) -> bool:
    try:
        _, salt, digest = kept.split("$")
        want, given = bytes.fromhex(digest), bytes.fromhex(salt)
    except ValueError:
        return False
    with _AT_ONCE:
        data = hashlib.scrypt(
            _form(password).encode(), salt=given, n=_SCRYPT_N, r=_SCRYPT_R, p=_SCRYPT_P, maxmem=2**26, dklen=32
        )
    return hmac.compare_digest(data, want)
