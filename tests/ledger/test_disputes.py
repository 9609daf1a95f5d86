"""What one party can prove to a third: two histories under one key, or something signed and then left out."""

from __future__ import annotations

from collections.abc import Callable
from copy import deepcopy
from dataclasses import replace
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import checkpoint, complaint, contradiction, grant, keys, note, proof
from ledger.__main__ import main
from ledger.archive import Directory
from ledger.bodies import Exit
from ledger.checkpoint import Checkpoint
from ledger.compare import compare, read_side
from ledger.complaint import ComplaintError, complain
from ledger.contradiction import ContradictionError, Proof, path, pieces, roots
from ledger.errors import ArchiveError, LedgerError
from ledger.export import SessionFiles, write_unsent
from ledger.leaves import RevealedLeaf, SettledLeaf
from ledger.tree import Tree, leaf_hash
from tests.ledger.builder import Classroom, Session
from tests.tries import tries

DAY = 24 * 3600 * 1000


@pytest.fixture
def trust_file(tmp_path: Path) -> Callable[[Classroom], Path]:
    """Writes the trust file of a class."""

    def write(room: Classroom) -> Path:
        (tmp_path / "trust").write_text(str(room.trust()))
        return tmp_path / "trust"

    return write


def two_histories(tmp_path: Path, *, longer: int = 0) -> Classroom:
    """The operator shows one archive to the learner (`a`) and another to the supervisor (`b`)."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(20_000).close()
    before = len(room.entries)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 20_000))
    room.export(tmp_path / "a")
    keep = room.entries[:before]
    room.entries, room.log = [], type(room.log)(room.origin)
    for entry in keep:
        room.append(entry)
    for _ in range(longer):
        room.say(Exit(room.now, room.origin, f"nobody {len(room.entries)}"), room.grant_key)
    room.append(SettledLeaf(room.now, session.sid, session.sent, 20_000))
    room.now += 1
    room.append(SettledLeaf(room.now, session.sid, session.sent, 20_000))
    room.export(tmp_path / "b")
    return room


# --- a server that signs two histories --------------------------------------------------------------------------------


@pytest.mark.parametrize("longer", [0, 5])
def test_two_archives_of_a_rewritten_class_log_become_one_proof(
    tmp_path: Path, trust_file: Callable[[Classroom], Path], longer: int, capsys: pytest.CaptureFixture[str]
) -> None:
    """Neither archive is wrong by itself; together they convict whoever holds the log's key, before anybody."""
    room = two_histories(tmp_path, longer=longer)
    out = tmp_path / "proof"
    words = ["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--trust", str(trust_file(room))]
    assert main([*words, "--out", str(out)]) == 1
    assert f"CONTRADICTION: {room.origin} was signed at size" in capsys.readouterr().out
    found = contradiction.parse(out.read_bytes())
    assert found.key == str(room.log_key.vkey)
    assert room.origin in found.verify()
    assert main(["proof", str(out), "--trust", str(trust_file(room))]) == 0
    assert main([*words, "--out", str(out)]) == 2  # a proof is never overwritten


def test_two_checkpoints_at_one_size_convict_without_any_entries(
    tmp_path: Path, trust_file: Callable[[Classroom], Path]
) -> None:
    """Two small files are enough: what a learner's receipt embeds, and what a witness kept."""
    room = two_histories(tmp_path)
    signed = (tmp_path / "b" / "checkpoint").read_bytes()
    other = checkpoint.sign(replace(checkpoint.parse(signed)[0], root=bytes(32)), room.log_key)
    (tmp_path / "one").write_bytes(signed)
    (tmp_path / "two").write_bytes(bytes(proof.Receipt(0, (), other)))
    assert main(["compare", str(tmp_path / "one"), str(tmp_path / "two"), "--trust", str(trust_file(room))]) == 1


def test_an_earlier_archive_of_the_same_class_is_no_contradiction(
    tmp_path: Path, trust_file: Callable[[Classroom], Path]
) -> None:
    """A log that grew tells one history; two checkpoints of different size alone say nothing either way."""
    room = Classroom()
    room.session(room.device(room.learner())).study(10_000).close().settle(10_000)
    room.export(tmp_path / "a")
    room.say(Exit(room.now, room.origin, "nobody"), room.grant_key)
    room.export(tmp_path / "b")
    trusted = str(trust_file(room))
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "b"), "--trust", trusted]) == 0
    pair = [str(tmp_path / name / "checkpoint") for name in "ab"]
    assert main(["compare", *pair, "--trust", trusted]) == 2
    assert main(["compare", pair[0], str(tmp_path / "b"), "--trust", trusted]) == 0


def test_a_receipt_against_a_rewritten_archive_is_a_proof(
    tmp_path: Path, trust_file: Callable[[Classroom], Path]
) -> None:
    """The learner's own receipt of the first history convicts the archive that tells the second."""
    room = two_histories(tmp_path, longer=9)
    receipt = next((tmp_path / "a" / "sessions").rglob("receipt.tlog-proof"))
    assert main(["compare", str(receipt), str(tmp_path / "b"), "--trust", str(trust_file(room))]) == 1


# --- a device that was copied -----------------------------------------------------------------------------------------


def write_side(session: Session, out: Path) -> None:
    """What one device exports of it, by itself."""
    signed = checkpoint.sign(Checkpoint(session.key.vkey.name, len(session.log), session.tree.root()), session.key)
    write_unsent(out, SessionFiles(session.sid, signed, session.certificate, session.log))


def test_two_copies_of_one_device_are_proven_by_their_own_exports(
    tmp_path: Path, trust_file: Callable[[Classroom], Path]
) -> None:
    """One session key, two logs: the exports of both machines convict the key, at any two sizes."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(10_000)
    session.key, key = None, session.key  # type: ignore[assignment]  # a private key is not copied by deepcopy
    clone = deepcopy(session)
    session.key = clone.key = key
    for side in (session, clone):
        side.put(f"on {id(side)}".encode())
    clone.put(b"and more")
    write_side(session, tmp_path / "a")
    write_side(clone, tmp_path / "b")
    found = compare(read_side(tmp_path / "a", room.trust()), read_side(tmp_path / "b", room.trust()))
    assert [item.key for item in found.proofs] == [str(key.vkey)]
    assert contradiction.parse(bytes(found.proofs[0])).verify().startswith(key.vkey.name)
    assert main(["compare", str(tmp_path / "a"), str(tmp_path / "a"), "--trust", str(trust_file(room))]) == 0


# --- nobody is accused falsely ----------------------------------------------------------------------------------------


def honest(sizes: tuple[int, int] = (5, 9)) -> tuple[keys.Signer, Tree, Proof]:
    signer = keys.generate("s.example/c/k", keys.ED25519)
    tree = Tree(leaf_hash(b"%d" % n) for n in range(20))
    notes = [checkpoint.sign(Checkpoint("s.example/c/k", n, tree.root_at(n)), signer).decode() for n in sizes]
    return signer, tree, Proof(str(signer.vkey), *notes, path(tree, *sizes))


@pytest.mark.parametrize(
    "attack", ["honest log", "one side twice", "foreign key", "two logs", "other hashes", "reversed"]
)
def test_what_proves_nothing_is_refused(attack: str) -> None:
    """Two true statements, another's signature, hashes of some other tree: no contradiction."""
    signer, tree, made = honest()
    stranger = keys.generate("s.example/c/k", keys.ED25519)
    other_log = keys.generate("s.example/c/other", keys.ED25519)
    lie = checkpoint.sign(Checkpoint("s.example/c/k", 5, bytes(32)), signer).decode()
    real = replace(made, first=lie)
    assert "has another root" not in made.first
    assert real.verify()
    bent = {
        "honest log": made,
        "one side twice": replace(made, second=made.first, path=()),
        "foreign key": replace(real, key=str(stranger.vkey)),
        "two logs": replace(
            real, first=checkpoint.sign(Checkpoint("s.example/c/other", 5, bytes(32)), other_log).decode()
        ),
        "other hashes": replace(real, path=path(Tree(leaf_hash(b"x") for _ in range(9)), 5, 9)),
        "reversed": replace(real, first=real.second, second=real.first),
    }[attack]
    with pytest.raises(LedgerError):
        bent.verify()
    assert len(tree)


@settings(max_examples=tries(200), deadline=None)
@given(st.integers(2, 300), st.data())
def test_the_pieces_of_a_tree_lead_to_both_roots(n: int, data: st.DataObject) -> None:
    """For every pair of sizes: the hashes of an honest log give exactly its own roots, so it cannot be accused."""
    m = data.draw(st.integers(1, n - 1))
    tree = Tree(leaf_hash(b"%d" % i) for i in range(n))
    hashes = [contradiction.b64decode(item) for item in path(tree, m, n)]
    assert len(hashes) == len(pieces(m, n)) <= 2 * n.bit_length()
    assert roots(m, n, hashes) == (tree.root_at(m), tree.root_at(n))


@settings(max_examples=tries(300), deadline=None)
@given(st.integers(0, 10**6), st.binary(max_size=4), st.booleans())
def test_hostile_proofs_and_complaints_are_refused_or_read_in_one_way(at: int, put: bytes, which: bool) -> None:
    """Any change: our own error, or the same bytes again."""
    claim = complaint.Complaint("granted", str(STANDING[0].vkey), "note", 1, "note", 2)
    raw, parse = (bytes(STANDING[2]), contradiction.parse) if which else (bytes(claim), complaint.parse)
    at %= len(raw)
    raw = raw[:at] + put + raw[at + len(put) :]
    try:
        assert bytes(parse(raw)) == raw  # type: ignore[operator]
    except LedgerError:
        return


STANDING = honest()


def test_two_sides_without_a_common_log_are_not_compared(tmp_path: Path) -> None:
    """Archives of two classes are no two histories."""
    rooms = [Classroom(class_id=name) for name in ("one", "two")]
    for room, name in zip(rooms, ("a", "b"), strict=True):
        room.say(Exit(room.now, room.origin, "nobody"), room.grant_key)
        room.export(tmp_path / name)
    with pytest.raises(ArchiveError, match="no log in common"):
        compare(read_side(tmp_path / "a", rooms[0].trust()), read_side(tmp_path / "b", rooms[1].trust()))


# --- omission ---------------------------------------------------------------------------------------------------------


def omitted(tmp_path: Path, later_ms: int) -> tuple[Classroom, Session, bytes]:
    """A session that was granted and cosigned, and a class log of `later_ms` afterwards that lacks its last events."""
    room = Classroom()
    session = room.session(room.device(room.learner())).study(20_000)
    session.log_checkpoint()
    session.study(20_000)
    left_out = session.checkpoint
    session.checkpoint, session.sent, size = b"", 0, room.log.sessions[session.sid].size
    room.now += later_ms
    room.append(RevealedLeaf(room.now, session.sid, session.seed.hex(), "abandoned", size, session.desk.issued))
    return room, session, left_out


def source_of(room: Classroom, tmp_path: Path) -> Directory:
    """The class log alone, as the operator hands it out."""
    from ledger import tiles
    from ledger.export import put

    for name, data in (*tiles.bundles(room.entries), *tiles.hash_tiles(room.log.tree)):
        put(tmp_path / "log", name, data)
    put(tmp_path / "log", "checkpoint", room.checkpoint())
    return Directory(tmp_path / "log")


def test_a_cosignature_that_is_not_logged_within_a_day_is_an_omission(
    tmp_path: Path, trust_file: Callable[[Classroom], Path]
) -> None:
    """The server cosigned more than it logged: its own line and its own log convict it."""
    room, _, left_out = omitted(tmp_path, DAY + 60_000)
    source = source_of(room, tmp_path)
    found = complain(left_out, source, room.trust())
    assert (found.missing, found.key) == ("checkpoint", str(room.cosigner.vkey))
    assert complaint.parse(bytes(found)) == found
    (tmp_path / "claim").write_bytes(left_out)
    words = ["complain", str(tmp_path / "claim"), "--against", str(tmp_path / "log"), "--trust", str(trust_file(room))]
    assert main([*words, "--out", str(tmp_path / "complaint")]) == 1
    assert complaint.parse((tmp_path / "complaint").read_bytes()) == found


def test_a_grant_without_its_leaf_is_an_omission(tmp_path: Path) -> None:
    """A session granted beside the log: the grant itself is the proof."""
    room, session, _ = omitted(tmp_path, DAY + 60_000)
    hidden = grant.sign(replace(session.grant, sid="ab" * 16), room.grant_key)
    assert complain(hidden, source_of(room, tmp_path), room.trust()).missing == "granted"


@pytest.mark.parametrize("why", ["too young", "in the log", "grant in the log", "not the server's", "of another class"])
def test_there_is_nothing_to_complain_about(tmp_path: Path, why: str) -> None:
    """No operator is accused of a delay below a day, of what is there, or of what he never signed."""
    room, session, left_out = omitted(tmp_path, DAY - 60_000 if why == "too young" else 2 * DAY)
    stranger = keys.generate("demo.trueseat.example/g", keys.ED25519)
    claim = {
        "too young": left_out,
        "in the log": room.entries[room.log.sessions[session.sid].logged[0][0]],
        "grant in the log": grant.sign(session.grant, room.grant_key),
        "not the server's": grant.sign(replace(session.grant, sid="ab" * 16), stranger),
        "of another class": grant.sign(replace(session.grant, class_="demo.trueseat.example/c/other"), room.grant_key),
    }[why]
    with pytest.raises(LedgerError) as caught:
        complain(claim, source_of(room, tmp_path), room.trust())
    assert isinstance(caught.value, ComplaintError) == (why in ("too young", "in the log", "grant in the log"))


def test_a_claim_that_is_no_note_is_refused(tmp_path: Path) -> None:
    """Whatever is brought as a claim."""
    room, _, left_out = omitted(tmp_path, 2 * DAY)
    source = source_of(room, tmp_path)
    for claim in (b"", b"trueseat/grant/v1\n", left_out[:-1], note.sign("hello\n", room.grant_key)):
        with pytest.raises(LedgerError):
            complain(claim, source, room.trust())
    with pytest.raises(ContradictionError):
        contradiction.parse(left_out)
