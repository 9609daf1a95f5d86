"""What people decide about a class, on the command line, from their keys to the figure that a stranger verifies."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from ledger import bodies, note
from ledger.archive import open_source
from ledger.findings import Status
from ledger.trust import parse as parse_trust
from ledger.verify import Options, verify
from server_stub.__main__ import main
from server_stub.domain.errors import ClassEndedError, DecisionError, SetupError
from server_stub.signing import new_key, read_key
from tests.server_stub.conftest import Room, policy
from tests.server_stub.learner import CLASS, Device, Learner
from tests.server_stub.school import ORIGIN, School
from tests.server_stub.test_archive import figures, study

TWO = {b"decision_people = 1": b"decision_people = 2"}


@pytest.fixture
def school(room: Room, tmp_path: Path) -> School:
    return School(room, tmp_path / "school")


def verdict(school: School, learner: Learner, device: Device, *keys: Path) -> Path:
    """All of a session zeroed."""
    spans = {"from_": 0, "to": len(device.entries)}
    return school.sign("verdict", *keys, learner=learner.learner, sid=device.sid, reason="替课", **spans)


def settled(room: Room, sid: str) -> int:
    return room.server.records.read(lambda tx: tx.events.progress(sid).settled_ms)


def test_a_verdict_is_signed_by_people_and_the_class_is_settled_again(room: Room, school: School) -> None:
    """课时清零 and its reversal: signed elsewhere, appended as hashes, figures follow at once, a stranger agrees."""
    learner = room.learner().ready()
    device = study(learner)
    one = school.supervisor()
    path = verdict(school, learner, device, one)
    leaf = school.take(path)
    assert school.take(path) == leaf
    assert settled(room, device.sid) == 0
    assert figures(school.verified("zeroed")) == {device.sid: ("closed", 0)}
    back = school.sign("reversal", one, verdict=note.parse(path.read_bytes()).digest)
    school.take(back)
    assert settled(room, device.sid) == 60_000
    assert figures(school.verified("given-back")) == {device.sid: ("closed", 60_000)}


def test_a_verdict_by_one_person_is_not_taken_where_the_policy_says_two(
    make_room: Callable[..., Room], tmp_path: Path
) -> None:
    """Two different people, the second of whom adds a signature to the note that the first one signed."""
    room = make_room(TWO)
    school = School(room, tmp_path / "school")
    learner = room.learner().ready()
    device = study(learner)
    one, two = school.supervisor(), school.supervisor()
    path = verdict(school, learner, device, one)
    assert school.refused("take", CLASS, path)
    assert settled(room, device.sid) == 60_000
    both = school.out()
    school.run("countersign", path, "--key", two, "--out", both)
    school.take(both)
    assert figures(school.verified("archive")) == {device.sid: ("closed", 0)}


def test_the_operator_cannot_appoint_supervisors(room: Room, tmp_path: Path) -> None:
    """A supervisor key needs the voucher of an authority that is recognised; one that the operator made up is not."""
    school = School(room, tmp_path / "school", recognised=False)
    vkey = new_key("supervisor", "school.example", school.out())
    assert school.refused("take", CLASS, school.vouch("add", vkey))
    made_up = new_key("authority", "operator.example", school.folder / "own")
    assert made_up
    assert school.refused("take", CLASS, school.vouch("add", vkey, school.folder / "own"))


def test_a_persons_key_is_not_kept_in_the_servers_directory(room: Room, tmp_path: Path) -> None:
    """Neither drawn there nor read from there; and a key that others can read signs nothing."""
    inside = room.settings.directory / "keys" / "supervisor"
    with pytest.raises(SetupError, match="data directory"):
        new_key("supervisor", "school.example", inside)
    outside = tmp_path / "supervisor"
    new_key("supervisor", "school.example", outside)
    assert outside.stat().st_mode & 0o777 == 0o600
    outside.rename(inside)
    with pytest.raises(SetupError, match="data directory"):
        read_key(inside)
    inside.rename(outside)
    outside.chmod(0o640)
    with pytest.raises(SetupError, match="chmod 600"):
        read_key(outside)


def test_a_revoked_supervisors_verdicts_stand_and_new_ones_are_not_taken(room: Room, school: School) -> None:
    """By the authority's voucher; what was signed and appended before stays part of every figure."""
    learner = room.learner().ready()
    device, later = study(learner), study(learner, 2)
    one = school.supervisor()
    school.take(verdict(school, learner, device, one))
    school.take(school.vouch("revoke", str(read_key(one).vkey)))
    assert school.refused("take", CLASS, verdict(school, learner, later, one))
    assert figures(school.verified("archive"))[device.sid] == ("closed", 0)


@pytest.mark.parametrize("attack", ["other learner", "other class", "unknown session", "empty span", "unknown verdict"])
def test_a_decision_that_contradicts_the_class_is_not_taken(room: Room, school: School, attack: str) -> None:
    """What a verifier would refuse is never appended."""
    one, other = room.learner().ready(), room.learner("other").ready()
    device = study(one, 2)
    key = school.supervisor()
    fields = {"learner": one.learner, "sid": device.sid, "from_": 0, "to": 5, "reason": "x"}
    changed: dict[str, dict[str, object]] = {
        "other learner": {"learner": other.learner}, "unknown session": {"sid": "0" * 32}, "empty span": {"to": 0},
    }  # fmt: skip
    origin = ORIGIN + "-2" if attack == "other class" else ORIGIN
    if attack == "unknown verdict":
        path = school.sign("reversal", key, verdict="0" * 64)
    else:
        path = school.sign("verdict", key, origin=origin, **(fields | changed.get(attack, {})))
    assert school.refused("take", CLASS, path)
    assert not school.verified("archive").refused


def test_an_accommodation_is_in_the_next_grant_and_in_every_figure(room: Room, school: School) -> None:
    """Granted by one person; the client fetches it, the desk and the verifier apply it, no other learner reads it."""
    learner, other = room.learner().ready(), room.learner("other").ready()
    before = study(learner, 1)
    until = room.clock.now + 10**9
    path = school.sign(
        "accommodation", school.supervisor(), learner=learner.learner, until=until, change="deadline_ms=90000"
    )
    school.take(path)
    digest = note.parse(path.read_bytes()).digest
    device = study(learner)
    assert (before.grant.accommodations, device.grant.accommodations) == ((), (digest,))
    assert {answer.ordered.deadline_ms for answer in device.answers if answer.ordered} == {90_000}
    assert room.http.get(f"/v1/bodies/{digest}", headers=learner.headers).content == path.read_bytes()
    assert room.http.get(f"/v1/bodies/{digest}", headers=other.headers).status_code == 404
    assert figures(school.verified("archive"))[device.sid] == ("closed", 60_000 - 10_000)
    room.clock.now = until + 1
    assert learner.open().grant.accommodations == ()


def test_an_accommodation_that_the_rules_do_not_know_is_not_taken(room: Room, school: School) -> None:
    """It changes what a client may change, no more."""
    learner = room.learner().ready()
    fields = {"learner": learner.learner, "until": 10**14, "change": "max_misses=100"}
    assert school.refused("take", CLASS, school.sign("accommodation", school.supervisor(), **fields))


def test_a_person_who_is_identified_by_a_supervisor_is_identified(room: Room, school: School) -> None:
    """The named officer's word replaces the development officer's."""
    learner = room.learner().sign_in()
    school.take(school.sign("identification", school.supervisor(), learner=learner.learner, method="card"))
    assert learner.me()["real_name"] == "identified"


def test_an_older_policy_is_not_put_in_force(room: Room, school: School, tmp_path: Path) -> None:
    """The serial is the rules' own and only rises; sessions are granted under the new rules from then on."""
    learner = room.learner().ready()
    first = study(learner, 2)
    path = tmp_path / "policy.toml"
    path.write_bytes(policy({b"serial = 1": b"serial = 3", b"retention_years = 0": b"retention_years = 1"}))
    assert school.operator("policy", CLASS, "policy", path).startswith("policy serial 3 ")
    second = study(learner)
    assert first.grant.policy != second.grant.policy
    path.write_bytes(policy({b"serial = 1": b"serial = 2"}))
    assert school.refused("policy", CLASS, "policy", path)
    assert school.refused("policy", CLASS, "policy", tmp_path)
    assert not school.verified("archive").refused


def test_after_the_providers_exit_nothing_is_added_and_everything_verifies(room: Room, school: School) -> None:
    """Accounts and interface are shut: no session, no device. The archive says what it said."""
    learner = room.learner().ready()
    device = study(learner)
    school.operator("exit", CLASS, "--provider", "平台甲")
    with pytest.raises(AssertionError, match="TS-S-023"):
        learner.open()
    other = room.learner("other").sign_in()
    assert other.certify().json()["code"] == ClassEndedError.code
    assert figures(school.verified("archive")) == {device.sid: ("closed", 60_000)}


def test_audits_and_corrections_are_signed_by_the_operator_and_kept(room: Room, school: School) -> None:
    """They name no figure; a stranger reads them in the archive."""
    school.operator("audit", CLASS, "--by", "p-17", "--did", "exported", "--target", "class", "--reason", "inspection")
    school.operator("correction", CLASS, "--leaf", 3, "--reason", "typed twice")
    study(room.learner().ready(), 1)
    assert not school.verified("archive").refused
    kept = [path.read_bytes() for path in (school.folder / "archive" / "bodies" / "sha256").iterdir()]
    assert {bodies.parse(data)[0].kind for data in kept if data.startswith((b"trueseat/audit", b"trueseat/corr"))} == {
        "audit", "correction",
    }  # fmt: skip


# --- keys of the server -----------------------------------------------------------------------------------------------


@pytest.mark.parametrize("role", ["grant", "cosign"])
def test_a_rotated_keys_old_sessions_verify_and_new_ones_are_signed_anew(room: Room, school: School, role: str) -> None:
    """The old key's grants and cosignatures stand; the server that still holds it grants nothing."""
    learner = room.learner().ready()
    device = study(learner, 2, close=False)
    assert school.refused("rotate", role)  # a session is open
    device.close()
    fresh = school.operator("rotate", role)
    with pytest.raises(AssertionError, match="revoked: start the server again"):
        learner.open()
    room.restart()
    keys = room.server.keyring
    assert str((keys.grant if role == "grant" else keys.cosigner).vkey) == fresh
    learner.http = room.http
    later = study(learner, 4)
    found = figures(school.verified("archive"))
    assert found == {device.sid: ("closed", 20_000), later.sid: ("closed", 20_000)}


def test_a_class_logs_new_key_goes_on_with_the_same_history(room: Room, school: School, tmp_path: Path) -> None:
    """Run twice as after a crash; a session goes on; a checkpoint of before verifies by the old key, the archive by the
    new, and the trust file on the disk names both."""
    learner = room.learner().ready()
    device = study(learner, 2, close=False)
    before = room.http.get(f"/log/{CLASS}/checkpoint").content
    old = room.server.keyring.log(CLASS).vkey
    room.server.close()
    fresh = school.operator("rotate", "log", CLASS)
    room.restart()
    device.http = learner.http = room.http
    device.close()
    later = study(learner, 4)
    trust = room.server.services.enrolment.trust(CLASS)
    assert trust.index(str(old)) < trust.index(fresh)
    assert str(room.server.keyring.log(CLASS).vkey) == fresh
    report = school.verified("archive")
    assert figures(report) == {device.sid: ("closed", 20_000), later.sid: ("closed", 20_000)}
    path = school.folder / "archive"
    options = Options(authority=(), witnessed=[before])
    assert verify(open_source(path), parse_trust(trust.encode()), options).findings.steps["1 freshness"].status == "ok"
    alone = parse_trust(f"log {fresh}\nquorum none\n".encode())
    assert verify(open_source(path), alone, options).refused  # who knows only the new key cannot tell the old word
    assert not list(room.settings.keys.glob("next-*"))
    assert main(["rotate", str(room.settings.directory), "log"]) == 2


def test_a_witness_takes_a_logs_new_key_when_its_keeper_says_so(tmp_path: Path) -> None:
    """Not by the operator's word: the keeper names the old key and the new one, and the history goes on."""
    from ledger.keys import ED25519, generate
    from server_stub.witness import make_witness, watch

    folder = tmp_path / "witness"
    make_witness(folder, "witness.example")
    old, new, stranger = (str(generate(ORIGIN, ED25519).vkey) for _ in range(3))
    watch(folder, old)
    for instead in ("", stranger):
        with pytest.raises(SetupError, match="under another key"):
            watch(folder, new, instead)
    assert str(watch(folder, new, old)) == new
    watch(folder, new)
    with pytest.raises(SetupError):
        watch(folder, old)


# --- devices ----------------------------------------------------------------------------------------------------------


def test_a_lost_device_is_revoked_by_the_staff_and_signs_no_more(room: Room, school: School) -> None:
    """Its open session ends as abandoned; what it earned stays; its next certificate is refused."""
    learner = room.learner().ready()
    device = study(learner, close=False)
    school.operator("revoke-device", CLASS, learner.device.vkey, "--reason", "lost on the bus")
    school.operator("revoke-device", CLASS, learner.device.vkey, "--reason", "again")
    with pytest.raises(AssertionError, match="TS-S-033"):
        learner.open()
    assert figures(school.verified("archive")) == {device.sid: ("abandoned", 60_000)}


def test_a_device_key_is_renewed_only_by_the_person_who_just_signed_in(room: Room, tmp_path: Path) -> None:
    """A stolen token of yesterday replaces no key; nor does anybody replace another learner's."""
    from ledger.keys import P256, generate
    from ledger.names import device as device_name

    learner, other = room.learner().ready(), room.learner("other").ready()
    old, fresh = learner.device, generate(device_name("test.trueseat.example", "1" * 32), P256)

    def renew(who: Learner, old_key: str) -> int:
        text = f"trueseat/device/v1\ntest.trueseat.example\n{who.origin}\n{who.learner}\n{fresh.vkey}\n"
        body = {
            "registration": who.registration, "old": old_key, "vkey": str(fresh.vkey),
            "proof": note.sign(text, fresh).decode(), "held": "",
        }  # fmt: skip
        return room.http.post("/v1/devices/renew", json=body, headers=who.headers).status_code

    assert renew(other, str(old.vkey)) == 403
    room.clock.now += 11 * 60_000
    assert renew(learner, str(old.vkey)) == 401
    learner.sign_in()
    assert renew(learner, str(old.vkey)) == 200
    assert renew(learner, str(old.vkey)) == 200
    with pytest.raises(AssertionError, match="TS-S-033"):
        learner.open()
    learner.device = fresh
    learner.open()


def test_a_note_that_is_none_is_not_taken(room: Room, school: School) -> None:
    """Only notes of the table, one sentence otherwise, and no data directory but a server's."""
    path = school.out()
    for data in (b"", b"hello\n", b"trueseat/key/v1\nadd\n\n\xe2\x80\x94 a b\n"):
        path.write_bytes(data)
        assert school.refused("take", CLASS, path)
    with pytest.raises(DecisionError):
        room.server.services.decisions.take(CLASS, b"x")
    assert main(["take", str(school.folder), CLASS, str(path)]) == 2


def test_without_the_authority_a_verdict_is_not_checkable(room: Room, school: School) -> None:
    """The archive itself verifies; the zeroed learner's figure is nobody's word alone."""
    learner = room.learner().ready()
    device = study(learner, 2)
    school.take(verdict(school, learner, device, school.supervisor()))
    report = school.verified("archive", authority=False)
    assert not report.refused
    assert report.findings.steps["8"].status is Status.NOT_CHECKABLE
