"""Whatever devices do, the archive verifies and its figures are the server's: one computation, three places."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import segment
from ledger.events import Asked, Cosigned, Fault
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Device, Learner
from tests.server_stub.test_archive import export

STEPS = ["play", "play", "play", "far", "send", "ignore", "fail", "rest", "garbage", "ask", "close", "again", "sweep"]


def begin(learner: Learner) -> Device:
    device = learner.open()
    device.send()
    return device


def step(room: Room, learner: Learner, device: Device, what: str) -> Device:
    """One thing that a device may do; a closed session is followed by a new one."""
    if device.closed:
        return begin(learner) if what == "again" else device
    match what:
        case "play":
            device.play(10_000)
        case "far":  # media far ahead: an invalid span
            device.position += 3_590_000
            device.play(5_000)
        case "send":
            device.send()
        case "ignore" | "fail":
            _send_and(device, what)
        case "rest":
            room.clock.now += 700_000
            device.add(Fault("network", "away"))
        case "garbage":
            device.add_raw(b"{}")
        case "ask":
            device.add(Asked("close"))
        case "close":
            device.close()
        case "again":
            return begin(learner)
        case "sweep":
            room.server.services.sweep()
    return device


def _send_and(device: Device, what: str) -> None:
    """Send; an order is ignored, or answered badly."""
    size = len(device.entries)
    answer = segment.parse_answer(device.post(device.body()).content)
    device.sent = size
    device.add(Cosigned(size, answer.cosignature, answer.seen))
    if answer.ordered is not None and what == "fail":
        device.answer(answer.ordered, result="failed")


@pytest.mark.slow
@settings(max_examples=12, deadline=None, suppress_health_check=list(HealthCheck))
@given(steps=st.lists(st.sampled_from(STEPS), min_size=3, max_size=40))
def test_any_lesson_is_settled_as_it_is_verified(
    make_room: Callable[..., Room], tmp_path: Path, steps: list[str]
) -> None:
    """Played, ignored, failed, rested, garbled, abandoned: never refused, and every figure agrees."""
    room = make_room()
    learner = room.learner().ready()
    device = begin(learner)
    for what in steps:
        device = step(room, learner, device, what)
    room.clock.now += 61_000
    report = export(room, tmp_path / "archive")
    shutil.rmtree(tmp_path / "archive")
    kept = {
        sid: room.server.records.read(lambda tx, sid=sid: tx.events.progress(sid)).settled_ms
        for sid in (row.sid for row in report.sessions)
    }
    assert {row.sid: row.credited_ms or 0 for row in report.sessions} == kept
