"""A tree opened from its tiles states and proves what the tree that wrote them does."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from ledger import tiles, tree
from ledger.errors import TileError
from ledger.storedtree import StoredTree
from ledger.tree import Tree, leaf_hash
from tests.tries import tries

LEAVES = [leaf_hash(b"%d" % i) for i in range(1_200)]


@settings(max_examples=tries(60), deadline=None)
@given(st.integers(0, 1_100), st.integers(0, 100), st.data())
def test_it_goes_on_where_the_tiles_end(stored: int, more: int, data: st.DataObject) -> None:
    """Root and every proof, over what was stored and what was appended since, are those of the whole tree."""
    whole = Tree(LEAVES[: stored + more])
    again = StoredTree(stored, dict(tiles.hash_tiles(Tree(LEAVES[:stored]))).__getitem__)
    assert len(again) == stored
    for leaf in LEAVES[stored : stored + more]:
        again.append(leaf)
    assert again.root() == whole.root()
    if stored + more:
        size = data.draw(st.integers(1, stored + more))
        index = data.draw(st.integers(0, size - 1))
        assert again.root_at(size) == whole.root_at(size)
        assert again.inclusion_proof(index, size) == whole.inclusion_proof(index, size)
        assert again.consistency_proof(index, size) == whole.consistency_proof(index, size)


@settings(max_examples=tries(60), deadline=None)
@given(st.lists(st.integers(1, 300), max_size=8))
def test_many_leaves_at_once_are_the_same_tree(portions: list[int]) -> None:
    """`extend` and `append` build the same subtrees, whatever the portions."""
    one, many, at = Tree(), Tree(), 0
    for count in portions:
        part = (LEAVES * 3)[at : at + count]
        for leaf in part:
            one.append(leaf)
        many.extend(b"".join(part))
        at += count
    assert (one._levels, len(one)) == (many._levels, len(many))


def test_opening_hashes_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    """A log of any length opens at once; its root takes less than one tile's hashes a level."""
    files = dict(tiles.hash_tiles(Tree(LEAVES)))
    hashed: list[bytes] = []
    plain = tree.sha256
    monkeypatch.setattr(tree, "sha256", lambda data: hashed.append(data) or plain(data))
    again = StoredTree(len(LEAVES), files.__getitem__)
    assert not hashed
    again.root()
    assert 0 < len(hashed) < 2 * tiles.WIDTH


def test_a_cut_tile_is_refused() -> None:
    """A tile of another length than the size asks for is no tile."""
    files = {name: data[:-1] for name, data in tiles.hash_tiles(Tree(LEAVES))}
    with pytest.raises(TileError):
        StoredTree(len(LEAVES), files.__getitem__).root()


def test_what_is_not_complete_has_no_hash() -> None:
    """As in a tree in memory."""
    again = StoredTree(3, dict(tiles.hash_tiles(Tree(LEAVES[:3]))).__getitem__)
    for level, index in ((0, 3), (1, 1), (2, 0), (0, -1)):
        with pytest.raises(IndexError):
            again.node(level, index)
