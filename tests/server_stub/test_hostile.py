"""Hostile input: whatever comes in, the answer is one of ours, with a code and a remedy, and never a 500."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner
from tests.tries import tries

JSON_PATHS = ["/v1/sign-in/start", "/v1/sign-in/finish", "/v1/staff/sign-in", "/v1/identify", "/v1/devices"]
RAW_PATHS = ["/v1/sessions", "/v1/references", "/v1/consents", "/v1/devices", "/v1/identify", "/v1/sign-in/start"]
FIELDS = ["account", "challenge", "code", "password", "registration", "vkey", "proof", "extra"]
ADDRESSES = [
    "/v1/bodies/", "/v1/courses/", "/models/", "/v1/sessions/", "/v1/registrations/", f"/log/{CLASS}/", "/static/", "/",
]  # fmt: skip
VALUES = st.one_of(st.text(max_size=120), st.integers(), st.none(), st.lists(st.text(max_size=3)))
QUIET = settings(max_examples=tries(120), deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def studying(make_room: Callable[..., Room]) -> tuple[Room, Learner, Device]:
    room = make_room()
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    device.play(1_000)
    return room, learner, device


def ours(answer: object) -> None:
    """A refusal of the published form."""
    assert answer.status_code < 500, answer.text
    if answer.status_code >= 400:
        body = answer.json()
        assert body["code"].startswith("TS-S-"), body
        assert body["message"]
        assert body["remedy"]
        assert body["zh"]


@QUIET
@given(
    path=st.sampled_from(JSON_PATHS),
    body=st.dictionaries(
        st.sampled_from(FIELDS),
        st.one_of(st.text(max_size=120), st.integers(), st.none(), st.lists(st.text(max_size=3))),
    ),
)
def test_any_object_is_answered_in_our_words(studying: tuple[Room, Learner, Device], path: str, body: object) -> None:
    """Wrong kinds, unknown fields, lone surrogates, anything."""
    room, learner, _ = studying
    room.clock.now += 1_000  # so that no rate limit stands before the parser
    data = json.dumps(body).encode()
    headers = learner.headers | {"Content-Type": "application/json"}
    ours(learner.http.post(path, content=data, headers=headers))


@QUIET
@given(path=st.sampled_from(RAW_PATHS), body=st.binary(max_size=400))
def test_any_bytes_are_answered_in_our_words(studying: tuple[Room, Learner, Device], path: str, body: bytes) -> None:
    room, learner, _ = studying
    room.clock.now += 1_000  # so that no rate limit stands before the parser
    ours(learner.http.post(path, content=body, headers=learner.headers))


@QUIET
@given(at=st.integers(0, 2000), byte=st.integers(1, 255), cut=st.integers(0, 40))
def test_a_segment_with_a_flipped_byte_is_never_accepted(
    studying: tuple[Room, Learner, Device], at: int, byte: int, cut: int
) -> None:
    """Every byte of a segment is bound: by the signature, the root or the form."""
    room, _, device = studying
    room.clock.now += 1_000
    body = bytearray(device.body())
    body[at % len(body)] ^= byte
    answer = device.post(bytes(body[: len(body) - cut]))
    ours(answer)
    assert answer.status_code in (400, 403, 409, 422)


@QUIET
@given(at=st.integers(0, 2000), byte=st.integers(1, 255))
def test_a_certificate_with_a_flipped_byte_is_never_granted(
    studying: tuple[Room, Learner, Device], at: int, byte: int
) -> None:
    room, learner, device = studying
    room.clock.now += 1_000
    cert = bytearray(device.cert)
    cert[at % len(cert)] ^= byte
    answer = learner.request(bytes(cert))
    ours(answer)
    assert answer.status_code >= 400


@QUIET
@given(
    prefix=st.sampled_from(
        [
            "/v1/bodies/",
            "/v1/courses/",
            "/models/",
            "/v1/sessions/",
            "/v1/registrations/",
            f"/log/{CLASS}/",
            "/static/",
            "/",
        ]
    ),
    rest=st.text(st.characters(codec="utf-8", exclude_characters="\x00\r\n"), max_size=80),
)
def test_any_address_is_answered_in_our_words(studying: tuple[Room, Learner, Device], prefix: str, rest: str) -> None:
    """Dots, slashes, any script: nothing but what is published is found."""
    from urllib.parse import quote

    room, learner, _ = studying
    room.clock.now += 1_000  # so that no rate limit stands before the parser
    ours(learner.http.get(prefix + quote(rest, safe="/.%"), headers=learner.headers))


@pytest.mark.parametrize("method", ["PUT", "DELETE", "PATCH"])
def test_other_methods_are_refused(room: Room, method: str) -> None:
    answer = room.http.request(method, "/v1/me")
    assert answer.status_code == 405
    assert answer.json()["code"] == "TS-S-004"


def test_a_deep_object_is_refused(room: Room) -> None:
    """A parser's own stack is the first thing to fall."""
    body = b'{"account":' + b"[" * 30_000 + b"]" * 30_000 + b"}"
    answer = room.http.post("/v1/sign-in/start", content=body, headers={"Content-Type": "application/json"})
    assert answer.status_code == 400


def test_a_body_beyond_64_kib_is_too_large_everywhere_else(room: Room) -> None:
    for path in ("/v1/sign-in/start", "/v1/consents", "/sign-in", "/nowhere"):
        assert room.http.post(path, content=bytes(2**16 + 1)).status_code == 413
