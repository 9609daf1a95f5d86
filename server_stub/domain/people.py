"""Who is known to the server: accounts, registrations, tokens. Values, and the port that keeps them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class Account:
    """A learner or one of the staff. `learner` is the pseudonym of the records, "" for staff."""

    name: str  # what is typed at sign-in
    person: str  # how people are called
    learner: str = ""
    password: str = ""  # argon2id, staff only
    roles: tuple[str, ...] = ()  # held everywhere; duties at places stand in the registry

    @property
    def staff(self) -> bool:
        """Whether this account signs in by a password: learners have none."""
        return bool(self.password) and not self.learner


@dataclass(frozen=True, slots=True)
class Registration:
    """One enrolment of one learner in one class; survives sessions. `reference` is a template's sha256 or "none"."""

    registration: str
    learner: str
    class_id: str
    reference: str = "none"
    real_name: str = "open"  # open | development | identified
    identified: int = -1  # the leaf that says so


@dataclass(frozen=True, slots=True)
class Classroom:
    """One class: its course's digest and what it is called."""

    class_id: str
    title: str
    made: int  # ms since the epoch


@dataclass(frozen=True, slots=True)
class Challenge:
    """A sign-in that was started: the code's HMAC, never the code. `account` may be nobody's."""

    challenge: str
    account: str
    code: str
    expires: int
    tries: int


@dataclass(frozen=True, slots=True)
class Token:
    """A right to ask, kept by its hash."""

    digest: str
    account: str
    staff: bool
    expires: int


class People(Protocol):
    """Keeps people; every method is one transaction of its own. Unknown names answer None."""

    def add_account(self, account: Account) -> None: ...
    def account(self, name: str) -> Account | None: ...
    def staff(self) -> Sequence[Account]:
        """Every account that signs in by a password, by name."""

    def account_of(self, learner: str) -> Account | None: ...
    def add_class(self, classroom: Classroom) -> None: ...
    def classes(self) -> Sequence[Classroom]: ...
    def add_registration(self, registration: Registration) -> None: ...
    def registration(self, registration: str) -> Registration | None: ...
    def registrations(self, *, learner: str | None = None, class_id: str | None = None) -> Sequence[Registration]: ...
    def set_reference(self, registration: str, reference: str) -> None: ...
    def set_real_name(self, registration: str, how: str, leaf: int) -> None: ...
    def count_code(self, account: str, now: int, *, gap_ms: int, a_day: int) -> bool:
        """Count one more code for `account`, unless that is too soon or too many within a day: then False."""

    def keep_challenge(self, challenge: Challenge) -> None: ...
    def try_challenge(self, challenge: str) -> Challenge | None:
        """The challenge with this try already counted."""

    def drop_challenge(self, challenge: str) -> bool:
        """Whether it was there: of two who bring the same right code one gets a token."""

    def keep_token(self, token: Token) -> None: ...
    def token(self, digest: str) -> Token | None: ...
    def drop_token(self, digest: str) -> None: ...
    def drop_tokens(self, account: str, but: str = "") -> int:
        """End every token of an account but this one; return how many."""

    def tokens(self, account: str) -> Sequence[Token]: ...
    def set_password(self, account: str, password: str) -> None: ...
    def drop_expired(self, now: int) -> None: ...
