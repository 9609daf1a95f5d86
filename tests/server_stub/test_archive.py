"""Archives: what the server exports verifies offline, and says what the server said."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from ledger.archive import open_source
from ledger.events import Asked
from ledger.report import Report
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from server_stub.__main__ import main as server_stub
from server_stub.domain.errors import BeingOpenedError, ExportError
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, Device, Learner


def study(learner: Learner, rounds: int = 6, *, close: bool = True) -> Device:
    """Ten seconds a round between two passed checks."""
    device = learner.open()
    device.send()
    for _ in range(rounds):
        device.play(10_000)
        device.send()
    device.add(Asked("close"))
    device.send()
    device.send()
    if close:
        device.close()
    return device


def export(room: Room, out: Path, *, masked: bool = False, zipped: bool = False) -> Report:
    """The archive, verified as a stranger would: with the trust file and nothing else."""
    room.server.services.exporter.write(CLASS, out, masked=masked, zipped=zipped)
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    report = verify(open_source(out), trust, Options())
    assert not report.refused, [finding.message for finding in report.findings.all()]
    return report


def figures(report: Report) -> dict[str, tuple[str, int | None]]:
    return {row.sid: (row.state, row.credited_ms) for row in report.sessions}


def test_an_exported_archive_verifies_with_the_trust_file_alone(room: Room, tmp_path: Path) -> None:
    """The credited figure is the one that the server settled."""
    device = study(room.learner().ready())
    assert figures(export(room, tmp_path / "archive")) == {device.sid: ("closed", 60_000)}


@pytest.mark.slow
def test_the_command_line_exports_and_the_verifier_exits_0(room: Room, tmp_path: Path) -> None:
    """`python -m server_stub export` and `python -m ledger verify`, the second a program of its own."""
    study(room.learner().ready())
    out, trust = tmp_path / "archive", tmp_path / "class.trust"
    trust.write_text(room.server.services.enrolment.trust(CLASS))
    assert server_stub(["export", str(room.settings.directory), CLASS, str(out)]) == 0
    command = [sys.executable, "-m", "ledger", "verify", str(out), "--trust", str(trust)]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr


def test_every_way_that_a_session_ends_is_in_the_archive(room: Room, tmp_path: Path) -> None:
    """Closed, abandoned, open, never begun, broken; of two learners: all accounted for, all figures agree."""
    one, two = room.learner().ready(), room.learner("other").ready()
    closed = study(one)
    abandoned = study(one, close=False)
    never = one.open()
    room.clock.now = never.grant.open_by + 1
    broken = two.open()
    broken.send()
    broken.add_raw(b"no event")
    broken.send()
    broken.close()
    still_open = study(two, close=False)
    found = figures(export(room, tmp_path / "archive"))
    assert found[closed.sid] == ("closed", 60_000)
    assert found[abandoned.sid] == ("abandoned", 0)  # a replay of the same minute counts once
    assert never.sid not in found
    assert found[broken.sid][1] == 0
    assert found[still_open.sid] == ("open", 60_000)


def test_an_archive_of_a_running_class_can_be_made_again_and_again(room: Room, tmp_path: Path) -> None:
    """Each export is a cut of its own; the earlier one stays true, the later one has the new figure."""
    learner = room.learner().ready()
    device = study(learner, 3, close=False)
    first = figures(export(room, tmp_path / "first"))
    for _ in range(3):
        device.play(10_000)
        device.send()
    second = export(room, tmp_path / "second")
    assert first[device.sid] == ("open", 30_000)
    assert figures(second)[device.sid][1] >= 30_000
    device.close()
    assert figures(export(room, tmp_path / "third"))[device.sid][0] == "closed"


def test_no_archive_is_cut_while_a_session_is_being_opened(room: Room, tmp_path: Path) -> None:
    """A grant whose first event is on its way: a minute's patience, never a session that is left out."""
    learner = room.learner().ready()
    device = learner.open()
    with pytest.raises(BeingOpenedError):
        export(room, tmp_path / "archive")
    device.send()
    export(room, tmp_path / "archive")
    learner.open()
    room.clock.now += 61_000
    export(room, tmp_path / "later")


def test_a_taken_over_lesson_verifies_with_its_command(room: Room, tmp_path: Path) -> None:
    """The pause command that the event names is in the archive; one that was never carried is not."""
    from hashlib import sha256

    from ledger import bodies, note
    from ledger.events import Command

    learner = room.learner().ready()
    first = study(learner, 2, close=False)
    phone = Learner(room.http, room.codes, room.clock)
    phone.token, phone.learner, phone.registration = learner.token, learner.learner, learner.registration
    phone.certify()
    second = phone.open(take_over=True)
    second.send()
    first.play(1_000)
    command = first.send().commands[0]
    first.add(Command(note.digest(bodies.parse(command.encode())[1].text)))
    first.close()
    third = learner.open(take_over=True)  # pauses the second, which never hears of it
    third.send()
    export(room, tmp_path / "archive")
    kept = [path.read_bytes() for path in (tmp_path / "archive" / "bodies" / "sha256").iterdir()]
    commands = [data for data in kept if data.startswith(b"trueseat/command/v1\n")]
    assert [sha256(data).digest() for data in commands] == [sha256(command.encode()).digest()]


def test_people_are_named_once_and_left_out_of_a_masked_archive(room: Room, tmp_path: Path) -> None:
    """people.csv is bound by its leaf; nothing else in the archive says who a learner is."""
    learner = room.learner().ready()
    study(learner, 1)
    export(room, tmp_path / "named")
    export(room, tmp_path / "masked", masked=True)
    people = (tmp_path / "named" / "people.csv").read_text(encoding="utf-8")
    assert f"{learner.learner},Learner\n" in people
    assert not (tmp_path / "masked" / "people.csv").exists()
    for path in (tmp_path / "masked").rglob("*"):
        assert not path.is_file() or b"Learner" not in path.read_bytes()
    log = room.server.records.read(lambda tx: room.server.services.logs.log(tx, CLASS))
    assert [leaf.kind for _, leaf in log.bodies].count("people") == 1


def test_the_archive_is_fetched_as_a_zip_by_the_staff(room: Room, tmp_path: Path) -> None:
    """`GET /v1/classes/<class>/archive`: the same archive; no file of it stays behind on the server."""
    device = study(room.learner().ready())
    body = {"account": "admin", "password": room.password}
    staff = {"Authorization": f"Bearer {room.http.post('/v1/staff/sign-in', json=body).json()['token']}"}
    answer = room.http.get(f"/v1/classes/{CLASS}/archive", headers=staff)
    assert (answer.status_code, answer.headers["content-type"]) == (200, "application/zip")
    path = tmp_path / "archive.zip"
    path.write_bytes(answer.content)
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    report = verify(open_source(path), trust, Options())
    assert not report.refused
    assert figures(report) == {device.sid: ("closed", 60_000)}
    assert list(room.settings.exports.iterdir()) == []
    assert room.http.get("/v1/classes/class-2/archive", headers=staff).status_code == 404


def test_an_export_never_overwrites(room: Room, tmp_path: Path) -> None:
    """A folder with anything in it, or a file, is left alone."""
    study(room.learner().ready(), 1)
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "mine").write_text("keep")
    with pytest.raises(ExportError):
        export(room, tmp_path / "out")
    with pytest.raises(ExportError):
        export(room, tmp_path / "out" / "mine", zipped=True)
    assert (tmp_path / "out" / "mine").read_text() == "keep"
