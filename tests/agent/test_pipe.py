"""The pipe: what the other end did not write, in this order, is refused, and nothing after it is read."""

from __future__ import annotations

import contextlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from agent.errors import FrameError, MacError, PipeError, SequenceError
from agent.messages import FROM_AGENT, FROM_CLIENT, Beat, Bye, Camera, Cleared, Found, Note, Ping, Recheck
from agent.pipe import HEAD_BYTES, MAX_FRAME, TO_AGENT, TO_CLIENT, Opener, Sealer
from ledger import canonical
from tests.tries import tries

KEY = bytes(range(32))
HASH = "ab" * 32
BEAT = Beat(0, 1, 2, HASH, HASH, "none")
FOUND = Found(
    "macro.loop", 1, "high", "pause",
    {"table": "processes", "name": "xdotool", "pid": 7, "selected": None, "regular": True},
    "标题", "title", "原因", "why", "办法", "remedy",
)  # fmt: skip


def opener() -> Opener:
    return Opener(KEY, TO_CLIENT, FROM_AGENT)


def frames(*messages: object) -> list[bytes]:
    sealer = Sealer(KEY, TO_CLIENT)
    return [sealer.seal(message) for message in messages]  # type: ignore[arg-type]


@given(st.lists(st.sampled_from([BEAT, FOUND, Cleared("macro.loop"), Note("x")]), max_size=6), st.integers(1, 50))
def test_messages_arrive_as_they_were_sent_in_any_pieces(messages: list[object], piece: int) -> None:
    """Round trip, however the operating system cuts the stream."""
    data, reader, read = b"".join(frames(*messages)), opener(), []
    for at in range(0, len(data), piece):
        read += reader.feed(data[at : at + piece])
    assert read == messages


def test_the_clients_messages_arrive_too() -> None:
    """Ping, recheck, camera and bye, in the other direction."""
    sealer, reader = Sealer(KEY, TO_AGENT), Opener(KEY, TO_AGENT, FROM_CLIENT)
    messages = [Ping(), Recheck(), Camera("Integrated Camera"), Bye()]
    assert reader.feed(b"".join(map(sealer.seal, messages))) == messages


def test_a_replayed_frame_is_refused() -> None:
    """The same beat twice would let a dead agent seem alive."""
    first, second = frames(BEAT, BEAT)
    reader = opener()
    reader.feed(first + second)
    with pytest.raises(SequenceError):
        reader.feed(second)


def test_a_dropped_or_reordered_frame_is_refused() -> None:
    """A finding cannot be taken out of the stream."""
    first, _, third = frames(BEAT, FOUND, BEAT)
    with pytest.raises(SequenceError):
        opener().feed(first + third)


def test_a_frame_of_the_other_direction_is_refused() -> None:
    """What the client wrote cannot be sent back to it as the agent's word."""
    with pytest.raises(MacError):
        opener().feed(Sealer(KEY, TO_AGENT).seal(BEAT))


def test_a_frame_of_another_session_is_refused() -> None:
    """Each start has its own key."""
    with pytest.raises(MacError):
        opener().feed(Sealer(bytes(32), TO_CLIENT).seal(BEAT))


@pytest.mark.parametrize("at", [0, 3, 4, 20, HEAD_BYTES, HEAD_BYTES + 5, -1])
def test_a_changed_byte_is_refused(at: int) -> None:
    """Length, MAC or text: one bit is enough."""
    frame = bytearray(frames(FOUND)[0])
    frame[at] ^= 1
    padded = bytes(frame) + b"\0" * MAX_FRAME  # a length that grew waits for bytes that never verify
    with pytest.raises(PipeError):
        opener().feed(padded)


def test_after_a_refusal_nothing_more_is_read() -> None:
    """A pipe that lied once is dead, also for good frames."""
    reader = opener()
    with pytest.raises(FrameError):
        reader.feed(b"\xff" * 40)
    with pytest.raises(FrameError):
        reader.feed(frames(BEAT)[0])


def test_a_frame_too_long_is_refused_before_it_is_read() -> None:
    """The length alone decides; nothing is kept in memory for it."""
    with pytest.raises(FrameError):
        opener().feed((MAX_FRAME + 1).to_bytes(4, "big"))


@pytest.mark.parametrize(
    ("kind", "body"),
    [
        ("found", {}), ("beat", {"beat": -1}), ("ping", {}), ("secret", {}), ("cleared", {"rule": ""}),
        ("note", {"detail": 3}), ("cleared", {"rule": "a.b", "more": 1}), ("note", {"detail": "x" * 2000}),
    ],
)  # fmt: skip
def test_a_well_signed_message_of_a_wrong_form_is_refused(kind: str, body: dict[str, object]) -> None:
    """A patched agent cannot push fields that the ledger's events would not hold."""
    import hashlib
    import hmac

    from agent.pipe import direction_key

    data = canonical.encode({"body": body, "kind": kind, "seq": 0})
    head = len(data).to_bytes(4, "big")
    mac = hmac.digest(direction_key(KEY, TO_CLIENT), head + data, hashlib.sha256)
    with pytest.raises(FrameError):
        opener().feed(head + mac + data)


def test_what_cannot_be_carried_is_refused_when_sent() -> None:
    """A control character that slipped through is our own error, not a broken pipe for the client."""
    with pytest.raises(FrameError):
        Sealer(KEY, TO_CLIENT).seal(Note("a\tb"))


@settings(max_examples=tries(300))
@given(st.binary(max_size=300), st.booleans())
def test_any_bytes_are_frames_or_refused(data: bytes, after_a_good_one: bool) -> None:
    """Fuzz: only `PipeError` leaves the opener."""
    reader = opener()
    with contextlib.suppress(PipeError):
        reader.feed((frames(BEAT)[0] if after_a_good_one else b"") + data)


def test_a_finding_fits_the_signed_event() -> None:
    """What comes through the pipe can be logged without a further look."""
    from ledger.events import Event, Finding, Heartbeat, encode

    finding = Finding(FOUND.rule, FOUND.version, FOUND.severity, FOUND.response, FOUND.evidence)
    beat = Heartbeat(BEAT.beat, BEAT.agent_mono, BEAT.uptime, BEAT.rules, BEAT.agent_hash, BEAT.manifest)
    for body in (finding, beat):
        assert encode(Event(seq=0, wall=0, mono=0, sid="0" * 32, salt="0" * 32, body=body))
