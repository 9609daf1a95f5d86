"""The latest camera picture in shared memory: the worker writes, the window reads, nobody waits for the other."""

from __future__ import annotations

import struct
from multiprocessing.shared_memory import SharedMemory
from typing import Final

SIDE: Final = 640  # no picture is larger on either side
_NOW: Final = struct.Struct("<Q")  # number of the latest picture, 0 = none
_HEAD: Final = struct.Struct("<QII")  # number, width, height
_ROOM: Final = _HEAD.size + SIDE * SIDE * 3
SIZE: Final = _NOW.size + 2 * _ROOM


class Preview:
    """Two places, used in turn: a reader copies the one that is not being written, and notices if it was too slow."""

    def __init__(self, memory: SharedMemory) -> None:
        self._memory = memory
        self._written = 0

    @classmethod
    def create(cls) -> Preview:
        """New shared memory of this user alone."""
        return cls(SharedMemory(create=True, size=SIZE))

    @classmethod
    def attach(cls, name: str) -> Preview:
        """The memory that the window created."""
        return cls(SharedMemory(name=name))

    @property
    def _buffer(self) -> memoryview:
        buffer = self._memory.buf
        if buffer is None:  # closed: nobody reads or writes any more
            raise ValueError("the preview is closed")
        return buffer

    @property
    def name(self) -> str:
        """What the other process attaches to."""
        return self._memory.name

    def write(self, width: int, height: int, rgb: bytes) -> None:
        """Show a picture. The one before it can be read all the while."""
        self._written += 1
        number, buffer = self._written, self._buffer
        place = _NOW.size + (number % 2) * _ROOM
        _HEAD.pack_into(buffer, place, 0, 0, 0)
        buffer[place + _HEAD.size : place + _HEAD.size + len(rgb)] = rgb
        _HEAD.pack_into(buffer, place, number, width, height)
        _NOW.pack_into(buffer, 0, number)

    def clear(self) -> None:
        """Show nothing: the camera is gone."""
        _NOW.pack_into(self._buffer, 0, 0)

    def read(self) -> tuple[int, int, bytes] | None:
        """Width, height and RGB24 bytes of the latest picture, or None when there is none (or it changed meanwhile)."""
        buffer = self._buffer
        (number,) = _NOW.unpack_from(buffer, 0)
        place = _NOW.size + (number % 2) * _ROOM
        head = _HEAD.unpack_from(buffer, place)
        _, width, height = head
        if number == 0 or head[0] != number or not (0 < width <= SIDE and 0 < height <= SIDE):
            return None
        data = bytes(buffer[place + _HEAD.size : place + _HEAD.size + width * height * 3])
        return (width, height, data) if _HEAD.unpack_from(buffer, place) == head else None

    def close(self, unlink: bool = False) -> None:
        """Let the memory go; whoever created it unlinks it."""
        self._memory.close()
        if unlink:
            self._memory.unlink()
