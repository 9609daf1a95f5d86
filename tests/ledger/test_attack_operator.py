"""What an operator may try who holds his own keys and keeps the log: each test is named after the attack.

Everything here is well signed by whom the operator can make sign; the report must not say *ok* to it.
"""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from ledger import bodies, checkpoint, keys, note
from ledger import events as ev
from ledger.compare import compare, read_side
from ledger.errors import ArchiveError, LeafError
from ledger.findings import Status
from ledger.leaves import KeyLeaf, RevealedLeaf, SettledLeaf
from tests.ledger.builder import Classroom, Session
from tests.ledger.conftest import Made, made


def studied(room: Classroom, ms: int = 30_000, **changes: object) -> Session:
    """One learner, one closed session, not settled."""
    return room.session(room.device(room.learner()), **changes).study(ms).close()


def export(room: Classroom, path: Path) -> Made:
    room.export(path / "a")
    return made(room, path / "a")


def body_named(archive: Made, digest: str) -> str:
    name = f"bodies/sha256/{digest}"
    assert archive.source.has(name)
    return name


def test_a_verdict_whose_note_was_lost_leaves_no_credit_that_is_ok(tmp_path: Path) -> None:
    """Who deletes the decision does not get the hours back: without its note the credit is not checkable, never ok."""
    room = Classroom()
    session = studied(room)
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, session.sent, "替课")
    digest = room.say(body, room.supervisor, sid=session.sid)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 0))
    found = export(room, tmp_path)
    report = found.verify(found.source.changed(body_named(found, digest), None), summaries=False)
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].credited_ms is None


def test_a_lost_verdict_concerns_its_own_session_alone(tmp_path: Path) -> None:
    """Its leaf names the session: another learner's credit stands."""
    room = Classroom()
    one, two = studied(room), studied(room)
    body = bodies.Verdict(room.now, room.origin, one.owner.learner, one.sid, 0, one.sent, "替课")
    digest = room.say(body, room.supervisor, sid=one.sid)
    found = export(room, tmp_path)
    report = found.verify(found.source.changed(body_named(found, digest), None), summaries=False)
    assert {row.sid: row.credited_ms for row in report.sessions} == {one.sid: None, two.sid: 30_000}


def test_a_lost_reversal_does_not_make_the_operators_figure_wrong(tmp_path: Path) -> None:
    """Whether a verdict still stands cannot be told without the note that took it back."""
    room = Classroom()
    session = studied(room)
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, session.sent, "替课")
    verdict = room.say(body, room.supervisor, sid=session.sid)
    digest = room.say(bodies.Reversal(room.now, room.origin, verdict), room.supervisor)
    session.settle(30_000)
    found = export(room, tmp_path)
    report = found.verify(found.source.changed(body_named(found, digest), None), summaries=False)
    assert not report.refused
    assert report.sessions[0].credited_ms is None


def spot_checked(room: Classroom, result: str, by: keys.Signer | None = None) -> tuple[Session, str]:
    """A session in which a supervisor's spot check came to `result`; the hash of the spot check's note."""
    session = room.session(room.device(room.learner())).study(30_000)
    nonce = room.random(16)
    signed = bodies.sign(
        bodies.Spot(room.now, room.origin, session.sid, 1, nonce, "match", 60_000), by or room.supervisor
    )
    digest = room.keep(signed)
    session.say(ev.Command(digest))
    session.say(ev.Ordered("spot-1", 0, nonce, 60_000))
    room.now += 3_000
    session.say(ev.Answered("spot-1", 0, "match", result, "other_person", {"match": 100}, {}, None))
    session.segment()
    return session.study(30_000).close(), digest


def test_a_failed_spot_check_whose_note_was_lost_is_not_forgotten(tmp_path: Path) -> None:
    """A supervisor's surprise check that failed takes credit; deleting her note must not give it back as ok."""
    room = Classroom()
    _, digest = spot_checked(room, "failed")
    found = export(room, tmp_path)
    whole = found.verify(summaries=False).sessions[0].credited_ms
    assert whole is not None
    assert whole < 60_000
    report = found.verify(found.source.changed(body_named(found, digest), None), summaries=False)
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].credited_ms is None, "an order that only the lost note accounts for"


def test_a_session_revealed_as_empty_after_it_was_logged_is_refused(tmp_path: Path) -> None:
    """`revealed` at size 0 needs no directory: an operator may not drop a session that way once a checkpoint stands."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(10_000)
    session.log_checkpoint()
    with pytest.raises(LeafError, match="revealed at 0"):
        room.append(RevealedLeaf(room.now, session.sid, session.seed.hex(), "abandoned", 0, -1))


@pytest.mark.parametrize("flaw", ["another learner's", "run out"])
def test_an_accommodation_that_is_not_this_learners_any_more_is_refused(tmp_path: Path, flaw: str) -> None:
    """A longer deadline was granted to one learner until one day; a grant that gives it to anybody else is false."""
    room = Classroom()
    other, device = room.learner("other"), room.device(room.learner())
    learner = other if flaw == "another learner's" else device.learner
    until = room.now - 1 if flaw == "run out" else room.now + 10**9
    body = bodies.Accommodation(room.now, room.origin, learner, {"deadline_ms": 120_000}, until)
    digest = room.say(body, room.supervisor)
    room.session(device, accommodations=(digest,)).study(10_000).close()
    with pytest.raises(ArchiveError, match="accommodation"):
        room.export(tmp_path / "a")


def appointed(room: Classroom) -> keys.Signer:
    """A supervisor of the operator's own: a key leaf, and no authority's word."""
    rogue = keys.generate(f"school.example/p/{room.random(16)}", keys.ED25519)
    room.append(KeyLeaf(room.now, "add", "supervisor", str(rogue.vkey), vouched=room.random(32)))  # no such note
    return rogue


def test_an_accommodation_by_a_supervisor_of_the_operators_own_decides_nothing(tmp_path: Path) -> None:
    """No face is looked at where a person says so; a person whom no authority knows says nothing."""
    room = Classroom()
    device = room.device(room.learner())
    changes = {"kinds": ["attention"], "opening_kind": "attention", "closing_kind": "attention"}
    body = bodies.Accommodation(room.now, room.origin, device.learner, changes, room.now + 10**9)
    digest = room.say(body, appointed(room))
    room.session(device, accommodations=(digest,)).study(10_000).close()
    report = export(room, tmp_path).verify(summaries=False)
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].credited_ms is None


def test_a_learner_cannot_sign_an_accommodation(tmp_path: Path) -> None:
    """The device's key speaks for consent; that checks need no face is a person's to say."""
    room = Classroom()
    device = room.device(room.learner())
    body = bodies.Accommodation(room.now, room.origin, device.learner, {"kinds": ["attention"]}, room.now + 10**9)
    room.say(body, device.signer)
    with pytest.raises(ArchiveError, match="supervisor"):
        room.export(tmp_path / "a")


def test_a_spot_check_by_a_supervisor_of_the_operators_own_proves_nothing(tmp_path: Path) -> None:
    """Its nonce is worth something because the operator could not know it: by his own hand it decides nothing."""
    room = Classroom()
    rogue = appointed(room)
    spot_checked(room, "passed", rogue)
    report = export(room, tmp_path).verify(summaries=False)
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].credited_ms is None


def test_an_authority_that_revokes_a_key_does_not_vouch_for_it(tmp_path: Path) -> None:
    """The operator appoints a supervisor of his own; when the authority has that key revoked, it never counted."""
    room = Classroom()
    session = studied(room)
    rogue = appointed(room)
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, session.sent, "")
    room.say(body, rogue, sid=session.sid)
    session.settle(0)
    text = bodies.voucher_text("revoke", "supervisor", str(rogue.vkey))
    room.append(
        KeyLeaf(room.now, "revoke", "supervisor", str(rogue.vkey), vouched=room.keep(note.sign(text, room.authority)))
    )
    report = export(room, tmp_path).verify(summaries=False)
    assert report.sessions[0].credited_ms is None, "a verdict by somebody whom nobody vouches for decides nothing"


def test_hours_that_were_settled_and_then_erased_fit_into_witnessed_time(tmp_path: Path) -> None:
    """An event is erased on purpose, so that nobody can compute again: what is reported still fits the witnesses."""
    room = Classroom(witnesses=1)
    device = room.device(room.learner())
    room.anchor()
    began = room.now
    session = room.session(device).study(120_000).close().settle(120_000)
    session.erase(next(i for i, data in enumerate(session.log) if b'"verb":"played"' in data))
    room.now = began + 5_000  # device and operator made it up in a moment; the witness's clock is not theirs
    room.anchor()
    with pytest.raises(ArchiveError, match="witnesses saw"):
        room.export(tmp_path / "a")


def test_a_figure_that_rests_on_the_operators_word_is_said_to_be_so(tmp_path: Path) -> None:
    """After an erasure the settled figure is reported, and step 8 is not checkable for it, not ok."""
    room = Classroom()
    session = studied(room).settle(30_000)
    session.erase(next(i for i, data in enumerate(session.log) if b'"verb":"played"' in data))
    report = export(room, tmp_path).verify()
    assert not report.refused
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE


def test_a_settled_figure_beyond_what_was_cosigned_is_refused(tmp_path: Path) -> None:
    """Without witnesses, too: no session earns more than the time between its grant and its last cosignature."""
    room = Classroom()
    session = studied(room).settle(36_000_000)
    session.erase(next(i for i, data in enumerate(session.log) if b'"verb":"played"' in data))
    with pytest.raises(ArchiveError, match="settled as 36000000 ms"):
        room.export(tmp_path / "a")


def test_two_keys_for_one_session_do_not_stop_a_comparison(tmp_path: Path) -> None:
    """An archive made crooked on purpose must not keep `compare` from naming the fork of the class log."""
    room = Classroom()
    session = studied(room)
    one = export(room, tmp_path)
    side = read_side(one.path, one.trust)
    other = read_side(one.path, one.trust)
    twin = keys.generate(session.key.vkey.name, keys.ED25519)
    mine = side.histories[session.key.vkey.name]
    found = replace(mine.checkpoint, root=bytes(32))
    signed = checkpoint.parse(checkpoint.sign(found, twin))[1]
    other.histories[session.key.vkey.name] = type(mine)(found, signed, twin.vkey)
    outcome = compare(side, other)
    assert room.origin in outcome.agreed
    assert session.key.vkey.name in outcome.keys
