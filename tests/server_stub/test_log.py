"""The class log for everybody: it only grows, and anybody can check that with the published formats alone."""

from __future__ import annotations

import itertools

import pytest

from ledger import checkpoint, note, proof, tiles
from ledger.classlog import ClassLog
from ledger.leaves import BodyLeaf
from ledger.tree import Tree, leaf_hash, verify_consistency
from ledger.trust import parse as parse_trust
from tests.server_stub.conftest import Room
from tests.server_stub.learner import CLASS, HASH, SERVER, Learner


def head(room: Room) -> checkpoint.Checkpoint:
    """The published checkpoint, its signature verified."""
    data = room.http.get(f"/log/{CLASS}/checkpoint").content
    parsed, signed = checkpoint.parse(data)
    note.verify(signed, [room.server.keyring.log(CLASS).vkey])
    return parsed


def entries(room: Room, size: int) -> list[bytes]:
    found: list[bytes] = []
    for index, width in tiles.spans(size):
        data = room.http.get(f"/log/{CLASS}/{tiles.tile_path('entries', index, width)}").content
        found += tiles.decode_bundle(data, width)
    return found


def grow(room: Room, count: int) -> None:
    leaves = [BodyLeaf(1, "audit", HASH)] * count
    room.server.records.write(lambda tx: room.server.services.logs.append(tx, CLASS, *leaves))


def test_a_new_class_begins_with_itself_its_keys_and_its_rules(room: Room) -> None:
    """Entry 0 names the class; log, cosign, grant and officer keys and five documents follow."""
    log = ClassLog(f"{SERVER}/c/{CLASS}")
    for data in entries(room, head(room).size):
        log.add(data)
    assert [record.leaf.role for record in log.keys] == ["log", "cosign", "grant", "supervisor"]
    assert set(log.policies) == {"policy", "rules", "models", "course", "points"}


def test_the_log_only_grows(room: Room) -> None:
    """Every published checkpoint is a prefix of every later one, whatever happens in between."""
    seen = [head(room)]
    learner: Learner = room.learner()
    steps = (learner.sign_in, learner.certify, learner.refer, lambda: learner.open().send(), lambda: grow(room, 300))
    for step in steps:
        step()
        seen.append(head(room))
    tree = Tree(leaf_hash(entry) for entry in entries(room, seen[-1].size))
    for old, new in itertools.pairwise(seen):
        path = tree.consistency_proof(old.size, new.size)
        verify_consistency(old.size, old.root, new.size, new.root, path)


def test_every_tile_is_what_the_entries_give(room: Room) -> None:
    """Full and partial tiles on all levels, of the present size and of earlier widths."""
    grow(room, 700)
    size = head(room).size
    tree = Tree(leaf_hash(entry) for entry in entries(room, size))
    for path, data in tiles.hash_tiles(tree):
        answer = room.http.get(f"/log/{CLASS}/{path}")
        assert (answer.status_code, answer.content) == (200, data)
    partial = tiles.tile_path(0, 1, 7)
    assert room.http.get(f"/log/{CLASS}/{partial}").content == tiles.hash_tile(tree, 0, 1, 7)


@pytest.mark.parametrize(
    "path",
    ["tile/0/001", "tile/0/x000/000", "tile/0/000.p/256", "tile/0/000.p/0", "tile/0/000.p/200", "tile/1/000.p/1",
     "tile/00/000", "tile/9/000", "tile/entries/0", "tile/x/000", "tile/0/000.p/1/2", "tile/0/", "tile/0/٣٣٣",
     "tile/0/-01"],
)  # fmt: skip
def test_a_tile_that_is_not_there_is_404(room: Room, path: str) -> None:
    """Beyond the size, or spelled another way: one spelling each, so that caches agree."""
    assert room.http.get(f"/log/{CLASS}/{path}").status_code == 404


def test_another_class_is_404(room: Room) -> None:
    for path in ("checkpoint", "tile/0/000.p/1"):
        assert room.http.get(f"/log/class-2/{path}").status_code == 404


def test_entries_cannot_be_changed_even_in_the_database(room: Room) -> None:
    """Neither update nor delete: the table itself refuses."""
    connection = room.server.records.connect()
    for statement in ("UPDATE entry SET idx = 9 WHERE idx = 1", "DELETE FROM entry WHERE idx = 1"):
        with pytest.raises(Exception, match="only grows"):
            connection.execute(statement)
    connection.close()


def test_a_receipt_verifies_with_the_trust_file(room: Room) -> None:
    """404 before the first checkpoint is logged; then the client's own trust file accepts it."""
    device = room.learner().ready().open()
    device.send()
    assert room.http.get(f"/v1/sessions/{device.sid}/receipt").status_code == 404
    device.play(5_000)
    device.close()
    receipt = proof.parse(room.http.get(f"/v1/sessions/{device.sid}/receipt").content)
    trust = parse_trust(room.server.services.enrolment.trust(CLASS).encode())
    entry = entries(room, head(room).size)[receipt.index]
    assert receipt.verify(entry, trust).checkpoint == head(room)
    assert checkpoint.parse(entry)[0].size == len(device.entries)


def test_two_processes_write_one_log(room: Room) -> None:
    """An export beside the running server appends too; neither overwrites the other, and the log stays one."""
    from server_stub.app import Server

    other = Server(room.settings, room.clock, room.codes)
    first = head(room).size
    learner = room.learner().ready()
    other.records.write(lambda tx: other.services.logs.append(tx, CLASS, BodyLeaf(1, "audit", HASH)))
    device = learner.open()
    device.send()
    other.records.write(lambda tx: other.services.logs.append(tx, CLASS, BodyLeaf(1, "audit", HASH)))
    device.play(5_000)
    device.close()
    other.close()
    size = head(room).size
    assert size >= first + 6
    assert Tree(leaf_hash(entry) for entry in entries(room, size)).root() == head(room).root
