"""Segments: every answer of the published table, by a device that signs for real."""

from __future__ import annotations

from ledger import checkpoint
from ledger.events import Asked
from ledger.tree import leaf_hash
from tests.server_stub.conftest import Room


def test_a_lesson_is_cosigned_segment_by_segment(room: Room) -> None:
    """200: the cosignature verifies over the checkpoint that was sent, and check 0 is ordered at once."""
    device = room.learner().ready().open()
    answer = device.send()
    signed = checkpoint.Checkpoint(device.key.vkey.name, 1, leaf_hash(device.entries[0]))
    time = checkpoint.verify_cosignature(signed, answer.cosignature, room.server.keyring.cosigner.vkey)
    assert time == device.begun // 1000
    assert answer.ordered is not None
    assert answer.ordered.i == 0
    for _ in range(5):
        device.play(10_000)
        device.send()
    assert any(item.ordered and item.ordered.i == 1 for item in device.answers)
    device.close()
    assert room.http.get(f"/v1/sessions/{device.sid}/reveal").json()["how"] == "closed"


def test_a_closed_session_is_settled_at_once(room: Room) -> None:
    """60 s between two passed checks are credited: the server's figure and the learner's are one computation."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    for _ in range(6):
        device.play(10_000)
        device.send()
    device.add(Asked("close"))
    device.send()
    device.send()
    device.close()
    credit = room.http.get(f"/v1/sessions/{device.sid}/credit", headers=learner.headers).json()
    assert credit["credited_ms"] == 60_000, credit
    assert learner.me()["registrations"][0]["credited_ms"] == 60_000
