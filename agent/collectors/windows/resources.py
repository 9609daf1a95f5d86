"""What a program's version resource says it is: the name that it was built with, whatever the file is called now.

The layout is VS_VERSIONINFO (winver.h): nested blocks of `length, value length, type, key, padding, value, children`,
each aligned to four bytes. The bytes are whoever built the file's: what does not fit is left out.
"""

from __future__ import annotations

import ctypes
import struct
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.collectors.windows import api
from agent.errors import CollectorError

NEUTRAL: Final = 0x02  # FILE_VER_GET_NEUTRAL: the file's own resource, not the one of its language folder (a `.mui`)
MAX_BYTES: Final = 256 * 1024
MAX_VALUE: Final = 260  # characters: a file name
MAX_BLOCKS: Final = 2_000
_HEAD: Final = struct.Struct("<HHH")


class Version(NamedTuple):
    """The two fields that rules know; empty where the file says nothing."""

    original_name: str = ""
    product: str = ""


class _Block(NamedTuple):
    key: str
    value: int  # where the value starts
    size: int  # of the value, in characters for text
    is_text: bool
    end: int


def version_of(path: str) -> Version:
    """The version resource of a file; empty if it has none or cannot be read."""
    try:
        ask = api.function("version", "GetFileVersionInfoSizeExW", api.DWORD, api.DWORD, api.WSTR, api.PTR)
        get = api.function(
            "version", "GetFileVersionInfoExW", api.BOOL, api.DWORD, api.WSTR, api.DWORD, api.DWORD, api.PTR
        )
    except CollectorError:
        return Version()
    size = ask(NEUTRAL, path, ctypes.byref(api.DWORD()))
    if not 0 < size <= MAX_BYTES:
        return Version()
    room = ctypes.create_string_buffer(size)
    return parse_version(room.raw) if get(NEUTRAL, path, 0, size, room) else Version()


def parse_version(data: bytes) -> Version:
    """Read a VS_VERSIONINFO; of several languages the first that names the field counts."""
    found: dict[str, str] = {}
    for block in _strings(data):
        if block.key in ("OriginalFilename", "ProductName") and not found.get(block.key):
            raw = data[block.value : min(block.end, block.value + 2 * min(block.size, MAX_VALUE))]
            found[block.key] = raw.decode("utf-16-le", "replace").split("\0", 1)[0].strip()
    return Version(found.get("OriginalFilename", ""), found.get("ProductName", ""))


def _strings(data: bytes) -> Iterator[_Block]:
    """The text blocks: VS_VERSION_INFO → StringFileInfo → language → name."""
    left = MAX_BLOCKS
    waiting = [(0, len(data), 0)]
    while waiting and left:
        start, end, depth = waiting.pop()
        block = _block(data, start, end)
        if block is None:
            continue
        left -= 1
        waiting.append((_aligned(block.end), end, depth))  # the next of the same rank
        if depth == 3:
            yield block
        elif depth != 1 or block.key == "StringFileInfo":
            width = 2 if block.is_text else 1
            waiting.append((_aligned(block.value + width * block.size), block.end, depth + 1))


def _block(data: bytes, start: int, end: int) -> _Block | None:
    if end - start < _HEAD.size + 2:
        return None
    length, size, kind = _HEAD.unpack_from(data, start)
    if length < _HEAD.size + 2 or start + length > end:
        return None
    key_at = start + _HEAD.size
    for at in range(key_at, start + length - 1, 2):
        if data[at : at + 2] == b"\0\0":
            key = data[key_at:at].decode("utf-16-le", "replace")
            return _Block(key, _aligned(at + 2), size, kind == 1, start + length)
    return None


def _aligned(at: int) -> int:
    return (at + 3) & ~3
