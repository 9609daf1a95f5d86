"""Snappy's raw format, unpacked: how LevelDB and Firefox compress (google/snappy, format_description.txt)."""

from __future__ import annotations

from typing import Final

from agent.errors import StoreError

MAX_SIZE: Final = 32 * 1024 * 1024


def decompress(data: bytes, limit: int = MAX_SIZE) -> bytes:
    """The original of `data`, at most `limit` bytes; raises `StoreError` for anything else than Snappy's raw format."""
    size, at = varint(data, 0)
    if size > limit:
        raise StoreError(f"snappy: {size} bytes, more than {limit}")
    out = bytearray()
    while at < len(data):
        kind, high = data[at] & 3, data[at] >> 2
        at += 1
        if kind == 0:
            length, at = _literal(data, at, high)
            out += data[at : at + length]
            at += length
        else:
            length, offset, at = _copy(data, at, kind, high)
            _repeat(out, offset, length)
        if at > len(data) or len(out) > size:
            raise StoreError("snappy: an element reaches beyond its end")
    if len(out) != size:
        raise StoreError(f"snappy: {len(out)} bytes where {size} were announced")
    return bytes(out)


def varint(data: bytes, at: int) -> tuple[int, int]:
    """A little-endian number of seven bits a byte, and the place after it; `StoreError` beyond the end or 32 bits."""
    number = 0
    for shift in range(0, 35, 7):
        if at >= len(data):
            break
        number |= (data[at] & 0x7F) << shift
        at += 1
        if not data[at - 1] & 0x80:
            return number, at
    raise StoreError("a number has no end")


def _literal(data: bytes, at: int, high: int) -> tuple[int, int]:
    if high < 60:
        return high + 1, at
    width = high - 59  # 1 to 4 bytes hold the length
    return int.from_bytes(data[at : at + width], "little") + 1, at + width


def _copy(data: bytes, at: int, kind: int, high: int) -> tuple[int, int, int]:
    """Length and offset of a copy, and the place after it; kind 1 keeps part of both in its first byte."""
    width = (0, 1, 2, 4)[kind]
    offset = int.from_bytes(data[at : at + width], "little")
    if kind == 1:
        return 4 + (high & 7), offset | (high >> 3) << 8, at + width
    return high + 1, offset, at + width


def _repeat(out: bytearray, offset: int, length: int) -> None:
    start = len(out) - offset
    if offset == 0 or start < 0:
        raise StoreError("snappy: a copy of what is not there")
    if offset >= length:
        out += out[start : start + length]
    else:  # the copy overlaps itself: a run
        piece = bytes(out[start:])
        out += (piece * (length // offset + 1))[:length]
