"""What somebody who keeps an archive may try; each test is named after the attack and proves that it is refused."""

from __future__ import annotations

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import pytest

from ledger import certificate, checkpoint, keys, names, note, tiles
from ledger.checkpoint import Checkpoint
from ledger.findings import Finding, Status
from ledger.leaves import BodyLeaf, RevealedLeaf, SettledLeaf
from ledger.proof import Receipt
from ledger.report import Report
from ledger.tree import Tree, leaf_hash
from tests.ledger.builder import SERVER, Classroom
from tests.ledger.conftest import Made, made
from tests.ledger.memory import Memory


def refusals(report: Report) -> list[Finding]:
    return [finding for finding in report.findings.all() if finding.status is Status.REFUSED]


def refused(report: Report, step: str, *words: str) -> Finding:
    """The first refusal, which must be of `step` and say `words`."""
    found = refusals(report)
    assert found, "nothing was refused"
    assert found[0].step == step, found
    for word in words:
        assert word in found[0].message, found[0].message
    assert found[0].code.startswith("TS-L-")
    return found[0]


def files_of(source: Memory, sid: str) -> tuple[str, str, list[bytes]]:
    """(bundle's name, hash tile's name, entries) of a session with fewer than 256 events."""
    prefix = f"sessions/{sid}/tile/"
    (bundle,) = source.names(prefix + "entries/")
    (tile,) = source.names(prefix + "0/")
    return bundle, tile, tiles.decode_bundle(source.read(bundle))


def first_sid(archive: Made) -> str:
    return archive.room.sessions[0].sid


def test_an_untouched_archive_is_not_refused(archive: Made) -> None:
    """Nothing is refused, all that was studied is credited, and the report says what was verified."""
    report = archive.verify()
    assert not refusals(report)
    assert report.exit_code == 0
    assert [row.credited_ms for row in report.sessions] == [40_000, 30_000]
    status = {number: step.status for number, step in report.findings.steps.items()}
    assert status.pop("1 freshness") is Status.NOT_CHECKABLE
    assert set(status.values()) == {Status.OK}


def test_a_changed_event_is_named(archive: Made) -> None:
    """One bit in event 17 is refused with session and event."""
    sid = first_sid(archive)
    bundle, _, entries = files_of(archive.source, sid)
    entries[17] = entries[17].replace(b'"seq":17', b'"seq":71')
    finding = refused(
        archive.verify(archive.source.changed(bundle, tiles.encode_bundle(entries))), "4", sid, "event 17"
    )
    assert (finding.sid, finding.index) == (sid, 17)


def test_a_changed_event_with_its_hash_changed_to_match_is_named(archive: Made) -> None:
    """Whoever also rewrites tile/0 is caught by the signed root."""
    sid = first_sid(archive)
    bundle, tile, entries = files_of(archive.source, sid)
    entries[5] += b" "
    hashes = b"".join(leaf_hash(entry) for entry in entries)
    source = archive.source.changed(bundle, tiles.encode_bundle(entries)).changed(tile, hashes)
    refused(archive.verify(source), "4", sid, "do not hash to the signed root")


def test_a_changed_hash_tile_is_told_apart_from_a_changed_event(archive: Made) -> None:
    """The report blames the tile, not the event, when only the tile was changed."""
    sid = first_sid(archive)
    _, tile, _ = files_of(archive.source, sid)
    data = bytearray(archive.source.read(tile))
    data[32 * 9] ^= 1
    refused(archive.verify(archive.source.changed(tile, bytes(data))), "4", sid, "event 9", "its hash in tile/0")


@pytest.mark.parametrize("how", ["dropped", "inserted", "reordered", "duplicated", "truncated"])
def test_events_moved_about_are_named(archive: Made, how: str) -> None:
    """Dropping, inserting, swapping, doubling or cutting off events is refused at the first event concerned."""
    sid = first_sid(archive)
    bundle, _, entries = files_of(archive.source, sid)
    changes: dict[str, tuple[list[bytes], int]] = {
        "dropped": (entries[:7] + entries[8:], 7),
        "inserted": ([*entries[:7], entries[3], *entries[7:]], 7),
        "reordered": ([*entries[:7], entries[8], entries[7], *entries[9:]], 7),
        "duplicated": (entries[:8] + entries[7:], 8),
        "truncated": (entries[:-1], len(entries) - 1),
    }
    found, index = changes[how]
    report = archive.verify(archive.source.changed(bundle, tiles.encode_bundle(found)))
    assert refused(report, "4", sid, f"event {index}").index == index


def test_a_session_cut_back_to_an_earlier_checkpoint_is_refused(archive: Made) -> None:
    """An older signed state of the session, complete in itself, is not the last one that the class log holds."""
    session = archive.room.sessions[0]
    size = 10
    found = Checkpoint(session.key.vkey.name, size, session.tree.root_at(size))
    line = checkpoint.cosign(found, archive.room.cosigner, archive.room.now // 1000)
    signed = note.add(checkpoint.sign(found, session.key), line)
    prefix = f"sessions/{session.sid}/"
    source = Memory({name: data for name, data in archive.source.files.items() if not name.startswith(prefix + "tile")})
    source.files[prefix + "checkpoint"] = signed
    source.files |= {prefix + path: data for path, data in tiles.bundles(session.log[:size])}
    tree = Tree(map(leaf_hash, session.log[:size]))
    source.files |= {prefix + path: data for path, data in tiles.hash_tiles(tree)}
    refused(archive.verify(source), "5", session.sid, "not the last one in the class log")


def test_a_missing_session_is_named(archive: Made) -> None:
    """A granted session without its directory was left out."""
    sid = first_sid(archive)
    source = Memory({k: v for k, v in archive.source.files.items() if not k.startswith(f"sessions/{sid}/")})
    assert refused(archive.verify(source), "5", sid, "left out").sid == sid


def test_a_learners_own_copy_lists_the_other_sessions(tmp_path: Path) -> None:
    """A copy with one learner's sessions verifies with --partial, the others are listed; without it, it is refused."""
    room = Classroom()
    for name in ("one", "two"):
        room.session(room.device(room.learner(name))).study(10_000).close().settle(10_000)
    mine, other = room.sessions
    room.export(tmp_path / "copy", masked=True, only=mine.owner.learner)
    copy = made(room, tmp_path / "copy")
    report = copy.verify(partial=True)
    assert not refusals(report)
    assert report.credited_ms == 10_000
    assert [f.sid for f in report.findings.steps["5"].findings] == [other.sid]
    refused(copy.verify(), "5", other.sid, "left out")


def test_a_foreign_session_slipped_in_is_refused(archive: Made) -> None:
    """A directory of a session that was never granted here."""
    sid = first_sid(archive)
    other = "ab" * 16
    files = {k.replace(sid, other): v for k, v in archive.source.files.items() if k.startswith(f"sessions/{sid}/")}
    refused(archive.verify(Memory({**archive.source.files, **files})), "5", other)


@pytest.mark.parametrize(
    "name",
    [
        "extra",
        "sessions/{sid}/extra",
        "sessions/{sid}/tile/0/001",
        "sessions/{sid}/tile/0/000.p/3",
        "sessions/{sid}/tile/1/000.p/1",
        "sessions/{sid}/withheld",
        "tile/9/000",
        "tile/entries/000.p/1",
        "bodies/sha256/" + "0" * 64,
        "bodies/note",
        "evidence/sha256/" + "0" * 64,
        "evidence/x",
        "check.sh",
    ],
)
def test_a_file_that_nothing_names_is_refused(archive: Made, name: str) -> None:
    """Whatever no step reads has no place in an archive: it could be taken for a part of it."""
    source = archive.source.changed(name.format(sid=first_sid(archive)), b"0\n")
    assert refusals(archive.verify(source))


@pytest.mark.parametrize(
    "name", ["checkpoint", "summary.csv", "summary.json", "sessions/{sid}/device.cert", "sessions/{sid}/checkpoint",
             "sessions/{sid}/receipt.tlog-proof"],
)  # fmt: skip
def test_a_file_left_out_is_refused(archive: Made, name: str) -> None:
    """Every file that the layout asks for is there."""
    assert refusals(archive.verify(archive.source.changed(name.format(sid=first_sid(archive)), None)))


def test_every_tile_left_out_is_refused(archive: Made) -> None:
    """No tile or bundle can be missing, of the class log or of a session."""
    for name in archive.source.names():
        if "tile/" in name:
            assert refusals(archive.verify(archive.source.changed(name, None))), name


def test_a_forged_class_signature_is_refused(archive: Made) -> None:
    """A checkpoint signed by another key under the log's name."""
    forger = keys.generate(archive.room.origin, keys.ED25519)
    signed = checkpoint.sign(archive.room.log.checkpoint(), forger)
    refused(archive.verify(archive.source.changed("checkpoint", signed)), "1", "nobody vouches")


def test_a_forged_class_signature_with_the_right_key_id_is_refused(archive: Made) -> None:
    """Four bytes of key ID are easily met; the signature then does not verify."""
    forger = keys.generate(archive.room.origin, keys.ED25519)
    text = str(archive.room.log.checkpoint())
    line = note.Signature(archive.room.origin, archive.room.log_key.vkey.key_id, forger.sign(text.encode()))
    signed = bytes(note.Note(text, (line,)))
    refused(archive.verify(archive.source.changed("checkpoint", signed)), "1", "does not fit")


def test_an_unknown_signature_line_on_the_checkpoint_is_refused(archive: Made) -> None:
    """In an archive's own file a line that nobody can check is a place to hide bytes."""
    stranger = keys.generate("stranger.example/w", keys.COSIGNATURE)
    line = checkpoint.cosign(archive.room.log.checkpoint(), stranger, archive.room.now // 1000)
    signed = note.add(archive.source.read("checkpoint"), line)
    refused(archive.verify(archive.source.changed("checkpoint", signed)), "1", "stranger.example/w")


def test_a_checkpoint_without_its_witness_lacks_the_quorum(archive: Made) -> None:
    """The log's own signature is not enough where the trust file asks for a witness."""
    signed = checkpoint.sign(archive.room.log.checkpoint(), archive.room.log_key)
    refused(archive.verify(archive.source.changed("checkpoint", signed)), "1", "no quorum")


def test_a_stale_archive_is_refused_where_a_witness_saw_more(archive: Made) -> None:
    """An archive that ends before a checkpoint which a witness kept is an old state, given out as the last."""
    room = archive.room
    bigger = Checkpoint(room.origin, len(room.entries) + 1, b"x" * 32)
    line = checkpoint.cosign(bigger, room.witnesses[0], room.now // 1000)
    kept = note.add(checkpoint.sign(bigger, room.log_key), line)
    refused(archive.verify(witnessed=[kept]), "1 freshness", "stale")


def test_a_split_view_is_refused_where_a_witness_saw_another_root(archive: Made) -> None:
    """Two conflicting checkpoints of one size are portable proof of fraud."""
    room = archive.room
    other = Checkpoint(room.origin, 5, b"x" * 32)
    kept = note.add(checkpoint.sign(other, room.log_key), checkpoint.cosign(other, room.witnesses[0], 1))
    refused(archive.verify(witnessed=[kept]), "1 freshness", "another root")


def test_an_older_checkpoint_that_a_witness_kept_makes_freshness_checkable(archive: Made) -> None:
    """A kept checkpoint that is a prefix is what the step wants to see."""
    report = archive.verify(witnessed=[archive.room.checkpoint(5), archive.source.read("checkpoint")])
    assert report.findings.steps["1 freshness"].status is Status.OK


def test_a_contradiction_needs_no_quorum(archive: Made) -> None:
    """One checkpoint signed by the log alone, kept by anybody, convicts it."""
    other = Checkpoint(archive.room.origin, 5, b"x" * 32)
    kept = checkpoint.sign(other, archive.room.log_key)
    refused(archive.verify(witnessed=[kept]), "1 freshness", "another root")


def test_an_archive_of_another_class_is_refused(archive: Made, tmp_path_factory: pytest.TempPathFactory) -> None:
    """The trust file names the log; another log's archive does not become good by it."""
    other = Classroom(class_id="other", witnesses=1)
    path = tmp_path_factory.mktemp("other") / "archive"
    other.export(path)
    refused(archive.verify(Memory.of(path)), "1", "names no log")


@pytest.mark.parametrize("change", ["index", "path", "checkpoint", "extra"])
def test_a_receipt_that_proves_something_else_is_refused(archive: Made, change: str) -> None:
    """The receipt is over this archive's checkpoint, at the session's entry, by the one path there is."""
    from ledger import proof

    name = f"sessions/{first_sid(archive)}/receipt.tlog-proof"
    good = proof.parse(archive.source.read(name))
    older = archive.room.checkpoint(good.index + 1)
    path = tuple(archive.room.log.tree.inclusion_proof(good.index, good.index + 1))
    bad = {
        "index": Receipt(good.index + 1, good.path, good.checkpoint),
        "path": Receipt(good.index, (*good.path[:-1], b"x" * 32), good.checkpoint),
        "checkpoint": Receipt(good.index, path, older),
        "extra": Receipt(good.index, good.path, good.checkpoint, b"hello"),
    }[change]
    refused(archive.verify(archive.source.changed(name, bytes(bad))), "5", "receipt")


# --- what the operator may write into the class log -----------------------------------------------------------------


def exported(change: Callable[[Classroom], None], tmp_path_factory: pytest.TempPathFactory) -> tuple[Classroom, str]:
    """Export a class after `change`; return what the exporter's own verification said."""
    from ledger.errors import ArchiveError

    room = Classroom()
    device = room.device(room.learner())
    room.session(device).study(20_000).close().settle(20_000)
    change(room)
    try:
        room.export(tmp_path_factory.mktemp("changed") / "archive")
    except ArchiveError as error:
        return room, str(error)
    return room, ""


def test_a_figure_other_than_the_events_give_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The operator cannot settle more, or less, than follows from the signed events."""

    def settle_more(room: Classroom) -> None:
        room.append(SettledLeaf(room.now, room.sessions[0].sid, room.sessions[0].sent, 90_000))

    _, said = exported(settle_more, tmp_path_factory)
    assert "settled as 90000 ms, its events give 20000 ms" in said


def test_a_seed_other_than_the_committed_one_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Checks drawn from another seed than was committed to before the session."""

    def wrong_seed(room: Classroom) -> None:
        session = room.session(room.device(room.learner()))
        session.study(10_000)
        session.seed = bytes(32)
        session.close()

    _, said = exported(wrong_seed, tmp_path_factory)
    assert "not the one that was committed to" in said


def test_a_body_that_was_replaced_is_refused(archive: Made) -> None:
    """Documents are found by hash and hashed again: another policy under the same name is refused."""
    name = "bodies/sha256/" + archive.room.policy.sha256
    content = archive.source.read(name).replace(b"max_misses = 9", b"max_misses = 8")
    refused(archive.verify(archive.source.changed(name, content)), "2 bodies", "its bytes were changed")


def test_a_body_with_a_forged_signature_is_refused(archive: Made) -> None:
    """An identification signed by a key that is no supervisor's here."""
    room = archive.room
    digest = next(leaf.sha256 for _, leaf in room.log.bodies if leaf.kind == "identification")
    text = note.parse(room.bodies[digest]).text
    forger = keys.generate(room.supervisor.vkey.name, keys.ED25519)
    forged = note.sign(text, forger)
    refused(archive.verify(archive.source.changed(f"bodies/sha256/{digest}", forged)), "2 bodies", "supervisor")


def test_a_supervisor_whom_no_authority_vouches_for_is_refused(archive: Made) -> None:
    """The operator cannot appoint his own supervisors: the voucher must be by the authority that the verifier names."""
    stranger = keys.generate("other.example/a", keys.ED25519)
    refused(archive.verify(authority=(stranger.vkey,)), "2 vouchers", "nobody vouches")


def test_without_an_authority_key_supervisors_are_not_checkable(archive: Made) -> None:
    """Nobody is believed without a key to check it by; that is said, not passed over."""
    report = archive.verify(authority=())
    assert not refusals(report)
    assert report.findings.steps["2 vouchers"].status is Status.NOT_CHECKABLE


def test_a_missing_policy_makes_credit_not_checkable_and_never_ok(archive: Made) -> None:
    """A document that is gone makes the steps that need it not checkable; nothing is credited on trust."""
    report = archive.verify(archive.source.changed("bodies/sha256/" + archive.room.policy.sha256, None))
    assert not refusals(report)
    for step in ("2 bodies", "7", "8", "8 summary"):
        assert report.findings.steps[step].status is Status.NOT_CHECKABLE
    assert report.credited_ms == 0


def test_people_swapped_for_others_are_refused(archive: Made) -> None:
    """The list of names is the one that the class log holds the hash of."""
    people = archive.source.read("people.csv").replace("王小明".encode(), "李小红".encode())
    refused(archive.verify(archive.source.changed("people.csv", people)), "2 bodies", "people.csv")


def test_a_masked_copy_without_names_is_good(archive: Made) -> None:
    """people.csv may be absent; everything else is checked all the same."""
    assert not refusals(archive.verify(archive.source.changed("people.csv", None)))


def test_a_certificate_by_another_device_is_refused(archive: Made) -> None:
    """The device that signed the session must have been logged before it was granted."""
    session = archive.room.sessions[0]
    stranger = keys.generate(names.device(SERVER, "cd" * 16), keys.P256)
    parsed, _ = certificate.parse(session.certificate)
    forged = certificate.sign(parsed, stranger)
    name = f"sessions/{session.sid}/device.cert"
    refused(archive.verify(archive.source.changed(name, forged)), "3", "device key")


def test_an_owner_swapped_for_another_learner_is_refused(archive: Made) -> None:
    """The 16 bytes that tie a device to its learner cannot be replaced."""
    owner = next(record.leaf.owner for record in archive.room.log.keys if record.leaf.owner)
    name = f"bodies/sha256/{owner}"
    refused(archive.verify(archive.source.changed(name, b"x" * 16 + b"0" * 32)), "2 bodies", "changed")


def test_a_device_of_another_learner_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A session granted to one learner on a device that is registered for another."""

    def borrow(room: Classroom) -> None:
        device = room.device(room.learner("one"))
        room.session(device, learner=room.learner("two"))
        room.sessions[-1].study(10_000).close()

    _, said = exported(borrow, tmp_path_factory)
    assert "registered for another learner" in said


def test_a_revoked_device_cannot_open_a_session(tmp_path_factory: pytest.TempPathFactory) -> None:
    """A device key that was revoked before the grant does not count, whatever the clock says."""
    from ledger.leaves import KeyLeaf

    def revoke(room: Classroom) -> None:
        device = room.device(room.learner())
        owner = room.log.keys[-1].leaf.owner
        room.append(KeyLeaf(room.now, "revoke", "device", str(device.signer.vkey), owner=owner))
        room.session(device).study(10_000).close()

    _, said = exported(revoke, tmp_path_factory)
    assert "did not count" in said


def test_a_rule_set_that_was_not_in_force_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The grant names the latest policy, rules, models and course before it, not ones of the operator's choice."""

    def other_rules(room: Classroom) -> None:
        room.session(room.device(room.learner()), rules="0" * 64)
        room.sessions[-1].study(10_000).close()

    _, said = exported(other_rules, tmp_path_factory)
    assert "its rules is not that of the class log" in said


def test_a_session_revealed_at_another_size_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """Events cannot be left out between the last checkpoint and the reveal."""

    def shrink(room: Classroom) -> None:
        session = room.session(room.device(room.learner())).study(10_000)
        session.log_checkpoint()
        room.append(RevealedLeaf(room.now, session.sid, session.seed.hex(), "abandoned", session.sent + 3, 0))

    _, said = exported(shrink, tmp_path_factory)
    assert "revealed at" in said


def test_a_leaf_that_names_people_who_are_not_there_is_refused(tmp_path_factory: pytest.TempPathFactory) -> None:
    """The last `people` leaf holds the hash of people.csv."""

    def other_people(room: Classroom) -> None:
        room.people.clear()
        room.append(BodyLeaf(room.now, "people", sha256(b"somebody").hexdigest()))

    room, said = exported(other_people, tmp_path_factory)
    assert not said
    assert not room.people
