"""Passkeys of the staff (WebAuthn): made after the password, used instead of it. The private key stays on its device.

Every ceremony has a challenge of its own, kept by hash, used once, five minutes long. User verification is asked for
always: a passkey stands for two factors. Attestation is not: which device it is, is nobody's business here.
"""

from __future__ import annotations

import hashlib
import json
import secrets
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

import webauthn
from webauthn.helpers import base64url_to_bytes, bytes_to_base64url
from webauthn.helpers.structs import (
    AuthenticationCredential,
    AuthenticatorSelectionCriteria,
    PublicKeyCredentialDescriptor,
    ResidentKeyRequirement,
    UserVerificationRequirement,
)

from server_stub.domain.errors import NotThereError, UnreadableError
from server_stub.domain.key_errors import PasskeyRefusedError
from server_stub.domain.people import Account, People
from server_stub.domain.sealing import Sealer
from server_stub.domain.signin import Clock, SignIn

CEREMONY_MS: Final = 5 * 60 * 1000
MAX_PASSKEYS: Final = 10  # of one account
MAX_ANSWER: Final = 16_384  # characters; without attestation an answer has about 1,000


@dataclass(frozen=True, slots=True)
class Passkey:
    """One key of one account, by its identifier (base64url). Times in ms; `used` 0: never yet."""

    key: str
    account: str
    public: bytes
    count: int
    label: str
    made: int
    used: int = 0


@dataclass(frozen=True, slots=True)
class Ceremony:
    """One exchange that was begun: `handle` is a hash, `what` what it is for, `held` what only this server knows."""

    handle: str
    what: Literal["add", "sign-in", "oidc", "oidc-link", "way", "way-link"]
    account: str
    held: str
    expires: int


@dataclass(frozen=True, slots=True)
class Site:
    """Where the pages stand: `https://study.example` and its host, to which passkeys are bound."""

    origin: str

    @property
    def host(self) -> str:
        """The relying party's identifier."""
        return self.origin.partition("//")[2].partition(":")[0]


class KeyStore(Protocol):
    """Keeps passkeys and ceremonies; every method is one transaction of its own."""

    def add_passkey(self, passkey: Passkey) -> None:
        """`PasskeyRefusedError` for one that is there already."""

    def passkey(self, key: str) -> Passkey | None: ...
    def passkeys(self, account: str) -> Sequence[Passkey]: ...
    def use_passkey(self, key: str, count: int, at: int) -> None: ...
    def drop_passkey(self, account: str, key: str) -> bool: ...
    def begin(self, ceremony: Ceremony) -> None:
        """Keep it; forget those that expired."""

    def finish(self, handle: str, now: int) -> Ceremony | None:
        """The ceremony, once: of two who ask, one gets it. None for one that expired."""

    def link(self, issuer: str, subject: str, account: str) -> None:
        """An account of another issuer is this account from now on; `SignInElsewhereError` if it is another's."""

    def linked(self, issuer: str, subject: str) -> str | None: ...
    def links(self, account: str) -> Sequence[tuple[str, str]]: ...
    def unlink(self, account: str, issuer: str = "") -> int:
        """End the account's links, those to one issuer where one is given; how many there were."""


class Passkeys:
    """Begins and ends the two ceremonies."""

    def __init__(self, store: KeyStore, people: People, sign_in: SignIn, sealer: Sealer, clock: Clock) -> None:
        self._store, self._people, self._sign_in, self._sealer, self._clock = store, people, sign_in, sealer, clock

    def of(self, account: Account) -> Sequence[Passkey]:
        """The account's passkeys, oldest first."""
        return self._store.passkeys(account.name)

    def ask_new(self, account: Account, password: str, site: Site) -> dict[str, Any]:
        """`{"handle", "options"}` for `navigator.credentials.create`; `WrongPasswordError`, `PasskeyRefusedError`."""
        self._sign_in.check(account, password)
        known = self._store.passkeys(account.name)
        if len(known) >= MAX_PASSKEYS:
            raise PasskeyRefusedError(f"an account has at most {MAX_PASSKEYS} passkeys")
        challenge = secrets.token_bytes(32)
        options = webauthn.generate_registration_options(
            rp_id=site.host,
            rp_name="TrueSeat",
            user_id=self._sealer.pseudonym(account.name).encode(),
            user_name=account.name,
            user_display_name=account.person,
            challenge=challenge,
            exclude_credentials=[PublicKeyCredentialDescriptor(id=base64url_to_bytes(item.key)) for item in known],
            authenticator_selection=AuthenticatorSelectionCriteria(
                resident_key=ResidentKeyRequirement.REQUIRED, user_verification=UserVerificationRequirement.REQUIRED
            ),
        )
        return self._begun("add", account.name, challenge, json.loads(webauthn.options_to_json(options)))

    def take_new(self, account: Account, handle: str, answer: str, label: str, site: Site) -> Passkey:
        """Keep the passkey that the browser made, or `PasskeyRefusedError`."""
        ceremony = self._ended("add", handle)
        if ceremony.account != account.name:
            raise PasskeyRefusedError("this was begun by another account")
        _readable(answer)
        try:
            found = webauthn.verify_registration_response(
                credential=answer,
                expected_challenge=base64url_to_bytes(ceremony.held),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                require_user_verification=True,
            )
        except Exception as error:  # the library's own, and what its CBOR reader stumbles over
            raise PasskeyRefusedError(f"the new passkey is refused: {type(error).__name__}") from error
        named = " ".join(label.split())[:60] or "passkey"
        key = bytes_to_base64url(found.credential_id)
        if len(key) > 1400 or len(found.credential_public_key) > 2000:
            raise PasskeyRefusedError("a passkey of this size is not kept")
        made = Passkey(key, account.name, found.credential_public_key, found.sign_count, named, self._clock())
        self._store.add_passkey(made)
        return made

    def drop(self, account: Account, key: str) -> None:
        """Forget a passkey of this account, or `NotThereError`."""
        if not self._store.drop_passkey(account.name, key):
            raise NotThereError("this account has no such passkey")

    def ask(self, site: Site) -> dict[str, Any]:
        """`{"handle", "options"}` for `navigator.credentials.get`: for whoever it is, so nobody learns who has one."""
        challenge = secrets.token_bytes(32)
        options = webauthn.generate_authentication_options(
            rp_id=site.host, challenge=challenge, user_verification=UserVerificationRequirement.REQUIRED
        )
        return self._begun("sign-in", "", challenge, json.loads(webauthn.options_to_json(options)))

    def enter(self, handle: str, answer: str, site: Site) -> tuple[str, Account]:
        """A token for the account whose passkey answered, or `PasskeyRefusedError`."""
        ceremony = self._ended("sign-in", handle)
        _readable(answer)
        try:
            given = webauthn.helpers.parse_authentication_credential_json(answer)
            known = self._whose(given)
            found = webauthn.verify_authentication_response(
                credential=given,
                expected_challenge=base64url_to_bytes(ceremony.held),
                expected_rp_id=site.host,
                expected_origin=site.origin,
                credential_public_key=known.public,
                credential_current_sign_count=known.count,
                require_user_verification=True,
            )
        except PasskeyRefusedError:
            raise
        except Exception as error:
            raise PasskeyRefusedError(f"the passkey's answer is refused: {type(error).__name__}") from error
        account = self._people.account(known.account)
        if account is None or not account.staff:
            raise PasskeyRefusedError("nobody has this passkey here")
        self._store.use_passkey(known.key, found.new_sign_count, self._clock())
        return self._sign_in.admit(account), account

    def _whose(self, given: AuthenticationCredential) -> Passkey:
        known = self._store.passkey(bytes_to_base64url(given.raw_id))
        if known is None or given.response.user_handle != self._sealer.pseudonym(known.account).encode():
            raise PasskeyRefusedError("nobody has this passkey here")
        return known

    def _begun(self, what: Literal["add", "sign-in"], account: str, challenge: bytes, options: Any) -> dict[str, Any]:
        handle = secrets.token_hex(16)
        held = bytes_to_base64url(challenge)
        self._store.begin(Ceremony(handle_digest(handle), what, account, held, self._clock() + CEREMONY_MS))
        return {"handle": handle, "options": options}

    def _ended(self, what: str, handle: str) -> Ceremony:
        ceremony = self._store.finish(handle_digest(handle), self._clock())
        if ceremony is None or ceremony.what != what:
            raise PasskeyRefusedError("this was not begun here, or too long ago, or is over already")
        return ceremony


def handle_digest(handle: str) -> str:
    """By what a ceremony is kept: whoever reads the database cannot go on with one."""
    return hashlib.sha256(handle.encode()).hexdigest()


def _readable(answer: str) -> None:
    if len(answer) > MAX_ANSWER:
        raise UnreadableError("no passkey answers at this length")
