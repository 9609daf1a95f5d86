"""Signing in: a code for learners, a password for staff, a token for both. An account is not yet a person.

Codes: six digits, kept as HMAC, 5 minutes, 5 tries, one per 30 s and ten a day per account, and the same answer
whether the account exists or not (server-notes, "Sign-in providers").
"""

from __future__ import annotations

import hashlib
import hmac
import secrets
import unicodedata
from collections.abc import Callable
from typing import Final, Protocol

from server_stub.domain import passwords
from server_stub.domain.errors import (
    NotSignedInError,
    NotThereError,
    TooManyError,
    UnreadableError,
    WrongCodeError,
    WrongPasswordError,
)
from server_stub.domain.people import Account, Challenge, People, Token

Clock = Callable[[], int]  # ms since the epoch

CODE_MS: Final = 5 * 60 * 1000
CODE_TRIES: Final = 5
CODE_GAP_MS: Final = 30 * 1000
CODES_A_DAY: Final = 10
FRESH_MS: Final = 10 * 60 * 1000  # what replaces a device key, or gives up its records, needs a sign-in this young
LEARNER_TOKEN_MS: Final = 30 * 24 * 3600 * 1000
ACTIVATION_MS: Final = 14 * 24 * 3600 * 1000
SYMBOLS: Final = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # no letter that looks like another or like a digit
CODE_SYMBOLS: Final = 10  # 50 bits: with the limits by address nobody guesses one in two weeks
_ALIKE: Final = str.maketrans("OIL", "011", " -_.")
STAFF_TOKEN_MS: Final = 12 * 3600 * 1000


class CodeSender(Protocol):
    """Brings a code to a person's phone."""

    def send(self, account: str, code: str) -> None:
        """Send it; never raise because of the account."""


class SignIn:
    """The two ways in and the tokens they give."""

    def __init__(self, people: People, secret: bytes, clock: Clock, sender: CodeSender) -> None:
        self._people, self._secret, self._clock, self._sender = people, secret, clock, sender

    def start(self, account: str) -> tuple[str, int]:
        """Send a code; return the challenge and when it expires (ms). Unknown accounts: the same answer, no code."""
        name = account_name(account)
        now = self._clock()
        self._people.drop_expired(now)
        asked = self._keyed("asked", name)  # unknown names are counted too, and not kept in the clear
        if not self._people.count_code(asked, now, gap_ms=CODE_GAP_MS, a_day=CODES_A_DAY):
            raise TooManyError("one code per 30 seconds, ten a day")
        challenge, code = secrets.token_hex(16), f"{secrets.randbelow(10**6):06d}"
        keyed = self._keyed("code", challenge + code)
        self._people.keep_challenge(Challenge(challenge, name, keyed, now + CODE_MS, 0))
        known = self._people.account(name)
        if known is not None and known.learner:
            self._sender.send(name, code)
        return challenge, now + CODE_MS

    def finish(self, challenge: str, code: str) -> tuple[str, Account]:
        """Return a token and whose it is, or raise `WrongCodeError`; a challenge gives one token at most."""
        kept = self._people.try_challenge(challenge)
        right = hmac.compare_digest(kept.code if kept else "0" * 64, self._keyed("code", challenge + code))
        if kept is None or not right or kept.tries > CODE_TRIES or kept.expires <= self._clock():
            raise WrongCodeError("the code is wrong or too old")
        account = self._people.account(kept.account)
        if account is None or not account.learner or not self._people.drop_challenge(challenge):
            raise WrongCodeError("the code is wrong or too old")
        return self._token(account, staff=False), account

    def staff(self, name: str, password: str) -> tuple[str, Account]:
        """Return a token for one of the staff, or raise `WrongPasswordError` after the same work."""
        account = self._people.account(account_name(name))
        kept = account.password if account and account.password else passwords.NOBODY
        right = passwords.check_password(password, kept)
        if account is None or not right or not account.staff:
            raise WrongPasswordError("account and password do not belong together")
        if passwords.is_outdated(kept):
            self._people.set_password(account.name, passwords.hash_password(password))
        return self._token(account, staff=True), account

    def admit(self, account: Account) -> str:
        """A token for somebody who was recognised by other means than a code or a password."""
        return self._token(account, staff=not account.learner)

    def issue(self, name: str) -> str:
        """An activation code for a learner's account, good once and for two weeks; `NotThereError` for no learner."""
        account = self._people.account(account_name(name))
        if account is None or not account.learner:
            raise NotThereError(f"no learner has the account {name[:40]!r}")
        code = "".join(secrets.choice(SYMBOLS) for _ in range(CODE_SYMBOLS))
        challenge = self._keyed("activation", code)[:32]
        keyed, expires = self._keyed("code", challenge + code), self._clock() + ACTIVATION_MS
        self._people.keep_challenge(Challenge(challenge, account.name, keyed, expires, 0))
        return f"{code[:5]}-{code[5:]}"

    def activate(self, code: str) -> tuple[str, Account]:
        """Return a token and whose it is for an activation code as people type it, or `WrongCodeError`."""
        plain = unicodedata.normalize("NFKC", code).upper().translate(_ALIKE)
        return self.finish(self._keyed("activation", plain)[:32], plain)

    def check(self, account: Account, password: str) -> None:
        """The person at the keyboard knows the password now, or `WrongPasswordError`."""
        if not passwords.check_password(password, account.password):
            raise WrongPasswordError("the password is another one")

    def who(self, token: str, *, staff: bool) -> Account:
        """The account behind a token, or `NotSignedInError`."""
        kept = self._people.token(_token_digest(token))
        if kept is None or kept.staff is not staff or kept.expires <= self._clock():
            raise NotSignedInError("the token is unknown or has ended")
        account = self._people.account(kept.account)
        if account is None:
            raise NotSignedInError("the account is gone")
        return account

    def is_fresh(self, token: str) -> bool:
        """Whether a learner entered the code for this token minutes ago: the person is here, not only the device."""
        kept = self._people.token(_token_digest(token))
        if kept is None or kept.staff:
            return False
        return self._clock() - (kept.expires - LEARNER_TOKEN_MS) <= FRESH_MS

    def csrf(self, token: str) -> str:
        """What a form of the pages must bring back: bound to the token, and of no use for anything else."""
        return self._keyed("csrf", token)

    def is_csrf(self, token: str, given: str) -> bool:
        """Whether a form was made for whoever holds this token."""
        return hmac.compare_digest(self.csrf(token).encode(), given.encode())

    def held(self, account: Account) -> list[int]:
        """When (ms) each running sign-in of one of the staff began, latest first."""
        tokens = self._people.tokens(account.name)
        now = self._clock()
        return [token.expires - STAFF_TOKEN_MS for token in reversed(tokens) if token.staff and token.expires > now]

    def end_others(self, account: Account, token: str) -> int:
        """End every other sign-in of this account; return how many."""
        return self._people.drop_tokens(account.name, but=_token_digest(token))

    def change_password(self, account: Account, token: str, old: str, new: str) -> None:
        """Replace the password and end every other sign-in; `WrongPasswordError`, `PasswordWeakError`."""
        self.check(account, old)
        passwords.check_strength(new, account.name)
        self._people.set_password(account.name, passwords.hash_password(new))
        self.end_others(account, token)

    def sign_out(self, token: str) -> None:
        """End a token."""
        self._people.drop_token(_token_digest(token))

    def _token(self, account: Account, *, staff: bool) -> str:
        token = secrets.token_urlsafe(32)
        lasts = STAFF_TOKEN_MS if staff else LEARNER_TOKEN_MS
        self._people.keep_token(Token(_token_digest(token), account.name, staff, self._clock() + lasts))
        return token

    def _keyed(self, what: str, text: str) -> str:
        return hmac.new(self._secret, f"{what}\n{text}".encode(), hashlib.sha256).hexdigest()


def account_name(text: str) -> str:
    """The one spelling of an account (NFKC, no outer spaces, lower case), or `UnreadableError`."""
    name = unicodedata.normalize("NFKC", text).strip().lower()
    if not name.isprintable() or not 0 < len(name) <= 100:
        raise UnreadableError("an account is 1 to 100 printable characters")
    return name


def _token_digest(token: str) -> str:
    return hashlib.sha256(token.encode()).hexdigest()
