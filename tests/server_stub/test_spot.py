"""Spot checks (抽查): a supervisor's own nonce, from a key that the operator lacks to a figure a stranger verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import bodies, note, segment
from ledger.events import Asked, Command
from ledger.keys import ED25519, generate
from server_stub.domain.errors import DecisionError
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.school import ORIGIN, School
from tests.server_stub.test_archive import study


@pytest.fixture
def school(room: Room, tmp_path: Path) -> School:
    return School(room, tmp_path / "school")


def spot(school: School, device: Device, key: Path) -> Path:
    """A glance within a minute, signed by a supervisor."""
    return school.sign("spot", key, sid=device.sid, kind_="match", **{"deadline-ms": 60_000})


def obey(device: Device, result: str) -> str:
    """Study, take the spot check that the next answer carries, and answer it; its name."""
    device.play(10_000)
    (sent,) = device.send().commands
    body, signed = bodies.parse(sent.encode())
    assert isinstance(body, bodies.Spot)
    device.add(Command(signed.digest))
    device.answer(segment.Order(f"spot-{body.n}", 0, body.nonce, body.deadline_ms), result)
    device.play(1_000)  # right next to it, whatever other check the draw brings with the next answer
    device.send()
    return f"spot-{body.n}"


def finish(device: Device) -> None:
    """Study on, look once more, close."""
    device.play(10_000)
    device.send()
    device.add(Asked("close"))
    device.send()
    device.send()
    device.close()


@pytest.mark.parametrize("result", ["passed", "failed"])
def test_a_spot_check_counts_as_any_random_check(room: Room, school: School, result: str) -> None:
    """Passed, it is one more look; failed, what lies next to it is not credited: server and verifier say the same."""
    key = school.supervisor()
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    device.play(10_000)
    device.send()
    assert school.take(spot(school, device, key)) == -1
    name = obey(device, result)
    finish(device)
    report = school.verified("archive")
    (row,) = report.sessions
    (check,) = (check for check in row.checks if check.i == name)
    assert (check.outcome, check.attempts) == (result, 1)
    assert {part.reason for part in row.not_credited} == (set() if result == "passed" else {"check_failed"})
    assert row.credited_ms == room.server.records.read(lambda tx: tx.events.progress(device.sid).settled_ms)
    assert (row.credited_ms == 31_000) == (result == "passed")


def test_the_same_file_twice_is_one_spot_check(room: Room, school: School) -> None:
    """Taken again it changes nothing; another one under its number is refused, so that a name means one nonce."""
    key = school.supervisor()
    device = room.learner().ready().open()
    device.send()
    path = spot(school, device, key)
    assert [school.take(path), school.take(path)] == [-1, -1]
    first = bodies.parse(path.read_bytes())[0]
    assert isinstance(first, bodies.Spot)
    other = school.sign("spot", key, sid=device.sid, kind_="match", **{"deadline-ms": 60_000})
    assert bodies.parse(other.read_bytes())[0] != first
    device.play(10_000)
    assert len(device.send().commands) == 1


def test_a_spot_check_by_anybody_else_is_not_sent(room: Room, school: School) -> None:
    """The operator's own key, a stranger's, a supervisor of later than the session, a session that is over."""
    device = room.learner().ready().open()
    device.send()
    late = school.supervisor()  # its key was logged after the grant: a verifier would not count it in this session
    assert school.refused("take", CLASS, spot(school, device, late))
    body = bodies.Spot(room.clock.now, ORIGIN, device.sid, 7, "ab" * 16, "match", 60_000)
    for signer in (room.server.keyring.grant, generate("stranger.example/p/" + "1" * 32, ED25519)):
        with pytest.raises(DecisionError):
            room.server.services.decisions.take(CLASS, bodies.sign(body, signer))
    over = study(room.learner("other").ready())
    assert school.refused("take", CLASS, spot(school, over, late))


def test_a_number_is_used_once(room: Room, school: School) -> None:
    """Two nonces under one name would let the device choose."""
    key = school.supervisor()
    device = room.learner().ready().open()
    device.send()
    path = spot(school, device, key)
    school.take(path)
    first, signed = bodies.parse(path.read_bytes())
    assert isinstance(first, bodies.Spot)
    from server_stub.signing import read_key

    second = bodies.Spot(first.at, ORIGIN, first.sid, first.n, "cd" * 16, "match", 60_000)
    assert note.digest(str(second)) != signed.digest
    with pytest.raises(DecisionError, match="another spot check"):
        room.server.services.decisions.take(CLASS, bodies.sign(second, read_key(key)))
