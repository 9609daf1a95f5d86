"""Trees of which little is in memory: hashes that lie in tlog-tiles, or an eighth of them, held against the entries."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from functools import lru_cache
from typing import Final

from ledger import tiles
from ledger.errors import RootMismatchError
from ledger.tree import HASH_BYTES, Proofs, Tree, leaf_hash, level_above, node_hash

TILE_LEVELS: Final = 8  # a tile holds every eighth level of the tree; those between are hashed again when asked for
KEPT: Final = 64  # tiles in memory: 512 KiB; a proof in a tree of a million touches six

KEPT_LEVEL: Final = 3  # of a thin tree: below it every hash is made again of up to eight entries


class StoredTree(Proofs):
    """Opened from the hash tiles of a log of `size`; what is appended stays in memory until the caller stores it.

    `read` gives the bytes of a tile by its path; `TileError` when one is of another length. Nothing is hashed on
    opening: whoever does not trust the tiles compares `root()` with a signed one.
    """

    def __init__(self, size: int, read: Callable[[str], bytes]) -> None:
        self._stored = self._size = size
        self._read = read
        self._fresh: dict[tuple[int, int], bytes] = {}
        self._tile = lru_cache(maxsize=KEPT)(self._read_tile)

    def __len__(self) -> int:
        return self._size

    def append(self, leaf: bytes) -> int:
        """Append a leaf *hash* and return its index."""
        index = position = self._size
        level, current = 0, leaf
        self._fresh[0, index] = leaf
        while position & 1:
            current = node_hash(self.node(level, position - 1), current)
            level, position = level + 1, position >> 1
            self._fresh[level, position] = current
        self._size += 1
        return index

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree `index` of 2**level leaves; IndexError when it is not complete yet."""
        fresh = self._fresh.get((level, index))
        if fresh is not None:
            return fresh
        if index < 0 or (index + 1) << level > self._stored:
            raise IndexError(f"no subtree {index} at level {level}")
        tile_level, height = divmod(level, TILE_LEVELS)
        tile, first = divmod(index << height, tiles.WIDTH)
        hashes = self._tile(tile_level, tile)[first * HASH_BYTES : (first + (1 << height)) * HASH_BYTES]
        for _ in range(height):
            hashes = level_above(hashes)
        return hashes

    def _read_tile(self, level: int, index: int) -> bytes:
        width = min(tiles.WIDTH, (self._stored >> (TILE_LEVELS * level)) - index * tiles.WIDTH)
        data = self._read(tiles.tile_path(level, index, width))
        tiles.split_hashes(data, width)
        return data


class ThinTree(Proofs):
    """A tree that was verified, without its lower levels: they are made again of the entries when somebody asks.

    `read` gives the entries [begin, end), which lie within one bundle. What they hash to is held against what is kept:
    `RootMismatchError` when somebody changed them since.
    """

    def __init__(self, tree: Tree, read: Callable[[int, int], Iterable[bytes]]) -> None:
        self._size, self._read = len(tree), read
        self._levels: list[bytes] = []
        while level := tree.level(KEPT_LEVEL + len(self._levels)):
            self._levels.append(level)
        self._tail = tree.level(0)[self._size >> KEPT_LEVEL << KEPT_LEVEL + 5 :]
        self._last = (-1, b"")

    def __len__(self) -> int:
        return self._size

    def node(self, level: int, index: int) -> bytes:
        """The hash of the complete subtree `index` of 2**level leaves; IndexError when it is not complete yet."""
        if index < 0 or (index + 1) << level > self._size:
            raise IndexError(f"no subtree {index} at level {level}")
        if level >= KEPT_LEVEL:
            return self._levels[level - KEPT_LEVEL][index * HASH_BYTES : (index + 1) * HASH_BYTES]
        group = index << level >> KEPT_LEVEL
        if self._last[0] != group:
            self._last = (group, self._leaves(group))
        first = (index << level) - (group << KEPT_LEVEL)
        hashes = self._last[1][first * HASH_BYTES : (first + (1 << level)) * HASH_BYTES]
        for _ in range(level):
            hashes = level_above(hashes)
        return hashes

    def _leaves(self, group: int) -> bytes:
        """The leaf hashes of one group of entries, read again."""
        begin = group << KEPT_LEVEL
        whole = begin + (1 << KEPT_LEVEL) <= self._size
        leaves = b"".join(map(leaf_hash, self._read(begin, begin + (1 << KEPT_LEVEL) if whole else self._size)))
        found = leaves
        for _ in range(KEPT_LEVEL if whole else 0):
            found = level_above(found)
        if found != (self._levels[0][group * HASH_BYTES :][:HASH_BYTES] if whole else self._tail):
            raise RootMismatchError(f"class log entry {begin} and on: changed while it was read")
        return leaves
