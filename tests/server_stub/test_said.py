"""What was said in a class is read back: all of it, or that of some sessions and nothing else."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

from ledger import bodies
from ledger.keys import ED25519, generate
from server_stub.domain.said import said

CLASS = "school.example/c/one"
SIDS = [f"{number:032x}" for number in range(200)]


def test_of_one_session_nobody_elses_notes_are_read() -> None:
    """Two hundred learners took the test: whoever asks for one session costs one read, and gets what a filter gives."""
    signer = generate("school.example/g", ED25519)
    kept = {sid: bodies.sign(bodies.Test(1, CLASS, sid, sid, "pass", 1, 2, 3, 600), signer) for sid in SIDS}
    read: list[str] = []

    def body(digest: str) -> bytes:
        read.append(digest)
        return kept[digest]

    leaves = [(at, SimpleNamespace(kind="test", sha256=sid, sid=sid)) for at, sid in enumerate(SIDS)]
    tx, log = cast(Any, SimpleNamespace(log=SimpleNamespace(body=body))), cast(Any, SimpleNamespace(bodies=leaves))
    everything = [found for _, found in said(tx, log, "test")]
    assert len(read) == len(everything) == len(SIDS)
    read.clear()
    assert [found for _, found in said(tx, log, "test", sids={SIDS[7]})] == [everything[7]]
    assert read == [SIDS[7]]
    assert list(said(tx, log, "verdict", sids=SIDS)) == []
