"""A tree whose hashes lie in tlog-tiles: it opens at once, proves from a few tiles, and goes on growing."""

from __future__ import annotations

from collections.abc import Callable
from functools import lru_cache
from typing import Final

from ledger import tiles
from ledger.tree import HASH_BYTES, Proofs, level_above, node_hash

TILE_LEVELS: Final = 8  # a tile holds every eighth level of the tree; those between are hashed again when asked for
KEPT: Final = 64  # tiles in memory: 512 KiB; a proof in a tree of a million touches six


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
