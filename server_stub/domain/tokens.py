"""Enrolment tokens of an employer: put on its devices, good for its own learners' first sign-in, so often and so long.

A sign-in proves an account, not a person (study-session): real name and face come after it as ever. A token opens no
account that has a device already, none of another employer, and each account once.
"""

from __future__ import annotations

import secrets
import unicodedata
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final, Protocol

from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError, UnreadableError, WrongCodeError
from server_stub.domain.office import Office
from server_stub.domain.passkeys import handle_digest
from server_stub.domain.people import Account, People
from server_stub.domain.ports import Records
from server_stub.domain.registry import Registry
from server_stub.domain.signin import SYMBOLS, Clock, SignIn, account_name

MAX_DAYS: Final = 90
MAX_COUNT: Final = 10_000
MAX_TOKENS: Final = 50  # of one employer that are not over
LENGTH: Final = 20  # symbols: 100 bits
_DAY_MS: Final = 24 * 3600 * 1000
_ALIKE: Final = str.maketrans("OIL", "011", " -_.")


@dataclass(frozen=True, slots=True)
class EnrolToken:
    """One token, by its hash. `used` of `most`; times in ms; `ended`: revoked by hand."""

    digest: str
    place: str
    label: str
    by: str
    made: int
    expires: int
    most: int
    used: int = 0
    ended: bool = False

    def state(self, now: int) -> str:
        """ended | expired | used_up | good."""
        if self.ended:
            return "ended"
        if self.expires <= now:
            return "expired"
        return "used_up" if self.used >= self.most else "good"


class TokenStore(Protocol):
    """Keeps tokens; every method is one transaction of its own."""

    def add(self, token: EnrolToken) -> None: ...
    def of(self, place: str) -> Sequence[EnrolToken]:
        """Latest first."""

    def end(self, place: str, digest: str) -> bool: ...
    def use(self, digest: str, account: str, now: int) -> EnrolToken | None:
        """Count one use by this account, if the token is good and the account did not use it; None if not."""

    def find(self, digest: str) -> EnrolToken | None: ...


class EnrolTokens:
    """Makes, shows, ends and takes them."""

    def __init__(
        self, store: TokenStore, office: Office, people: People, registry: Registry, records: Records, sign_in: SignIn,
        clock: Clock,
    ) -> None:  # fmt: skip
        self._store, self._office, self._people, self._registry = store, office, people, registry
        self._records, self._sign_in, self._clock = records, sign_in, clock

    def make(self, account: Account, place: str, label: str, days: int, count: int) -> str:
        """A new token for the learners of an employer; its text, which is kept nowhere. `UnreadableError`."""
        self._office.require_place(account, Right.FLEET, place)
        if not (place.startswith("employer/") and 1 <= days <= MAX_DAYS and 1 <= count <= MAX_COUNT):
            raise UnreadableError(f"a token is an employer's, for 1 to {MAX_DAYS} days and 1 to {MAX_COUNT} learners")
        now = self._clock()
        if sum(token.state(now) == "good" for token in self._store.of(place)) >= MAX_TOKENS:
            raise UnreadableError(f"an employer has at most {MAX_TOKENS} tokens at a time")
        text = "".join(secrets.choice(SYMBOLS) for _ in range(LENGTH))
        named = " ".join(label.split())[:60]
        digest = handle_digest(text)
        self._office.audit(account, "made an enrolment token", f"{place} {digest[:8]}", f"{count} in {days} days")
        self._store.add(EnrolToken(digest, place, named, account.name, now, now + days * _DAY_MS, count))
        return "-".join(text[at : at + 5] for at in range(0, LENGTH, 5))

    def of(self, account: Account, place: str) -> list[tuple[EnrolToken, str]]:
        """(token, state) of an employer, latest first; `NotThereError` for one that is not this account's."""
        self._office.require_place(account, Right.FLEET, place)
        now = self._clock()
        return [(token, token.state(now)) for token in self._store.of(place)]

    def end(self, account: Account, place: str, digest: str) -> None:
        """It opens nothing any more; sign-ins that it made go on."""
        self._office.require_place(account, Right.FLEET, place)
        self._office.audit(account, "ended an enrolment token", f"{place} {digest[:8]}", "by hand")
        if not self._store.end(place, digest):
            raise NotThereError("no such token")

    def enter(self, text: str, name: str) -> tuple[str, Account]:
        """A learner's token for an employer's, or `WrongCodeError`: the same for everything that does not fit."""
        plain = unicodedata.normalize("NFKC", text).upper().translate(_ALIKE)
        digest = handle_digest(plain)
        token, account = self._store.find(digest), self._people.account(account_name(name))
        if token is None or account is None or not account.learner or not self._is_new(account, token.place):
            raise WrongCodeError("the code is wrong, too old, or not for this account")
        if self._store.use(digest, account.name, self._clock()) is None:
            raise WrongCodeError("the code is wrong, too old, or not for this account")
        return self._sign_in.admit(account), account

    def _is_new(self, account: Account, place: str) -> bool:
        """Of this employer, and without a device so far: a token replaces nobody's."""
        person = self._registry.person(account.learner)
        if person is None or person.employer != place:
            return False
        classes = person.classes
        return not self._records.read(lambda tx: any(tx.log.devices(item, account.learner) for item in classes))
