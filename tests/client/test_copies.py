"""Copies of a device: a restored backup, a cloned machine, a copied key. Nothing is lost, nobody is accused, study goes
on in a new session under a fresh key, and both sides of the fork are kept."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from client.errors import ForkedLogError, GrantRefusedError, ServerRefusedError, SignedOutError
from client.keeping import run as export
from client.sync import serials
from client.sync.opening import open_session
from client.sync.renewal import is_marked
from client.sync.uploader import FINAL
from ledger import archive, checkpoint, segment
from ledger.compare import compare, read_side
from ledger.errors import LedgerError
from ledger.policy import parse as parse_policy
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from tests.client.world import CLASS, MachineSide, World

MINUTE = 60_000


def copied(pc: MachineSide, name: str) -> Path:
    """The data folder as a backup program or a disk cloner takes it."""
    pc.outbox.close()
    target = pc.world.folder / name
    shutil.copytree(pc.folder, target)
    return target


def opened_by(machine: MachineSide) -> str:
    """A session opened by what is on this machine."""
    return open_session(machine.enrolment, machine.outbox, machine.registration).sid


def signed_in_again(world: World, folder: Path) -> MachineSide:
    """The learner enters a new code on this machine."""
    return MachineSide(world, folder, world.sign_in(), prepared=True)


def studied(machine: MachineSide, ms: int = MINUTE) -> str:
    """A short lesson, ended and sent."""
    study = machine.study()
    machine.run(study, ms)
    machine.finish(study)
    machine.send_all()
    return study.sid


def forks(world: World, sid: str) -> list[bytes]:
    return list(world.server.records.read(lambda tx: tx.events.forks(sid)))


def revoked_devices(world: World) -> int:
    log = world.server.records.read(lambda tx: world.server.services.logs.log(tx, CLASS))
    return sum(record.revocation is not None for record in log.keys if record.leaf.role == "device")


@pytest.mark.slow
def test_a_restored_backup_goes_on_under_a_fresh_key(world, pc):
    """The disk of yesterday: the server has a session that this device never held. Told what to do; then a new key, a
    new session, and everything that was earned is in the archive."""
    first = studied(pc)
    backup = copied(pc, "backup")
    later = studied(pc.restart())
    old = signed_in_again(world, backup)
    with pytest.raises(ForkedLogError) as told:
        opened_by(old)
    assert "registered anew" in told.value.remedy
    assert "重新登记" in told.value.zh
    assert is_marked(old.enrolment, old.registration)
    third = studied(old.restart())
    assert revoked_devices(world) == 1
    report = world.verified()
    assert report.exit_code == 0
    assert {row.sid for row in report.sessions} == {first, later, third}
    assert all(row.credited_ms for row in report.sessions if row.sid != third)


@pytest.mark.slow
def test_a_backup_restored_in_the_middle_of_a_session_is_a_fork_that_is_kept(world, pc):
    """The same session goes on from an older state: its key signs a second history, which the server keeps and does not
    take; the lesson goes on in a new session."""
    study = pc.study()
    pc.run(study, 20_000)
    backup = copied(pc, "backup")
    pc.restart().send_all()  # the original closes the session and sends it
    machine = signed_in_again(world, backup)
    assert machine.recovered == [study.sid]
    for _ in range(5):
        world.clock.advance(1_000)
        machine.uploader.next_at = 0
        machine.uploader.poll()
    kept = machine.kept(study.sid)
    assert (kept.state, kept.problem in FINAL) == ("stuck", True)
    assert kept.size == len(machine.outbox.events(study.sid))  # nothing of it is thrown away
    with pytest.raises(ForkedLogError):
        opened_by(machine)
    later = studied(machine)
    report = world.verified()
    assert report.exit_code == 0
    assert {row.sid for row in report.sessions} == {study.sid, later}


@pytest.mark.slow
def test_of_a_cloned_machine_both_go_on_and_only_one_history_is_taken(world, pc):
    """Two machines with one key, both used: each ends with a key of its own, no session of either is lost."""
    studied(pc)
    clone = signed_in_again(world, copied(pc, "clone"))
    original = pc.restart()
    first = studied(original)
    with pytest.raises(ForkedLogError):
        opened_by(clone)
    second = studied(clone.restart())
    world.clock.advance(1_000)
    with pytest.raises(ServerRefusedError, match="TS-S-033"):
        opened_by(original)
    again = signed_in_again(world, original.folder)
    third = studied(again)
    report = world.verified()
    assert report.exit_code == 0
    assert {first, second, third} <= {row.sid for row in report.sessions}
    assert revoked_devices(world) == 1


def test_two_histories_of_one_session_are_proven_by_the_two_machines_exports(world, pc, tmp_path):
    """Cut off from the network, two copies close the same session differently: their own exports convict the key."""
    study = pc.study()
    pc.run(study, 30_000)
    sid = study.sid
    clone = copied(pc, "clone")
    sides = []
    for name, folder in (("one", pc.folder), ("two", clone)):
        machine = pc.restart(folder)
        machine.outbox.close()
        assert export(_config(folder), tmp_path / name, claims=False) == 0
        sides.append(tmp_path / name / sid)
    trust = parse_trust(world.trust_file().read_bytes())
    for side in sides:
        assert not verify(archive.open_source(side), trust, Options(partial=True)).refused
    found = compare(*(read_side(side, trust) for side in sides))
    assert len(found.proofs) == 1
    assert sid in found.proofs[0].verify()


@pytest.mark.slow
def test_a_key_that_was_copied_to_an_empty_disk_is_no_way_around(world, pc):
    """Only the secrets, none of the records: the chain says `lost`; the owner's device notices, and is told."""
    studied(pc)
    thief = copied(pc, "thief")
    for path in thief.rglob("outbox.db*"):
        path.unlink()
    other = signed_in_again(world, thief)
    world.clock.advance(11 * MINUTE)
    with pytest.raises(SignedOutError):  # a key and yesterday's token are not enough
        opened_by(other)
    other = signed_in_again(world, thief)
    studied(other)
    with pytest.raises(ForkedLogError):
        opened_by(pc.restart())
    assert studied(signed_in_again(world, pc.folder))
    assert world.verified().exit_code == 0


@pytest.mark.slow
def test_renewing_waits_for_the_person_and_survives_a_crash(world, pc):
    """An old token renews nothing; a crash between the server's answer and the disk ends with the same one key."""
    studied(pc)
    backup = copied(pc, "backup")
    studied(pc.restart())
    old = signed_in_again(world, backup)
    with pytest.raises(ForkedLogError):
        opened_by(old)
    world.clock.advance(11 * MINUTE)
    with pytest.raises(SignedOutError):
        opened_by(old)
    again = signed_in_again(world, backup)
    put = again.profile.seal.put

    def crash(name: str, secret: bytes) -> None:
        if name.startswith("device-") and not name.endswith("-next"):
            raise KeyboardInterrupt
        put(name, secret)

    again.profile.seal.put = crash  # type: ignore[method-assign]
    with pytest.raises(KeyboardInterrupt):
        opened_by(again)
    assert studied(again.restart())
    log = world.server.records.read(lambda tx: world.server.services.logs.log(tx, CLASS))
    assert sum(record.leaf.role == "device" for record in log.keys) == 2


@pytest.mark.slow
@pytest.mark.parametrize("left", [bytes(280), b"half a name", b"name\n-----BEGIN PRIVATE KEY-----\n"])
def test_a_fresh_key_that_the_disk_spoiled_is_drawn_again(world, pc, left):
    """Nobody holds it and nothing was signed by it, so it stops nobody."""
    studied(pc)
    backup = copied(pc, "backup")
    studied(pc.restart())
    with pytest.raises(ForkedLogError):
        opened_by(signed_in_again(world, backup))
    world.clock.advance(11 * MINUTE)
    again = signed_in_again(world, backup)
    again.profile.seal.put(f"device-{again.registration.registration}-next", left)
    assert studied(again)


def test_the_other_side_of_the_fork_is_kept_by_the_server(world, pc):
    """What the device held is sent with the renewal: signed by the session's key, kept beside what the server has."""
    study = pc.study()
    pc.run(study, 20_000)
    sid = study.sid
    backup = copied(pc, "backup")
    pc.restart().send_all()  # closes and sends the session; the copy does not know
    copy = signed_in_again(world, backup)
    for _ in range(5):
        world.clock.advance(1_000)
        copy.uploader.next_at = 0
        copy.uploader.poll()
    with pytest.raises(ForkedLogError):
        opened_by(copy)
    opened_by(copy)
    (held, *_) = forks(world, sid)
    mine = copy.outbox.signed(sid)[-1]
    try:
        point = checkpoint.parse(held)[0]
    except LedgerError:
        point = segment.parse_kept(held).checkpoint
    assert point == checkpoint.parse(mine.note)[0]


def test_the_staff_get_both_sides_and_a_proof_of_a_cloned_device(world, pc, tmp_path):
    """The clone sends its own end of a session after the original's: not taken, kept, proven by two signatures."""
    from ledger import contradiction
    from server_stub.__main__ import main

    study = pc.study()
    pc.run(study, 20_000)
    backup = copied(pc, "backup")
    pc.restart().send_all()
    clone = signed_in_again(world, backup)
    for _ in range(5):
        world.clock.advance(1_000)
        clone.uploader.next_at = 0
        clone.uploader.poll()
    assert clone.kept(study.sid).problem in FINAL
    assert main(["forks", str(world.settings.directory), study.sid, str(tmp_path / "kept")]) == 0
    (proof,) = [path.read_bytes() for path in (tmp_path / "kept").glob("*.proof")]
    assert study.sid in contradiction.parse(proof).verify()


@pytest.mark.slow
def test_consents_that_only_the_old_key_signed_are_signed_again(world, pc):
    """A word given off line before the copy was noticed is the learner's still, under the new key."""
    studied(pc)
    backup = copied(pc, "backup")
    studied(pc.restart())
    old = signed_in_again(world, backup)
    with pytest.raises(ForkedLogError):
        opened_by(old)
    old.net.down = True
    old.enrolment.consent(old.outbox, old.registration, "photos", given=False, notice=b"notice")
    old.net.down = False
    studied(old)
    said = {item.what: item for item in old.outbox.consents(old.registration.registration)}
    assert said["photos"].sent
    assert world.verified().exit_code == 0


# --- rules only go forward --------------------------------------------------------------------------------------------


def test_rules_older_than_this_device_has_seen_are_refused(world, pc):
    """The operator may exchange the log for one that never had the newer rules; the device's memory is its own."""
    opened_by(pc)
    log = pc.enrolment.follower(pc.registration).update()
    rules = parse_policy(pc.enrolment.document(pc.registration.policy))
    serials.check(pc.profile, log, rules)
    world.server.services.publisher.publish(CLASS, "rules", b"# newer rules\n")
    newer = pc.enrolment.follower(pc.registration).update()
    serials.check(pc.profile, newer, rules)
    with pytest.raises(GrantRefusedError, match="rules of serial 1; this device has seen serial 2"):
        serials.check(pc.profile, world_log_before(world, len(log)), rules)


def test_a_policy_that_states_another_serial_than_the_log_is_refused(world, pc):
    """Old rules under a new number: the document itself says how old it is."""
    log = pc.enrolment.follower(pc.registration).update()
    data = pc.enrolment.document(pc.registration.policy).replace(b"serial = 1\n", b"serial = 4\n")
    with pytest.raises(GrantRefusedError, match="serial 4"):
        serials.check(pc.profile, log, parse_policy(data))


def test_a_damaged_memory_of_serials_is_begun_anew(world, pc):
    """A file that nobody can read keeps nobody from studying."""
    for data in (b"\xff", b"[]", b"{}", b'{"a": 1}', b'{"a": {"policy": "x"}}'):
        pc.profile.seal.put("serials", data)
        assert opened_by(pc)


def world_log_before(world: World, size: int):
    """The class log as it stood at `size`, as a server that forgot the rest would show it."""
    from ledger.classlog import ClassLog

    log = ClassLog(world.server.keyring.origin(CLASS))
    for entry in world.server.records.read(lambda tx: tx.log.entries(CLASS, 0, size)):
        log.add(entry)
    return log


# --- exports ----------------------------------------------------------------------------------------------------------


def _config(folder: Path):
    from client.config import Config

    return Config(folder)


def test_a_session_without_network_is_exported_brought_and_credited(world, pc, tmp_path):
    """The network never comes back: the learner's own files reach the server by hand and count."""
    study = pc.study()
    pc.run(study, MINUTE)
    pc.net.down = True
    pc.run(study, 20_000)
    study.press("end")
    study.press("end")
    pc.run(study, 60_000)
    pc.outbox.close()
    assert export(_config(pc.folder), tmp_path / "out", claims=False) == 0
    copy = tmp_path / "out" / study.sid
    from server_stub.__main__ import main

    assert main(["import", str(world.settings.directory), str(copy)]) == 0
    report = world.verified()
    assert report.exit_code == 0
    assert [(row.sid, row.state) for row in report.sessions] == [(study.sid, "closed")]
    assert report.sessions[0].events == len(pc.restart().outbox.events(study.sid))


def test_claims_are_what_a_complaint_needs(world, pc, tmp_path):
    """Every grant and every last cosigned checkpoint as a file; nothing is overwritten."""
    sid = studied(pc)
    pc.outbox.close()
    assert export(_config(pc.folder), tmp_path / "claims", claims=True) == 0
    names = {path.name for path in (tmp_path / "claims").iterdir()}
    assert names == {f"{sid}.grant", f"{sid}.checkpoint"}
    from ledger.complaint import ComplaintError, complain

    source = archive.Directory(world.export(tmp_path / "archive"))
    trust = parse_trust(world.trust_file().read_bytes())
    for path in sorted((tmp_path / "claims").iterdir()):
        with pytest.raises(ComplaintError, match="class log entry"):
            complain(path.read_bytes(), source, trust)


@pytest.mark.slow
def test_the_learner_finds_the_way_on_by_the_screens_alone(make_world, tmp_path):
    """A restored backup on the screen: one sentence, one button; a sign-in; then the lesson plays."""
    from client.view import View
    from tests.client.test_journey import Client, enrolled

    world = make_world(units=(("pass", 60_000),))
    folder = tmp_path / "pc"
    enrolled(world, folder).journey.close()

    def begin(client: Client) -> None:
        client.until("today")
        client.journey.tick()
        client.journey.open_course(client.registration())
        client.until("lesson")
        client.journey.study.press("play")

    def until_problem(client: Client) -> str:
        for _ in range(400):
            client.clock.advance(100)
            client.journey.tick()
            if client.journey.problem is not None:
                return client.journey.problem.code
        raise AssertionError(client.journey.shown)

    first = Client(world, folder)
    begin(first)
    first.until("result")
    first.journey.close()
    shutil.copytree(folder, tmp_path / "backup")
    second = Client(world, folder)
    begin(second)
    second.until("result")
    second.journey.close()
    world.clock.advance(3_600_000)

    restored = Client(world, tmp_path / "backup")
    begin(restored)
    assert until_problem(restored) == ForkedLogError.code
    restored.journey.try_again()
    restored.until("sign_in")
    assert restored.journey.shown.trouble is not None
    restored.clock.advance(31_000)
    restored.journey.ask_code("learner")
    restored.journey.tick()
    restored.journey.enter_code(world.codes.sent["learner"])
    begin(restored)
    restored.until("lesson", "playing")
    assert isinstance(restored.journey.shown, View)
    assert revoked_devices(world) == 1
