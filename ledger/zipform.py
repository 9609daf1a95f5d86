"""The same archive as one .zip of exactly one form: every byte but the packed data is computed and compared.

Members sorted, stored or deflated, unique ASCII names, no folders, comments or extra fields, time 1980-01-01 00:00,
version 20, flags and attributes 0, nothing before, between or after; below 4 GiB and 65,535 members (no Zip64).
We write stored members: then every bit of the .zip is bound. The same data can be deflated in more than one way, so
of a deflated member every bit of the data is bound, and not every bit of their packing.
"""

from __future__ import annotations

import struct
import zlib
from bisect import bisect_left
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from hashlib import sha256
from itertools import islice, takewhile
from pathlib import Path
from typing import BinaryIO, Final

from ledger.archive import MAX_FILE, MAX_NAME, NAME, Source
from ledger.errors import ArchiveError, MissingFileError, ZipFormError

_LOCAL: Final = struct.Struct("<4sHHHHHIIIHH")
_CENTRAL: Final = struct.Struct("<4sHHHHHHIIIHHHHHII")
_END: Final = struct.Struct("<4sHHHHIIH")
_VERSION: Final = 20
_DATE: Final = 0x21  # 1980-01-01
STORED: Final = 0
DEFLATED: Final = 8
MAX_MEMBERS: Final = 65_534


@dataclass(frozen=True, slots=True)
class Member:
    """One packed file and where its data lie."""

    name: str
    method: int
    crc: int
    packed: int
    size: int
    offset: int

    def local(self) -> bytes:
        """Its local header, the only one it may have."""
        name = self.name.encode("ascii")
        common = (_VERSION, 0, self.method, 0, _DATE, self.crc, self.packed, self.size, len(name), 0)
        return _LOCAL.pack(b"PK\x03\x04", *common) + name

    def central(self) -> bytes:
        """Its line in the directory, the only one it may have."""
        name = self.name.encode("ascii")
        common = (_VERSION, _VERSION, 0, self.method, 0, _DATE, self.crc, self.packed, self.size, len(name))
        return _CENTRAL.pack(b"PK\x01\x02", *common, 0, 0, 0, 0, 0, self.offset) + name


def _end(count: int, length: int, offset: int) -> bytes:
    return _END.pack(b"PK\x05\x06", 0, 0, count, count, length, offset, 0)


class Zip:
    """A .zip read as an archive (`archive.Source`); its form is checked whole before the first member is read."""

    def __init__(self, path: Path) -> None:
        self._path = path
        with _reading(path):
            self._file = path.open("rb")
        try:
            with _reading(path):
                self._members = {member.name: member for member in _scan(self._file, path.stat().st_size)}
        except BaseException:
            self._file.close()
            raise
        self._names = list(self._members)  # sorted, as `_scan` saw to

    def __reduce__(self) -> tuple[type[Zip], tuple[Path]]:
        """Another process opens the file for itself."""
        return Zip, (self._path,)

    def names(self, prefix: str = "") -> list[str]:
        """See `Source.names`."""
        first = bisect_left(self._names, prefix)
        return list(takewhile(lambda name: name.startswith(prefix), islice(self._names, first, None)))

    def folders(self, prefix: str) -> list[str]:
        """See `Source.folders`."""
        return sorted({name[len(prefix) :].partition("/")[0] for name in self.names(prefix)})

    def has(self, name: str) -> bool:
        """See `Source.has`."""
        return name in self._members

    def read(self, name: str) -> bytes:
        """See `Source.read`; `ZipFormError` when the data are not what the header says."""
        member = self._members.get(name)
        if member is None:
            raise MissingFileError(f"{name} is missing")
        with _reading(self._path):
            self._file.seek(member.offset + len(member.local()))
            packed = self._file.read(member.packed)
        data = packed if member.method == STORED else _inflate(packed, member)
        if len(data) != member.size or zlib.crc32(data) != member.crc:
            raise ZipFormError(f"{name}: length or CRC is not what its header says")
        return data

    def digest(self, name: str) -> bytes:
        """See `Source.digest`."""
        return sha256(self.read(name)).digest()


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    """A disk that fails, or a file that is nobody's to read, is an `ArchiveError`."""
    try:
        yield
    except OSError as error:
        raise ArchiveError(f"{path} cannot be read: {error.strerror}") from error


def _scan(file: BinaryIO, length: int) -> Iterator[Member]:
    """Read header after header, from the first byte of the file to the last; nothing may lie before or between."""
    members: list[Member] = []
    while (head := file.read(_LOCAL.size))[:4] == b"PK\x03\x04" and len(head) == _LOCAL.size:
        *_, method, _, _, crc, packed, size, name_length, _ = _LOCAL.unpack(head)
        raw = file.read(name_length)
        member = Member(raw.decode("ascii", "replace"), method, crc, packed, size, file.tell() - len(head) - len(raw))
        if not NAME.fullmatch(member.name) or len(raw) > MAX_NAME or member.local() != head + raw:
            raise ZipFormError(f"member {len(members)}: a header, name or field that the strict form forbids")
        if method not in (STORED, DEFLATED) or size > MAX_FILE or (method == STORED and packed != size):
            raise ZipFormError(f"{member.name}: neither stored nor deflated, or too long")
        if members and member.name <= members[-1].name:
            raise ZipFormError(f"{member.name}: members are sorted, each once")
        members.append(member)
        file.seek(packed, 1)
        if len(members) > MAX_MEMBERS or file.tell() > length:
            raise ZipFormError(f"{member.name}: too many members, or cut short")
    offset = file.tell() - len(head)
    directory = b"".join(member.central() for member in members)
    tail = head + file.read(len(directory) + _END.size + 1)
    if tail != directory + _end(len(members), len(directory), offset):
        raise ZipFormError("the directory at the end is not the one that the members give")
    yield from members


def _inflate(packed: bytes, member: Member) -> bytes:
    """Unpack, never beyond the stated size; refuse trailing bytes and loose bits after the last block."""
    unpacker = zlib.decompressobj(-15)
    last = packed[-1:]
    try:
        data = unpacker.decompress(packed[:-1], member.size + 1)
        if len(data) > member.size or _left_over(unpacker) or unpacker.eof:
            raise ZipFormError(f"{member.name}: longer than its header says")
        twin = unpacker.copy()
        tail = unpacker.decompress(last, member.size + 1 - len(data))
    except zlib.error as error:
        raise ZipFormError(f"{member.name}: its packed data are damaged") from error
    if not _ended(unpacker) or _left_over(unpacker) or _loose_bit(twin, last, tail):
        raise ZipFormError(f"{member.name}: no last block, or bytes or bits after it")
    return data + tail


def _ended(unpacker: zlib._Decompress) -> bool:
    return unpacker.eof


def _left_over(unpacker: zlib._Decompress) -> bool:
    return bool(unpacker.unused_data or unpacker.unconsumed_tail)


def _loose_bit(twin: zlib._Decompress, last: bytes, tail: bytes) -> bool:
    """Whether the last byte without its highest bit ends the same data: then that bit was padding, bound by nothing."""
    if not last or not last[0]:
        return False
    try:
        rest = twin.decompress(bytes([last[0] & ~(1 << (last[0].bit_length() - 1))]))
    except zlib.error:
        return False
    return twin.eof and rest == tail


def write_zip(source: Source, out: BinaryIO, *, deflate: bool = False) -> None:
    """Write every file of `source` as a strict .zip; stored members, or smaller and less strictly bound ones."""
    members = list(_pack(source, source.names(), out, deflate=deflate))
    offset = out.tell()
    directory = b"".join(member.central() for member in members)
    if len(members) > MAX_MEMBERS or offset + len(directory) >= 2**32:
        raise ZipFormError("too large for a .zip of this form; keep the archive as a directory")
    out.write(directory + _end(len(members), len(directory), offset))


def _pack(source: Source, names: Iterable[str], out: BinaryIO, *, deflate: bool) -> Iterator[Member]:
    for name in names:
        data = source.read(name)
        packer = zlib.compressobj(6, zlib.DEFLATED, -15)
        packed = packer.compress(data) + packer.flush() if deflate else data
        method = DEFLATED if len(packed) < len(data) else STORED
        body = packed if method == DEFLATED else data
        member = Member(name, method, zlib.crc32(data), len(body), len(data), out.tell())
        out.write(member.local() + body)
        yield member
