"""Firefox's IndexedDB, as it keeps an extension's storage in it: the texts of every value, read from the bytes alone.

The SQLite file and its write-ahead log are put together in memory (https://www.sqlite.org/fileformat2.html), so that
no lock is taken and no file of the profile touched; those of a heavy user are read in place, without the log. Values
are Snappy-packed structured clones; of these only texts, flags and whole numbers count (mozilla
js/src/vm/StructuredClone.cpp: pairs of tag and data, eight bytes each).
"""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from agent.errors import StoreError
from agent.formats.snappy import decompress

MAX_FILE: Final = 16 * 1024 * 1024
MAX_ROWS: Final = 20_000
WAL_HEAD, FRAME_HEAD = 32, 24
WAL_MAGIC: Final = (0x377F0682, 0x377F0683)
STRING, BOOLEAN, INTEGER = 0xFFFF0004, 0xFFFF0002, 0xFFFF0003
LATIN1: Final = 0x80000000

Value = str | bool | int


def read_store(path: Path) -> dict[str, list[Value]]:
    """Key → texts, flags and numbers of its value, in their order; raises `StoreError` if it cannot be read."""
    found: dict[str, list[Value]] = {}
    try:
        for key, data in _rows(_opened(path)):
            try:
                found[_key(key)] = list(values(decompress(data, MAX_FILE)))
            except StoreError:
                continue
    except (sqlite3.Error, MemoryError, OverflowError, OSError) as error:
        raise StoreError(f"mozilla: {error}") from error
    return found


def _opened(path: Path) -> sqlite3.Connection:
    if path.is_file() and path.stat().st_size > MAX_FILE:
        # `immutable`: SQLite locks nothing, writes nothing, and does not look at the log
        return sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    image = bytearray(_bytes(path))
    if len(image) < 100 or not image.startswith(b"SQLite format 3\0"):
        raise StoreError("mozilla: no database")
    _overlay(image, _bytes(path.with_name(path.name + "-wal"), missing=True))
    image[18:20] = b"\1\1"  # the log is in already: an ordinary file from now on
    connection = sqlite3.connect(":memory:")
    connection.deserialize(bytes(image))
    return connection


def _rows(connection: sqlite3.Connection) -> Iterator[tuple[bytes, bytes]]:
    try:
        connection.execute("PRAGMA trusted_schema = OFF")
        connection.execute("PRAGMA cell_size_check = ON")
        for key, data in connection.execute("SELECT key, data FROM object_data LIMIT ?", (MAX_ROWS,)):
            if isinstance(key, bytes) and isinstance(data, bytes):  # a number as data: the value lies in a file
                yield key, data
    finally:
        connection.close()


def _bytes(path: Path, missing: bool = False) -> bytes:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
    except FileNotFoundError:
        if missing:
            return b""
        raise StoreError(f"mozilla: {path.name} is gone") from None
    except OSError as error:
        raise StoreError(f"mozilla: {error.strerror}") from error
    if len(data) > MAX_FILE:
        raise StoreError(f"mozilla: {path.name} is larger than {MAX_FILE} bytes")
    return data


def _overlay(image: bytearray, wal: bytes) -> None:
    """Write the committed pages of the log over those of the file; another log's leftovers end it."""
    if len(wal) < WAL_HEAD or int.from_bytes(wal[:4], "big") not in WAL_MAGIC:
        return
    page, salt = int.from_bytes(wal[8:12], "big"), wal[16:24]
    if page < 512 or page > 65_536:
        return
    waiting: dict[int, bytes] = {}
    for at in range(WAL_HEAD, len(wal) - page - FRAME_HEAD + 1, page + FRAME_HEAD):
        head = wal[at : at + FRAME_HEAD]
        number, committed = int.from_bytes(head[:4], "big"), int.from_bytes(head[4:8], "big")
        if head[8:16] != salt or not 0 < number <= MAX_FILE // page:
            return
        waiting[number] = wal[at + FRAME_HEAD : at + FRAME_HEAD + page]
        if committed:
            for index, data in waiting.items():
                if len(image) < index * page:
                    image.extend(bytes(index * page - len(image)))
                image[(index - 1) * page : index * page] = data
            del image[min(committed, MAX_FILE // page) * page :]
            waiting.clear()


def _key(data: bytes) -> str:
    """An IndexedDB key that is a text: a mark, then each character one higher (dom/indexedDB/Key.cpp)."""
    return bytes((byte - 1) & 0xFF for byte in data[1:] if byte).decode("latin-1")


def values(data: bytes) -> Iterator[Value]:
    """The texts, flags and whole numbers of a structured clone, in their order; what else it holds is passed over."""
    at = 0
    while at + 8 <= len(data):
        low = int.from_bytes(data[at : at + 4], "little")
        tag = int.from_bytes(data[at + 4 : at + 8], "little")
        at += 8
        if tag == BOOLEAN:
            yield low == 1
        elif tag == INTEGER:
            yield low
        elif tag == STRING:
            narrow = bool(low & LATIN1)
            size = (low & ~LATIN1) * (1 if narrow else 2)
            if at + size > len(data):
                return
            yield data[at : at + size].decode("latin-1" if narrow else "utf-16-le", "replace")
            at += (size + 7) & ~7
