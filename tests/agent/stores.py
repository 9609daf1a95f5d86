"""Writers of browsers' stores for tests: LevelDB logs and tables, Firefox's IndexedDB, as the browsers lay them out."""

from __future__ import annotations

import sqlite3
import struct
from collections.abc import Mapping, Sequence
from pathlib import Path

MAGIC = 0xDB4775248B80FB57
Pairs = Sequence[tuple[bytes, bytes | None]]


def varint(number: int) -> bytes:
    out = b""
    while number > 0x7F:
        out += bytes([number & 0x7F | 0x80])
        number >>= 7
    return out + bytes([number])


def packed(data: bytes) -> bytes:
    """Snappy's raw format: literals, and a copy wherever the next four bytes stood before."""
    out, at, start, seen = varint(len(data)), 0, 0, {}
    while at < len(data):
        word = data[at : at + 4]
        earlier = seen.get(word)
        if len(word) == 4:
            seen[word] = at
        if earlier is None or at - earlier > 0xFFFF:
            at += 1
            continue
        length = 4
        while length < 64 and at + length < len(data) and data[earlier + length] == data[at + length]:
            length += 1
        out += literal(data[start:at]) + bytes([(length - 1) << 2 | 2]) + (at - earlier).to_bytes(2, "little")
        at += length
        start = at
    return out + literal(data[start:])


def literal(data: bytes) -> bytes:
    if not data:
        return b""
    if len(data) <= 60:
        return bytes([(len(data) - 1) << 2]) + data
    return bytes([62 << 2]) + (len(data) - 1).to_bytes(3, "little") + data


def log(pairs: Pairs, sequence: int = 1) -> bytes:
    """A write-ahead log of one batch, cut into pieces at the blocks' ends."""
    batch = struct.pack("<QI", sequence, len(pairs))
    for key, value in pairs:
        batch += bytes([value is not None]) + varint(len(key)) + key
        batch += b"" if value is None else varint(len(value)) + value
    out, first = b"", True
    while True:
        room = 32_768 - len(out) % 32_768
        if room < 7:
            out += bytes(room)
            continue
        piece, batch = batch[: room - 7], batch[room - 7 :]
        kind = (1 if first else 4) if not batch else (2 if first else 3)
        out += struct.pack("<IHB", 0, len(piece), kind) + piece
        first = False
        if not batch:
            return out


def table(pairs: Pairs, sequence: int = 1, compress: bool = True) -> bytes:
    """A sorted table of one data block."""
    inner = []
    for number, (key, value) in enumerate(sorted(pairs)):
        tail = ((sequence + number) << 8 | (value is not None)).to_bytes(8, "little")
        inner.append((key + tail, value or b""))
    data = block(inner)
    body = packed(data) if compress else data
    out = body + bytes([compress]) + bytes(4)
    index = block([(inner[-1][0], varint(0) + varint(len(body)))])
    meta = block([])
    foot = varint(len(out)) + varint(len(meta))
    out += meta + b"\0" + bytes(4)
    foot += varint(len(out)) + varint(len(index))
    out += index + b"\0" + bytes(4)
    return out + foot.ljust(40, b"\0") + MAGIC.to_bytes(8, "little")


def block(pairs: Sequence[tuple[bytes, bytes]]) -> bytes:
    out, before = b"", b""
    for key, value in pairs:
        shared = 0
        while shared < min(len(key), len(before)) and key[shared] == before[shared]:
            shared += 1
        out += varint(shared) + varint(len(key) - shared) + varint(len(value)) + key[shared:] + value
        before = key
    return out + struct.pack("<II", 0, 1)


def firefox(path: Path, values: Mapping[str, Sequence[str | bool | int]]) -> sqlite3.Connection:
    """A store of Firefox in its own journal mode; the connection is left open, so that the log stays."""
    path.parent.mkdir(parents=True, exist_ok=True)
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA journal_mode = WAL")
    connection.execute("CREATE TABLE object_data (object_store_id INTEGER, key BLOB, file_ids TEXT, data BLOB)")
    for name, said in values.items():
        key = b"0" + bytes(byte + 1 for byte in name.encode("ascii")) + b"\0"
        connection.execute("INSERT INTO object_data VALUES (1, ?, NULL, ?)", (key, packed(clone(said))))
    connection.commit()
    return connection


def clone(said: Sequence[str | bool | int]) -> bytes:
    out = struct.pack("<II", 3, 0xFFF10000) + struct.pack("<II", 0, 0xFFFF0008)
    for value in said:
        if isinstance(value, bool):
            out += struct.pack("<II", value, 0xFFFF0002)
        elif isinstance(value, int):
            out += struct.pack("<II", value, 0xFFFF0003)
        else:
            narrow = all(ord(char) < 256 for char in value)
            data = value.encode("latin-1" if narrow else "utf-16-le")
            out += struct.pack("<II", len(value) | (0x80000000 if narrow else 0), 0xFFFF0004)
            out += data + bytes(-len(data) % 8)
    return out + struct.pack("<II", 0, 0xFFFF0013)
