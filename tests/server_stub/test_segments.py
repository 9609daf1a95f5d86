"""Segments: every answer of the published table, by a device that signs for real."""

from __future__ import annotations

import secrets
import threading

import pytest

from ledger import checkpoint, names, note, segment
from ledger.checkpoint import Checkpoint
from ledger.events import Asked, Closed, Presence
from ledger.keys import ED25519, generate
from ledger.tree import Tree, leaf_hash
from server_stub.storage.classlog import SqlLogStore
from server_stub.storage.eventstore import SqlEventStore
from tests.server_stub.conftest import Room
from tests.server_stub.learner import Device


@pytest.fixture
def device(room: Room) -> Device:
    """An open session with one accepted segment."""
    opened = room.learner().ready().open()
    opened.send()
    return opened


def forks(room: Room, device: Device) -> int:
    return room.server.records.read(lambda tx: len(tx.events.forks(device.sid)))


def size(room: Room, device: Device) -> int:
    return room.server.records.read(lambda tx: tx.events.progress(device.sid).size)


def test_a_lesson_is_cosigned_segment_by_segment(room: Room) -> None:
    """200: the cosignature verifies over the checkpoint that was sent, and check 0 is ordered at once."""
    device = room.learner().ready().open()
    answer = device.send()
    signed = Checkpoint(device.key.vkey.name, 1, leaf_hash(device.entries[0]))
    time = checkpoint.verify_cosignature(signed, answer.cosignature, room.server.keyring.cosigner.vkey)
    assert time == device.begun // 1000
    assert answer.ordered is not None
    assert answer.ordered.i == 0
    for _ in range(5):
        device.play(10_000)
        device.send()
    assert any(item.ordered and item.ordered.i == 1 for item in device.answers)
    device.close()
    assert room.http.get(f"/v1/sessions/{device.sid}/reveal").json()["how"] == "closed"


def test_a_closed_session_is_settled_at_once(room: Room) -> None:
    """60 s between two passed checks are credited: the server's figure and the learner's are one computation."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    for _ in range(6):
        device.play(10_000)
        device.send()
    device.add(Asked("close"))
    device.send()
    device.send()
    device.close()
    credit = room.http.get(f"/v1/sessions/{device.sid}/credit", headers=learner.headers).json()
    assert credit["credited_ms"] == 60_000, credit
    assert learner.me()["registrations"][0]["credited_ms"] == 60_000


@pytest.mark.slow
def test_the_same_segment_again_gets_the_stored_answer(room: Room, device: Device) -> None:
    """Same time, same order: nothing is cosigned twice and no order is lost, also when the clock has moved on."""
    device.play(10_000)
    body = device.body()
    first = device.post(body)
    room.clock.now += 60_000
    again = device.post(body)
    assert (first.status_code, again.status_code) == (200, 200)
    assert again.content == first.content


def test_the_last_segment_again_is_answered_though_the_seed_is_revealed(room: Room, device: Device) -> None:
    """An answer lost on the wire is not lost, even that to `closed`; anything else is 410 from then on."""
    device.play(5_000)
    device.add(Closed("ended"))
    last = device.body()
    first = device.post(last)
    assert first.status_code == 200
    assert device.post(last).content == first.content
    device.add(Asked("close"))
    over = device.post(device.body())
    assert over.status_code == 410
    assert over.json()["code"] == "TS-S-038"


def test_a_segment_from_another_place_is_told_the_size(room: Room, device: Device) -> None:
    """409 with `size`: the client sends from there on."""
    device.play(5_000)
    stale = device.post(device.body(old=0))
    assert stale.status_code == 409
    assert stale.json()["size"] == 1
    assert device.post(device.body(old=1)).status_code == 200
    assert forks(room, device) == 0


def test_a_changed_event_is_refused_and_kept_as_evidence(room: Room, device: Device) -> None:
    """422: the entries do not hash to the root that was signed; the session's signature makes it proof."""
    device.play(5_000)
    changed = [*device.entries[1:-1], device.entries[-1].replace(b'"rate":1000', b'"rate":1001')]
    refused = device.post(device.body(entries=changed))
    assert refused.status_code == 422
    assert refused.json()["code"] == "TS-S-036"
    assert forks(room, device) == 1
    assert device.post(device.body()).status_code == 200  # the honest one goes on


def test_a_fork_at_an_old_size_is_kept_as_evidence(room: Room, device: Device) -> None:
    """Two signed roots at one size: answered 409 like any stale segment, and both are proof of a fork."""
    device.play(5_000)
    device.send()
    other = Tree()
    entries = [device.entries[0], b'{"another":"past"}']
    for entry in entries:
        other.append(leaf_hash(entry))
    signed = checkpoint.sign(Checkpoint(device.key.vkey.name, 2, other.root()), device.key)
    refused = device.post(segment.build(1, signed, entries[1:]))
    assert refused.status_code == 409
    assert forks(room, device) == 1


def test_a_forged_checkpoint_is_refused(room: Room, device: Device) -> None:
    """403: signed by another key under the session's name, or over another log; nothing is kept of it."""
    device.play(5_000)
    forger = generate(device.key.vkey.name, ED25519)
    assert device.post(device.body(key=forger)).status_code == 403
    name = names.session_origin("test.trueseat.example", secrets.token_hex(16))
    other = checkpoint.sign(Checkpoint(name, len(device.tree), device.tree.root()), generate(name, ED25519))
    assert device.post(segment.build(1, other, device.entries[1:])).status_code == 403
    assert (size(room, device), forks(room, device)) == (1, 0)


def test_a_session_that_nobody_opened_is_unknown(room: Room, device: Device) -> None:
    """404, whatever the body is."""
    for sid in (secrets.token_hex(16), "x", "0" * 33):
        assert room.http.post(f"/v1/sessions/{sid}/segments", content=device.body()).status_code == 404


def test_a_segment_over_a_mebibyte_is_too_large(device: Device) -> None:
    """413, whether the length is announced or not."""
    assert device.post(bytes(2**20 + 1)).status_code == 413
    chunks = (bytes(2**16) for _ in range(17))
    sent = device.http.post(f"/v1/sessions/{device.sid}/segments", content=chunks)
    assert sent.status_code == 413
    assert sent.json()["code"] == "TS-S-002"


@pytest.mark.slow
@pytest.mark.parametrize("cut", [0, 3, 4, 40, -1])
def test_a_cut_segment_is_unreadable(room: Room, device: Device, cut: int) -> None:
    """400: nothing of it is taken."""
    device.play(5_000)
    refused = device.post(device.body()[:cut])
    assert refused.status_code == 400
    assert refused.json()["code"] == "TS-S-001"
    assert size(room, device) == 1


def test_a_segment_without_entries_is_cosigned_anew(room: Room, device: Device) -> None:
    """N = size is allowed: a fresh time over the same checkpoint, and no order."""
    signed = checkpoint.sign(Checkpoint(device.key.vkey.name, 1, leaf_hash(device.entries[0])), device.key)
    checkpoint_only = segment.build(1, signed, [])
    room.clock.now += 5_000
    answer = segment.parse_answer(device.post(checkpoint_only).content)
    assert answer.order is None
    assert note.parse_line(answer.cosignature).time == room.clock.now // 1000


def test_what_is_no_event_is_cosigned_and_nothing_counts_from_there_on(room: Room) -> None:
    """The server is a witness of order, not a judge of content: no session can wedge."""
    learner = room.learner().ready()
    device = learner.open()
    device.send()
    device.play(10_000)
    device.send()
    device.add_raw(b"\xff not an event")
    device.add_raw(b"{}")
    device.send()
    answers = len(device.answers)
    for _ in range(6):
        device.play(10_000)
        device.send()
    assert not any(answer.order for answer in device.answers[answers:])
    progress = room.server.records.read(lambda tx: tx.events.progress(device.sid))
    assert progress.unread is not None
    assert progress.size == device.sent
    credit = room.http.get(f"/v1/sessions/{device.sid}/credit", headers=learner.headers).json()
    assert credit["credited_ms"] <= 10_000  # what stood before may be proven
    assert all(part["to"] <= 10_000 for part in credit["spans"])


def test_signed_times_never_fall(room: Room, device: Device) -> None:
    """A server clock that is set back does not show in cosignatures."""
    first = note.parse_line(device.answers[-1].cosignature).time
    device.play(1_000)
    room.clock.now -= 3_600_000
    answer = segment.parse_answer(device.post(device.body()).content)
    assert note.parse_line(answer.cosignature).time >= first


def test_a_restarted_server_orders_the_same_checks(room: Room, device: Device) -> None:
    """What memory knows of a session is read again from its segments; the lesson goes on and is credited."""
    for round_ in range(8):
        device.play(10_000)
        device.send()
        if round_ % 2:
            room.restart()
            device.http = room.http
    orders = [answer.ordered.i for answer in device.answers if answer.ordered]
    assert orders == sorted(set(orders), key=int)
    assert len(orders) > 2


@pytest.mark.parametrize(
    ("store", "method"),
    [(SqlEventStore, "advance"), (SqlEventStore, "set_progress"), (SqlLogStore, "append"), (SqlLogStore, "set_head")],
)
def test_a_segment_is_kept_whole_or_not_at_all(
    room: Room, device: Device, monkeypatch: pytest.MonkeyPatch, store: type, method: str
) -> None:
    """A disk that fails at any point: 500 in our words, nothing kept, and the same segment is taken afterwards."""

    def fails(*_: object) -> None:
        raise RuntimeError("disk I/O error")

    device.play(10_000)
    device.add(Closed("ended"))
    body = device.body()
    before = room.http.get("/log/class-1/checkpoint").content
    with monkeypatch.context() as patched:
        patched.setattr(store, method, fails)
        failed = device.post(body)
    assert failed.status_code == 500
    assert failed.json()["code"] == "TS-S-000"
    assert "disk" not in failed.text
    assert size(room, device) == 1
    assert room.http.get("/log/class-1/checkpoint").content == before
    assert device.post(body).status_code == 200
    assert size(room, device) == len(device.entries)
    assert room.http.get(f"/v1/sessions/{device.sid}/reveal").json()["how"] == "closed"


def test_one_segment_sent_by_many_at_once_is_taken_once(room: Room, device: Device) -> None:
    """Retries that overtake each other: all get the one stored answer, and one row is kept."""
    device.play(5_000)
    body, answers = device.body(), []
    accept = room.server.services.segments.accept
    threads = [
        threading.Thread(target=lambda: answers.append(accept(device.sid, body, "192.0.2.1"))) for _ in range(12)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert len(answers) == 12
    assert len(set(answers)) == 1
    assert len(room.server.records.read(lambda tx: list(tx.events.segments(device.sid)))) == 2


def test_many_sessions_write_at_once(room: Room) -> None:
    """Two learners' segments interleave in one database; each gets its own answers, and the class log stays one."""
    devices = [room.learner(account).ready().open() for account in ("learner", "other")]
    bodies: list[list[bytes]] = [[], []]
    for device, prepared in zip(devices, bodies, strict=True):
        for old in range(20):
            prepared.append(device.body(old=old))
            device.add(Presence(old % 2))
    accept, failed = room.server.services.segments.accept, []

    def send(index: int) -> None:
        try:
            for body in bodies[index]:
                accept(devices[index].sid, body, "192.0.2.1")
        except Exception as error:
            failed.append(error)

    threads = [threading.Thread(target=send, args=(index,)) for index in range(2)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert failed == []
    assert [size(room, device) for device in devices] == [20, 20]
