"""LevelDB, as Chromium keeps an extension's storage in it: the newest value of every key, read from the files alone.

No lock is taken and no manifest needed: of all tables (*.ldb, *.sst) and logs (*.log) of a folder the entry with the
highest sequence number counts (google/leveldb, doc/table_format.md and doc/log_format.md). Checksums are not compared:
what is half written ends the file that it stands in.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Final

from agent.errors import StoreError
from agent.formats.snappy import decompress, varint

MAX_FILE: Final = 16 * 1024 * 1024
MAX_FILES: Final = 64
MAX_ENTRIES: Final = 100_000
MAGIC: Final = 0xDB4775248B80FB57
FOOTER: Final = 48
BLOCK: Final = 32_768  # of a log
HEAD: Final = 7  # checksum, length, type of a log's piece
FULL, FIRST, LAST = 1, 2, 4

Entry = tuple[bytes, int, bytes | None]  # key, sequence number, value; None: deleted


def read_folder(folder: Path) -> Mapping[bytes, bytes]:
    """The newest value of every key that stands; files that cannot be read, or read no further, end early."""
    newest: dict[bytes, tuple[int, bytes | None]] = {}
    for path in _files(folder):
        reader = read_log if path.suffix == ".log" else read_table
        try:
            with path.open("rb") as file:
                data = file.read(MAX_FILE + 1)
            if len(data) > MAX_FILE:
                continue
            for key, sequence, value in reader(data):
                if key not in newest or newest[key][0] <= sequence:
                    newest[key] = (sequence, value)
                if len(newest) > MAX_ENTRIES:
                    return {}
        except (OSError, StoreError):
            continue
    return {key: value for key, (_, value) in newest.items() if value is not None}


def _files(folder: Path) -> list[Path]:
    try:
        names = [entry.path for entry in os.scandir(folder) if entry.is_file(follow_symlinks=False)]
    except OSError:
        return []
    return sorted(Path(name) for name in names if name.endswith((".ldb", ".sst", ".log")))[:MAX_FILES]


def read_table(data: bytes) -> Iterator[Entry]:
    """The entries of one sorted table; raises `StoreError` where it is none, or at the first piece that is broken."""
    if len(data) < FOOTER or int.from_bytes(data[-8:], "little") != MAGIC:
        raise StoreError("leveldb: no table")
    foot = data[-FOOTER:]
    _, _, at = _handle(foot, 0)  # the index of the filters
    offset, size, _ = _handle(foot, at)
    for _, handle in _block(_unpacked(data, offset, size)):
        offset, size, _ = _handle(handle, 0)
        for key, value in _block(_unpacked(data, offset, size)):
            if len(key) < 8:
                raise StoreError("leveldb: a key without its number")
            tail = int.from_bytes(key[-8:], "little")
            yield key[:-8], tail >> 8, value if tail & 0xFF else None


def _handle(data: bytes, at: int) -> tuple[int, int, int]:
    offset, at = varint(data, at)
    size, at = varint(data, at)
    return offset, size, at


def _unpacked(data: bytes, offset: int, size: int) -> bytes:
    block, kind = data[offset : offset + size], data[offset + size : offset + size + 1]
    if len(block) != size or kind not in (b"\0", b"\1"):
        raise StoreError("leveldb: a block of an unknown kind")
    return decompress(block, MAX_FILE) if kind == b"\1" else block


def _block(data: bytes) -> Iterator[tuple[bytes, bytes]]:
    """Keys and values of one block: each key shares its beginning with the one before."""
    if len(data) < 4:
        raise StoreError("leveldb: a block without its end")
    end = len(data) - 4 - 4 * int.from_bytes(data[-4:], "little")
    key, at = b"", 0
    while at < end:
        shared, at = varint(data, at)
        fresh, at = varint(data, at)
        size, at = varint(data, at)
        if shared > len(key) or at + fresh + size > end:
            raise StoreError("leveldb: an entry reaches beyond its block")
        key = key[:shared] + data[at : at + fresh]
        at += fresh
        yield key, data[at : at + size]
        at += size


def read_log(data: bytes) -> Iterator[Entry]:
    """The entries of a write-ahead log; raises `StoreError` at the first batch that is broken."""
    for batch in _batches(data):
        if len(batch) < 12:
            raise StoreError("leveldb: a batch without its head")
        sequence, count = int.from_bytes(batch[:8], "little"), int.from_bytes(batch[8:12], "little")
        at = 12
        for number in range(min(count, MAX_ENTRIES)):
            kind = batch[at : at + 1]
            key, at = _slice(batch, at + 1)
            value: bytes | None = None
            if kind == b"\1":
                value, at = _slice(batch, at)
            elif kind != b"\0":
                raise StoreError("leveldb: an entry of an unknown kind")
            yield key, sequence + number, value


def _slice(data: bytes, at: int) -> tuple[bytes, int]:
    size, at = varint(data, at)
    if at + size > len(data):
        raise StoreError("leveldb: an entry reaches beyond its batch")
    return data[at : at + size], at + size


def _batches(data: bytes) -> Iterator[bytes]:
    """The records of a log, put together from their pieces; a torn end is left out."""
    record, at = b"", 0
    while at + HEAD <= len(data):
        room = BLOCK - at % BLOCK
        if room < HEAD:  # a block's last bytes are filled up
            at += room
            continue
        size, kind = int.from_bytes(data[at + 4 : at + 6], "little"), data[at + 6]
        piece = data[at + HEAD : at + HEAD + size]
        at += HEAD + size
        if len(piece) != size or not FULL <= kind <= LAST:
            return
        record = piece if kind in (FULL, FIRST) else record + piece
        if kind in (FULL, LAST):
            yield record
