"""An organisation's sign-in that a test holds in its hand: it issues what it should, or what an attacker would."""

from __future__ import annotations

import base64
import hashlib
import json
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import KeySet, RSAKey

from tests.server_stub.learner import Clock

ISSUER = "https://sso.bureau.example"
CLIENT = "trueseat"
SECRET = "s3cret+/="


@dataclass
class FakeProvider:
    """`domain.oidc.Web`: answers like a provider; `bend` changes the id token's claims, `forge` the token itself."""

    clock: Clock
    key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one", "use": "sig", "alg": "RS256"}))
    said: dict[str, Any] = field(default_factory=lambda: {
        "issuer": ISSUER, "authorization_endpoint": f"{ISSUER}/auth", "token_endpoint": f"{ISSUER}/token",
        "jwks_uri": f"{ISSUER}/keys",
    })  # fmt: skip
    bend: Callable[[dict[str, Any]], None] = lambda claims: None
    forge: Callable[[str, dict[str, Any]], str] = lambda token, claims: token
    codes: dict[str, tuple[str, str, str, str]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    gone: bool = False

    def log_in(self, address: str, subject: str) -> str:
        """What the person does there: the query of the redirect back."""
        parts = urlsplit(address)
        given = {name: values[0] for name, values in parse_qs(parts.query).items()}
        assert address.startswith(f"{ISSUER}/auth?")
        assert (given["response_type"], given["code_challenge_method"]) == ("code", "S256")
        code = f"code{len(self.codes)}"
        self.codes[code] = (subject, given["nonce"], given["code_challenge"], given["redirect_uri"])
        return f"code={code}&state={given['state']}"

    def get(self, url: str) -> bytes:
        self.asked.append(url)
        if self.gone:
            raise OSError("refused")
        if url.endswith("/.well-known/openid-configuration"):
            return json.dumps(self.said).encode()
        assert url == self.said["jwks_uri"]
        return json.dumps(KeySet([self.key]).as_dict(private=False)).encode()

    def post(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> bytes:
        self.asked.append(url)
        if self.gone or form["code"] not in self.codes or basic != (CLIENT, SECRET):
            raise OSError("answers 400")
        subject, nonce, challenge, back = self.codes.pop(form["code"])
        made = base64.urlsafe_b64encode(hashlib.sha256(form["code_verifier"].encode()).digest()).rstrip(b"=").decode()
        if (made, form["redirect_uri"]) != (challenge, back):
            raise OSError("answers 400")
        now = self.clock.now // 1000
        claims = {"iss": ISSUER, "aud": CLIENT, "sub": subject, "nonce": nonce, "iat": now, "exp": now + 300}
        self.bend(claims)
        token = jwt.encode({"alg": "RS256", "kid": self.key.kid}, claims, self.key)
        return json.dumps({"id_token": self.forge(token, claims), "access_token": "x"}).encode()
