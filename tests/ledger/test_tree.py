"""Trees: the published vectors hold, and no other proof does."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from ledger.errors import InconsistentLogError, ProofError
from ledger.tree import EMPTY_ROOT, Tree, leaf_hash, node_hash, root, verify_consistency, verify_inclusion

VECTORS = json.loads((Path(__file__).parent.parent / "vectors/valid/rfc6962.json").read_text("utf-8"))
LEAVES = [leaf_hash(bytes.fromhex(leaf)) for leaf in VECTORS["leaves"]]
ROOTS = [bytes.fromhex(item) for item in VECTORS["roots"]]


def hashes(items: list[str]) -> list[bytes]:
    return [bytes.fromhex(item) for item in items]


def by_definition(leaves: list[bytes]) -> bytes:
    """RFC 6962, 2.1, word for word."""
    if not leaves:
        return EMPTY_ROOT
    if len(leaves) == 1:
        return leaves[0]
    split = 1
    while split * 2 < len(leaves):
        split *= 2
    return node_hash(by_definition(leaves[:split]), by_definition(leaves[split:]))


def test_the_published_roots_come_out_at_every_size() -> None:
    """The roots of the eight reference leaves are those of Certificate Transparency."""
    tree = Tree(LEAVES)
    for size, expected in enumerate(ROOTS):
        assert tree.root_at(size) == root(LEAVES[:size]) == expected


@pytest.mark.parametrize("case", VECTORS["inclusion"], ids=lambda c: f"{c['index']}of{c['size']}")
def test_the_published_inclusion_proofs_come_out_and_verify(case: dict[str, object]) -> None:
    """A proof that we make is the published one, and the published one verifies."""
    index, size, proof = int(str(case["index"])), int(str(case["size"])), hashes(case["proof"])  # type: ignore[arg-type]
    assert Tree(LEAVES).inclusion_proof(index, size) == proof
    verify_inclusion(LEAVES[index], index, size, proof, ROOTS[size])


@pytest.mark.parametrize("case", VECTORS["consistency"], ids=lambda c: f"{c['old']}to{c['new']}")
def test_the_published_consistency_proofs_come_out_and_verify(case: dict[str, object]) -> None:
    """The same for proofs between two sizes."""
    old, new, proof = int(str(case["old"])), int(str(case["new"])), hashes(case["proof"])  # type: ignore[arg-type]
    assert Tree(LEAVES).consistency_proof(old, new) == proof
    verify_consistency(old, ROOTS[old], new, ROOTS[new], proof)


@given(st.integers(1, 70), st.data())
def test_every_proof_verifies_and_no_changed_one_does(size: int, data: st.DataObject) -> None:
    """For any tree, leaf and older size the proof leads to the root; with one hash or index off, it does not."""
    leaves = [leaf_hash(bytes([i, i >> 8])) for i in range(size)]
    tree, whole = Tree(leaves), by_definition(leaves)
    index, old = data.draw(st.integers(0, size - 1)), data.draw(st.integers(0, size))
    path, between = tree.inclusion_proof(index, size), tree.consistency_proof(old, size)
    verify_inclusion(leaves[index], index, size, path, whole)
    verify_consistency(old, tree.root_at(old), size, whole, between)
    for wrong in (path[:-1], [*path, whole], [*path[:-1], b"x" * 32]):
        if wrong != path:
            with pytest.raises(ProofError):
                verify_inclusion(leaves[index], index, size, wrong, whole)
    with pytest.raises(ProofError):
        verify_inclusion(leaves[index], index + 1 if index + 1 < size else size, size, path, whole)
    for wrong in (between[:-1], [*between, whole], [*between[:-1], b"x" * 32]):
        if wrong != between:
            with pytest.raises((ProofError, InconsistentLogError)):
                verify_consistency(old, tree.root_at(old), size, whole, wrong)


def test_equal_sizes_and_an_empty_log_take_an_empty_proof_and_nothing_else() -> None:
    """n == m and m == 0 are the cases that verifiers get wrong: only an empty proof is right, and roots still count."""
    tree = Tree(LEAVES)
    verify_consistency(8, ROOTS[8], 8, ROOTS[8], [])
    verify_consistency(0, EMPTY_ROOT, 8, ROOTS[8], [])
    for old, old_root, proof in ((8, ROOTS[8], [ROOTS[8]]), (0, EMPTY_ROOT, tree.consistency_proof(1, 8))):
        with pytest.raises(ProofError):
            verify_consistency(old, old_root, 8, ROOTS[8], proof)
    for old, old_root in ((8, ROOTS[7]), (0, ROOTS[1]), (9, ROOTS[8])):
        with pytest.raises(InconsistentLogError):
            verify_consistency(old, old_root, 8, ROOTS[8], [])


def test_a_proof_of_more_than_64_hashes_is_refused_before_it_is_hashed() -> None:
    """A tree of 2**64 leaves needs 64; a longer proof is a way to make the verifier work for nothing."""
    with pytest.raises(ProofError):
        verify_inclusion(LEAVES[0], 0, 2**60, [ROOTS[1]] * 65, ROOTS[8])
    with pytest.raises(ProofError):
        verify_inclusion(LEAVES[0], 0, 2, [b"short"], ROOTS[2])


def test_no_proof_is_made_beyond_what_the_tree_holds() -> None:
    """Asking for more than there is raises at once."""
    tree = Tree(LEAVES)
    for ask in (
        lambda: tree.root_at(9),
        lambda: tree.inclusion_proof(8, 8),
        lambda: tree.inclusion_proof(0, 9),
        lambda: tree.consistency_proof(3, 9),
        lambda: tree.consistency_proof(5, 4),
    ):
        with pytest.raises(ValueError):
            ask()
    with pytest.raises(IndexError):
        tree.node(3, 1)
