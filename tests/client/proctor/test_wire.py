"""The window parses what it hears from the detectors' process, and unpickles nothing."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.events import CameraState, Enrolled, Judged, Look, Prompt
from client.proctor import wire
from client.proctor.wire import WireError
from ledger.evidence import Taken, seal
from ledger.keys import generate_evidence

MESSAGES = [
    wire.Alive(5), wire.Loaded({"yunet": "ab"}, "opencv 5.0.0"), wire.Made("AAEC"), wire.Broken("why"),
    wire.SetReference("AAEC"), wire.Enrol(("turn_left",), 30_000), wire.Cancel(), wire.Stop(),
    wire.Begin("close", 1, "liveness", ("look_up", "smile"), 60_000, "ab" * 16, "record", {"match": 420}),
    wire.Begin(0, 0, "match", (), 60_000, "ab" * 16, "gate", {}, "x.example/s/" + "ab" * 16, ("school.example/e",), 7),
    wire.Photo({"eid": "ab"}, "AAEC", "AAEC"),
    Look(7, 1, 1, False, ""), Prompt("enrol", "turn_left", 0, 2, 900, "dark"),
    Judged(3, 0, "match", "passed", "ok", {"match": 812}, {"sface": "cd"}), Enrolled("passed", "ok", "ef"),
    CameraState(True, "camera 0", "V4L2", False, ""),
]  # fmt: skip


@pytest.mark.parametrize("message", MESSAGES, ids=lambda message: type(message).__name__)
def test_every_message_is_read_as_it_was_sent(message: wire.Message) -> None:
    """Round trip of the whole table."""
    assert wire.decode(wire.encode(message)) == message


@pytest.mark.parametrize("begin", [item for item in MESSAGES if isinstance(item, wire.Begin)])
def test_an_order_is_the_request_that_it_was_made_of(begin: wire.Begin) -> None:
    """With and without somebody to seal a photo to."""
    request = begin.request()
    assert (request.photo is not None) == bool(begin.recipients)
    assert wire.Begin.of(request) == begin


def test_a_photo_is_what_it_names_or_refused() -> None:
    """The worker looks at pictures that anybody may hold up: what comes from it is hashed before it is believed."""
    vkey, _ = generate_evidence("school.example/e")
    photo = seal(Taken(0, 0, "ab" * 16, 5, b"\xff\xd8\xff" + bytes(100)), "x.example/s/" + "ab" * 16, [str(vkey)])
    message = wire.Photo.of(photo)
    assert wire.Photo.sealed(message) == photo
    for lie in (
        replace(message, named={**message.named, "sha256": "0" * 64}), replace(message, file=message.keys),
        replace(message, named={"eid": "ab"}), replace(message, keys="?"),
    ):  # fmt: skip
        with pytest.raises(WireError):
            lie.sealed()


@given(st.binary(max_size=200))
def test_any_bytes_are_refused(data: bytes) -> None:
    """Only our own error leaves the parser."""
    with pytest.raises(WireError):
        wire.decode(data)


@given(st.sampled_from(MESSAGES), st.integers(0, 400), st.binary(min_size=1, max_size=2))
def test_a_damaged_message_is_a_message_or_refused(message: wire.Message, at: int, patch: bytes) -> None:
    """Whatever is done to it, nothing but `WireError` comes out."""
    data = wire.encode(message)
    at %= len(data)
    try:
        read = wire.decode(data[:at] + patch + data[at + 1 :])
    except WireError:
        return
    assert wire.decode(wire.encode(read)) == read


@pytest.mark.parametrize(
    "data",
    [
        b'{"is": "Alive", "mono": 1, "more": 2}',
        b'{"is": "Alive"}',
        b'{"is": "Alive", "mono": true}',
        b'{"is": "Alive", "mono": 1.5}',
        b'{"is": "Judged", "check": 0, "attempt": 0, "kind": "match", "result": "passed", "reason": "ok",'
        b' "scores": {"match": "high"}, "models": {}}',
        b'{"is": "system"}',
        b"[" * 5000,
    ],
)
def test_a_field_of_the_wrong_kind_is_refused(data: bytes) -> None:
    """A worker that was taken over can say only what the table allows."""
    with pytest.raises(WireError):
        wire.decode(data)
