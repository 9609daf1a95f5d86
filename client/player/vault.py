"""Encrypted files of a course, read like plain ones: decrypted chunk by chunk in memory, never written anywhere.

A chunk that was changed stops the lesson with an error that names it; nothing of it is decoded.
"""

from __future__ import annotations

import io
import os
from collections import OrderedDict
from collections.abc import Mapping
from pathlib import Path
from types import MappingProxyType
from typing import BinaryIO

from client.player.errors import MediaKeyError, MediaSealError
from ledger import content
from ledger.content import CHUNK, MAX_HEADER, ContentError, Opener

NO_KEYS: Mapping[str, bytes] = MappingProxyType({})
KEPT_CHUNKS = 16  # 1 MiB: sound and picture lie apart, and a seek reads the index again


def open_media(path: Path, keys: Mapping[str, bytes]) -> BinaryIO:
    """The plain bytes of a course's file, encrypted or not; `keys` by their names (`ledger.content.key_id`).

    `MediaKeyError` when the session brought no key for it, `MediaSealError` when it is damaged, OSError from the disk.
    """
    file = path.open("rb")
    try:
        first = file.read(MAX_HEADER)
        if not content.is_encrypted(first):
            file.seek(0)
            return file
        return _Unsealed(file, first, keys, path.name)
    except BaseException:
        file.close()
        raise


def is_encrypted(path: Path) -> bool:
    """Whether the file says that it is; False for one that cannot be read."""
    try:
        with path.open("rb") as file:
            return content.is_encrypted(file.read(MAX_HEADER))
    except OSError:
        return False


class _Unsealed(io.RawIOBase, BinaryIO):
    """A seekable file of plain bytes over an encrypted one."""

    def __init__(self, file: BinaryIO, first: bytes, keys: Mapping[str, bytes], name: str) -> None:
        self._file, self._at, self._name = file, 0, name
        self._plain: OrderedDict[int, bytes] = OrderedDict()
        try:
            header = content.parse_header(first)
            key = keys.get(header.key_id)
            if key is None:
                raise MediaKeyError(f"{name}: no key {header.key_id[:8]}… in this session")
            self._opener = Opener(header, key)
        except ContentError as error:
            raise MediaSealError(f"{name}: {error}") from error
        if os.fstat(file.fileno()).st_size != header.file_length:
            raise MediaSealError(f"{name}: not {header.file_length} bytes long")
        self._length = header.length

    def readable(self) -> bool:
        """It is."""
        return True

    def seekable(self) -> bool:
        """To any byte."""
        return True

    def tell(self) -> int:
        """The place of the next byte."""
        return self._at

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go to a byte; nothing is read."""
        base = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self._length}[whence]
        self._at = max(0, base + offset)
        return self._at

    def read(self, size: int | None = -1) -> bytes:
        """Up to `size` bytes, or `MediaSealError` naming the chunk."""
        end = self._length if size is None or size < 0 else min(self._length, self._at + size)
        parts = []
        while self._at < end:
            number, skip = divmod(self._at, CHUNK)
            part = self._chunk(number)[skip : skip + end - self._at]
            parts.append(part)
            self._at += len(part)
        return b"".join(parts)

    def readinto(self, buffer: bytearray | memoryview) -> int:  # type: ignore[override]
        """As `read`, into a buffer."""
        data = self.read(len(buffer))
        buffer[: len(data)] = data
        return len(data)

    def close(self) -> None:
        """Forget what was decrypted."""
        self._plain.clear()
        self._file.close()
        super().close()

    def _chunk(self, number: int) -> bytes:
        known = self._plain.get(number)
        if known is not None:
            self._plain.move_to_end(number)
            return known
        at, size = self._opener.place(number)
        self._file.seek(at)
        try:
            found = self._opener.chunk(number, self._file.read(size))
        except ContentError as error:
            raise MediaSealError(f"{self._name}: {error}") from error
        self._plain[number] = found
        if len(self._plain) > KEPT_CHUNKS:
            self._plain.popitem(last=False)
        return found
