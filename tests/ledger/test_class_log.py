"""A class log is read in entry order; what the table or the order forbids is refused at its index."""

from __future__ import annotations

from collections.abc import Callable

import pytest

from ledger import checkpoint, keys, names, note
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.errors import LeafError, UnknownSignerError
from ledger.leaves import (
    BodyLeaf,
    ClassLeaf,
    ErasedLeaf,
    GrantedLeaf,
    KeyLeaf,
    PolicyLeaf,
    RevealedLeaf,
    SettledLeaf,
    decode,
)
from tests.ledger.builder import SERVER, Classroom

HASH = "0" * 64
SID = "ab" * 16
DEVICE = keys.generate(names.device(SERVER, "cd" * 16), keys.P256)


def refused(room: Classroom, entry: object, *words: str) -> None:
    """`entry` is refused, its index named, and the log is as before."""
    size = len(room.log)
    with pytest.raises(LeafError) as caught:
        room.log.add(bytes(entry))  # type: ignore[call-overload]
    assert caught.value.index == size
    assert len(room.log) == size
    for word in words:
        assert word in str(caught.value)


def test_entry_0_names_the_class_and_no_other_entry_does() -> None:
    """A log of another class, one that begins with something else, a second `class`."""
    room = Classroom()
    refused(room, ClassLeaf(1, room.origin), "entry 0, and no other")
    empty = ClassLog(room.origin)
    for entry in (ClassLeaf(1, "other.example/c/x"), GrantedLeaf(1, SID, HASH, HASH)):
        with pytest.raises(LeafError):
            empty.add(bytes(entry))
    with pytest.raises(LeafError):
        empty.add(room.checkpoint())
    with pytest.raises(LeafError):
        ClassLog("not an origin")


def test_a_serial_only_rises() -> None:
    """Rules cannot be rolled back to an older set, nor replaced under the same serial."""
    room = Classroom()
    room.append(PolicyLeaf(1, "rules", 7, HASH))
    for serial in (7, 6, 0):
        refused(room, PolicyLeaf(1, "rules", serial, HASH), "does not rise")
    room.append(PolicyLeaf(1, "rules", 8, HASH))
    assert room.log.in_force("rules", len(room.log)) == HASH


def test_a_key_comes_once_and_goes_once() -> None:
    """No key twice, none under two names, no revocation of what was not added, no return."""
    room = Classroom()
    add = KeyLeaf(1, "add", "device", str(DEVICE.vkey), owner=HASH)
    room.append(add)
    refused(room, add, "stood here before")
    other = keys.Vkey(names.device(SERVER, "ef" * 16), keys.P256, DEVICE.vkey.key)
    refused(room, KeyLeaf(1, "add", "device", str(other), owner=HASH), "stood here before")
    revoke = KeyLeaf(1, "revoke", "device", str(DEVICE.vkey), owner=HASH)
    refused(room, KeyLeaf(1, "revoke", "device", str(other), owner=HASH), "could be revoked")
    room.append(revoke)
    refused(room, revoke, "could be revoked")
    refused(room, add, "stood here before")


def test_revoked_means_before_in_entry_order() -> None:
    """A key counts for entries after its `add` and up to its `revoke`, whatever any clock says."""
    room = Classroom()
    at = room.append(KeyLeaf(999, "add", "device", str(DEVICE.vkey), owner=HASH))
    gone = room.append(KeyLeaf(1, "revoke", "device", str(DEVICE.vkey), owner=HASH))
    line = note.parse(note.sign("x\n", DEVICE)).signatures[0]
    assert room.log.signer("device", line, gone).key == DEVICE.vkey
    for index in (at, gone + 1):
        with pytest.raises(UnknownSignerError):
            room.log.signer("device", line, index)
    with pytest.raises(UnknownSignerError):
        room.log.signer("grant", line, gone)


@pytest.mark.parametrize(
    ("role", "key"),
    [
        ("grant", lambda: keys.generate("other.example/g", keys.ED25519).vkey),
        ("cosign", lambda: keys.generate("other.example/w", keys.COSIGNATURE).vkey),
        ("log", lambda: keys.generate(names.class_origin(SERVER, "other"), keys.ED25519).vkey),
    ],
)
def test_a_key_is_named_after_its_role(role: str, key: Callable[[], keys.Vkey]) -> None:
    """A grant key of another server, a log key of another class: refused."""
    refused(Classroom(), KeyLeaf(1, "add", role, str(key())), "is named")


def test_a_device_is_of_this_server() -> None:
    """Device names begin with the server's own name."""
    other = keys.generate(names.device("other.example", "cd" * 16), keys.P256)
    refused(Classroom(), KeyLeaf(1, "add", "device", str(other.vkey), owner=HASH), "another server")


@pytest.mark.parametrize(
    ("role", "kind", "more"),
    [
        ("device", keys.ED25519, {"owner": HASH}),
        ("device", keys.P256, {}),
        ("device", keys.P256, {"owner": HASH, "vouched": HASH}),
        ("supervisor", keys.ED25519, {}),
        ("supervisor", keys.ED25519, {"owner": HASH}),
        ("grant", keys.COSIGNATURE, {}),
        ("grant", keys.ED25519, {"vouched": HASH}),
        ("cosign", keys.ED25519, {}),
        ("witness", keys.COSIGNATURE, {}),
    ],
)
def test_a_key_leaf_has_what_its_role_asks_for(role: str, kind: int, more: dict[str, str]) -> None:
    """Type, owner and voucher fit the role, and the role is of the table."""
    with pytest.raises(LeafError):
        KeyLeaf(1, "add", role, str(keys.generate("x.example/g", kind).vkey), **more)


def test_a_session_is_granted_once_before_anything_is_said_of_it() -> None:
    """Each sid has one `granted` and at most one `revealed`; entries of unknown sessions are refused."""
    room = Classroom()
    for entry in (
        RevealedLeaf(1, SID, HASH, "closed", 0, -1),
        SettledLeaf(1, SID, 1, 1),
        ErasedLeaf(1, SID, (1,), HASH),
        BodyLeaf(1, "verdict", HASH, SID),
    ):
        refused(room, entry, "never granted")
    granted = GrantedLeaf(1, SID, HASH, HASH)
    room.append(granted)
    refused(room, granted, "granted twice")
    revealed = RevealedLeaf(1, SID, HASH, "abandoned", 0, -1)
    room.append(revealed)
    refused(room, revealed, "revealed twice")


def test_a_session_does_not_go_on_after_its_seed_is_out() -> None:
    """Nor does it shrink: whoever knows the seed could otherwise study between the checks."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(10_000)
    session.log_checkpoint()
    older = Checkpoint(session.key.vkey.name, 1, session.tree.root_at(1))
    line = checkpoint.cosign(older, room.cosigner, 5)
    refused(room, note.add(checkpoint.sign(older, session.key), line), "shrinks")
    session.close()
    refused(room, session.checkpoint, "after its seed was revealed")


def test_a_session_checkpoint_carries_two_signatures_in_order() -> None:
    """The session's own first, the server's cosignature second, no third."""
    room = Classroom()
    session = room.session(room.device(room.learner()))
    parsed = note.parse(session.checkpoint)
    first, second = parsed.signatures
    third = note.Signature("x.example/w", second.key_id, second.raw)
    for lines in ((first,), (second, first), (first, second, third), (first, third)):
        refused(room, bytes(note.Note(parsed.text, lines)), "cosigned by the server second")


def test_an_anchor_is_of_this_log_and_of_what_stands_before_it() -> None:
    """Another log's, one ahead of the log, one with another root, one behind the last: refused."""
    room = Classroom(witnesses=1)
    small, now = room.checkpoint(3), room.checkpoint()
    other = keys.generate(names.class_origin(SERVER, "other"), keys.ED25519)
    refused(room, checkpoint.sign(Checkpoint(other.vkey.name, 1, room.log.tree.root_at(1)), other), "another log")
    ahead = Checkpoint(room.origin, len(room.log) + 1, room.log.tree.root())
    refused(room, checkpoint.sign(ahead, room.log_key), "not of this log")
    wrong = Checkpoint(room.origin, 3, bytes(32))
    refused(room, checkpoint.sign(wrong, room.log_key), "not of this log")
    room.append(now)
    refused(room, small, "after one at")


@pytest.mark.parametrize(
    "data",
    [
        b"",
        b"hello",
        b'{"at":1,"type":"other","v":1}',
        b'{"at":1,"type":"class","v":1}',
        b'{"at":1,"class":"s.example/c/k","type":"class","v":2}',
        b'{"at":1,"class":"s.example/c/k","type":"class","v":true}',
        b'{"at":-1,"class":"s.example/c/k","type":"class","v":1}',
        b'{"at":1,"class":"k","type":"class","v":1}',
        b'{"at":1,"class":"s.example/c/k","extra":1,"type":"class","v":1}',
        b'{"at":1,"class":"s.example/c/k","type":"class","v":1}\n',
        b'{"at":1,"type":["class"],"v":1}',
        b'{"at":1,"index":[],"sha256":"' + b"0" * 64 + b'","sid":"' + b"0" * 32 + b'","type":"erased","v":1}',
        b'{"at":1,"index":[2,1],"sha256":"' + b"0" * 64 + b'","sid":"' + b"0" * 32 + b'","type":"erased","v":1}',
        b'{"at":1,"index":[1,1],"sha256":"' + b"0" * 64 + b'","sid":"' + b"0" * 32 + b'","type":"erased","v":1}',
    ],
)
def test_an_entry_that_is_not_of_the_table_is_refused(data: bytes) -> None:
    """The table is closed: unknown types, missing, extra or odd fields."""
    with pytest.raises(LeafError):
        decode(data)
