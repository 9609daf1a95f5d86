"""Tools that are not ours read what we write: openssl checks signatures, tlog-scales reads tiles and proofs."""

from __future__ import annotations

import shutil
import subprocess
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat, load_der_public_key
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import checkpoint, keys, note, proof, tiles
from ledger.archive import Directory
from ledger.show import session_trust
from ledger.tree import Tree, leaf_hash
from ledger.trust import parse as parse_trust
from tests.ledger.conftest import Made
from tests.tries import tries

openssl = pytest.mark.skipif(shutil.which("openssl") is None, reason="needs openssl")


def pem(key: keys.Vkey) -> bytes:
    """A verifier key as OpenSSL takes it."""
    public = load_der_public_key(key.key) if key.type == keys.P256 else Ed25519PublicKey.from_public_bytes(key.key)
    return public.public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


def openssl_says(folder: Path, key: keys.Vkey, message: bytes, signature: bytes) -> bool:
    """Whether `openssl pkeyutl -verify` accepts the signature."""
    for name, data in (("key", pem(key)), ("message", message), ("signature", signature)):
        (folder / name).write_bytes(data)
    digest = ["-digest", "sha256"] if key.type == keys.P256 else []
    command = ["openssl", "pkeyutl", "-verify", "-pubin", "-inkey", "key", "-rawin", *digest]
    command += ["-in", "message", "-sigfile", "signature"]
    run = subprocess.run(command, cwd=folder, capture_output=True, check=False)
    return run.returncode == 0


@openssl
def test_openssl_checks_every_kind_of_signature(archive: Made, tmp_path: Path) -> None:
    """Class log, witness, session, server, device, supervisor: good as signed, bad with one bit of text changed."""
    room, session = archive.room, archive.room.sessions[0]
    said = next(data for data in room.bodies.values() if data.startswith(b"trueseat/identification"))
    notes = {
        archive.source.read("checkpoint"): [room.log_key.vkey, room.witnesses[0].vkey],
        session.checkpoint: [session.key.vkey, room.cosigner.vkey],
        session.certificate: [session.owner.signer.vkey],
        said: [room.supervisor.vkey],
    }
    for data, signers in notes.items():
        parsed = note.parse(data)
        for line, key in zip(parsed.signatures, signers, strict=True):
            text, raw = parsed.text.encode(), line.raw
            if key.type == keys.COSIGNATURE:
                text, raw = keys.cosigned_message(text, line.time), raw[8:]
            assert openssl_says(tmp_path, key, text, raw), key.name
            assert not openssl_says(tmp_path, key, text[:-2] + b"x\n", raw), key.name


def test_tlog_scales_reads_the_class_log_and_every_session(archive: Made) -> None:
    """Root from tiles, entries from bundles, signatures of log, session and cosigners; our receipt is its proof."""
    reason = "tlog-scales is a tool of development"
    reader = pytest.importorskip("tlog_scales.reader", reason=reason)
    signing = pytest.importorskip("tlog_scales.signing", reason=reason)
    backend = pytest.importorskip("tlog_scales.backend", reason=reason)
    logs = [("", str(archive.trust), archive.room.entries)]
    logs += [
        (f"sessions/{s.sid}", session_trust(Directory(archive.path), s.sid), s.log[: s.sent])
        for s in archive.room.sessions
    ]
    for folder, trust, entries in logs:
        log = reader.TilesReader(backend.LocalBackend(archive.path / folder))
        found = log.get_checkpoint()
        assert (found.size, found.root_hash) == (len(entries), log.calculate_root_hash())
        assert [log.get_entry(i) for i in range(found.size)] == entries
        known = parse_trust(trust.encode())
        for key in (*known.logs, *known.witnesses.values()):
            found.verify(signing.Vkey.from_string(str(key)))
    last = proof.parse(archive.source.read(f"sessions/{archive.room.sessions[1].sid}/receipt.tlog-proof"))
    log = reader.TilesReader(backend.LocalBackend(archive.path))
    whole = log.get_checkpoint()
    theirs = log.get_inclusion_proof(last.index, whole.size)
    assert tuple(theirs.node_hashes) == last.path
    theirs.check(leaf_hash(archive.room.sessions[1].checkpoint), checkpoint.parse(last.checkpoint)[0].root)


@settings(max_examples=tries(25), deadline=None)
@given(st.integers(1, 1_500), st.data())
def test_tlog_scales_proves_what_we_prove(size: int, data: st.DataObject) -> None:
    """Over more than one tile: the same root and the same proofs, whatever the size."""
    reader = pytest.importorskip("tlog_scales.reader", reason="tlog-scales is a tool of development")
    entries = [b"%d" % i for i in range(size)]
    tree = Tree(map(leaf_hash, entries))
    files = {**dict(tiles.bundles(entries)), **dict(tiles.hash_tiles(tree))}

    class Backend:
        """Our tiles from memory."""

        def get(self, *path: str) -> bytes | None:
            return files.get("/".join(path))

    log = reader.TilesReader(Backend())
    log.set_size(size)
    assert log.calculate_root_hash() == tree.root()
    index = data.draw(st.integers(0, size - 1))
    old = data.draw(st.integers(1, size))
    assert log.get_entry(index) == entries[index]
    assert log.get_inclusion_proof(index, size).node_hashes == tree.inclusion_proof(index, size)
    assert log.get_consistency_proof(old, size).node_hashes == tree.consistency_proof(old, size)
