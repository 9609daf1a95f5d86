"""Erasure: the bytes are gone from the disk, the hash stays, the figure stays, the archive still verifies."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import segment
from ledger.archive import Directory
from ledger.events import Played, decode
from ledger.findings import Status
from server_stub.domain.errors import DecisionError
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device
from tests.server_stub.school import School
from tests.server_stub.test_archive import figures, study


@pytest.fixture
def school(room: Room, tmp_path: Path) -> School:
    return School(room, tmp_path / "school")


def played(device: Device) -> int:
    """The index of a span that was credited."""
    return next(i for i, entry in enumerate(device.entries) if isinstance(decode(entry).body, Played))


def erase(school: School, device: Device, *indexes: int) -> Path:
    receipt = school.out()
    words = ("--sid", device.sid, "--events", *indexes, "--reason", "on request", "--receipt", receipt)
    school.operator("erase", CLASS, *words)
    return receipt


def test_an_erased_event_is_gone_from_the_servers_disk_and_the_archive_verifies(room: Room, school: School) -> None:
    """Not a byte of it is left in the database; its hash, the session's figure and a signed receipt are."""
    device = study(room.learner().ready())
    index = played(device)
    gone = decode(device.entries[index]).salt.encode()
    files = [room.settings.records, Path(f"{room.settings.records}-wal")]
    assert any(gone in path.read_bytes() for path in files if path.exists())
    receipt = erase(school, device, index)
    assert not any(gone in path.read_bytes() for path in files if path.exists())
    assert receipt.read_bytes().startswith(b"trueseat/erasure/v1\n")
    report = school.verified("archive")
    assert figures(report) == {device.sid: ("closed", 60_000)}
    assert report.sessions[0].withheld == 1
    kept = Directory(school.folder / "archive")
    assert kept.read(f"sessions/{device.sid}/withheld") == f"{index}\n".encode()
    assert all(gone not in kept.read(name) for name in kept.names())


def test_the_other_side_of_a_fork_is_erased_with_it(room: Room, school: School) -> None:
    """Evidence of a fork holds the same event: erased there, too; two signed checkpoints are proof without it."""
    device = study(room.learner().ready(), close=False)
    honest = device.entries[:]
    device.add_raw(b"mine")
    fork, index = device.body(), len(honest) - 1
    device.entries, device.tree = [], type(device.tree)()
    for entry in honest:
        device.add_raw(entry)
    device.close()
    room.server.records.write(lambda tx: tx.events.add_fork(device.sid, fork, 0))
    gone = device.entries[index]
    erase(school, device, index)
    left = room.server.records.read(lambda tx: tx.events.forks(device.sid))
    assert len(left) == 1
    assert gone not in left[0]
    assert segment.parse_kept(left[0]).checkpoint == segment.parse(fork).checkpoint


def test_what_was_settled_stays_when_later_sessions_are_settled(room: Room, school: School) -> None:
    """An erased span cannot be computed any more; nobody loses it for that, and a later session changes nothing."""
    learner = room.learner().ready()
    device = study(learner)
    erase(school, device, played(device))
    later = study(learner, 2)
    found = figures(school.verified("archive"))
    assert found[device.sid] == ("closed", 60_000)
    assert found[later.sid][1] is not None


def test_a_verdict_zeroes_an_erased_session_and_its_reversal_gives_the_settled_figure_back(
    room: Room, school: School
) -> None:
    """Erasure saves nobody from a decision, and costs nobody an appeal."""
    from ledger import note

    learner = room.learner().ready()
    device = study(learner)
    erase(school, device, played(device))
    key = school.supervisor()
    fields = {"learner": learner.learner, "sid": device.sid, "from_": 0, "to": 10_000, "reason": "x"}
    path = school.sign("verdict", key, **fields)
    school.take(path)
    assert figures(school.verified("zeroed"))[device.sid] == ("closed", 0)
    school.take(school.sign("reversal", key, verdict=note.parse(path.read_bytes()).digest))
    assert figures(school.verified("back"))[device.sid] == ("closed", 60_000)


@pytest.mark.parametrize("attack", ["still open", "event 0", "beyond", "twice", "nothing", "other class"])
def test_what_may_not_be_erased_is_refused(room: Room, school: School, attack: str) -> None:
    """No erasure before the figure, of the grant, of what is not there, or of what is gone."""
    device = study(room.learner().ready(), 2, close=attack != "still open")
    if attack == "twice":
        erase(school, device, 5)
    indexes = {"event 0": [0], "beyond": [len(device.entries)], "nothing": []}.get(attack, [5])
    with pytest.raises(DecisionError):
        room.server.services.eraser.events("other" if attack == "other class" else CLASS, device.sid, indexes, "x")
    report = school.verified("archive")
    assert not report.refused
    assert report.sessions[0].withheld == (1 if attack == "twice" else 0)


def test_an_event_withheld_by_the_keeper_without_both_leaves_is_refused(room: Room, school: School) -> None:
    """Emptying an entry of an exported archive by hand is no erasure, whatever `withheld` says."""
    from ledger import tiles
    from ledger.archive import open_source
    from ledger.trust import parse as parse_trust
    from ledger.verify import verify

    device = study(room.learner().ready())
    school.verified("archive")
    folder = school.folder / "archive" / "sessions" / device.sid
    (path,) = [item for item in (folder / "tile" / "entries").rglob("*") if item.is_file()]
    entries = tiles.decode_bundle(path.read_bytes())
    entries[5] = b""
    path.write_bytes(tiles.encode_bundle(entries))
    (folder / "withheld").write_bytes(b"5\n")
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    report = verify(open_source(school.folder / "archive"), trust)
    assert report.refused
    assert any("without an `erased` leaf" in item.message for item in report.findings.all())


def test_a_document_with_a_person_in_it_is_erased_and_listed(room: Room, school: School) -> None:
    """Whose device it was can be forgotten: the leaf stays, the archive says what it cannot check any more."""
    learner = room.learner().ready()
    device = study(learner)
    log = room.server.records.read(lambda tx: room.server.services.logs.log(tx, CLASS))
    owner = next(key.leaf.owner for key in log.keys if key.leaf.owner)
    school.operator("erase", CLASS, "--document", owner, "--reason", "account closed")
    report = school.verified("archive")
    assert figures(report) == {device.sid: ("closed", 60_000)}
    assert report.findings.steps["3"].status is Status.NOT_CHECKABLE
    policy = device.grant.policy
    assert school.refused("erase", CLASS, "--document", policy, "--reason", "x")
    assert school.refused("erase", CLASS, "--document", "0" * 64, "--reason", "x")
