"""A damaged database: nothing that the device signed is gone, and nobody is made to sign two histories."""

from __future__ import annotations

import itertools
import shutil
from contextlib import closing
from pathlib import Path

import pytest

from client.errors import LocalRecordsError, NetworkError
from client.sync.journal import journal_of
from client.sync.opening import open_session
from client.sync.outbox import Outbox
from client.sync.rebuild import mend, wants_refill
from ledger.events import Closed
from tests.client.world import MachineSide
from tests.deaths import dies_at

MINUTE = 60_000


def smash(pc: MachineSide) -> None:
    """Overwrite the middle of the database, as a bad sector does."""
    pc.outbox.close()
    path = pc.profile.outbox
    data = path.read_bytes()
    path.write_bytes(data[:100] + bytes(4096) * 3 + data[100 + 3 * 4096 :])
    for part in ("-wal", "-shm"):
        path.with_name(path.name + part).unlink(missing_ok=True)


def test_a_damaged_database_is_refused_by_name(pc):
    """Whoever opens it without mending it is told, with a code."""
    smash(pc)
    with pytest.raises(LocalRecordsError, match="damaged"):
        Outbox(pc.profile.outbox).sessions()


def test_what_was_not_sent_comes_back_from_the_copies(world, pc):
    """Minutes offline, then a bad sector: every signed event is sent by the next start, closed as recovered."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.net.down = True
    pc.run(study, MINUTE)
    signed = pc.outbox.events(study.sid, 0, pc.outbox.signed(study.sid)[-1].size)
    smash(pc)
    again = pc.restart()
    assert again.rebuilt
    assert again.outbox.events(study.sid)[: len(signed)] == signed
    assert again.events(study.sid)[-1].body == Closed("recovered")
    again.send_all()
    assert again.kept(study.sid).state == "sent"
    assert world.verified().exit_code == 0
    assert list(again.profile.folder.glob("damaged-*")), "the damaged file is kept for whoever looks into it"


@pytest.mark.slow
def test_what_was_sent_comes_back_from_the_server(world, pc):
    """The figure on the device is the server's again, and the next session continues the chain."""
    study = pc.study()
    pc.run(study, 2 * MINUTE)
    pc.finish(study)
    pc.send_all()
    figure = pc.lesson().credit()[0].credited_ms
    assert figure > 0
    smash(pc)
    again = pc.restart()
    assert again.rebuilt
    again.send_all()
    assert again.lesson().credit()[0].credited_ms == figure
    more = again.study()
    again.run(more, 20_000, until="playing")
    assert not wants_refill(again.profile.outbox)


@pytest.mark.slow
def test_offline_the_copy_is_asked_for_later(world, pc):
    """Without a network the device starts all the same; the sessions come back before the next one opens."""
    study = pc.study()
    pc.run(study, MINUTE)
    pc.finish(study)
    pc.send_all()
    smash(pc)
    mend(pc.profile.outbox)  # what a start does first, before any request
    with closing(Outbox(pc.profile.outbox)) as outbox:
        assert outbox.sessions() == []
        pc.net.down = True
        with pytest.raises(NetworkError):
            open_session(pc.enrolment, outbox, pc.registration)
        assert outbox.sessions() == []
    assert wants_refill(pc.profile.outbox)
    back = pc.restart()
    assert [kept.sid for kept in back.outbox.sessions()] == [study.sid]


def test_a_cut_off_copy_is_never_signed_on(world, pc):
    """Where the copies may miss something the session ends as it stands: the server sees no second history."""
    study = pc.study()
    pc.run(study, 40_000)
    path = journal_of(pc.profile.outbox)._path(study.sid)
    path.write_bytes(path.read_bytes()[:-40])
    smash(pc)
    again = pc.restart()
    kept = again.kept(study.sid)
    assert (kept.state, kept.size) == ("closed", again.outbox.signed(study.sid)[-1].size)
    assert not isinstance(again.events(study.sid)[-1].body, Closed)
    second = again.study()
    again.run(second, 40_000)
    assert world.server.records.read(lambda tx: tx.events.forks(study.sid)) == []


def test_a_crash_while_it_is_rebuilt_is_made_good(pc):
    """The old file is aside already, the new one not in its place: the next start puts it there."""
    study = pc.study()
    pc.run(study, 30_000)
    sid = study.sid
    smash(pc)
    mend(pc.profile.outbox)
    pc.profile.outbox.rename(pc.profile.outbox.with_name("rebuilt"))
    assert mend(pc.profile.outbox)
    outbox = Outbox(pc.profile.outbox)
    assert [kept.sid for kept in outbox.sessions()] == [sid]
    outbox.close()


def test_a_sound_database_is_left_alone(pc):
    """Nothing is put aside, nothing is fetched."""
    study = pc.study()
    pc.run(study, 30_000)
    pc.outbox.close()
    assert not mend(pc.profile.outbox)
    assert not wants_refill(pc.profile.outbox)
    assert not list(pc.profile.folder.glob("damaged-*"))


def test_copies_of_what_was_sent_do_not_stay(world, pc):
    """Once the server has all of a session its copy is deleted."""
    study = pc.study()
    pc.run(study, 30_000)
    assert journal_of(pc.profile.outbox).has(study.sid)
    pc.finish(study)
    pc.send_all()
    assert not journal_of(pc.profile.outbox).has(study.sid)


def test_a_database_of_a_while_ago_is_damaged_too(world, pc):
    """Its log of last changes was unreadable, so SQLite shows a whole database that lacks the last minute: it is made
    anew from the copies, and nobody signs a second history from there."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.net.down = True
    pc.run(study, 20_000)
    pc.outbox.close()
    before = pc.profile.outbox.read_bytes()
    pc = pc.restart()
    study = pc.study()
    pc.net.down = True
    pc.run(study, 20_000)
    pc.outbox.close()
    signed = held(pc.profile.outbox)
    pc.profile.outbox.write_bytes(before)
    again = pc.restart()
    assert again.rebuilt
    assert {sid: again.outbox.events(sid, 0, len(events)) for sid, events in signed.items()} == signed
    again.send_all()
    assert world.verified().exit_code == 0


def held(path: Path) -> dict[str, list[bytes]]:
    """Every event of every session in a database, as far as it is signed."""
    with closing(Outbox(path)) as outbox:
        return {kept.sid: outbox.events(kept.sid, 0, outbox.signed(kept.sid)[-1].size) for kept in outbox.sessions()}


def hurt(path: Path, how: str) -> None:
    """A copy of a database in use, hurt: torn in its file and in the log of last changes beside it; or gone."""
    log = path.with_name(f"{path.name}-wal")
    if how == "gone":
        path.unlink()
        log.unlink()
    else:
        path.write_bytes(bytes(100) + b"\xff" * (path.stat().st_size - 100))
        log.write_bytes(log.read_bytes()[: log.stat().st_size // 2])


@pytest.mark.slow
@pytest.mark.parametrize("how", ["torn", "gone"])
def test_a_rebuilding_that_dies_at_any_step_is_finished_by_the_next_start(how, pc, tmp_path):
    """Killed before every single change that it makes on the disk: the next start has every signed event, nothing of
    the damaged file stands in the new one, and a half-filled database is never taken for a whole one."""
    study = pc.study()
    pc.run(study, 20_000, until="playing")
    pc.net.down = True
    pc.run(study, MINUTE // 2)
    at = pc.profile.outbox
    signed = {study.sid: pc.outbox.events(study.sid, 0, pc.outbox.signed(study.sid)[-1].size)}
    for step in itertools.count():
        path = shutil.copytree(at.parent, tmp_path / f"died-{step}") / at.name
        hurt(path, how)
        with dies_at(step, (Outbox, "write")) as life:
            mend(path)
        mend(path)
        assert held(path) == signed, f"died before step {step}"
        if life.whole:
            break
    assert step > 4
