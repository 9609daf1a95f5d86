"""What a device signs wrongly is worth nothing from there on, and refuses nobody else's archive.

The server is a witness of order, not a judge of content: no patched client can spoil a class.
"""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import checkpoint, keys
from ledger import events as ev
from ledger.certificate import Previous
from ledger.checkpoint import Checkpoint
from ledger.findings import Finding, Status
from ledger.leaves import RevealedLeaf
from ledger.report import Report
from tests.ledger.builder import Classroom, Session
from tests.ledger.conftest import Made, made


def run(tmp_path: Path, act: Callable[[Session], object]) -> tuple[Made, Session, Report]:
    """A session in which 20 s are studied and proven, then `act` happens, then it is closed."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    session.study(20_000)
    act(session)
    room.export(tmp_path / "a")
    found = made(room, tmp_path / "a")
    return found, session, found.verify()


def end(session: Session) -> None:
    """The server ends the session as abandoned, at what it has."""
    session.upload()
    session.close(how="abandoned")


def fault(report: Report, step: str = "6") -> Finding:
    found = [f for f in report.findings.steps[step].findings if f.status is Status.NOT_CREDITED]
    assert found
    assert not report.refused
    return found[0]


@pytest.mark.parametrize(
    ("name", "data"),
    [
        ("no JSON", b"\xff\xfe"),
        ("another encoding", b'{"v": 1}'),
        ("an unknown verb", b'{"v":1,"verb":"cheated"}'),
    ],
)
def test_an_entry_that_is_no_event_ends_what_counts(tmp_path: Path, name: str, data: bytes) -> None:
    """It is cosigned, kept and named; from it on nothing is credited; the archive is not refused."""

    def act(session: Session) -> None:
        session.put(data)
        end(session)

    _, session, report = run(tmp_path, act)
    assert fault(report).index == len(session.log) - 1
    assert report.sessions[0].credited_ms is not None


def test_an_event_of_another_session_ends_what_counts(tmp_path: Path) -> None:
    """sid and seq are part of what is signed: an event replayed from elsewhere does not fit."""

    def act(session: Session) -> None:
        session.put(session.log[3])
        end(session)

    _, _, report = run(tmp_path, act)
    assert "it says it is event 3" in fault(report).message


def test_a_clock_that_falls_ends_what_counts(tmp_path: Path) -> None:
    """mono never falls within a session."""

    def act(session: Session) -> None:
        session.say(ev.Fault("clock", "jump"), mono=5)
        end(session)

    _, _, report = run(tmp_path, act)
    assert "falls" in fault(report).message


def test_an_event_after_closed_ends_what_counts(tmp_path: Path) -> None:
    """`closed` is the last event."""

    def act(session: Session) -> None:
        session.say(ev.Closed("ended"))
        session.say(ev.Presence(1))
        end(session)

    _, _, report = run(tmp_path, act)
    assert "after `closed`" in fault(report).message


def test_a_second_opened_ends_what_counts(tmp_path: Path) -> None:
    """Event 0, and no other, is `opened`."""

    def act(session: Session) -> None:
        session.say(ev.Opened("g", "c", "1", "1", "none", scripted=False))
        end(session)

    _, _, report = run(tmp_path, act)
    assert "and no other" in fault(report).message


def test_a_cosignature_by_nobody_known_ends_what_counts(tmp_path: Path) -> None:
    """A device cannot make up the server's time: the line must be by the server's cosigner."""
    forger = keys.generate("demo.trueseat.example/w", keys.COSIGNATURE)

    def act(session: Session) -> None:
        found = Checkpoint(session.key.vkey.name, len(session.log), session.tree.root())
        session.say(ev.Cosigned(len(session.log), checkpoint.cosign(found, forger, 2_000_000_000), ""))
        end(session)

    _, _, report = run(tmp_path, act)
    assert "not this server's cosigner" in fault(report).message


def test_a_cosignature_over_other_events_ends_what_counts(tmp_path: Path) -> None:
    """The line must verify over the root recomputed at its size."""

    def act(session: Session) -> None:
        session.say(ev.Presence(1))
        line, _ = session.upload()
        session.say(ev.Cosigned(session.sent - 1, line, ""))
        end(session)

    _, _, report = run(tmp_path, act)
    assert "does not fit" in fault(report).message


def test_an_older_cosignature_said_later_ends_what_counts(tmp_path: Path) -> None:
    """Times and sizes of `cosigned` never fall."""

    def act(session: Session) -> None:
        first = next(ev.decode(data).body for data in session.log if b'"verb":"cosigned"' in data)
        assert isinstance(first, ev.Cosigned)
        session.say(first)
        end(session)

    _, _, report = run(tmp_path, act)
    assert "older" in fault(report).message


def test_a_session_that_does_not_hold_its_grant_credits_nothing(tmp_path: Path) -> None:
    """Without the grant nobody knows whose session it is or by which rules; it is listed with 0 ms."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    other = session.say  # a session that begins with something else
    session.log.clear()
    session.tree = type(session.tree)()
    session.sent = 0
    other(ev.Presence(1))
    session.upload()
    session.close(how="abandoned")
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert not report.refused
    assert fault(report, "3").message == "it does not begin with its grant"
    assert report.sessions[0].credited_ms == 0


def test_a_grant_copied_without_its_signature_credits_nothing(tmp_path: Path) -> None:
    """The text is the logged one, so the keeper is not at fault; the device that dropped the signature gets nothing."""
    room = Classroom()
    device = room.device(room.learner())
    session = Session(room, device, answers=lambda order: ("passed", "ok", 1000))
    room.sessions.append(session)
    opened = ev.decode(session.log[0]).body
    assert isinstance(opened, ev.Opened)
    forged = opened.grant.rpartition("\n— ")[0] + "\n— demo.trueseat.example/g AAAAAAAAAAA=\n"
    session.log.clear()
    session.tree = type(session.tree)()
    session.sent = 0
    session.say(ev.Opened(forged, opened.cert, "test", "test", "none", scripted=True))
    session.upload()
    session.close(how="abandoned")
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert "without its signature" in fault(report).message
    assert report.credited_ms == 0


def test_a_session_opened_too_late_credits_nothing(tmp_path: Path) -> None:
    """`opened` must be cosigned by `open_by`: a grant kept for later is worth nothing."""
    room = Classroom()
    device = room.device(room.learner())
    session = room.session(device, open_by=room.now - 1)
    session.study(10_000).close()
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert "`open_by`" in fault(report).message
    assert report.credited_ms == 0


def test_a_cloned_device_credits_nothing_after_the_fork(tmp_path: Path) -> None:
    """Two sessions that both claim to follow none, or the same one: a clone or an omission; the second gets 0 ms."""
    room = Classroom()
    device = room.device(room.learner())
    room.session(device).study(10_000).close().settle(10_000)
    device.prev = None
    room.session(device).study(10_000).close().settle(0)
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert "gap or a fork" in fault(report, "3").message
    assert [row.credited_ms for row in report.sessions] == [10_000, 0]


def test_a_made_up_predecessor_credits_nothing(tmp_path: Path) -> None:
    """A session that follows one which the class log does not know."""
    room = Classroom()
    device = room.device(room.learner())
    device.prev = Previous("ab" * 16, 5, b"x" * 32)
    room.session(device).study(10_000).close().settle(0)
    room.export(tmp_path / "a")
    assert "gap or a fork" in fault(made(room, tmp_path / "a").verify(), "3").message


def test_a_missed_check_is_not_credited_and_says_so(tmp_path: Path) -> None:
    """A check that fails takes the time around it; each part is listed with its reason."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    session.study(20_000)
    session.answers = lambda order: ("failed", "other_person", 1_000)
    session.study(60_000).close()
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert "failed" in fault(report, "7").message
    row = report.sessions[0]
    assert row.not_credited
    assert row.credited_ms is not None
    assert row.credited_ms < 80_000


def test_an_open_session_verifies_and_its_seed_is_not_checkable_yet(tmp_path: Path) -> None:
    """A class can be exported while somebody studies; the seed of that session comes later."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(20_000)
    session.log_checkpoint()
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert not report.refused
    assert report.findings.steps["7"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].state == "open"


def test_a_session_granted_and_never_opened_needs_no_directory(tmp_path: Path) -> None:
    """Revealed with size 0, it is accounted for; its device's chain goes on as if it had not been."""
    room = Classroom()
    device = room.device(room.learner())
    never = room.session(device)
    room.sessions.remove(never)
    room.append(RevealedLeaf(room.now, never.sid, never.seed.hex(), "abandoned", 0, -1))
    room.session(device).study(10_000).close().settle(10_000)
    room.export(tmp_path / "a")
    report = made(room, tmp_path / "a").verify()
    assert not report.refused
    assert report.credited_ms == 10_000
