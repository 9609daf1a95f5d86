"""What people decide and erase: verdicts, reversals, accommodations, deletions, photos, and clocks of witnesses."""

from __future__ import annotations

from dataclasses import replace
from hashlib import sha256
from pathlib import Path

import pytest

from ledger import bodies
from ledger import events as ev
from ledger.errors import ArchiveError
from ledger.findings import Status
from ledger.leaves import SettledLeaf
from tests.ledger.builder import Classroom, Session
from tests.ledger.conftest import Made, made


def studied(room: Classroom) -> Session:
    """One learner, one closed session with 30 s credited, not settled."""
    return room.session(room.device(room.learner())).study(30_000).close()


def export(room: Classroom, path: Path) -> Made:
    room.export(path / "a")
    return made(room, path / "a")


def verdict(room: Classroom, session: Session) -> str:
    """The supervisor decides that nothing of the session is recognised."""
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, session.sent, "替课")
    return room.say(body, room.supervisor, sid=session.sid)


def test_a_verdict_takes_the_credit_and_a_reversal_gives_it_back(tmp_path: Path) -> None:
    """课时清零 and its reversal are signed notes, applied by the same function that credits."""
    room = Classroom()
    session = studied(room)
    digest = verdict(room, session)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 0))
    report = export(room, tmp_path).verify()
    assert not report.refused
    assert report.credited_ms == 0
    assert {part.reason for part in report.sessions[0].not_credited} == {"zeroed"}
    room.say(bodies.Reversal(room.now, room.origin, digest), room.supervisor)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 30_000))
    room.export(tmp_path / "b")
    report = made(room, tmp_path / "b").verify()
    assert not report.refused
    assert report.credited_ms == 30_000


def test_a_verdict_cannot_be_checked_without_the_authority(tmp_path: Path) -> None:
    """Without a key that vouches for the supervisor, that learner's credit is not checkable: never ok, not refused."""
    room = Classroom()
    session = studied(room)
    verdict(room, session)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 0))
    report = export(room, tmp_path).verify(authority=())
    assert not report.refused
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
    assert report.sessions[0].credited_ms is None


def test_the_operator_cannot_sign_a_verdict(tmp_path: Path) -> None:
    """Zeroing is for supervisors; the grant key is the operator's."""
    room = Classroom()
    session = studied(room)
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, 9, "")
    room.say(body, room.grant_key, sid=session.sid)
    with pytest.raises(ArchiveError, match="supervisor"):
        room.export(tmp_path / "a")


def test_a_verdict_under_another_kind_or_session_is_refused(tmp_path: Path) -> None:
    """The leaf says what the note is and whom it concerns; the note must say the same."""
    from ledger.leaves import BodyLeaf

    for kind, other in (("reversal", False), ("verdict", True)):
        room = Classroom()
        session, stranger = studied(room), studied(room)
        body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, 9, "")
        digest = room.keep(bodies.sign(body, room.supervisor))
        room.append(BodyLeaf(room.now, kind, digest, stranger.sid if other else None))
        with pytest.raises(ArchiveError, match="named as"):
            room.export(tmp_path / kind)


def test_a_consent_by_another_learners_device_is_refused(tmp_path: Path) -> None:
    """A learner's consent is signed on that learner's own device."""
    room = Classroom()
    device = room.device(room.learner("one"))
    body = bodies.Consent(room.now, room.origin, room.learner("two"), room.keep_plain(b"notice"), "photos", given=True)
    room.say(body, device.signer)
    with pytest.raises(ArchiveError, match="another learner's device"):
        room.export(tmp_path / "a")


def test_a_note_of_another_class_is_refused(tmp_path: Path) -> None:
    """A consent or verdict given elsewhere does not count here."""
    room = Classroom()
    body = bodies.Identification(room.now, "demo.trueseat.example/c/other", "0" * 32, "card")
    room.say(body, room.supervisor)
    with pytest.raises(ArchiveError, match="another class"):
        room.export(tmp_path / "a")


def test_an_accommodation_must_be_on_record_before_the_grant(tmp_path: Path) -> None:
    """What the client does differently was granted by somebody, before; a grant cannot name one that comes later."""
    room = Classroom()
    device = room.device(room.learner())
    changes = {"deadline_ms": 120_000}
    body = bodies.Accommodation(room.now, room.origin, device.learner, changes, room.now + 10**9)
    before = room.say(body, room.supervisor)
    room.session(device, accommodations=(before,)).study(10_000)
    later = replace(body, until=room.now + 10**8)
    digest = room.keep(bodies.sign(later, room.supervisor))
    room.sessions[0].close()
    early = room.session(device, accommodations=(digest,)).study(10_000)
    room.say(later, room.supervisor)
    early.close()
    with pytest.raises(ArchiveError, match="accommodation"):
        room.export(tmp_path / "a")


def test_photos_are_sealed_to_keys_of_this_class_only(tmp_path: Path) -> None:
    """A recipient that no entry names could be anybody."""
    from ledger import keys

    stranger, _ = keys.generate_evidence("stranger.example/e")
    room = Classroom()
    room.session(room.device(room.learner()), recipients=(str(stranger),)).study(10_000).close()
    with pytest.raises(ArchiveError, match="recipient"):
        room.export(tmp_path / "a")


# --- erasure ----------------------------------------------------------------------------------------------------------


def test_an_erased_event_leaves_its_hash_and_the_settled_figure(tmp_path: Path) -> None:
    """The body is gone, the tree still stands; the report gives what was settled while it was there."""
    room = Classroom()
    session = studied(room).settle(30_000)
    played = next(i for i, data in enumerate(session.log) if b'"verb":"played"' in data)
    session.erase(played)
    found = export(room, tmp_path)
    report = found.verify()
    assert not report.refused
    assert (report.sessions[0].withheld, report.sessions[0].credited_ms) == (1, 30_000)
    assert found.source.read(f"sessions/{session.sid}/withheld") == f"{played}\n".encode()


def test_an_event_withheld_without_a_leaf_is_refused(tmp_path: Path) -> None:
    """Nobody may leave out what he does not like to show."""
    room = Classroom()
    session = studied(room).settle(30_000)
    session.erased.append(5)
    with pytest.raises(ArchiveError, match=r"event 5: withheld"):
        room.export(tmp_path / "a")


def test_an_event_erased_before_it_was_settled_is_refused(tmp_path: Path) -> None:
    """First the figure, then the deletion: or a deletion could make one up."""
    room = Classroom()
    studied(room).erase(5).settle(30_000)
    with pytest.raises(ArchiveError, match=r"event 5: withheld"):
        room.export(tmp_path / "a")


def test_a_settled_figure_below_what_is_left_is_refused(tmp_path: Path) -> None:
    """An erased event can only lower what is computed; less than that was settled wrongly."""
    room = Classroom()
    session = studied(room).settle(10)
    session.erase(len(session.log) - 3)
    with pytest.raises(ArchiveError, match="settled as 10 ms"):
        room.export(tmp_path / "a")


# --- photos -----------------------------------------------------------------------------------------------------------


def with_photo(room: Classroom) -> Session:
    """A session whose opening answer names a sealed photo."""
    session = room.session(room.device(room.learner()))
    eid, sealed, sealed_keys = "12" * 16, b"sealed photo", b"{}"
    room.evidence_files = {f"sha256/{sha256(sealed).hexdigest()}": sealed, f"keys/{eid}.json": sealed_keys}
    named = {"eid": eid, "sha256": sha256(sealed).hexdigest(), "keys": sha256(sealed_keys).hexdigest(), "kc": "0" * 64}
    session.say(ev.Answered("spot-1", 0, "match", "passed", "ok", {}, {}, named))
    return session.study(10_000).close()


def test_a_photo_is_the_one_that_an_event_names(tmp_path: Path) -> None:
    """Present and matching: ok. Changed: refused. Deleted: listed. Unnamed: refused."""
    room = Classroom()
    with_photo(room)
    found = export(room, tmp_path)
    report = found.verify()
    assert report.findings.steps["10"].status is Status.OK
    assert report.findings.steps["10"].checked == 2
    for name in found.source.names("evidence/"):
        assert found.verify(found.source.changed(name, b"other")).refused
        gone = found.verify(found.source.changed(name, None))
        assert not gone.refused
        assert gone.findings.steps["10"].status is Status.NOT_CHECKABLE
    assert found.verify(found.source.changed("evidence/sha256/" + "0" * 64, b"x")).refused


def test_commands_that_a_session_heeded_are_kept_and_checked(tmp_path: Path) -> None:
    """A `command` event names a note by the grant key, of this session; it is a document like any other."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    command = bodies.Command(room.now, room.origin, session.sid, "pause", "请休息")
    session.say(ev.Command(room.keep(bodies.sign(command, room.grant_key))))
    session.study(10_000).close()
    found = export(room, tmp_path)
    assert not found.verify().refused
    digest = [name for name in found.source.names("bodies/") if found.source.read(name).startswith(b"trueseat/command")]
    forged = bodies.sign(replace(command, text="别看"), room.grant_key)
    assert found.verify(found.source.changed(digest[0], forged)).refused


# --- witnessed time ---------------------------------------------------------------------------------------------------


def anchored(tmp_path: Path, seconds_seen: int | None = None) -> Made:
    """Two minutes of study between two anchors; the witness saw them pass, or only `seconds_seen`."""
    room = Classroom(witnesses=1)
    device = room.device(room.learner())
    room.anchor()
    began = room.now
    room.session(device).study(120_000).close().settle(120_000)
    if seconds_seen is not None:  # device and operator made it up in a moment; the witness's clock is not theirs
        room.now = began + seconds_seen * 1000
    room.anchor()
    return export(room, tmp_path)


def test_credited_time_fits_between_the_clocks_of_witnesses(tmp_path: Path) -> None:
    """Study that took as long as it says is bounded and good."""
    report = anchored(tmp_path).verify()
    assert report.findings.steps["8 witnessed"].status is Status.OK
    assert report.credited_ms == 120_000


def test_hours_made_up_in_a_moment_are_refused_whoever_colludes(tmp_path: Path) -> None:
    """Device, server and log agree on two minutes; the witness saw twenty seconds pass: refused."""
    with pytest.raises(ArchiveError, match="where witnesses saw"):
        anchored(tmp_path, seconds_seen=20)


def test_without_witnesses_the_bound_is_not_checkable_and_said_so(tmp_path: Path) -> None:
    """quorum none: the credited time may be right, but nobody outside saw it pass."""
    room = Classroom()
    studied(room).settle(30_000)
    report = export(room, tmp_path).verify()
    assert report.findings.steps["8 witnessed"].status is Status.NOT_CHECKABLE
    assert report.findings.steps["8"].status is Status.OK


def test_a_witness_whose_clock_falls_is_refused(tmp_path: Path) -> None:
    """Anchors are in order; so are their times."""
    room = Classroom(witnesses=1)
    studied(room).settle(30_000)
    room.now -= 1_000_000
    room.anchor()
    with pytest.raises(ArchiveError, match="falls"):
        room.export(tmp_path / "a")


def test_an_anchor_without_the_quorum_is_refused(tmp_path: Path) -> None:
    """Anchors carry the quorum, too, or they would bound nothing."""
    from ledger import checkpoint

    room = Classroom(witnesses=1)
    room.append(checkpoint.sign(room.log.checkpoint(), room.log_key))
    with pytest.raises(ArchiveError, match="quorum"):
        room.export(tmp_path / "a")
