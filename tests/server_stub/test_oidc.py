"""An organisation's own sign-in: linked by hand once, believed only when everything fits, and every attack refused."""

from __future__ import annotations

import base64
import hmac
import json
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from fastapi.testclient import TestClient
from httpx import Response
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from joserfc import jws
from joserfc.jwk import RSAKey

from server_stub.domain.errors import SetupError
from server_stub.domain.key_errors import ProviderGoneError, SignInElsewhereError
from server_stub.domain.oidc import Oidc
from server_stub.storage.providers import load_provider
from tests.server_stub.conftest import Room
from tests.server_stub.provider import CLIENT, ISSUER, SECRET, FakeProvider
from tests.server_stub.staff import PASSWORD, account, hire, sign_in
from tests.tries import tries

HOST = {"host": "localhost"}
TOML = f'issuer = "{ISSUER}"\nclient = "{CLIENT}"\nsecret = "{SECRET}"\nname = "市人社局"\n'


@dataclass
class Bureau:
    room: Room
    provider: FakeProvider

    @property
    def oidc(self) -> Oidc:
        found = self.room.server.services.oidc
        assert found is not None
        return found

    def browser(self) -> TestClient:
        return TestClient(self.room.http.app, base_url="http://localhost", raise_server_exceptions=False)

    def begin(self, http: TestClient) -> str:
        answer = http.get("/sign-in/oidc", follow_redirects=False)
        assert answer.status_code == 303, answer.text
        return str(answer.headers["location"])

    def come_back(self, http: TestClient, query: str) -> Response:
        return http.get(f"/sign-in/oidc/return?{query}", follow_redirects=False)

    def enter(self, http: TestClient, subject: str = "u-1") -> Response:
        return self.come_back(http, self.provider.log_in(self.begin(http), subject))

    def link(self, name: str = "supervisor", subject: str = "u-1") -> None:
        there, handle = self.oidc.begin("http://localhost/sign-in/oidc/return", account(self.room, name))
        given = dict(part.split("=") for part in self.provider.log_in(there, subject).split("&"))
        assert self.oidc.end(handle, given) == ("", account(self.room, name))


@pytest.fixture
def bureau(room: Room) -> Bureau:
    path = room.settings.provider
    path.write_text(TOML)
    path.chmod(0o600)
    room.restart()
    hire(room)
    made = Bureau(room, FakeProvider(room.clock))
    made.oidc._web = made.provider
    return made


def is_in(http: TestClient, name: str) -> bool:
    answer = http.get("/account", follow_redirects=False)
    return answer.status_code == 200 and name in answer.text


@pytest.mark.slow
def test_an_account_is_linked_by_hand_and_opens_by_the_organisation_from_then_on(bureau: Bureau) -> None:
    """Password, link, sign out; then the organisation's account alone. Ended, it opens nothing."""
    browser = sign_in(bureau.room, "supervisor")
    http = bureau.browser()
    http.cookies.set("trueseat_staff", browser.http.cookies["trueseat_staff"])
    refused = http.post("/account/oidc", data={"csrf": browser.csrf, "password": "wrong"}, follow_redirects=False)
    assert refused.status_code == 403
    page = http.post("/account/oidc", data={"csrf": browser.csrf, "password": PASSWORD}, follow_redirects=False)
    assert page.status_code == 200
    there = page.text.partition("url=")[2].partition('"')[0].replace("&amp;", "&")
    assert bureau.come_back(http, bureau.provider.log_in(there, "u-1")).status_code == 200
    fresh = bureau.browser()
    assert bureau.enter(fresh).status_code == 200
    assert is_in(fresh, "supervisor")
    bureau.oidc.unlink(account(bureau.room, "supervisor"))
    assert bureau.enter(bureau.browser()).status_code == 403


def test_an_account_that_nobody_linked_opens_nothing(bureau: Bureau) -> None:
    """Also when the organisation says an e-mail address or a name that somebody has here."""
    bureau.provider.bend = lambda claims: claims.update(email="supervisor", preferred_username="supervisor")
    http = bureau.browser()
    assert bureau.enter(http, "u-9").status_code == 403
    assert not is_in(http, "supervisor")


def test_one_account_of_the_organisation_is_one_person_here(bureau: Bureau) -> None:
    bureau.link("supervisor", "u-1")
    with pytest.raises(SignInElsewhereError):
        bureau.link("teacher", "u-1")


def forged_hmac(token: str, claims: dict[str, Any], provider: FakeProvider) -> str:
    """The issuer's public key as a shared secret: who takes any algorithm of the header believes it."""
    parts = [json.dumps({"alg": "HS256", "kid": "one"}), json.dumps(claims)]
    signed = ".".join(_b64(part.encode()) for part in parts)
    return f"{signed}.{_b64(hmac.digest(provider.key.as_pem(private=False), signed.encode(), 'sha256'))}"


def _b64(data: bytes) -> str:
    return base64.urlsafe_b64encode(data).rstrip(b"=").decode()


def forged_none(_token: str, claims: dict[str, Any], _provider: FakeProvider) -> str:
    parts = [json.dumps({"alg": "none", "kid": "one"}), json.dumps(claims)]
    return ".".join(_b64(part.encode()) for part in parts) + "."


def forged_other_key(_token: str, claims: dict[str, Any], _provider: FakeProvider) -> str:
    """Signed by a key that says it is the issuer's, and carries itself in the header."""
    key = RSAKey.generate_key(2048, {"kid": "one"})
    header = {"alg": "RS256", "kid": "one", "jwk": key.as_dict(private=False)}
    return jws.serialize_compact(header, json.dumps(claims), key, algorithms=["RS256"])


def cut_signature(token: str, _claims: dict[str, Any], _provider: FakeProvider) -> str:
    return token.rpartition(".")[0] + "."


def other_claims(token: str, claims: dict[str, Any], _provider: FakeProvider) -> str:
    head, _, tail = token.split(".")
    return f"{head}.{_b64(json.dumps(claims).encode())}.{tail}"


@pytest.mark.parametrize(
    "forge", [forged_hmac, forged_none, forged_other_key, cut_signature, other_claims], ids=lambda item: item.__name__
)
def test_a_token_that_the_issuer_did_not_sign_is_refused(
    bureau: Bureau, forge: Callable[[str, dict[str, Any], FakeProvider], str]
) -> None:
    """Whatever its header says of algorithm and key."""
    bureau.link()
    bureau.provider.forge = lambda token, claims: forge(token, claims | {"sub": "u-1"}, bureau.provider)
    http = bureau.browser()
    assert bureau.enter(http, "u-2").status_code == 403
    assert not is_in(http, "supervisor")


@pytest.mark.parametrize(
    "bend",
    [
        {"iss": "https://sso.other.example"}, {"iss": [ISSUER]}, {"aud": "another"}, {"aud": []}, {"aud": None},
        {"aud": [CLIENT, "another"]}, {"aud": [CLIENT, "another"], "azp": "another"}, {"azp": "another"},
        {"nonce": "another"}, {"nonce": None}, {"nonce": ["x"]}, {"exp": 1}, {"exp": None}, {"exp": "9999999999"},
        {"iat": 1}, {"iat": None}, {"iat": 9_999_999_999}, {"sub": ""}, {"sub": None}, {"sub": 7}, {"sub": "u" * 300},
    ],
    ids=str,
)  # fmt: skip
def test_a_token_for_somebody_else_or_another_time_is_refused(bureau: Bureau, bend: dict[str, Any]) -> None:
    """Issuer, audience, authorised party, nonce, times, subject: each by itself."""
    bureau.link()
    bureau.provider.bend = lambda claims: claims.update(bend)
    http = bureau.browser()
    assert bureau.enter(http).status_code == 403
    assert not is_in(http, "supervisor")


def test_an_answer_counts_in_the_browser_that_began_and_once(bureau: Bureau) -> None:
    """Login CSRF and replay: another browser's answer, another ceremony's state, the same answer again."""
    bureau.link()
    mine, victim = bureau.browser(), bureau.browser()
    query = bureau.provider.log_in(bureau.begin(mine), "u-1")
    assert bureau.come_back(victim, query).status_code == 403  # no ceremony in that browser
    bureau.begin(victim)
    assert bureau.come_back(victim, query).status_code == 403  # a ceremony of its own, another state
    assert not is_in(victim, "supervisor")
    assert bureau.come_back(mine, query).status_code == 200
    assert bureau.come_back(mine, query).status_code == 403


def test_a_ceremony_ends_after_ten_minutes(bureau: Bureau) -> None:
    bureau.link()
    http = bureau.browser()
    query = bureau.provider.log_in(bureau.begin(http), "u-1")
    bureau.room.clock.now += 10 * 60_000
    assert bureau.come_back(http, query).status_code == 403


def test_another_issuers_answer_is_not_taken_to_this_one(bureau: Bureau) -> None:
    """Mix-up (RFC 9207): the redirect says whose answer it is."""
    bureau.link()
    http = bureau.browser()
    query = bureau.provider.log_in(bureau.begin(http), "u-1")
    asked = len(bureau.provider.asked)
    assert bureau.come_back(http, query + "&iss=https://evil.example").status_code == 403
    assert len(bureau.provider.asked) == asked  # the code was shown to nobody


def test_a_sign_in_by_the_organisation_takes_no_cookie_that_was_there_before(bureau: Bureau) -> None:
    """Session fixation: a planted token has ended, and the new one is strict and for HTTP only."""
    bureau.link()
    planted = sign_in(bureau.room, "teacher").http.cookies["trueseat_staff"]
    http = bureau.browser()
    http.cookies.set("trueseat_staff", planted, domain="localhost.local")
    answer = bureau.enter(http)
    said = answer.headers["set-cookie"]
    assert planted not in said
    assert "SameSite=strict" in said
    assert "HttpOnly" in said
    assert is_in(http, "supervisor")
    old = bureau.browser()
    old.cookies.set("trueseat_staff", planted)
    assert not is_in(old, "teacher")


def test_new_keys_of_the_issuer_are_asked_for(bureau: Bureau) -> None:
    """The issuer changed its key: asked again, but not at every forged token."""
    bureau.link()
    bureau.room.clock.now += 31_000
    bureau.provider.key = RSAKey.generate_key(2048, {"kid": "two", "use": "sig", "alg": "RS256"})
    http = bureau.browser()
    assert bureau.enter(http).status_code == 200
    bureau.provider.forge = lambda *_: "a.b.c"
    before = bureau.provider.asked.count(f"{ISSUER}/keys")
    for _ in range(5):
        assert bureau.enter(bureau.browser()).status_code == 403
    assert bureau.provider.asked.count(f"{ISSUER}/keys") == before


def test_a_provider_that_is_away_is_said(bureau: Bureau) -> None:
    """503, what to do instead, and nothing of the password's way in depends on it."""
    bureau.provider.gone = True
    bureau.oidc._known = None
    answer = bureau.browser().get("/sign-in/oidc", follow_redirects=False)
    assert answer.status_code == 503
    assert "TS-S-112" in answer.text
    assert sign_in(bureau.room, "teacher")


@pytest.mark.slow
def test_attack_many_sign_ins_while_the_provider_is_away(bureau: Bureau) -> None:
    """One of them waits for it, the others are told at once: the server's threads stay free; it is tried again soon."""
    bureau.provider.gone = True
    bureau.oidc._known = None
    before = len(bureau.provider.asked)
    for _ in range(5):
        assert bureau.browser().get("/sign-in/oidc", follow_redirects=False).status_code == 503
    assert len(bureau.provider.asked) == before + 1
    bureau.provider.gone = False
    bureau.room.clock.now += 10_000
    assert bureau.begin(bureau.browser())


@pytest.mark.parametrize(
    "said",
    [
        {"issuer": "https://sso.other.example"}, {"token_endpoint": "http://sso.bureau.example/token"},
        {"jwks_uri": "file:///etc/passwd"}, {"authorization_endpoint": None}, {"token_endpoint": "javascript:1"},
    ],
    ids=str,
)  # fmt: skip
def test_a_provider_that_names_itself_or_an_address_wrongly_is_not_used(bureau: Bureau, said: dict[str, Any]) -> None:
    bureau.oidc._known = None
    bureau.provider.said |= said
    with pytest.raises(ProviderGoneError):
        bureau.oidc.begin("http://localhost/x")


@settings(max_examples=tries(100), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(token=st.text(max_size=80) | st.lists(st.binary(max_size=20), min_size=3, max_size=5).map(
    lambda parts: ".".join(base64.urlsafe_b64encode(part).decode().rstrip("=") for part in parts)))  # fmt: skip
def test_whatever_the_provider_sends_as_a_token_is_refused_in_our_words(bureau: Bureau, token: str) -> None:
    bureau.provider.forge = lambda *_: token
    there, handle = bureau.oidc.begin("http://localhost/sign-in/oidc/return")
    given_ = dict(part.split("=") for part in bureau.provider.log_in(there, "u-1").split("&"))
    with pytest.raises(SignInElsewhereError):
        bureau.oidc.end(handle, given_)


@pytest.mark.parametrize(
    "text",
    ["", 'issuer = "x"', TOML + "more = 1\n", TOML.replace("https", "http"), TOML.replace('"市人社局"', "7"), "["],
)
def test_a_file_of_another_form_is_refused_at_the_start(tmp_path: Path, text: str) -> None:
    path = tmp_path / "oidc.toml"
    path.write_text(text)
    with pytest.raises(SetupError):
        load_provider(path)
    assert load_provider(tmp_path / "none") is None
