"""Other ways in: activation codes, the device flow, WeChat. What is not believed gives no token."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from server_stub.domain.deviceflow import DeviceFlow
from server_stub.domain.errors import ServerError, SetupError
from server_stub.domain.oidc import Oidc, Provider
from server_stub.domain.passkeys import Ceremony
from server_stub.domain.wechat import WeChat, WeChatApp
from server_stub.storage.forgetting import SqlForgetting
from server_stub.storage.waysfile import read_ways
from tests.server_stub.conftest import Room
from tests.server_stub.elsewhere import APP, Elsewhere, elsewhere, ways_file
from tests.tries import tries


@pytest.fixture
def there(room: Room) -> Iterator[Elsewhere]:
    """A room whose server knows both ways."""
    with elsewhere(lambda: room.clock.now / 1000) as found:
        room.settings.ways.write_text(ways_file(found))
        room.restart()
        yield found


def post(room: Room, path: str, body: dict[str, Any], token: str = "") -> tuple[int, dict[str, Any]]:
    headers = {"Authorization": f"Bearer {token}"} if token else {}
    answer = room.http.post(f"/v1/sign-in/{path}", json=body, headers=headers)
    return answer.status_code, answer.json()


def linked(room: Room, there: Elsewhere, way: str, agree: Any) -> str:
    """A learner who signed in by code and linked the way; the learner's pseudonym."""
    learner = room.learner().sign_in()
    token = learner.headers["Authorization"].partition(" ")[2]
    _, begun = post(room, "link", {"way": way}, token)
    agree(begun)
    room.clock.now += 6_000
    status, said = post(room, "poll", {"handle": begun["handle"]})
    assert (status, said["token"], said["learner"]) == (200, "", learner.learner)
    return str(learner.learner)


def state_of(begun: dict[str, Any]) -> str:
    return str(begun["uri"]).partition("state=")[2].partition("#")[0]


def confirm(room: Room, begun: dict[str, Any], number: str | None = None, code: str = "c0de") -> Any:
    """The browser came back, and the learner types the number on the screen."""
    form = {"state": state_of(begun), "code": code, "number": begun["user_code"] if number is None else number}
    return room.http.post("/v1/sign-in/wechat", data=form)


def browser(room: Room, there: Elsewhere, begun: dict[str, Any], openid: str = "o1") -> int:
    """The phone scanned the picture and said yes; the browser comes back, and the number is typed."""
    there.codes["c0de"] = {"openid": openid}
    page = room.http.get(f"/v1/sign-in/wechat?state={state_of(begun)}&code=c0de")
    assert page.status_code == 200
    without = page.text.replace(state_of(begun), "")  # whose 32 hex digits may hold any four in a row
    assert begun["user_code"] not in without, "it stands on the own screen alone"
    return int(confirm(room, begun).status_code)


# --- activation codes -------------------------------------------------------------------------------------------------


def test_an_activation_code_is_good_once(room: Room) -> None:
    """As people type it: lower case, spaces, O for 0; the second time it is refused."""
    code = room.server.services.sign_in.issue("learner")
    typed = f" {code.lower().replace('-', ' ').replace('0', 'o').replace('1', 'l')} "
    status, said = post(room, "activate", {"code": typed})
    assert (status, said["name"]) == (200, "Learner")
    assert post(room, "activate", {"code": code})[0] == 403


@pytest.mark.slow
def test_an_activation_code_ends_after_two_weeks(room: Room) -> None:
    """And is none for somebody who is no learner here."""
    code = room.server.services.sign_in.issue("learner")
    room.clock.now += 14 * 24 * 3600 * 1000
    assert post(room, "activate", {"code": code})[0] == 403
    with pytest.raises(ServerError):
        room.server.services.sign_in.issue("admin")


def test_the_server_keeps_no_activation_code(room: Room) -> None:
    """What lies in its files does not let anybody in."""
    code = room.server.services.sign_in.issue("learner").replace("-", "")
    for path in room.settings.directory.rglob("*"):
        assert not path.is_file() or code.encode() not in path.read_bytes()


# --- the device flow --------------------------------------------------------------------------------------------------


def test_a_linked_account_signs_in_by_the_device_flow(room: Room, there: Elsewhere) -> None:
    """Linked once, then: a code on the screen, a yes elsewhere, a token for that learner."""
    who = linked(room, there, "oidc", lambda _: there.agree("anna"))
    _, begun = post(room, "begin", {"way": "oidc"})
    assert (begun["user_code"], begun["uri"]) == ("WDJB-MJHT", f"{there.url}/go")
    room.clock.now += 6_000
    assert post(room, "poll", {"handle": begun["handle"]})[1] == {"wait": 5_000}
    there.agree("anna")
    room.clock.now += 6_000
    status, said = post(room, "poll", {"handle": begun["handle"]})
    assert (status, said["learner"]) == (200, who)
    assert room.http.get("/v1/me", headers={"Authorization": f"Bearer {said['token']}"}).status_code == 200
    assert post(room, "poll", {"handle": begun["handle"]})[0] == 403, "a handle is good once"


def test_a_learner_sees_and_removes_what_is_linked(room: Room, there: Elsewhere) -> None:
    """Its name and issuer, never the subject; removed it opens nothing; what is not there cannot be removed."""
    linked(room, there, "oidc", lambda _: there.agree("anna"))
    room.clock.now += 31_000
    learner = room.learner().sign_in()
    listed = room.http.get("/v1/sign-in/links", headers=learner.headers)
    assert listed.json() == {"links": [{"issuer": there.url, "way": "oidc", "name": "City"}]}
    assert "anna" not in listed.text
    gone = {"issuer": there.url}
    assert room.http.post("/v1/sign-in/unlink", json=gone, headers=learner.headers).json() == {"links": []}
    assert room.http.post("/v1/sign-in/unlink", json=gone, headers=learner.headers).status_code == 404
    _, begun = post(room, "begin", {"way": "oidc"})
    there.agree("anna")
    room.clock.now += 6_000
    assert post(room, "poll", {"handle": begun["handle"]})[1]["code"] == "TS-S-114"


def test_a_provider_that_is_gone_is_listed_by_its_issuer(room: Room, there: Elsewhere) -> None:
    """So that what was linked to it can still be removed."""
    linked(room, there, "oidc", lambda _: there.agree("anna"))
    room.clock.now += 31_000
    room.settings.ways.unlink()
    room.restart()
    headers = room.learner().sign_in().headers
    listed = room.http.get("/v1/sign-in/links", headers=headers).json()
    assert listed == {"links": [{"issuer": there.url, "way": "", "name": there.url}]}


def test_who_a_forgotten_learner_was_elsewhere_is_forgotten_too(room: Room, there: Elsewhere) -> None:
    """The account of another issuer names a person: it goes with the name, and opens nothing any more."""
    who = linked(room, there, "oidc", lambda _: there.agree("anna"))
    SqlForgetting(room.server.services.ways._store._engine).person(who)  # type: ignore[attr-defined]
    assert room.server.services.ways._store.linked(there.url, "anna") is None


def test_an_old_token_links_nothing(room: Room, there: Elsewhere) -> None:
    """Eleven minutes after the code was entered somebody else may sit there: sign in again."""
    headers = room.learner().sign_in().headers
    room.clock.now += 11 * 60_000
    answer = room.http.post("/v1/sign-in/link", json={"way": "oidc"}, headers=headers)
    assert (answer.status_code, answer.json()["code"]) == (401, "TS-S-015")


@pytest.mark.slow
def test_whom_nobody_linked_gets_no_token(room: Room, there: Elsewhere) -> None:
    """The provider knows them; this server does not: the remedy names the way."""
    _, begun = post(room, "begin", {"way": "oidc"})
    there.agree("stranger")
    room.clock.now += 6_000
    status, said = post(room, "poll", {"handle": begun["handle"]})
    assert (status, said["code"]) == (403, "TS-S-114")
    assert said["zh"]


def test_the_provider_is_not_asked_more_often_than_it_says(room: Room, there: Elsewhere) -> None:
    """However often a program polls; slow_down makes the pauses longer (RFC 8628, section 3.5)."""
    _, begun = post(room, "begin", {"way": "oidc"})
    handle = {"handle": begun["handle"]}
    room.clock.now += 1
    for _ in range(5):
        post(room, "poll", handle)
    assert there.asked.count("/token") == 1
    there.agree("slow")
    room.clock.now += 5_000
    assert post(room, "poll", handle)[1] == {"wait": 10_000}
    room.clock.now += 9_000
    assert post(room, "poll", handle)[1] == {"wait": 1_000}
    assert there.asked.count("/token") == 2


@pytest.mark.parametrize(
    "claims", [{"aud": "another"}, {"iss": "https://else"}, {"exp": 1}, {"iat": 1}, {"sub": ""}, {"sub": 7}]
)
def test_an_id_token_for_something_else_is_refused(room: Room, there: Elsewhere, claims: dict[str, Any]) -> None:
    """Another audience, another issuer, expired, of nobody: no token, and the sign-in is over."""
    linked(room, there, "oidc", lambda _: there.agree("anna"))
    _, begun = post(room, "begin", {"way": "oidc"})
    there.agree("anna")
    there.claims = claims
    room.clock.now += 6_000
    assert post(room, "poll", {"handle": begun["handle"]})[1]["code"] == "TS-S-113"


def test_a_refusal_there_is_one_here(room: Room, there: Elsewhere) -> None:
    """access_denied ends it; a provider that does not answer does not."""
    _, begun = post(room, "begin", {"way": "oidc"})
    handle = {"handle": begun["handle"]}
    room.clock.now += 6_000
    there.refusals["/token"] = (500, {})
    assert post(room, "poll", handle)[0] == 503
    del there.refusals["/token"]
    there.agree("denied")
    assert post(room, "poll", handle)[1]["code"] == "TS-S-113"
    assert post(room, "poll", handle)[0] == 403


# --- WeChat -----------------------------------------------------------------------------------------------------------


def test_a_linked_account_signs_in_by_wechat(room: Room, there: Elsewhere) -> None:
    """The picture is scanned, the browser comes back, two calls of the server's own, a token for that learner."""
    who = linked(room, there, "wechat", lambda begun: browser(room, there, begun))
    _, begun = post(room, "begin", {"way": "wechat"})
    assert begun["uri"].startswith("https://open.weixin.qq.com/connect/qrconnect?appid=wx0123")
    assert APP["secret"] not in str(begun)
    assert post(room, "poll", {"handle": begun["handle"]})[1] == {"wait": 2_000}
    assert browser(room, there, begun) == 200
    room.clock.now += 2_000
    status, said = post(room, "poll", {"handle": begun["handle"]})
    assert (status, said["learner"]) == (200, who)


def test_wechat_says_no_with_status_200(room: Room, there: Elsewhere) -> None:
    """errcode in the body: a wrong code is refused, a busy system may be asked again; neither shows the secret."""
    _, begun = post(room, "begin", {"way": "wechat"})
    refused = confirm(room, begun, code="forged")
    assert refused.status_code == 403
    assert "40029" in refused.text
    there.refusals["/sns/oauth2/access_token"] = (200, {"errcode": -1, "errmsg": "system error"})
    _, begun = post(room, "begin", {"way": "wechat"})
    busy = confirm(room, begun)
    assert busy.status_code == 503
    assert APP["secret"] not in refused.text + busy.text


def test_a_wechat_answer_nobody_asked_for_is_refused(room: Room, there: Elsewhere) -> None:
    """A forged state, one used twice, and two answers about two people."""
    assert room.http.post("/v1/sign-in/wechat", data={"state": "00", "code": "c0de", "number": "1"}).status_code == 403
    _, begun = post(room, "begin", {"way": "wechat"})
    assert browser(room, there, begun) == 200
    assert browser(room, there, begun) == 403
    there.refusals["/sns/userinfo"] = (200, {"openid": "somebody else"})
    _, begun = post(room, "begin", {"way": "wechat"})
    assert browser(room, there, begun) == 403


@pytest.mark.slow
def test_who_declines_on_the_phone_is_told(room: Room, there: Elsewhere) -> None:
    """The browser comes back without a code."""
    _, begun = post(room, "begin", {"way": "wechat"})
    assert room.http.get(f"/v1/sign-in/wechat?state={state_of(begun)}").status_code == 200
    room.clock.now += 2_000
    assert post(room, "poll", {"handle": begun["handle"]})[1]["code"] == "TS-S-113"


def test_attack_somebody_elses_sign_in_is_sent_to_a_learner(room: Room, there: Elsewhere) -> None:
    """A stranger begins on his own computer and sends the address on. Agreeing in WeChat alone gives him nothing; "not
    me", and another number than the one on his screen, end it for good; a form of another site is not heard."""
    linked(room, there, "wechat", lambda begun: browser(room, there, begun))
    for number in (None, "", "wrong"):
        _, begun = post(room, "begin", {"way": "wechat"})
        assert room.http.get(f"/v1/sign-in/wechat?state={state_of(begun)}&code=c0de").status_code == 200
        room.clock.now += 2_000
        assert post(room, "poll", {"handle": begun["handle"]})[1] == {"wait": 2_000}, "the page alone exchanges nothing"
        if number is None:
            continue
        confirm(room, begun, number)
        room.clock.now += 2_000
        assert post(room, "poll", {"handle": begun["handle"]})[1]["code"] == "TS-S-113"
        assert confirm(room, begun).status_code == 403, "one try"
    _, begun = post(room, "begin", {"way": "wechat"})
    form = {"state": state_of(begun), "code": "c0de", "number": begun["user_code"]}
    there.codes["c0de"] = {"openid": "o1"}
    far = room.http.post("/v1/sign-in/wechat", data=form, headers={"Origin": "https://elsewhere.example"})
    assert far.status_code == 403


# --- hostile answers --------------------------------------------------------------------------------------------------

JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=12), inner, max_size=4),
)
FIELDS = st.dictionaries(
    st.sampled_from(["device_code", "user_code", "verification_uri", "expires_in", "interval", "error", "id_token",
                     "errcode", "access_token", "openid", "unionid"]), JSON, max_size=6,
)  # fmt: skip


@given(st.integers(100, 599), JSON | FIELDS | st.binary(max_size=40))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], max_examples=tries(60))
def test_whatever_a_provider_answers_is_refused_by_an_error_of_ours(status: int, said: Any) -> None:
    """Nothing but our own errors leaves; no subject comes out of what is not signed."""
    data = said if isinstance(said, bytes) else json.dumps(said).encode()

    class Web:
        def get(self, _url: str) -> bytes:
            return data

        def post(self, *_: object) -> bytes:
            return data

        def exchange(self, *_: object) -> tuple[int, bytes]:
            return status, data

    class Store:
        def begin(self, _: object) -> None: ...
        def finish(self, *_: object) -> Ceremony:
            return Ceremony("asked", "way", "", '{"number": "0000"}', 0)

    provider = Provider("https://id.example", "trueseat", "", "x")
    oidc: Any = Oidc(provider, Web(), Store(), None, None, lambda: 0)  # type: ignore[arg-type]
    oidc.endpoint = lambda _name: "https://id.example/x"
    flow = DeviceFlow(oidc, Web())
    wechat = WeChat(WeChatApp("wx1", "s", "https://a.example/b"), Web(), Store(), lambda: 0)  # type: ignore[arg-type]
    for attempt in (
        lambda: flow.begin(0), lambda: flow.poll({"code": "x", "every": 5}), lambda: wechat.returned("s", "c", "0000")
    ):
        try:
            found = attempt()
        except ServerError:
            continue
        assert found is None or not isinstance(found, str)


@given(st.binary(max_size=200))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
def test_any_ways_file_is_read_or_refused(tmp_path: Any, data: bytes) -> None:
    """An operator's slip is named; nothing else leaves the parser."""
    path = tmp_path / "ways.toml"
    path.write_bytes(data)
    with contextlib.suppress(SetupError):
        assert isinstance(read_ways(path), dict)
