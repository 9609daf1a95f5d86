"""What time alone brings about: checkpoints each ten minutes, seeds revealed, figures settled."""

from __future__ import annotations

from ledger.classlog import ClassLog
from ledger.schedule import verify_commit
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS

MINUTE = 60_000


def class_log(room: Room) -> ClassLog:
    return room.server.records.read(lambda tx: room.server.services.logs.log(tx, CLASS))


def sweep(room: Room) -> int:
    return room.server.services.sweep()


def test_an_open_session_is_logged_every_ten_minutes(room: Room) -> None:
    """By the segment that comes then, or by the sweep when none comes; never twice at one size."""
    device = room.learner().ready().open()
    device.send()
    room.clock.now += 9 * MINUTE
    assert sweep(room) == 0
    room.clock.now += MINUTE
    assert sweep(room) == 1
    assert [size for _, size in class_log(room).sessions[device.sid].logged] == [1]
    room.clock.now += 20 * MINUTE
    assert sweep(room) == 0
    device.play(1_000)
    device.send()
    assert [size for _, size in class_log(room).sessions[device.sid].logged] == [1, device.sent]


def test_a_session_that_is_not_opened_in_time_is_revealed_with_size_0(room: Room) -> None:
    """So that every `granted` is accounted for; its device is told 410 and opens another one."""
    device = room.learner().ready().open()
    room.clock.now = device.grant.open_by
    assert sweep(room) == 0
    room.clock.now += 1
    assert sweep(room) == 1
    revealed = class_log(room).sessions[device.sid].revealed
    assert (revealed.how, revealed.size, revealed.issued) == ("abandoned", 0, -1)
    assert device.post(device.body()).status_code == 410


def test_opened_after_open_by_is_not_cosigned_even_before_the_sweep(room: Room) -> None:
    """`opened` must be cosigned by `open_by`: a late one would make the archive's keeper the liar."""
    device = room.learner().ready().open()
    room.clock.now = device.grant.open_by + 1
    assert device.post(device.body()).status_code == 410
    assert class_log(room).sessions[device.sid].revealed.size == 0


def test_a_session_that_never_comes_back_is_revealed_at_late_by(room: Room) -> None:
    """Its last checkpoint first, then the seed that was committed to, then what it earned."""
    device = room.learner().ready().open()
    device.send()
    device.play(10_000)
    device.send()
    assert room.http.get(f"/v1/sessions/{device.sid}/reveal").status_code == 404
    room.clock.now = device.grant.late_by + 1
    sweep(room)
    record = class_log(room).sessions[device.sid]
    assert (record.revealed.how, record.revealed.size) == ("abandoned", device.sent)
    assert record.logged[-1][1] == device.sent
    assert (record.settled.size, record.settled.credited_ms) == (device.sent, 0)
    verify_commit(bytes.fromhex(record.revealed.seed), device.sid, device.grant.commit)
    assert device.post(device.body()).status_code == 410


def test_records_that_come_days_later_still_count(room: Room) -> None:
    """A device that was off for six days closes its session as recovered; nothing was lost."""
    device = room.learner().ready().open()
    device.send()
    device.play(10_000)
    room.clock.now += 6 * 24 * 60 * MINUTE
    sweep(room)
    device.close()
    assert class_log(room).sessions[device.sid].revealed.how == "closed"


def test_a_settlement_that_a_crash_prevented_is_made_by_the_sweep(room: Room, monkeypatch) -> None:
    """The seed is revealed in one transaction, the figure follows in the next; a crash between them is healed."""
    device = room.learner().ready().open()
    device.send()
    with monkeypatch.context() as patched:
        patched.setattr(type(room.server.services.settler), "settle", lambda *_: False)
        device.close()
    assert class_log(room).sessions[device.sid].settled is None
    room.restart()
    assert sweep(room) == 1
    assert class_log(room).sessions[device.sid].settled.size == device.sent
    assert sweep(room) == 0


def test_a_figure_is_logged_again_only_when_it_changes(room: Room) -> None:
    """A second session of the registration settles itself and leaves the first one's figure alone."""
    learner = room.learner().ready()
    first = learner.open()
    first.send()
    first.close()
    second = learner.open()
    second.send()
    second.close()
    log = class_log(room)
    assert len(log.sessions[first.sid].settled_at) == 1
    assert len(log.sessions[second.sid].settled_at) == 1
