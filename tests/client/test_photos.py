"""A photo of a check from the camera to the reviewer: taken only where all agree, sealed, sent after the records."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger.archive import Directory
from ledger.events import Answered, Consent
from ledger.findings import Status
from ledger.keys import generate_evidence
from server_stub.domain.errors import DecisionError
from server_stub.domain.photo_errors import PhotoErasedError
from server_stub.domain.reviewing import Opening
from tests.client.world import CLASS, MachineSide, World

NONE = {b"evidence_permille = 1000": b"evidence_permille = 0"}
UNIT = (("pass", 60_000),)
MINUTE = 60_000


def answers(pc: MachineSide, sid: str) -> list[Answered]:
    return [event.body for event in pc.events(sid) if isinstance(event.body, Answered)]


def photographed(make_world, **options) -> tuple[World, MachineSide, str]:
    """One lesson of a class in which every check takes a photo, sent to the end."""
    world = make_world(units=UNIT, reviewers=options.pop("reviewers", 1))
    pc = world.machine(photos=True, **options)
    study = pc.study()
    pc.run(study, 20 * MINUTE, until="done")
    pc.send_all()
    return world, pc, study.sid


def traces(folder: Path, photos: list[bytes]) -> list[str]:
    """Files below `folder` that hold a JPEG's beginning, or any part of these photos."""
    marks = [b"\xff\xd8\xff\xe0\x00\x10JFIF", *(photo[at : at + 24] for photo in photos for at in (100, 4_000, 8_000))]
    files = [path for path in folder.rglob("*") if path.is_file()]
    return [str(path) for path in files if any(mark in path.read_bytes() for mark in marks)]


@pytest.mark.slow
def test_from_the_camera_to_the_reviewer(make_world):
    """Each answer names its photo; the server has it sealed; a reviewer opens it for a reason, and the class log says
    so; the archive shows photo and audit, and verifies."""
    world, pc, sid = photographed(make_world)
    named = answers(pc, sid)
    assert len(named) >= 2
    assert all(answer.evidence for answer in named)
    assert pc.outbox.photos_waiting() == 0
    reviewer = world.server.services.reviewer
    assert [photo.state for photo in reviewer.listed(CLASS)] == ["kept"] * len(named)
    first = named[0]
    asked = Opening(CLASS, sid, first.evidence["eid"], "Li Wei", "spot check of the week")
    shown = reviewer.open(asked, world.reviewer[0])
    header = shown.header
    assert shown.jpeg == pc.proctor.photos[0]
    assert (header.i, header.a, header.sid) == (first.i, first.a, sid)
    report = world.verified()
    assert report.exit_code == 0
    assert report.credited_ms == 60_000
    step = report.findings.steps["10"]
    assert (step.status, step.checked) == (Status.OK, 2 * len(named))
    archive = Directory(world.folder / "archive1")
    audits = [archive.read(name) for name in archive.names("bodies/")]
    (audit,) = [text for text in audits if text.startswith(b"trueseat/audit/v1\n")]
    assert b"Li Wei (school0.example/e+" in audit
    assert b"spot check of the week" in audit
    assert first.evidence["eid"].encode() in audit


@pytest.mark.slow
@pytest.mark.parametrize("missing", ["consent", "withdrawn", "policy", "reviewer", "face"])
def test_no_photo_unless_policy_consent_and_a_recipient_agree(make_world, missing):
    """Any one of them missing: no photo is taken, nothing is asked for, and every check passes as without photos."""
    world = make_world(
        units=UNIT, changes=NONE if missing == "policy" else None, reviewers=0 if missing == "reviewer" else 1
    )
    agreed = {"consent": None, "withdrawn": False, "face": False}.get(missing, True)
    pc = world.machine(photos=agreed, face=missing != "face")
    study = pc.study()
    if missing == "face":
        pc.run(study, 10_000)
    else:
        pc.run(study, 20 * MINUTE, until="done")
        assert world.verified().credited_ms == 60_000
    assert pc.proctor.photos == []
    assert all(request.photo is None for request in pc.proctor.requests)
    assert all(answer.evidence is None for answer in answers(pc, study.sid))


@pytest.mark.slow
def test_a_photo_only_where_the_nonce_draws_it(make_world):
    """At 500 of 1000 the nonce decides, check by check; who reads the log later finds the same."""
    from ledger.schedule import drawn

    world = make_world(units=(("pass", 180_000),), changes={b"evidence_permille = 1000": b"evidence_permille = 500"},
                       reviewers=1)  # fmt: skip
    pc = world.machine(photos=True)
    study = pc.study()
    pc.run(study, 40 * MINUTE, until="done")
    policy = study.state.rules.policy
    for request in pc.proctor.requests:
        wanted = drawn(bytes.fromhex(request.nonce), request.check, policy, request.kind).evidence
        assert (request.photo is not None) == wanted
    named = [answer.evidence is not None for answer in answers(pc, study.sid)]
    assert named == [request.photo is not None for request in pc.proctor.requests]
    pc.send_all()
    assert world.verified().credited_ms == 180_000


def test_the_photo_is_durable_with_its_event_and_never_unsealed(make_world, tmp_path, monkeypatch):
    """Killed right after a check, at no moment a JPEG on the disk: not in the data folder, not among temporary files;
    after the restart the photo is sent, and the server has only the sealed one, 0600."""
    temporary = tmp_path / "tmp"
    temporary.mkdir()
    monkeypatch.setenv("TMPDIR", str(temporary))
    world = make_world(units=UNIT, reviewers=1)
    pc = world.machine(photos=True)
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop request"] * 1_000)  # no photo gets through: all wait on the device
    study = pc.study()
    pc.run(study, 45_000)
    sid, photos = study.sid, pc.proctor.photos
    assert len(photos) >= 2
    assert pc.outbox.photos_waiting() > 0
    del study  # SIGKILL: no close, no last word
    assert not traces(pc.folder, photos)
    assert not traces(temporary, photos)
    again = pc.restart()
    again.send_all()
    assert again.recovered == [sid]
    kept = world.server.services.reviewer.listed(CLASS)
    assert [photo.state for photo in kept] == ["kept"] * len(photos)
    assert not traces(world.folder, photos)
    files = [path for path in (world.folder / "server" / "evidence").rglob("*") if path.is_file()]
    assert len(files) == 2 * len(photos)
    assert {path.stat().st_mode & 0o777 for path in files} == {0o600}
    assert world.verified().findings.steps["10"].status is Status.OK


@pytest.mark.slow
def test_records_go_first_and_a_broken_line_goes_on_where_it_broke(make_world, monkeypatch):
    """While a segment waits no piece of a photo is sent; each piece is sent once, whatever is lost between."""
    from client.sync import evidence

    monkeypatch.setattr(evidence, "PIECE", 4_000)
    world = make_world(units=UNIT, reviewers=1)
    pc = world.machine(photos=True)
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop answer", "", "500", "drop request", "drop answer", ""])
    study = pc.study()
    pc.run(study, 20 * MINUTE, until="done")
    pc.send_all()
    sent = [(path, status) for method, path, status in pc.net.log if method == "PUT"]
    taken = [path for path, status in sent if status == 200]
    photo = len(pc.proctor.photos)
    pieces = -(-(12_304 + 300) // 4_000)
    assert len(set(taken)) == photo
    assert photo * pieces <= len(taken) <= photo * pieces + 2, "a lost answer is not a lost piece"
    assert any(status == 409 for _, status in sent), "the server says where to go on"
    assert world.verified().findings.steps["10"].status is Status.OK


@pytest.mark.slow
def test_photos_of_an_offline_hour_come_with_its_records(make_world):
    """No network for minutes: checks by the offline seed take their photos as well, and all of it arrives later."""
    world = make_world(units=(("pass", 240_000),), reviewers=1)
    pc = world.machine(photos=True)
    study = pc.study()
    pc.run(study, 30_000)
    pc.net.down = True
    pc.run(study, 180_000)
    before = len(pc.proctor.photos)
    assert before >= 3
    pc.net.down = False
    pc.run(study, 30 * MINUTE, until="done")
    pc.send_all()
    named = answers(pc, study.sid)
    assert sum(answer.evidence is not None for answer in named) == len(pc.proctor.photos) > before
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 240_000)
    assert report.findings.steps["10"].status is Status.OK


def test_a_grant_may_not_name_just_anybody_to_send_faces_to(make_world, monkeypatch):
    """A recipient that no class-log entry vouches for: the session is not opened, whatever the operator signs."""
    from client.errors import GrantRefusedError
    from client.sync.opening import open_session
    from server_stub.domain import sessions

    world = make_world(units=UNIT, reviewers=1)
    pc = world.machine(photos=True)
    stranger, _ = generate_evidence("stranger.example/e")
    monkeypatch.setattr(sessions, "_recipients", lambda _log: (str(stranger),))
    with pytest.raises(GrantRefusedError, match="recipient"):
        open_session(pc.enrolment, pc.outbox, pc.registration)
    assert pc.outbox.sessions() == []


@pytest.mark.slow
def test_what_waits_is_bounded_and_then_none_is_taken(make_world, monkeypatch):
    """A device that is long without a network keeps so many bytes and no more: the next check takes no photo."""
    from client.sync import logbook

    monkeypatch.setattr(logbook, "MAX_WAITING", 20_000)
    world = make_world(units=UNIT, reviewers=1)
    pc = world.machine(photos=True)
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop request"] * 1_000)
    study = pc.study()
    pc.run(study, 10 * MINUTE)
    assert pc.outbox.photos_waiting() <= 20_000 + 13_000
    assert len(pc.proctor.photos) == 2
    assert any(request.photo is None for request in pc.proctor.requests)


@pytest.mark.slow
def test_withdrawn_consent_takes_back_what_was_not_sent(make_world):
    """From the next session on no photo is taken, and those that still wait on the device are never sent."""
    world = make_world(units=(("pass", 90_000),), reviewers=1)
    pc = world.machine(photos=True)
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop request"] * 1_000)
    study = pc.study()
    pc.run(study, 40_000)
    pc.finish(study)
    first = study.sid
    assert pc.outbox.photos_waiting() > 0
    pc.enrolment.consent(pc.outbox, pc.registration, "photos", given=False, notice=b"notice")
    assert pc.outbox.photos_waiting() == 0
    taken = len(pc.proctor.photos)
    again = pc.restart()
    later = again.study()
    again.run(later, 20 * MINUTE, until="done")
    assert again.proctor.photos == []
    said = [event.body for event in again.events(later.sid) if isinstance(event.body, Consent)]
    assert [body.given for body in said if body.what == "photos"] == [False]
    again.send_all()
    assert [photo.state for photo in world.server.services.reviewer.listed(CLASS)] == ["named"] * taken
    report = world.verified()
    assert report.exit_code == 0
    assert report.findings.steps["10"].status is Status.NOT_CHECKABLE
    assert first != later.sid


@pytest.mark.slow
def test_an_erased_photo_leaves_an_archive_that_verifies(make_world):
    """Keys and blob are gone from the server's disk, the leaf and its receipt stand, nobody can open it any more, the
    credit is what it was; opening another one still works."""
    world, pc, sid = photographed(make_world)
    gone, kept = (answer.evidence for answer in answers(pc, sid)[:2])
    services = world.server.services
    receipt = services.eraser.photos(CLASS, sid, [gone["eid"]], "at the learner's request")
    assert gone["eid"].encode() in receipt
    names = {path.name for path in (world.folder / "server" / "evidence").rglob("*")}
    assert not {gone["sha256"], gone["keys"]} & names
    assert {kept["sha256"], kept["keys"]} <= names
    with pytest.raises(PhotoErasedError):
        services.reviewer.open(Opening(CLASS, sid, gone["eid"], "Li Wei", "curious"), world.reviewer[0])
    assert services.reviewer.open(Opening(CLASS, sid, kept["eid"], "Li Wei", "asked"), world.reviewer[0]).jpeg
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 60_000)
    listed = [item for item in report.findings.all() if item.step == "10"]
    assert any("erased" in item.message for item in listed)


def test_nobody_opens_without_a_reason_a_name_or_a_key_of_the_class(make_world):
    """Every refusal leaves the class log as it was: no audit of an opening that did not happen."""
    from ledger.evidence import Recipient
    from ledger.keys import generate_evidence

    world, pc, sid = photographed(make_world, reviewers=2)
    eid = answers(pc, sid)[0].evidence["eid"]
    services, key = world.server.services, world.reviewer[0]
    size = world.server.records.read(lambda tx: tx.log.size(CLASS))
    stranger = Recipient(*generate_evidence("school0.example/e"))
    thief = Recipient(key.vkey, world.reviewer[1].private)
    for by, reason, who in (
        ("Li Wei", "", key), ("Li Wei", "  ", key), ("", "why not", key), ("Li Wei", "why not", stranger),
        ("Li Wei", "why not", thief),
    ):  # fmt: skip
        with pytest.raises(DecisionError):
            services.reviewer.open(Opening(CLASS, sid, eid, by, reason), who)
    assert world.server.records.read(lambda tx: tx.log.size(CLASS)) == size
    for who in world.reviewer:
        services.reviewer.open(Opening(CLASS, sid, eid, "Li Wei", "why not"), who)
    assert world.server.records.read(lambda tx: tx.log.size(CLASS)) == size + 2


def test_the_learner_reads_when_a_photo_is_taken_and_for_whom(make_world):
    """One quiet sentence while the look is announced and runs, none elsewhere, and the times in the result."""
    world = make_world(units=UNIT, reviewers=3)
    pc = world.machine(photos=True)
    study = pc.study()
    shown = set()
    for _ in range(20 * MINUTE // 100):
        pc.clock.advance(100)
        study.tick()
        seen = study.view()
        shown.add((seen.phase, seen.photo is not None))
        if seen.photo is not None:
            assert seen.photo.values["names"] == "school0.example, school1.example (+1)"
        if seen.phase == "done":
            break
    assert ("check", True) in shown
    assert ("notice", True) in shown
    assert {phase for phase, photo in shown if photo} == {"notice", "check"}
    result = study.result()
    assert result is not None
    assert len(result.photos) == len(pc.proctor.photos)
    assert list(result.photos) == sorted(result.photos)


@pytest.mark.slow
def test_one_button_under_the_notice_and_no_photo_from_that_moment_on(make_world):
    """Pressed while the look is announced: this check takes none already, and passes; what waited on the device is
    gone; server and class log have the signed word; the next session begins without the consent."""
    world = make_world(units=(("pass", 120_000),), reviewers=1)
    pc = world.machine(photos=True)
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop request"] * 1_000)
    study = pc.study()
    pc.run(study, 60_000, until="playing")
    taken = len(pc.proctor.photos)
    assert taken > 0
    pc.run(study, 90_000, until="notice")
    study.press("no_photos")
    study.tick()
    assert study.view().photo is None
    assert pc.outbox.photos_waiting() == 0
    pc.run(study, 20 * MINUTE, until="done")
    assert len(pc.proctor.photos) == taken
    named = answers(pc, study.sid)
    assert [answer.evidence is not None for answer in named] == [True] * taken + [False] * (len(named) - taken)
    assert {answer.result for answer in named} == {"passed"}
    pc.net.faults.clear()
    pc.send_all()
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 120_000)
    assert [said.given for said in pc.outbox.consents(pc.registration.registration) if said.what == "photos"] == [False]
    archive = Directory(world.folder / "archive1")
    said = [archive.read(name) for name in archive.names("bodies/")]
    assert sum(b'"given":false' in text and b'"what":"photos"' in text for text in said) == 1


@pytest.mark.slow
def test_a_deleted_profile_leaves_nothing(make_world):
    """Template, keys, photos, records: gone, the template's key first; not while something waits, unless told so; the
    other learner of the machine keeps everything."""
    from client.farewell import UnsentProfileError, delete_profile
    from client.profile import learners

    world = make_world(units=UNIT, reviewers=1)
    pc = world.machine(photos=True)
    other = world.machine(account="other")
    pc.net.hits = lambda _method, path: "/evidence/" in path
    pc.net.faults.extend(["drop request"] * 1_000)
    study = pc.study()
    pc.run(study, 40_000)
    pc.finish(study)
    root = pc.profile.folder.parent.parent
    template = pc.profile.template(pc.registration.registration)
    assert template == b"template"
    on_disk = (pc.profile.folder / f"template-{pc.registration.registration}").read_bytes()
    assert template not in on_disk, "encrypted at rest"
    assert sorted(learners(root)) == sorted([pc.profile.learner, other.profile.learner])
    pc.outbox.close()
    with pytest.raises(UnsentProfileError):
        delete_profile(pc.profile)
    assert pc.profile.template(pc.registration.registration) == b"template"
    delete_profile(pc.profile, unsent=True)
    assert learners(root) == [other.profile.learner]
    assert not list(pc.profile.folder.parent.glob(f"{pc.profile.learner}*"))
    assert other.profile.template(other.registration.registration) == b"template"
