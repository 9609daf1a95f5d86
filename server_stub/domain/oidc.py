"""An organisation's own sign-in for its staff: OpenID Connect, authorization code with PKCE.

Nobody becomes an account by an e-mail address: somebody of the staff who is signed in links the account once, and the
pair of issuer and subject is what counts from then on. The id token is believed only with an asymmetric signature by a
key of the issuer, this client as audience, and the nonce of this browser's own ceremony.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import json
import secrets
import threading
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Literal, Protocol
from urllib.parse import urlencode, urlsplit

from joserfc import jwt
from joserfc.errors import JoseError
from joserfc.jwk import KeySet

from server_stub.domain.errors import SetupError
from server_stub.domain.key_errors import ProviderGoneError, SignInElsewhereError
from server_stub.domain.passkeys import Ceremony, KeyStore, handle_digest
from server_stub.domain.people import Account, People
from server_stub.domain.signin import Clock, SignIn

CEREMONY_MS: Final = 10 * 60 * 1000
ALGORITHMS: Final = ("RS256", "RS384", "RS512", "PS256", "ES256", "ES384", "EdDSA", "Ed25519")  # never none, never HMAC
LEEWAY_S: Final = 120
MAX_TOKEN_AGE_S: Final = 600
KEYS_MS: Final = 3600 * 1000  # the issuer's keys are asked for again after an hour, or for an unknown one
_AGAIN_MS: Final = 30 * 1000  # but not more often
_AWAY_MS: Final = 10 * 1000  # nobody is kept waiting for an issuer that just did not answer
MAX_TOKEN: Final = 16_384


@dataclass(frozen=True, slots=True)
class Provider:
    """Who the organisation's sign-in is; `secret` "" for a public client. `name` stands on the button."""

    issuer: str
    client: str
    secret: str
    name: str

    def __post_init__(self) -> None:
        if not _safe_url(self.issuer) or not self.client or len(self.name) > 60:
            raise SetupError("an issuer is an https:// address (http:// on this machine only); client and name follow")


class Web(Protocol):
    """Asks the provider; `OSError` when it does not answer."""

    def get(self, url: str) -> bytes: ...
    def post(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> bytes: ...


@dataclass(frozen=True, slots=True)
class _Known:
    """What the issuer says of itself, and its keys, as of `at` (ms)."""

    said: Mapping[str, Any]
    keys: KeySet
    at: int


class Oidc:
    """Begins and ends the ceremony."""

    def __init__(
        self, provider: Provider, web: Web, store: KeyStore, people: People, sign_in: SignIn, clock: Clock
    ) -> None:
        self.provider = provider
        self._web, self._store, self._people, self._sign_in, self._clock = web, store, people, sign_in, clock
        self._known: _Known | None = None
        self._away = -_AWAY_MS  # when it did not answer
        self._one = threading.Lock()

    def begin(self, back: str, account: Account | None = None) -> tuple[str, str]:
        """(address to go to, handle for this browser's cookie); `account`: whom to link, None to sign in."""
        handle, nonce, verifier = secrets.token_hex(16), secrets.token_urlsafe(24), secrets.token_urlsafe(48)
        state = hashlib.sha256(f"state\n{handle}".encode()).hexdigest()
        held = json.dumps({"nonce": nonce, "verifier": verifier, "back": back})
        what: Literal["oidc", "oidc-link"] = "oidc-link" if account else "oidc"
        expires = self._clock() + CEREMONY_MS
        self._store.begin(Ceremony(handle_digest(handle), what, account.name if account else "", held, expires))
        challenge = base64.urlsafe_b64encode(hashlib.sha256(verifier.encode()).digest()).rstrip(b"=").decode()
        asked = {
            "response_type": "code", "client_id": self.provider.client, "redirect_uri": back, "scope": "openid",
            "state": state, "nonce": nonce, "code_challenge": challenge, "code_challenge_method": "S256",
        }  # fmt: skip
        there = str(self._metadata().said["authorization_endpoint"])
        return there + ("&" if "?" in there else "?") + urlencode(asked), handle

    def end(self, handle: str, given: Mapping[str, str]) -> tuple[str, Account]:
        """A token and whose it is; "" for one that was linked. `SignInElsewhereError` for what is not believed.

        `given`: what the provider's redirect carries; `handle`: from the cookie of the browser that began.
        """
        ceremony = self._store.finish(handle_digest(handle), self._clock())
        state = hashlib.sha256(f"state\n{handle}".encode()).hexdigest()
        if ceremony is None or not ceremony.what.startswith("oidc"):
            raise SignInElsewhereError("this sign-in was not begun in this browser, or too long ago")
        if not hmac.compare_digest(given.get("state", "").encode(), state.encode()):
            raise SignInElsewhereError("the answer belongs to another sign-in")
        if given.get("iss", self.provider.issuer) != self.provider.issuer:
            raise SignInElsewhereError("the answer is another issuer's")
        if "code" not in given:
            raise SignInElsewhereError(f"the provider answered: {given.get('error', 'no code')[:60]}")
        held = json.loads(ceremony.held)
        subject = self.subject(self._token(given["code"], held), held["nonce"])
        links = ceremony.what == "oidc-link"
        name = ceremony.account if links else self._store.linked(self.provider.issuer, subject)
        account = self._people.account(name or "")
        if account is None or not account.staff:
            raise SignInElsewhereError("this account of the organisation is linked to nobody here")
        if links:
            self._store.link(self.provider.issuer, subject, account.name)
            return "", account
        return self._sign_in.admit(account), account

    def endpoint(self, name: str) -> str:
        """An address that the issuer names; `ProviderGoneError` where it names none."""
        found = self._metadata().said.get(name)
        if not isinstance(found, str) or not _safe_url(found):
            raise ProviderGoneError(f"the provider names no {name}")
        return found

    def is_linked(self, account: Account) -> bool:
        """Whether this account signs in by the organisation, too."""
        return any(issuer == self.provider.issuer for issuer, _ in self._store.links(account.name))

    def unlink(self, account: Account) -> int:
        """End it; how many links there were."""
        return self._store.unlink(account.name)

    def _token(self, code: str, held: Mapping[str, str]) -> str:
        form = {"grant_type": "authorization_code", "code": code, "redirect_uri": held["back"],
                "code_verifier": held["verifier"], "client_id": self.provider.client}  # fmt: skip
        basic = (self.provider.client, self.provider.secret) if self.provider.secret else None
        answer = self._ask(lambda: self._web.post(str(self._metadata().said["token_endpoint"]), form, basic))
        token = answer.get("id_token")
        if not isinstance(token, str) or len(token) > MAX_TOKEN:
            raise SignInElsewhereError("the provider gave no id token")
        return token

    def subject(self, token: str, nonce: str | None) -> str:
        """Whose the id token is, checked as OpenID Connect Core, section 3.1.3.7 asks; `SignInElsewhereError`.

        `nonce`: that of the ceremony; None for a flow that has none (RFC 8628).
        """
        try:
            claims = self._signed(token)
        except (JoseError, ValueError, TypeError, KeyError, RecursionError) as error:
            raise SignInElsewhereError(f"the id token is refused: {type(error).__name__}") from error
        now = self._clock() // 1000
        audience = claims.get("aud")
        audiences = audience if isinstance(audience, list) else [audience]
        expires, issued, subject = _time(claims.get("exp")), _time(claims.get("iat")), claims.get("sub")
        checks = {
            "iss": claims.get("iss") == self.provider.issuer,
            "aud": self.provider.client in audiences,
            "azp": claims.get("azp", self.provider.client) == self.provider.client
            and (len(audiences) == 1 or "azp" in claims),
            "exp": now < expires + LEEWAY_S,
            "iat": now - MAX_TOKEN_AGE_S - LEEWAY_S <= issued <= now + LEEWAY_S,
            "nonce": nonce is None
            or (isinstance(claims.get("nonce"), str)
            and hmac.compare_digest(claims["nonce"].encode(), nonce.encode())),
            "sub": isinstance(subject, str) and 0 < len(subject) <= 255,
        }
        if wrong := [name for name, right in checks.items() if not right]:
            raise SignInElsewhereError(f"the id token is not for this sign-in: {', '.join(wrong)}")
        return str(subject)

    def _signed(self, token: str) -> Mapping[str, Any]:
        known = self._metadata()
        try:
            return jwt.decode(token, known.keys, algorithms=list(ALGORITHMS)).claims
        except (JoseError, ValueError):
            if self._clock() - known.at < _AGAIN_MS:
                raise
        return jwt.decode(token, self._metadata(again=True).keys, algorithms=list(ALGORITHMS)).claims

    def _metadata(self, *, again: bool = False) -> _Known:
        """What the issuer says of itself, at most an hour old."""
        with self._one:
            known = self._known
            if known is None or again or self._clock() - known.at > KEYS_MS:
                if 0 <= self._clock() - self._away < _AWAY_MS:  # else each of many waits for it, one after the other
                    raise ProviderGoneError("the provider did not answer a moment ago")
                try:
                    known = self._known = self._fetch()
                except ProviderGoneError:
                    self._away = self._clock()
                    raise
            return known

    def _fetch(self) -> _Known:
        address = self.provider.issuer.rstrip("/") + "/.well-known/openid-configuration"
        said = self._ask(lambda: self._web.get(address))
        if said.get("issuer") != self.provider.issuer:
            raise ProviderGoneError("the provider calls itself another issuer")
        for name in ("authorization_endpoint", "token_endpoint", "jwks_uri"):
            if not isinstance(said.get(name), str) or not _safe_url(said[name]):
                raise ProviderGoneError(f"the provider names no {name}")
        keys = self._ask(lambda: self._web.get(str(said["jwks_uri"])))
        try:
            usable = [key for key in keys["keys"] if key.get("kty") in ("RSA", "EC", "OKP")]  # no shared secrets
            return _Known(said, KeySet.import_key_set({"keys": usable}), self._clock())
        except (JoseError, ValueError, TypeError, KeyError, AttributeError) as error:
            raise ProviderGoneError("the provider's keys cannot be read") from error

    @staticmethod
    def _ask(question: Any) -> Mapping[str, Any]:
        try:
            answer = json.loads(question())
        except (OSError, ValueError, RecursionError) as error:
            raise ProviderGoneError(f"the provider does not answer as it should: {type(error).__name__}") from error
        if not isinstance(answer, dict):
            raise ProviderGoneError("the provider does not answer as it should")
        return answer


def _time(value: object) -> float:
    """A moment in seconds; what is none lies long ago."""
    return value if isinstance(value, (int, float)) and not isinstance(value, bool) else 0


def _safe_url(text: str) -> bool:
    parts = urlsplit(text)
    local = parts.hostname in ("127.0.0.1", "localhost", "::1")
    return bool(parts.hostname) and (parts.scheme == "https" or (parts.scheme == "http" and local)) and len(text) < 500
