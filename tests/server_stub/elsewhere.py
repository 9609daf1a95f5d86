"""Sign-in elsewhere as a script plays it: an OpenID provider with the device flow, and WeChat, on real sockets."""

from __future__ import annotations

import json
import secrets
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from unittest import mock
from urllib.parse import parse_qs, urlsplit

from joserfc import jwt
from joserfc.jwk import RSAKey

from server_stub.storage import providers

APP = {"app_id": "wx0123456789abcdef", "secret": "5ecre7"}


class Elsewhere:
    """Both at one address. `answers` and `sign` bend what it says; `asked` are the paths it was asked for."""

    def __init__(self, now: Any) -> None:
        self.now = now  # seconds
        self.key = RSAKey.generate_key(2048, {"kid": "k1", "use": "sig", "alg": "RS256"})
        self.devices: dict[str, str] = {}  # device code → "pending", "slow", "denied", or the subject who agreed
        self.interval: Any = 5
        self.claims: dict[str, Any] = {}
        self.codes: dict[str, dict[str, Any]] = {}  # WeChat: code → who
        self.refusals: dict[str, Any] = {}  # path → errcode body
        self.asked: list[str] = []
        self.url = ""

    def agree(self, subject: str) -> None:
        """Whoever holds the code says yes as `subject`."""
        self.devices = dict.fromkeys(self.devices, subject)

    def answer(self, path: str, asked: dict[str, str]) -> tuple[int, Any]:
        """What it says; every answer is JSON."""
        self.asked.append(path)
        if path in self.refusals:
            return self.refusals[path]
        match path:
            case "/.well-known/openid-configuration":
                names = {"authorization": "auth", "token": "token", "device_authorization": "device"}
                return 200, {"issuer": self.url, "jwks_uri": f"{self.url}/jwks",
                             **{f"{name}_endpoint": f"{self.url}/{to}" for name, to in names.items()}}  # fmt: skip
            case "/jwks":
                return 200, {"keys": [self.key.as_dict(private=False)]}
            case "/device":
                code = secrets.token_hex(8)
                self.devices[code] = "pending"
                return 200, {"device_code": code, "user_code": "WDJB-MJHT", "verification_uri": f"{self.url}/go",
                             "expires_in": 900, "interval": self.interval}  # fmt: skip
            case "/token":
                return self._token(asked)
            case "/sns/oauth2/access_token":
                who = self.codes.pop(asked["code"], None)
                if who is None or asked["secret"] != APP["secret"]:
                    return 200, {"errcode": 40029, "errmsg": "invalid code"}
                return 200, {"access_token": f"t-{who['openid']}", "expires_in": 7200, **who}
            case "/sns/userinfo":
                return 200, {"nickname": "小明", "openid": asked["openid"], "unionid": f"u-{asked['openid']}"}
        return 404, {}

    def _token(self, asked: dict[str, str]) -> tuple[int, Any]:
        state = self.devices.get(asked.get("device_code", ""))
        match state:
            case None:
                return 400, {"error": "invalid_grant"}
            case "pending":
                return 400, {"error": "authorization_pending"}
            case "slow":
                return 400, {"error": "slow_down"}
            case "denied":
                return 400, {"error": "access_denied"}
        now = int(self.now())
        claims = {"iss": self.url, "aud": "trueseat", "sub": state, "iat": now, "exp": now + 300, **self.claims}
        return 200, {"id_token": jwt.encode({"alg": "RS256", "kid": "k1"}, claims, self.key), "token_type": "Bearer"}


@contextmanager
def elsewhere(now: Any) -> Iterator[Elsewhere]:
    """It answers while the block runs; whoever asks it waits as long as a busy machine needs."""
    there = Elsewhere(now)

    class Handler(BaseHTTPRequestHandler):
        def _do(self, text: str) -> None:
            parts = urlsplit(self.path)
            asked = {name: values[0] for name, values in parse_qs(parts.query + "&" + text).items()}
            status, said = there.answer(parts.path, asked)
            data = said if isinstance(said, bytes) else json.dumps(said).encode()
            self.send_response(status)
            self.send_header("Content-Length", str(len(data)))
            self.end_headers()
            self.wfile.write(data)

        def do_GET(self) -> None:
            self._do("")

        def do_POST(self) -> None:
            self._do(self.rfile.read(int(self.headers.get("Content-Length", "0"))).decode())

        def log_message(self, *_: object) -> None: ...

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    there.url = f"http://127.0.0.1:{server.server_address[1]}"
    thread = threading.Thread(target=server.serve_forever, args=(0.01,), daemon=True)
    thread.start()
    try:
        with mock.patch.object(providers, "PATIENCE_S", 120.0):
            yield there
    finally:
        server.shutdown()
        server.server_close()


def ways_file(there: Elsewhere) -> str:
    """What the operator writes into ways.toml for it."""
    return (
        f'[oidc]\nissuer = "{there.url}"\nclient = "trueseat"\nname = "City"\n'
        f'[wechat]\napp_id = "{APP["app_id"]}"\nsecret = "{APP["secret"]}"\n'
        f'back = "http://127.0.0.1/v1/sign-in/wechat"\napi = "{there.url}"\n'
    )
