"""WeChat's sign-in for websites: a picture that a phone scans, a code that comes back, and two calls of our own.

WeChat answers HTTP 200 whatever happened; a refusal is `errcode` in the body. The subject is the `unionid` (one for all
of an operator's programs) where there is one, else the `openid`. The secret and the tokens stand in the address of a
request, as WeChat wants it: no address of these calls is ever logged or shown.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final, Protocol
from urllib.parse import urlencode

from server_stub.domain.errors import SetupError
from server_stub.domain.key_errors import ProviderGoneError
from server_stub.domain.passkeys import Ceremony, KeyStore
from server_stub.domain.signin import Clock
from server_stub.domain.ways import Begun, Pending, WayRefusedError

ISSUER: Final = "https://open.weixin.qq.com"
API: Final = "https://api.weixin.qq.com"
LASTS_MS: Final = 10 * 60 * 1000
EVERY_MS: Final = 2_000
BUSY: Final = -1  # "system busy": ask again


@dataclass(frozen=True, slots=True)
class WeChatApp:
    """The operator's website application; `back`: this server's own address for the answer."""

    app_id: str
    secret: str
    back: str
    name: str = "微信"
    api: str = API  # a test's own

    def __post_init__(self) -> None:
        if not (self.app_id.isalnum() and self.secret.isalnum() and self.back.startswith(("https://", "http://127."))):
            raise SetupError("WeChat: app_id and secret as the open platform gave them, back = https:// of this server")


class Asks(Protocol):
    """Asks WeChat; `OSError` when it does not answer."""

    def get(self, url: str) -> bytes: ...


class WeChat:
    """`IdentityProvider`; `returned` is called by the address to which WeChat sends the learner's browser."""

    issuer = ISSUER

    def __init__(self, app: WeChatApp, web: Asks, store: KeyStore, clock: Clock) -> None:
        self._app, self._web, self._store, self._clock = app, web, store, clock
        self.name = app.name

    def begin(self, now: int) -> Begun:
        """The address behind the picture to scan; its `state` is good once. The number on the learner's own screen is
        asked for when the browser comes back: who agreed to somebody else's sign-in does not have it before him."""
        state, number = secrets.token_hex(16), f"{secrets.randbelow(10_000):04d}"
        held = json.dumps({"number": number})
        self._store.begin(Ceremony(_named("asked", state), "way", "", held, now + LASTS_MS))
        asked = {"appid": self._app.app_id, "redirect_uri": self._app.back, "response_type": "code",
                 "scope": "snsapi_login", "state": state}  # fmt: skip
        uri = f"{ISSUER}/connect/qrconnect?{urlencode(asked)}#wechat_redirect"
        return Begun(uri, number, now + LASTS_MS, EVERY_MS, {"state": state})

    def returned(self, state: str, code: str, number: str = "") -> None:
        """The browser came back: exchange the code, remember whose it is. `code` "": the learner said no, and so does
        another `number` than the one on the screen of whoever began: there is one try."""
        now = self._clock()
        asked = self._store.finish(_named("asked", state), now)
        if asked is None:
            raise WayRefusedError("this sign-in was not begun here, or too long ago")
        same = hmac.compare_digest(str(json.loads(asked.held)["number"]).encode(), number.encode())
        held = json.dumps({"subject": self._subject(code) if code and same else ""})
        self._store.begin(Ceremony(_named("answered", state), "way", "", held, now + LASTS_MS))
        if code and not same:
            raise WayRefusedError("another number than on the screen of the computer that began")

    def poll(self, held: Mapping[str, Any]) -> Pending | str:
        """Whose it is, once the browser came back."""
        answered = self._store.finish(_named("answered", str(held["state"])), self._clock())
        if answered is None:
            return Pending(held, EVERY_MS)
        subject = str(json.loads(answered.held)["subject"])
        if not subject:
            raise WayRefusedError("it was declined on the phone")
        return subject

    def _subject(self, code: str) -> str:
        """The two calls: the code for a token, the token for who it is."""
        given = self._call("/sns/oauth2/access_token", {
            "appid": self._app.app_id, "secret": self._app.secret, "code": code, "grant_type": "authorization_code",
        })  # fmt: skip
        token, openid = given.get("access_token"), given.get("openid")
        if not _is_id(openid) or not isinstance(token, str) or not 0 < len(token) <= 600:
            raise ProviderGoneError("WeChat gave no token")
        who = self._call("/sns/userinfo", {"access_token": token, "openid": str(openid)})
        if who.get("openid") != openid:
            raise WayRefusedError("WeChat's two answers are about two people")
        union = who.get("unionid")
        return f"unionid:{union}" if _is_id(union) else f"openid:{openid}"

    def _call(self, path: str, asked: Mapping[str, str]) -> Mapping[str, Any]:
        try:
            said = json.loads(self._web.get(f"{self._app.api}{path}?{urlencode(asked)}"))
        except (OSError, ValueError, RecursionError):
            raise ProviderGoneError("WeChat does not answer") from None  # the address in the cause holds the secret
        if not isinstance(said, dict):
            raise ProviderGoneError("WeChat's answer is no object")
        refused = said.get("errcode", 0)
        if refused == BUSY:
            raise ProviderGoneError("WeChat is busy")
        if refused != 0:
            raise WayRefusedError(f"WeChat refuses: {refused if isinstance(refused, int) else 'no number'}")
        return said


def _is_id(value: object) -> bool:
    return isinstance(value, str) and 0 < len(value) <= 128 and value.isascii() and value.isprintable()


def _named(what: str, state: str) -> str:
    return hashlib.sha256(f"wechat-{what}\n{state}".encode()).hexdigest()
