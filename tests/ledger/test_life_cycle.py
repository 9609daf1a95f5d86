"""Rules and keys as they come and go: what counted then still counts, what came later does not reach back."""

from __future__ import annotations

from pathlib import Path

import pytest

from ledger import bodies, keys, note
from ledger import policy as policies
from ledger.errors import ArchiveError
from ledger.findings import Status
from ledger.leaves import KeyLeaf, PolicyLeaf, SettledLeaf
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from tests.ledger.builder import SERVER, Classroom
from tests.ledger.conftest import made

TWO = policies.preset("demo").replace(b"agent_hole_ms = 30_000", b"agent_hole_ms = 0")
TWO = TWO.replace(b"decision_people = 1", b"decision_people = 2")


def second_person(room: Classroom, name: str = "school.example/p/" + "2" * 32) -> keys.Signer:
    """Another supervisor key, vouched for by the same authority."""
    signer = keys.generate(name, keys.ED25519)
    text = bodies.voucher_text("add", "supervisor", str(signer.vkey))
    leaf = KeyLeaf(room.now, "add", "supervisor", str(signer.vkey), vouched=room.keep(note.sign(text, room.authority)))
    room.append(leaf)
    return signer


def zeroed(room: Classroom, *signers: keys.Signer) -> None:
    """A session that supervisors zero, settled as the verdict asks."""
    session = room.session(room.device(room.learner())).study(20_000).close()
    body = bodies.Verdict(room.now, room.origin, session.owner.learner, session.sid, 0, session.sent, "替课")
    room.say(body, *signers, sid=session.sid)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 0))


def test_a_verdict_by_one_person_is_refused_where_the_policy_says_two(tmp_path: Path) -> None:
    """Nobody takes hours away alone; two different people may."""
    alone = Classroom(policy=TWO)
    zeroed(alone, alone.supervisor)
    with pytest.raises(ArchiveError, match="1 of the 2 people"):
        alone.export(tmp_path / "alone")
    both = Classroom(policy=TWO)
    zeroed(both, both.supervisor, second_person(both))
    both.export(tmp_path / "both")
    assert made(both, tmp_path / "both").verify().credited_ms == 0


def test_two_keys_of_one_person_are_one_person(tmp_path: Path) -> None:
    """A new key under the old name is the same supervisor."""
    room = Classroom(policy=TWO)
    zeroed(room, room.supervisor, second_person(room, room.supervisor.vkey.name))
    with pytest.raises(ArchiveError, match="1 of the 2 people"):
        room.export(tmp_path / "a")


def test_an_archive_of_before_the_field_still_verifies(tmp_path: Path) -> None:
    """Rules that never said how many people decide: in a demo class one does, and nothing of the archive is refused."""
    older = Classroom(policy=TWO.replace(b"decision_people = 2", b"").replace(b"\n\n", b"\n"))
    assert b"decision_people" not in older.documents["policy"]
    zeroed(older, older.supervisor)
    older.export(tmp_path / "older")
    assert made(older, tmp_path / "older").verify().exit_code == 0


def test_old_rules_under_a_new_serial_are_refused(tmp_path: Path) -> None:
    """The number that only rises is the rules' own: an old policy cannot come back as a newer one."""
    room = Classroom()
    room.append(PolicyLeaf(room.now, "policy", 7, room.keep_plain(room.documents["policy"] + b"# as of old\n")))
    with pytest.raises(ArchiveError, match="serial 1 is logged as 7"):
        room.export(tmp_path / "a")


def test_a_revoked_keys_old_records_verify_and_new_ones_do_not(tmp_path: Path) -> None:
    """Device, grant key and supervisor: what each signed before its revocation stays good; nothing after counts."""
    room = Classroom()
    device = room.device(room.learner())
    room.session(device).study(20_000).close().settle(20_000)
    owner = next(record.leaf.owner for record in room.log.keys if record.key == device.signer.vkey)
    room.append(KeyLeaf(room.now, "revoke", "device", str(device.signer.vkey), owner=owner))
    text = bodies.voucher_text("revoke", "supervisor", str(room.supervisor.vkey))
    voucher = room.keep(note.sign(text, room.authority))
    room.append(KeyLeaf(room.now, "revoke", "supervisor", str(room.supervisor.vkey), vouched=voucher))
    room.export(tmp_path / "a")
    assert made(room, tmp_path / "a").verify().credited_ms == 20_000
    room.session(device).study(10_000).close()
    with pytest.raises(ArchiveError, match="did not count"):
        room.export(tmp_path / "b")


def test_a_grant_by_a_revoked_grant_key_is_worth_nothing(tmp_path: Path) -> None:
    """The old grant key's grants stand; one signed after its revocation brings no credit."""
    room = Classroom()
    device = room.device(room.learner())
    room.session(device).study(20_000).close().settle(20_000)
    fresh = keys.generate(f"{SERVER}/g", keys.ED25519)
    room.append(KeyLeaf(room.now, "add", "grant", str(fresh.vkey)))
    room.append(KeyLeaf(room.now, "revoke", "grant", str(room.grant_key.vkey)))
    late = room.session(device).study(10_000).close().settle(0)
    room.export(tmp_path / "a")
    figures = {row.sid: row.credited_ms for row in made(room, tmp_path / "a").verify().sessions}
    assert figures.pop(late.sid) == 0
    assert list(figures.values()) == [20_000]


def test_a_verdict_by_a_supervisor_who_was_revoked_is_refused(tmp_path: Path) -> None:
    """Order counts, not clocks: after the revocation the key signs nothing, whatever date it writes."""
    room = Classroom()
    text = bodies.voucher_text("revoke", "supervisor", str(room.supervisor.vkey))
    learner = room.learner()
    voucher = room.keep(note.sign(text, room.authority))
    room.append(KeyLeaf(room.now, "revoke", "supervisor", str(room.supervisor.vkey), vouched=voucher))
    session = room.session(room.device(learner)).study(20_000).close()
    body = bodies.Verdict(0, room.origin, learner, session.sid, 0, 9, "back-dated")
    room.say(body, room.supervisor, sid=session.sid)
    with pytest.raises(ArchiveError, match="did not count"):
        room.export(tmp_path / "a")


# --- the class log's own key ------------------------------------------------------------------------------------------


def changed_key(room: Classroom) -> keys.Signer:
    """The class log names a new key of its own and revokes the old one; the old one is returned."""
    old, new = room.log_key, keys.generate(room.origin, keys.ED25519)
    if not any(record.leaf.role == "log" for record in room.log.keys):
        room.append(KeyLeaf(room.now, "add", "log", str(old.vkey)))
    room.append(KeyLeaf(room.now, "add", "log", str(new.vkey)))
    room.append(KeyLeaf(room.now, "revoke", "log", str(old.vkey)))
    room.former.append(old)
    room.log_key = new
    return old


def test_a_class_log_whose_key_was_changed_is_one_log(tmp_path: Path) -> None:
    """Old anchors verify by the old key, new ones by the new; the trust file carries both, and one alone is refused."""
    room = Classroom(witnesses=1)
    device = room.device(room.learner())
    room.session(device).study(20_000).close().settle(20_000)
    room.anchor()
    before = room.checkpoint()
    old = changed_key(room)
    room.anchor()
    second = room.session(device)
    second.unit = "u2"
    second.study(20_000).close().settle(20_000)
    room.anchor()
    room.export(tmp_path / "a")
    archive = made(room, tmp_path / "a")
    report = archive.verify()
    assert not report.refused
    assert report.credited_ms == 40_000
    assert sum(name.startswith(room.origin) for name in report.fingerprints) == 2
    kept = Options(authority=(room.authority.vkey,), witnessed=[before])
    assert verify(archive.source, archive.trust, kept).findings.steps["1 freshness"].status is Status.OK
    for missing in (old.vkey, room.log_key.vkey):
        lines = [line for line in str(room.trust()).splitlines() if str(missing) not in line]
        half = parse_trust("".join(f"{line}\n" for line in lines).encode())
        assert verify(archive.source, half, kept).refused


STOLEN = ["the old key goes on", "the new key reaches back", "a key that the log never named"]


@pytest.mark.parametrize("attack", STOLEN)
def test_a_log_key_signs_in_its_own_time_only(tmp_path: Path, attack: str) -> None:
    """A stolen old key signs no later history, a new one no earlier; the trust file alone appoints nobody."""
    room = Classroom(witnesses=1)
    room.append(KeyLeaf(room.now, "add", "log", str(room.log_key.vkey)))
    small = len(room.entries)
    old = changed_key(room) if attack != "a key that the log never named" else room.log_key
    room.former = [old]
    if attack == "the new key reaches back":
        room.append(room.checkpoint(small))
    elif attack == "the old key goes on":
        room.former, room.log_key = [room.log_key], old
    else:
        room.log_key = keys.generate(room.origin, keys.ED25519)
    with pytest.raises(ArchiveError, match="did not count at"):
        room.export(tmp_path / "a")
