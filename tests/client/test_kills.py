"""The client dies at any moment: what was signed is sent, the session is closed as recovered, nothing forks."""

from __future__ import annotations

import contextlib
import random
import shutil
import sqlite3
from concurrent.futures import Future

import pytest

from client.errors import DiskError, LocalRecordsError, SealError
from client.study import Study
from client.sync.logbook import Logbook, key_name, recover
from client.sync.outbox import Outbox
from ledger import checkpoint
from ledger.events import Closed, Fault, Heartbeat
from ledger.keys import ED25519, generate
from tests.client.world import MachineSide, World

MINUTE = 60_000


def unproven_from(pc: MachineSide, study) -> int:
    """Where the credit of the session so far ends, by its own records."""
    found, _ = pc.lesson().credit()
    return found.session(study.sid).credited_ms


@pytest.mark.slow
@pytest.mark.parametrize("after", [100, 2_300, 9_900, 31_000, 64_700])
def test_killed_in_mid_lesson_and_started_again(make_world, after):
    """Killed, restarted: recovered, sent, verified; exactly the spans proven before the kill count, the tail is listed
    and studied first; in the end the whole unit is credited."""
    world = make_world(units=(("pass", 90_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 120_000, until="playing")
    pc.run(study, after)
    sid = study.sid
    del study  # SIGKILL: no close, no last word
    again = pc.restart()
    assert again.recovered == [sid]
    assert isinstance(again.events(sid)[-1].body, Closed)
    assert again.events(sid)[-1].body == Closed("recovered")
    assert again.events(sid)[-1].mono == again.events(sid)[-2].mono
    again.send_all()
    assert again.kept(sid).state == "sent"
    assert again.profile.seal.get(key_name(sid)) is None
    report = world.verified()
    assert report.exit_code == 0
    found, place = again.lesson().credit()
    proven = found.session(sid)
    assert report.credited_ms == proven.credited_ms
    if proven.not_credited:
        assert place.position_ms == proven.not_credited[0].from_
    second = again.study()
    again.run(second, 20 * MINUTE, until="done")
    report = world.verified()
    assert (report.exit_code, report.credited_ms) == (0, 90_000)


def test_killed_after_a_check_that_the_server_has_not_confirmed(make_world):
    """What lies before that check waits for the network; what came after it no check can prove any more, and is studied
    first, on line or not."""
    world = make_world(units=(("pass", 90_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 120_000, until="playing")
    pc.run(study, 120_000, until="check")
    checked_at = study.state.position_ms
    pc.net.down = True  # the answer is signed and does not get through
    pc.run(study, 120_000, until="playing")
    pc.run(study, 4_000)
    sid = study.sid
    assert study.view().phase == "playing"
    del study
    again = pc.restart()
    assert again.recovered == [sid]
    _, place = again.lesson().credit()
    assert 0 < checked_at == place.position_ms
    again.net.down = False
    again.send_all()
    found, place = again.lesson().credit()
    assert checked_at == place.position_ms == found.session(sid).credited_ms


@pytest.mark.slow
def test_killed_at_any_moment_whatever_it_was(make_world):
    """Random moments of a session, a copy of the data folder each: every copy recovers to a log that verifies alone."""
    chance = random.Random(7)
    world: World = make_world(units=(("pass", 60_000),))
    pc = world.machine()
    study = pc.study()
    copies = []
    for _ in range(14):
        pc.run(study, chance.randrange(100, 9_000, 100))
        if study.over:
            break
        copies.append(world.folder / f"copy{len(copies)}")
        shutil.copytree(pc.folder, copies[-1])
    assert len(copies) > 5
    for copy in copies:
        seal_of = pc.profile.folder.relative_to(pc.folder)
        outbox = Outbox(copy / seal_of / "outbox.db")
        sessions = outbox.sessions()
        seal = type(pc.profile.seal)(copy / seal_of / "secrets")
        recover(outbox, seal, world.clock.wall)
        for kept in sessions:
            book = outbox.signed(kept.sid)
            if not book:
                continue
            original = {item.size: item.note for item in pc.outbox.signed(kept.sid)}
            assert all(item.note == original[item.size] for item in book[:-1]), "one history, whatever died"
            assert Logbook(outbox, kept.sid, generate("x/s/" + kept.sid, ED25519)).size == book[-1].size
        outbox.close()


def test_the_power_goes_between_the_last_receipt_and_the_word_sent(world, pc, monkeypatch):
    """Receipted to the last event, and not noted as sent: the next start notes it, erases the key, has the seed."""
    study = pc.study()
    pc.run(study, 30_000)
    pc.net.down = True
    pc.finish(study)

    def die(*_args: object) -> None:
        raise DiskError("power cut")

    monkeypatch.setattr(type(pc.profile.seal), "delete", die)
    pc.net.down = False
    pc.uploader.next_at = 0
    with contextlib.suppress(DiskError):
        pc.uploader.poll()
    assert pc.kept(study.sid).cosigned == pc.kept(study.sid).size
    monkeypatch.undo()
    with sqlite3.connect(pc.profile.outbox) as db:
        db.execute("UPDATE session SET state='closed' WHERE sid=?", (study.sid,))  # as older clients left it
    again = pc.restart()
    again.send_all()
    kept = again.kept(study.sid)
    assert (kept.state, bool(kept.seed), bool(kept.receipt)) == ("sent", True, True)
    assert again.profile.seal.get(key_name(study.sid)) is None


def test_killed_while_it_was_opening_leaves_nothing_behind(make_world):
    """Granted, but nothing signed yet: the session is forgotten here, and nothing blocks the next."""
    world = make_world(units=(("pass", 30_000),))
    pc = world.machine()
    from client.sync.opening import open_session

    open_session(pc.enrolment, pc.outbox, pc.registration)
    again = pc.restart()
    assert again.outbox.sessions() == []
    assert not list((again.profile.folder / "secrets").glob("session-*"))
    study = again.study()
    again.run(study, 10 * MINUTE, until="done")
    assert study.sent
    world.clock.advance(20 * MINUTE)
    world.server.services.sweep()
    assert world.verified().credited_ms == 30_000


@pytest.mark.slow
def test_two_crashes_one_after_the_other(make_world):
    """Recovered while offline, crashed again before it was sent: still one history, still accepted."""
    world = make_world(units=(("pass", 60_000),))
    pc = world.machine()
    study = pc.study()
    pc.run(study, 40_000)
    sid = study.sid
    pc.net.down = True
    once = pc.restart()
    notes = [item.note for item in once.outbox.signed(sid)]
    twice = once.restart()
    assert twice.recovered == []
    assert [item.note for item in twice.outbox.signed(sid)] == notes
    twice.send_all()
    assert twice.kept(sid).state == "sent"
    assert world.verified().exit_code == 0


def test_events_then_size_then_signature(world, pc, monkeypatch):
    """A crash between the size and the signature: the next start signs exactly what was persisted."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")

    def die(*_args: object) -> None:
        raise DiskError("power cut")

    monkeypatch.setattr(Outbox, "sign", die)
    pc.run(study, 12_000)
    assert isinstance(study.problem, DiskError), "the screen says that the disk does not keep the records"
    monkeypatch.undo()
    kept = pc.kept(study.sid)
    signed = pc.outbox.signed(study.sid)[-1].size
    assert kept.size > signed
    again = pc.restart()
    assert again.kept(study.sid).size == kept.size + 1
    point, _ = checkpoint.parse(again.outbox.signed(study.sid)[-1].note)
    assert point.size == kept.size + 1
    again.send_all()
    assert world.verified().exit_code == 0


def test_a_changed_event_in_the_local_records_is_never_sent(world, pc):
    """Somebody edits the database between two starts: the session is stuck with a code, the server sees no forgery."""
    study = pc.study()
    pc.run(study, 30_000)
    pc.net.down = True
    pc.run(study, 30_000)
    sid = study.sid
    with sqlite3.connect(pc.profile.outbox) as db:
        seq, data = db.execute("SELECT seq, data FROM event WHERE sid=? ORDER BY seq DESC LIMIT 1", (sid,)).fetchone()
        changed = data.replace(b'"v":1', b'"v":1').replace(b'"mono":', b'"mono":1')
        assert changed != data
        db.execute("UPDATE event SET data=? WHERE sid=? AND seq=?", (changed, sid, seq))
    again = pc.restart()
    kept = again.kept(sid)
    assert (kept.state, kept.problem) == ("stuck", LocalRecordsError.code)
    before = kept.cosigned
    again.uploader.poll()
    assert again.kept(sid).cosigned == before
    assert world.server.records.read(lambda tx: tx.events.forks(sid)) == []
    second = again.study()
    again.run(second, 60_000, until="playing")


def test_a_changed_event_under_a_running_uploader_is_never_sent(world, pc):
    """The uploader hashes what it reads before it sends it."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.net.down = True
    pc.run(study, 12_000)
    with sqlite3.connect(pc.profile.outbox) as db:
        with pytest.raises(sqlite3.IntegrityError):  # the columns are strict: a text is no event
            db.execute("UPDATE event SET data=replace(data, '\"faces\":1', '\"faces\":9')")
        db.execute("UPDATE event SET data=CAST(replace(data, '\"wall\":', '\"wall\":7') AS BLOB)")
    pc.net.down = False
    pc.run(study, 90_000)
    assert pc.kept(study.sid).problem == LocalRecordsError.code
    assert study.over, "nothing can be earned any more: the session closes"
    assert world.server.records.read(lambda tx: tx.events.forks(study.sid)) == []


def test_a_lost_session_key_keeps_what_was_receipted(world, pc):
    """Without the key nothing more is signed; what was signed before is still sent, and a new session opens."""
    study = pc.study()
    pc.run(study, 30_000)
    pc.profile.seal.delete(key_name(study.sid))
    again = pc.restart()
    assert again.kept(study.sid).problem == SealError.code
    again.uploader.poll()
    second = again.study()
    again.run(second, 60_000, until="playing")
    assert second.sid != study.sid


def test_a_disk_that_fails_while_the_session_begins_is_said_too(world, pc, monkeypatch):
    """The very first segment cannot be kept: a sentence with a remedy, no end of the program; later it opens."""
    jobs: list[tuple[Future[object], object]] = []

    def beside(job: object) -> Future[object]:
        jobs.append((Future(), job))
        return jobs[-1][0]

    study = Study(pc.ports, pc.lesson(), beside)
    study.press("play")

    def full(*_args: object, **_named: object) -> int:
        raise DiskError("database or disk is full")

    monkeypatch.setattr(Outbox, "persist", full)
    for _ in range(20):
        pc.run(study, 100)
        while jobs:  # slow work is done between two ticks, as a thread does it
            future, job = jobs.pop()
            future.set_result(job())
    assert isinstance(study.problem, DiskError)
    monkeypatch.undo()
    again = pc.restart()
    second = again.study()
    again.run(second, 20_000, until="playing")


def test_a_disk_that_fails_for_a_moment_does_not_end_the_sending(world, pc, monkeypatch):
    """The uploader waits and tries again; it never gives up for good because of one failure."""
    study = pc.study()
    pc.run(study, 20_000)

    def fail(*_args: object) -> object:
        raise DiskError("database is locked")

    worker = pc.uploader.uploader
    with monkeypatch.context() as patched:
        patched.setattr(Outbox, "sessions", fail)
        assert worker.step() > 0
        assert worker.failing
    pc.finish(study)
    assert study.sent


def test_two_starts_on_one_profile_cannot_both_write(world, pc):
    """The size on the disk moved under us: the second writer is refused, before anything is signed."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    other = Logbook(Outbox(pc.profile.outbox), study.sid, generate(f"test.trueseat.example/s/{study.sid}", ED25519))
    other.write(Heartbeat(1, 1, 1, "ab" * 32, "ab" * 32, "none"), 10**7, 1)
    other.cut()
    pc.run(study, 12_000)
    assert isinstance(study.problem, LocalRecordsError | DiskError)


def test_a_full_disk_stops_the_lesson_with_a_sentence(world, pc, monkeypatch):
    """No space left: the picture stops, the error has a remedy; after a restart nothing signed is missing."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")

    def full(*_args: object, **_named: object) -> int:
        raise DiskError("database or disk is full")

    monkeypatch.setattr(Outbox, "persist", full)
    pc.run(study, 12_000)
    assert isinstance(study.problem, DiskError)
    assert study.problem.remedy
    assert pc.player.calls[-1] == "pause"
    monkeypatch.undo()
    again = pc.restart()
    again.send_all()
    assert world.verified().exit_code == 0
    assert Fault
