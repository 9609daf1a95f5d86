"""The firmware's own table (SMBIOS, DMTF DSP0134): who made the machine. Numbers of single machines are not read."""

from __future__ import annotations

import ctypes
from collections.abc import Iterator
from typing import Final, NamedTuple

from agent.collectors.windows import api

PROVIDER: Final = int.from_bytes(b"RSMB", "big")
HEAD_BYTES: Final = 8  # RawSMBIOSData: method, major, minor, revision, length
MAX_STRUCTURES: Final = 1_000
FIRMWARE, SYSTEM, BOARD = 0, 1, 2  # structure types
MAX_TEXT: Final = 64  # DSP0134 6.1.3: as long as texts should be


class Firmware(NamedTuple):
    """Names of maker, machine, firmware and board; "" where the table does not say."""

    manufacturer: str = ""
    model: str = ""
    bios: str = ""
    board: str = ""


def table() -> bytes:
    """The raw table, or `CollectorError`."""
    ask = api.function("kernel32", "GetSystemFirmwareTable", api.DWORD, api.DWORD, api.DWORD, api.PTR, api.DWORD)
    size = ask(PROVIDER, 0, None, 0)
    api.check(size, "firmware table")
    room = ctypes.create_string_buffer(size)
    got = ask(PROVIDER, 0, room, size)
    api.check(0 < got <= size, "firmware table")
    return room.raw[:got]


def parse_smbios(data: bytes) -> Firmware:
    """Read a RawSMBIOSData; of several structures of one type the first counts, and what is cut off is left out."""
    found: dict[int, tuple[bytes, list[str]]] = {}
    for kind, body, texts in _structures(data[HEAD_BYTES:]):
        found.setdefault(kind, (body, texts))

    def named(kind: int, *places: int) -> str:
        body, texts = found.get(kind, (b"", []))
        numbers = [body[place] for place in places if place < len(body)]
        return " ".join(texts[number - 1] for number in numbers if 0 < number <= len(texts)).strip()

    return Firmware(named(SYSTEM, 4), named(SYSTEM, 5), named(FIRMWARE, 4, 5), named(BOARD, 4, 5))


def _structures(data: bytes) -> Iterator[tuple[int, bytes, list[str]]]:
    at = 0
    for _ in range(MAX_STRUCTURES):
        if at + 4 > len(data):
            return
        kind, length = data[at], data[at + 1]
        end = data.find(b"\0\0", at + length)
        if length < 4 or end < 0:
            return
        raw = data[at + length : end].split(b"\0") if end > at + length else []
        yield kind, data[at : at + length], [text[:MAX_TEXT].decode("latin-1").strip() for text in raw]
        at = end + 2
