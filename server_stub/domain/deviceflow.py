"""OpenID Connect by the device authorization grant (RFC 8628): a code on this screen, a yes in a browser elsewhere."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Any, Final, Protocol

from server_stub.domain.key_errors import ProviderGoneError, SignInElsewhereError
from server_stub.domain.oidc import Oidc, Provider
from server_stub.domain.ways import Begun, Pending, WayRefusedError

GRANT: Final = "urn:ietf:params:oauth:grant-type:device_code"
FIRST_INTERVAL_S: Final = 5  # RFC 8628, section 3.2: where the provider names none
SLOWER_S: Final = 5  # section 3.5: slow_down
LONGEST_S: Final = 60


class Exchange(Protocol):
    """Asks the provider and takes any status: refusals of OAuth come with 400. `OSError` when it does not answer."""

    def exchange(self, url: str, form: Mapping[str, str], basic: tuple[str, str] | None) -> tuple[int, bytes]: ...


class DeviceFlow:
    """`IdentityProvider`; the id token is checked as that of a browser's sign-in, but for the nonce it cannot have."""

    def __init__(self, oidc: Oidc, web: Exchange) -> None:
        self._oidc, self._web = oidc, web
        self.issuer, self.name = oidc.provider.issuer, oidc.provider.name

    def begin(self, now: int) -> Begun:
        """Section 3.1 and 3.2."""
        endpoint = self._oidc.endpoint("device_authorization_endpoint")
        status, said = self._ask(endpoint, {"client_id": self._provider.client, "scope": "openid"})
        if status != 200:
            raise ProviderGoneError(f"the provider refuses to begin: {_word(said.get('error'))}")
        device, user, where = (said.get(name) for name in ("device_code", "user_code", "verification_uri"))
        lasts, interval = said.get("expires_in"), said.get("interval", FIRST_INTERVAL_S)
        if not (_is_text(device, 400) and _is_text(user, 40) and _is_text(where, 300) and _is_web(str(where))):
            raise ProviderGoneError("the provider's device code is not of RFC 8628's form")
        if not _is_number(lasts, 1, 86_400) or not _is_number(interval, 0, LONGEST_S):
            raise ProviderGoneError("the provider names no time that its code lasts")
        every, until = max(1, int(str(interval))), now + int(str(lasts)) * 1000
        return Begun(str(where), str(user), until, every * 1000, {"code": device, "every": every})

    def poll(self, held: Mapping[str, Any]) -> Pending | str:
        """Section 3.4 and 3.5."""
        form = {"grant_type": GRANT, "device_code": str(held["code"]), "client_id": self._provider.client}
        status, said = self._ask(self._oidc.endpoint("token_endpoint"), form)
        if status == 200:
            token = said.get("id_token")
            if not _is_text(token, 16_384):
                raise WayRefusedError("the provider gave no id token")
            try:
                return self._oidc.subject(str(token), None)
            except SignInElsewhereError as error:
                raise WayRefusedError(str(error)) from error
        every = int(held["every"])
        refused = said.get("error")
        if refused == "slow_down":
            every = min(LONGEST_S, every + SLOWER_S)
        elif refused != "authorization_pending":
            raise WayRefusedError(f"the provider says: {_word(refused)}")
        return Pending({**held, "every": every}, every * 1000)

    @property
    def _provider(self) -> Provider:
        return self._oidc.provider

    def _ask(self, url: str, form: Mapping[str, str]) -> tuple[int, Mapping[str, Any]]:
        basic = (self._provider.client, self._provider.secret) if self._provider.secret else None
        try:
            status, data = self._web.exchange(url, form, basic)
            said = json.loads(data)
        except (OSError, ValueError, RecursionError) as error:
            raise ProviderGoneError("the provider does not answer as OAuth says") from error
        if not isinstance(said, dict) or status not in (200, 400, 401, 403):
            raise ProviderGoneError(f"the provider answers {status}")
        return status, said


def _is_text(value: object, most: int) -> bool:
    return isinstance(value, str) and 0 < len(value) <= most and value.isprintable()


def _is_number(value: object, least: int, most: int) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and least <= value <= most


def _is_web(address: str) -> bool:
    return address.startswith(("https://", "http://127.0.0.1", "http://localhost"))


def _word(value: object) -> str:
    return value[:60] if isinstance(value, str) and value.isprintable() else "nothing that can be read"
