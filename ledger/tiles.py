"""A log as plain files (C2SP tlog-tiles): hashes by 256, entries by 256, at paths that anybody can compute."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from ledger.errors import TileError
from ledger.tree import HASH_BYTES, Tree

WIDTH = 256
MAX_ENTRY = 65_535  # an entry's length is a u16


def tile_path(level: int | str, index: int, width: int = WIDTH) -> str:
    """`tile/<L>/<N>[.p/<W>]`; level "entries" names a bundle."""
    digits = f"{index:03d}"
    digits = digits.zfill(-(-len(digits) // 3) * 3)
    parts = [digits[i : i + 3] for i in range(0, len(digits), 3)]
    path = "/".join([*(f"x{part}" for part in parts[:-1]), parts[-1]])
    return f"tile/{level}/{path}" + (f".p/{width}" if width < WIDTH else "")


def spans(size: int, level: int = 0) -> Iterator[tuple[int, int]]:
    """(index, width) of the tiles at `level` of a tree of `size`; bundles are as tiles of level 0."""
    count = size >> (8 * level)
    for index in range(-(-count // WIDTH)):
        yield index, min(WIDTH, count - index * WIDTH)


def levels(size: int) -> range:
    """The levels at which a tree of `size` has tiles."""
    return range(max(1, -(-size.bit_length() // 8))) if size else range(0)


def paths(size: int) -> Iterator[str]:
    """Every file of a log of `size`: its bundles and its hash tiles, partial ones only at this size."""
    for index, width in spans(size):
        yield tile_path("entries", index, width)
    for level in levels(size):
        for index, width in spans(size, level):
            yield tile_path(level, index, width)


def hash_tile(tree: Tree, level: int, index: int, width: int = WIDTH) -> bytes:
    """The bytes of one hash tile of `tree`; IndexError where the tree is too small."""
    first = index * WIDTH
    return b"".join(tree.node(8 * level, first + i) for i in range(width))


def hash_tiles(tree: Tree) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every hash tile of `tree`."""
    for level in levels(len(tree)):
        for index, width in spans(len(tree), level):
            yield tile_path(level, index, width), hash_tile(tree, level, index, width)


def split_hashes(data: bytes, width: int) -> list[bytes]:
    """The `width` hashes of a tile, or `TileError`."""
    if len(data) != width * HASH_BYTES:
        raise TileError(f"a hash tile of {len(data)} bytes, not {width * HASH_BYTES}")
    return [data[i : i + HASH_BYTES] for i in range(0, len(data), HASH_BYTES)]


def encode_bundle(entries: Sequence[bytes]) -> bytes:
    """Entries one after the other, each after its length as u16be; `TileError` for one that does not fit."""
    if any(len(entry) > MAX_ENTRY for entry in entries):
        raise TileError(f"an entry is at most {MAX_ENTRY} bytes")
    return b"".join(len(entry).to_bytes(2, "big") + entry for entry in entries)


def decode_bundle(data: bytes, width: int | None = None, *, most: int | None = None) -> list[bytes]:
    """The entries of a bundle, exactly `width` of them if given; `TileError` when it is cut or has too many.

    `most`: longer than so many entries can be is refused unread (nothing but lengths fills a list with millions).
    """
    most = width if most is None else most
    if most is not None and len(data) > most * (2 + MAX_ENTRY):
        raise TileError(f"a bundle of {len(data)} bytes, more than {most} entries can have")
    entries: list[bytes] = []
    at, size = 0, len(data)
    while at < size:
        begin = at + 2
        end = begin + (data[at] << 8 | data[begin - 1]) if begin <= size else begin
        if end > size:
            raise TileError(f"the bundle is cut within entry {len(entries)}")
        entries.append(data[begin:end])
        at = end
    if width is not None and len(entries) != width:
        raise TileError(f"a bundle of {len(entries)} entries, not {width}")
    return entries


def bundles(entries: Sequence[bytes]) -> Iterator[tuple[str, bytes]]:
    """(path, bytes) of every entry bundle of a log with these entries."""
    for index, width in spans(len(entries)):
        first = index * WIDTH
        yield tile_path("entries", index, width), encode_bundle(entries[first : first + width])
