"""Opening sessions: one grant a certificate, one session a learner at a time, a chain without gaps."""

from __future__ import annotations

import secrets

from ledger import bodies, grant, names, note, schedule, segment
from ledger.classlog import ClassLog
from ledger.events import Asked, Cosigned
from ledger.keys import ED25519, P256, generate
from ledger.leaves import GrantedLeaf
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, SERVER, Learner


def new_key() -> tuple[str, object]:
    sid = secrets.token_hex(16)
    return sid, generate(names.session_origin(SERVER, sid), ED25519)


def class_log(room: Room) -> ClassLog:
    return room.server.records.read(lambda tx: room.server.services.logs.log(tx, CLASS))


def test_the_same_request_gets_the_same_grant(room: Room) -> None:
    """An answer lost on the wire costs nothing: the grant is the same, and one `granted` leaf stands for it."""
    learner = room.learner().ready()
    sid, key = new_key()
    cert = learner.certificate(sid, key)
    first, again = learner.request(cert), learner.request(cert)
    assert first.status_code == 200, first.text
    assert again.content == first.content
    given, signed = grant.parse(first.content)
    note.verify(signed, [room.server.keyring.grant.vkey])
    record = class_log(room).sessions[sid]
    assert record.granted == GrantedLeaf(given.time, sid, signed.digest, given.commit)


def test_the_grant_names_what_is_in_force_and_commits_to_its_seed(room: Room) -> None:
    """Policy, rules, models, course as of the class log; the seed that is revealed later is the one promised."""
    learner = room.learner().ready()
    device = learner.open()
    log = class_log(room)
    for what in ("policy", "rules", "models", "course"):
        assert getattr(device.grant, what) == log.in_force(what, len(log))
    assert device.grant.learner == learner.learner
    assert device.grant.limits == {"session_ms": 3_600_000, "offline_ms": 600_000}
    device.send()
    device.close()
    seed = bytes.fromhex(room.http.get(f"/v1/sessions/{device.sid}/reveal").json()["seed"])
    schedule.verify_commit(seed, device.sid, device.grant.commit)
    assert seed.hex() != device.grant.offline_seed


def test_another_certificate_under_a_known_sid_is_refused(room: Room) -> None:
    """409 TS-S-030: a session has one certificate for ever."""
    learner = room.learner().ready()
    sid, key = new_key()
    assert learner.request(learner.certificate(sid, key)).status_code == 200
    _, other = sid, generate(names.session_origin(SERVER, sid), ED25519)
    refused = learner.request(learner.certificate(sid, other))
    assert refused.status_code == 409
    assert refused.json()["code"] == "TS-S-030"


def test_an_unknown_previous_session_is_told_what_the_server_has(room: Room) -> None:
    """409 with `prev`: a clone that was restored from a backup names an older state."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    device.play(5_000)
    device.send()
    here = learner.previous()
    stale = f"{device.sid} 1 {here.split()[2]}"
    refused = learner.request(learner.certificate(*new_key(), prev=stale))
    assert refused.status_code == 409
    assert refused.json()["prev"] == here
    refused = learner.request(learner.certificate(*new_key(), prev="none"))
    assert refused.json()["prev"] == here


def test_a_device_that_lost_its_records_says_so(room: Room) -> None:
    """`lost` is accepted where there is something to lose, and only there."""
    learner = room.learner().ready()
    refused = learner.request(learner.certificate(*new_key(), prev="lost"))
    assert refused.json()["prev"] == "none"
    learner.open().send()
    assert learner.request(learner.certificate(*new_key(), prev="lost")).status_code == 200


def test_the_next_session_of_a_device_closes_the_open_one_as_abandoned(room: Room) -> None:
    """Its seed is revealed at the size that `prev` names; nothing can be added to it."""
    learner = room.learner().ready()
    first = learner.open()
    first.send()
    second = learner.open()
    revealed = room.http.get(f"/v1/sessions/{first.sid}/reveal").json()
    assert (revealed["how"], revealed["size"], revealed["issued"]) == ("abandoned", 1, 0)
    first.play(5_000)
    assert first.post(first.body()).status_code == 410
    assert second.send().ordered is not None


def test_a_session_that_was_never_begun_is_left_out_of_the_chain(room: Room) -> None:
    """A grant without events does not break `prev`: the next certificate says none again."""
    learner = room.learner().ready()
    learner.open()
    assert learner.previous() == "none"
    learner.open().send()


def test_one_session_at_a_time_and_taking_over_pauses_the_other(room: Room) -> None:
    """R2.1: a second device is told which session is open; with X-Take-Over a signed command pauses that one."""
    desk = room.learner().ready()
    first = desk.open()
    first.send()
    phone = Learner(room.http, room.codes, room.clock)
    phone.token, phone.learner, phone.registration = desk.token, desk.learner, desk.registration
    assert phone.certify().status_code == 200
    refused = phone.request(phone.certificate(*new_key()))
    assert refused.status_code == 409
    assert refused.json()["open"] == first.sid
    second = phone.open(take_over=True)
    second.send()
    first.play(5_000)
    commands = first.send().commands
    assert len(commands) == 1
    body, signed = bodies.parse(commands[0].encode())
    note.verify(signed, [room.server.keyring.grant.vkey])
    assert (body.sid, body.do) == (first.sid, "pause")
    assert first.send().commands == ()


def test_a_certificate_of_an_unregistered_device_is_refused(room: Room) -> None:
    """403: the key must be certified for this learner in this class before."""
    learner = room.learner().ready()
    learner.device = generate(names.device(SERVER, secrets.token_hex(16)), P256)
    refused = learner.request(learner.certificate(*new_key(), prev="none"))
    assert refused.status_code == 403
    assert refused.json()["code"] == "TS-S-033"


def test_another_learners_registration_is_unknown(room: Room) -> None:
    """404: nobody learns whether it exists."""
    mine, other = room.learner().ready(), room.learner("other").ready()
    mine.registration = other.registration
    assert mine.request(mine.certificate(*new_key(), prev="none")).status_code == 404
    assert mine.certify().status_code == 404


def test_a_session_key_is_used_once(room: Room) -> None:
    """403: the same key under another sid would let one log speak as two."""
    from ledger.keys import Signer, Vkey

    learner = room.learner().ready()
    sid, key = new_key()
    assert learner.request(learner.certificate(sid, key)).status_code == 200
    again = secrets.token_hex(16)
    same = Signer(Vkey(names.session_origin(SERVER, again), ED25519, key.vkey.key), key.private)
    refused = learner.request(learner.certificate(again, same))
    assert refused.status_code == 403


def test_misses_of_today_are_carried_into_the_next_grant(room: Room) -> None:
    """A check that was ordered and not answered counts against the day, and is forgotten the day after."""
    learner = room.learner().ready()
    device = learner.open()
    device.post(device.body())  # check 0 is ordered; the device goes away
    room.clock.now += 5_000
    second = learner.open()
    second.send()
    room.server.services.sweep()
    assert learner.open().grant.carried["missed"] == 1
    room.clock.now += 24 * 3600 * 1000
    assert learner.open().grant.carried["missed"] == 0


def test_a_miss_is_made_up_by_studying_the_same_part_again(room: Room) -> None:
    """The next grant says both: what was missed today, and that it was made up."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    for _ in range(4):  # 40 s: check 1 is ordered within 30 s, and this time not answered
        device.play(10_000)
        size = len(device.entries)
        answer = segment.parse_answer(device.post(device.body()).content)
        device.sent = size
        device.add(Cosigned(size, answer.cosignature, answer.seen))
    again = learner.open()
    room.server.services.sweep()
    again.send()
    for _ in range(5):
        again.play(10_000)
        again.send()
    again.add(Asked("close"))
    again.send()
    again.send()
    again.close()
    carried = learner.open().grant.carried
    assert carried["missed"] > 0
    assert carried["made_up"] == carried["missed"]


def test_a_certificate_that_contradicts_the_chain_is_kept_as_evidence(room: Room) -> None:
    """409, and the certificate, which the device's key signed, lies beside the session that it contradicts."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    refused = learner.request(learner.certificate(*new_key(), prev="none"))
    assert refused.status_code == 409
    kept = room.server.records.read(lambda tx: tx.events.forks(device.sid))
    assert [data.startswith(b"trueseat/session/v1\n") for data in kept] == [True]
