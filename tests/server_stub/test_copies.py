"""Copies of an archive: a learner's own, a masked one, and sessions that come as files because they were not sent."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger.archive import Directory, open_source
from ledger.checkpoint import Checkpoint
from ledger.checkpoint import sign as sign_checkpoint
from ledger.events import Asked, Closed
from ledger.export import SessionFiles, write_unsent
from ledger.findings import Status
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.school import School
from tests.server_stub.test_archive import figures, study


@pytest.fixture
def school(room: Room, tmp_path: Path) -> School:
    return School(room, tmp_path / "school")


def test_a_learners_own_copy_verifies_and_names_nobody_else(room: Room, school: School) -> None:
    """Same class log, one learner's sessions and documents: whole by itself, and no trace of the others' lives."""
    one, two = room.learner().ready(), room.learner("other").ready()
    mine, theirs = study(one), study(two, 3)
    key = school.supervisor()
    for learner, device in ((one, mine), (two, theirs)):
        fields = {"learner": learner.learner, "sid": device.sid, "from_": 0, "to": 2, "reason": "practice"}
        school.take(school.sign("verdict", key, **fields))
    report = school.verified("copy", learner=one.learner)
    assert not report.refused
    assert list(figures(report)) == [mine.sid]
    assert report.findings.steps["2 bodies"].status is Status.NOT_CHECKABLE
    assert len(report.findings.steps["2 bodies"].findings) == 1
    source = Directory(school.folder / "copy")
    assert source.folders("sessions/") == [mine.sid]
    for name in source.names():
        data = source.read(name)
        assert two.learner.encode() not in data, name
        assert two.registration.encode() not in data, name
        assert b"Other" not in data, name
    assert any(one.learner.encode() in source.read(name) for name in source.names("bodies/"))


def test_a_learners_copy_is_not_a_class_archive(room: Room, school: School) -> None:
    """Verified as a whole class it is refused: others were left out."""
    one, two = room.learner().ready(), room.learner("other").ready()
    study(one, 2)
    study(two, 2)
    assert not school.verified("copy", learner=one.learner).refused
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    assert verify(open_source(school.folder / "copy"), trust).refused


def test_a_masked_archive_of_a_decided_class_names_nobody(room: Room, school: School) -> None:
    """Masked: the same figures, no names; still verified by a stranger, decisions included."""
    learner = room.learner().ready()
    device = study(learner)
    school.take(school.sign("identification", school.supervisor(), learner=learner.learner, method="card"))
    report = school.verified("masked", masked=True)
    assert figures(report) == {device.sid: ("closed", 60_000)}
    assert report.people == {}
    source = Directory(school.folder / "masked")
    assert not source.has("people.csv")
    assert all(b"Learner" not in source.read(name) for name in source.names())


# --- sessions that were not sent --------------------------------------------------------------------------------------


def unsent(device: Device, out: Path) -> Path:
    """What the device keeps, as its client exports it."""
    point = Checkpoint(device.key.vkey.name, len(device.tree), device.tree.root())
    signed = sign_checkpoint(point, device.key)
    write_unsent(out, SessionFiles(device.sid, signed, device.cert, device.entries))
    return out


def half_sent(room: Room) -> Device:
    """A minute is on the server; the closing check and the end never reached it."""
    device = study(room.learner().ready(), close=False)
    device.add(Asked("close"))
    device.add(Closed("ended"))
    return device


def test_a_session_that_was_never_sent_is_brought_as_a_file_and_credited(room: Room, school: School) -> None:
    """Exported on the device, verified as far as it stands alone, taken in as an upload is, in the next archive."""
    device = half_sent(room)
    copy = unsent(device, school.out())
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    assert not verify(open_source(copy), trust, Options(partial=True)).refused
    before = device.sent
    said = school.operator("import", copy)
    assert said == f"{device.sid}: {before} events were here, {len(device.entries)} are now"
    assert school.operator("import", copy).endswith(f"{len(device.entries)} are now")  # again: nothing twice
    assert figures(school.verified("archive")) == {device.sid: ("closed", 60_000)}


def test_a_long_session_comes_in_one_file(room: Room, school: School) -> None:
    """A file may hold more than an upload may; what is stored of it is read again by all."""
    device = study(room.learner().ready(), close=False)
    for _ in range(60):
        device.add(Asked("close"))
        device.add_raw(b"x" * 30_000)
    device.add(Closed("ended"))
    school.operator("import", unsent(device, school.out()))
    assert not school.verified("archive").refused


@pytest.mark.parametrize(
    "attack", ["not closed", "changed", "foreign key", "other history", "unknown session", "empty"]
)
def test_a_brought_copy_is_judged_like_an_upload(
    room: Room, school: School, make_room: Callable[..., Room], attack: str
) -> None:
    """The file is believed no more than the network is."""
    device = half_sent(room)
    if attack == "not closed":
        device.entries, device.tree = device.entries[:], device.tree
        device.add(Asked("close"))
    if attack == "other history":
        history = device.entries
        device.entries, device.tree = [], type(device.tree)()
        for index, entry in enumerate(history):
            device.add_raw(history[1] if index == 2 else entry)
    copy = unsent(device, school.out())
    if attack == "changed":
        path = next(item for item in (copy / "sessions" / device.sid / "tile" / "entries").rglob("*") if item.is_file())
        path.write_bytes(path.read_bytes().replace(b"ended", b"limit"))
    if attack == "foreign key":
        from ledger.keys import ED25519, generate

        signed = sign_checkpoint(
            Checkpoint(device.key.vkey.name, len(device.tree), device.tree.root()),
            generate(device.key.vkey.name, ED25519),
        )
        (copy / "sessions" / device.sid / "checkpoint").write_bytes(signed)
    if attack == "unknown session":
        other = school.folder / "elsewhere"
        other.mkdir()
        copy = unsent(half_sent(make_room()), other / "copy")
    if attack == "empty":
        copy = school.out()
        copy.mkdir()
    assert school.refused("import", copy)
