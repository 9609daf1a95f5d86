"""The learner's other ways in: a sign-in elsewhere (OpenID Connect device flow, WeChat), asked for from a program.

One port, `IdentityProvider`: it begins, and some polls later it names a subject, or says that it will not. The pair of
issuer and subject counts once its owner, signed in by another way, linked it: nobody becomes an account by a nickname.
The handle that a program polls with is kept as a hash; each poll uses it up and gives it back.
"""

from __future__ import annotations

import json
import secrets
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol

from server_stub.domain.errors import NotThereError, ServerError
from server_stub.domain.passkeys import Ceremony, KeyStore, handle_digest
from server_stub.domain.people import Account, People
from server_stub.domain.signin import Clock, SignIn

LASTS_MS: Final = 15 * 60 * 1000  # a provider may say less, never more


class WayRefusedError(ServerError):
    """A sign-in elsewhere was refused there, expired, or cannot be believed."""

    status = 403
    code = "TS-S-113"
    remedy = "Begin again, or sign in with the code that is sent to your phone."
    zh = "登录未完成。请重新开始，或使用手机验证码登录。"


class NotLinkedError(ServerError):
    """The account elsewhere belongs to nobody here yet."""

    status = 403
    code = "TS-S-114"
    remedy = "Sign in once with the code sent to your phone (or your activation code), then link this way in."
    zh = "该账号尚未与学员关联。请先用手机验证码或激活码登录一次，再进行关联。"


@dataclass(frozen=True, slots=True)
class Begun:
    """What the learner sees: an address to open (on a phone, too), a code to type there ("": none), and how long."""

    uri: str
    user_code: str
    expires: int  # ms
    interval_ms: int  # between two polls
    held: Mapping[str, Any]  # what the provider wants back at the next poll; never leaves this server


@dataclass(frozen=True, slots=True)
class Pending:
    """Nobody has said yes yet; `held` from now on, and the pause before the next poll."""

    held: Mapping[str, Any]
    interval_ms: int


class IdentityProvider(Protocol):
    """One way of proving elsewhere who one is. Errors: `WayRefusedError`, `ProviderGoneError`."""

    issuer: str
    name: str  # stands on the button

    def begin(self, now: int) -> Begun:
        """Begin; ask it for nothing that tells who it is for."""

    def poll(self, held: Mapping[str, Any]) -> Pending | str:
        """The subject, once its owner agreed there."""


@dataclass(frozen=True, slots=True)
class Asked:
    """One began: the handle to poll with, and what to show."""

    handle: str
    begun: Begun


@dataclass(frozen=True, slots=True)
class Still:
    """Not yet: poll again with the same handle after `interval_ms`."""

    interval_ms: int


@dataclass(frozen=True, slots=True)
class Link:
    """A provider where the learner has an account that opens this one; `way` "": this server offers it no more."""

    issuer: str
    way: str
    name: str


class Ways:
    """Begins a sign-in by one of the providers, and ends it with a token."""

    def __init__(
        self, providers: Mapping[str, IdentityProvider], store: KeyStore, people: People, sign_in: SignIn, clock: Clock
    ) -> None:
        self._providers, self._store, self._people = dict(providers), store, people
        self._sign_in, self._clock = sign_in, clock

    def listed(self) -> dict[str, str]:
        """Way → what stands on its button."""
        return {way: provider.name for way, provider in self._providers.items()}

    def begin(self, way: str, account: Account | None = None) -> Asked:
        """Begin; `account`: whom to link (signed in already), None to sign in."""
        now = self._clock()
        begun = self.provider(way).begin(now)
        handle = secrets.token_hex(16)
        expires = min(begun.expires, now + LASTS_MS)
        held = {"way": way, "next": now, "interval": begun.interval_ms, "held": dict(begun.held)}
        self._keep(handle, "way-link" if account else "way", account.name if account else "", held, expires)
        return Asked(handle, begun)

    def links(self, account: Account) -> Sequence[Link]:
        """The accounts elsewhere that open this one; one of a provider that is gone is listed, too."""
        known = {provider.issuer: (way, provider.name) for way, provider in self._providers.items()}
        issuers = sorted({issuer for issuer, _ in self._store.links(account.name)})
        return [Link(issuer, *known.get(issuer, ("", issuer))) for issuer in issuers]

    def unlink(self, account: Account, issuer: str) -> None:
        """That account elsewhere opens this one no more; `NotThereError` where none does."""
        if not self._store.unlink(account.name, issuer):
            raise NotThereError("no such account elsewhere is linked to this one")

    def poll(self, handle: str) -> tuple[str, Account] | Still:
        """A token and whose it is ("" after linking), or that it is to be asked again. `NotLinkedError`, too."""
        now = self._clock()
        ceremony = self._store.finish(handle_digest(handle), now)
        if ceremony is None or not ceremony.what.startswith("way"):
            raise WayRefusedError("this sign-in was not begun here, or too long ago")
        held = json.loads(ceremony.held)
        if now < held["next"]:
            self._keep(handle, ceremony.what, ceremony.account, held, ceremony.expires)
            return Still(held["next"] - now)
        provider = self.provider(held["way"])
        try:
            found = provider.poll(held["held"])
        except ServerError as error:
            if error.status == 503:  # it does not answer: the learner may still be about to agree
                self._keep(handle, ceremony.what, ceremony.account, held, ceremony.expires)
            raise
        if isinstance(found, Pending):
            later = {**held, "held": dict(found.held), "next": now + found.interval_ms, "interval": found.interval_ms}
            self._keep(handle, ceremony.what, ceremony.account, later, ceremony.expires)
            return Still(found.interval_ms)
        return self._found(provider.issuer, found, ceremony)

    def _found(self, issuer: str, subject: str, ceremony: Ceremony) -> tuple[str, Account]:
        links = ceremony.what == "way-link"
        account = self._people.account(ceremony.account if links else self._store.linked(issuer, subject) or "")
        if account is None or not account.learner:
            raise NotLinkedError("this account is linked to no learner")
        if links:
            self._store.link(issuer, subject, account.name)
            return "", account
        return self._sign_in.admit(account), account

    def _keep(
        self, handle: str, what: Literal["way", "way-link"] | str, account: str, held: Mapping[str, Any], expires: int
    ) -> None:
        kind: Any = what
        self._store.begin(Ceremony(handle_digest(handle), kind, account, json.dumps(held), expires))

    def provider(self, way: str) -> IdentityProvider:
        """The provider behind a way, or `NotThereError`."""
        found = self._providers.get(way)
        if found is None:
            raise NotThereError("this server has no such way to sign in")
        return found
