"""A device key that never leaves its PKCS#11 token (smart card, HSM, SoftHSM): a `NoteSigner` like any other.

An extra, python-pkcs11 (build/requirements/extras.txt). The key is P-256, drawn in the token, not to be extracted; the
token signs digests, the signature becomes the ASN.1 form that a note carries. The PIN is the caller's to keep.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from hashlib import sha256
from importlib import import_module
from pathlib import Path
from typing import Any, Final

from cryptography.hazmat.primitives.asymmetric.utils import encode_dss_signature
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key

from ledger.errors import KeyFormatError, LedgerError
from ledger.keys import P256, Vkey, parse_vkey

_COORDINATE: Final = 32  # bytes of r, and of s


class TokenError(LedgerError):
    """The token is not there, the PIN is not its own, or the key is not in it."""

    code = "TS-L-076"
    remedy = "Plug the token in, check its label and PIN, and enrol this device again if its key is lost."
    zh = "无法使用密钥令牌。请插入令牌并核对名称与 PIN；若密钥已丢失，请重新登记本设备。"


class TokenSigner:
    """The device key `name` in the token `label` of the PKCS#11 library `module`.

    A session with the token is opened for each signature, so a token that is pulled out is noticed and may come back.
    """

    def __init__(self, module: Path, label: str, pin: str, vkey: Vkey) -> None:
        self._module, self._label, self._pin = module, label, pin
        self._vkey = vkey

    def __repr__(self) -> str:
        return f"TokenSigner({self._vkey.name})"

    @property
    def vkey(self) -> Vkey:
        """The public half."""
        return self._vkey

    def sign(self, text: bytes) -> bytes:
        """ECDSA over SHA-256 of the note text, in ASN.1 DER; `TokenError` when the token does not sign."""
        with _session(self._module, self._label, self._pin) as (library, session):
            key = session.get_key(object_class=library.ObjectClass.PRIVATE_KEY, label=self._vkey.name)
            raw = bytes(key.sign(sha256(text).digest(), mechanism=library.Mechanism.ECDSA))
        if len(raw) != 2 * _COORDINATE:
            raise TokenError(f"the token signed {len(raw)} bytes, not {2 * _COORDINATE}")
        r, s = (int.from_bytes(half, "big") for half in (raw[:_COORDINATE], raw[_COORDINATE:]))
        signature = encode_dss_signature(r, s)
        self._vkey.verify(text, signature)  # a token that signs with another key is found out here
        return signature


def draw(module: Path, label: str, pin: str, name: str) -> TokenSigner:
    """Draw a new key in the token under `name`; `TokenError` when one of that name is there already."""
    with _session(module, label, pin, write=True) as (library, session):
        if _found(library, session, name) is not None:
            raise TokenError(f"the token holds a key {name} already")
        named = import_module("pkcs11.util.ec").encode_named_curve_parameters("secp256r1")
        parameters = session.create_domain_parameters(
            library.KeyType.EC, {library.Attribute.EC_PARAMS: named}, local=True
        )
        parameters.generate_keypair(
            store=True, label=name, mechanism_param=None,
            private_template={library.Attribute.EXTRACTABLE: False, library.Attribute.SENSITIVE: True},
        )  # fmt: skip
    return load(module, label, pin, name)


def load(module: Path, label: str, pin: str, name: str) -> TokenSigner:
    """The key `name` that was drawn before; `TokenError` when it is not there."""
    with _session(module, label, pin) as (library, session):
        public = _found(library, session, name)
        if public is None:
            raise TokenError(f"the token holds no key {name}")
        der = bytes(import_module("pkcs11.util.ec").encode_ec_public_key(public))
    try:
        key = load_der_public_key(der).public_bytes(Encoding.DER, PublicFormat.SubjectPublicKeyInfo)
        return TokenSigner(module, label, pin, parse_vkey(str(Vkey(name, P256, key))))
    except (ValueError, KeyFormatError) as error:
        raise TokenError(f"the key {name} in the token is no P-256 key") from error


def _found(library: Any, session: Any, name: str) -> Any:
    objects = session.get_objects({
        library.Attribute.CLASS: library.ObjectClass.PUBLIC_KEY, library.Attribute.LABEL: name,
    })  # fmt: skip
    return next(iter(list(objects)), None)


@contextmanager
def _session(module: Path, label: str, pin: str, *, write: bool = False) -> Iterator[tuple[Any, Any]]:
    """(the library, a session with the token); whatever the library raises leaves as `TokenError`, without the PIN."""
    try:
        library = import_module("pkcs11")
    except ImportError as error:
        raise TokenError("python-pkcs11 is not installed, which speaks with tokens") from error
    try:
        with library.lib(str(module)).get_token(token_label=label).open(user_pin=pin, rw=write) as session:
            yield library, session
    except (library.PKCS11Error, RuntimeError) as error:
        raise TokenError(f"the token {label[:40]!r}: {type(error).__name__}") from error
