"""Media that lie encrypted wherever a course package lies, and a chunk that was changed, moved or cut off never opens.

A file is a header of four lines, then chunks of 64 KiB, each AES-256-GCM under the file's own key with the chunk's
number as nonce and the header as associated data. The file's key is HKDF-SHA-256 of the course's content key and the
salt in the header, so that no nonce is used twice; the header names the content key by a hash, which commits to it.

    trueseat/media/v1
    <key id: first 16 bytes of SHA-256("trueseat/content-key/v1\\n" ‖ content key), hex>
    <salt: 32 bytes, hex>
    <length of the plain file in bytes, decimal>
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import BinaryIO, Final

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.hashes import SHA256
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from ledger.errors import FormatError

MAGIC: Final = b"trueseat/media/v1\n"
CHUNK: Final = 65_536
TAG: Final = 16
KEY_BYTES: Final = 32
MAX_HEADER: Final = 160
MAX_LENGTH: Final = 1 << 40
_ID_LABEL: Final = b"trueseat/content-key/v1\n"
_HEADER: Final = re.compile(rb"trueseat/media/v1\n([0-9a-f]{32})\n([0-9a-f]{64})\n(0|[1-9][0-9]{0,12})\n")


class ContentError(FormatError):
    """An encrypted file of a course is malformed, was changed, or is not for this key; the message says where."""

    code = "TS-L-085"
    remedy = "Download the course again and open a new session; if it stays, tell the course provider."
    zh = "课程的加密文件已损坏或与密钥不符。请重新下载课程并重新开始学习；若仍出现，请联系课程提供方。"


@dataclass(frozen=True, slots=True)
class Header:
    """What stands before the chunks. `size` is how many bytes of the file it takes."""

    key_id: str
    salt: bytes
    length: int

    def encode(self) -> bytes:
        """The four lines."""
        return MAGIC + f"{self.key_id}\n{self.salt.hex()}\n{self.length}\n".encode()

    @property
    def chunks(self) -> int:
        """How many chunks follow; an empty file has one, so that even that is authentic."""
        return max(1, -(-self.length // CHUNK))

    @property
    def file_length(self) -> int:
        """Bytes of the whole file: header, chunks and their tags."""
        return len(self.encode()) + self.length + TAG * self.chunks


def key_id(key: bytes) -> str:
    """The public name of a content key: 32 hex digits."""
    return sha256(_ID_LABEL + key).hexdigest()[:32]


def parse_header(data: bytes) -> Header:
    """The header that `data` (the first bytes of a file) begins with, or `ContentError`."""
    found = _HEADER.match(data[:MAX_HEADER])
    if found is None:
        raise ContentError("the file does not begin as an encrypted one does")
    name, salt, length = (part.decode() for part in found.groups())
    if int(length) > MAX_LENGTH:
        raise ContentError(f"a file of {length} bytes")
    return Header(name, bytes.fromhex(salt), int(length))


def is_encrypted(first: bytes) -> bool:
    """Whether a file with these first bytes says that it is encrypted."""
    return first.startswith(MAGIC)


class Opener:
    """Decrypts chunks of one file; holds the key in memory and nowhere else."""

    def __init__(self, header: Header, key: bytes) -> None:
        """`key` is the course's content key; `ContentError` when it is not the one that the header names."""
        if len(key) != KEY_BYTES or key_id(key) != header.key_id:
            raise ContentError("another content key than the file names")
        self.header = header
        self._aad = header.encode()
        self._cipher = _cipher(key, header.salt)

    def place(self, number: int) -> tuple[int, int]:
        """Where chunk `number` lies in the file, and how many bytes it takes there."""
        plain = min(CHUNK, self.header.length - number * CHUNK)
        return len(self._aad) + number * (CHUNK + TAG), plain + TAG

    def chunk(self, number: int, sealed: bytes) -> bytes:
        """The plain bytes of chunk `number`, or `ContentError` naming it."""
        if not 0 <= number < self.header.chunks or len(sealed) != self.place(number)[1]:
            raise ContentError(f"chunk {number} of {self.header.chunks}: {len(sealed)} bytes")
        try:
            return self._cipher.decrypt(_nonce(number), sealed, self._aad)
        except InvalidTag:
            raise ContentError(f"chunk {number} of {self.header.chunks} was changed") from None


def seal(plain: BinaryIO, length: int, key: bytes, salt: bytes | None = None) -> Iterator[bytes]:
    """The encrypted file piece by piece; `length` bytes are read from `plain`. A salt is drawn unless a test gives one.

    `ContentError` when the key is no content key or `plain` holds another number of bytes.
    """
    if len(key) != KEY_BYTES or not 0 <= length <= MAX_LENGTH:
        raise ContentError("a content key has 32 bytes, and a file at most 1 TiB")
    header = Header(key_id(key), salt if salt is not None else secrets.token_bytes(32), length)
    aad = header.encode()
    cipher = _cipher(key, header.salt)
    yield aad
    for number in range(header.chunks):
        piece = plain.read(min(CHUNK, length - number * CHUNK))
        if len(piece) != min(CHUNK, length - number * CHUNK):
            raise ContentError(f"the plain file ended in chunk {number}")
        yield cipher.encrypt(_nonce(number), piece, aad)
    if plain.read(1):
        raise ContentError(f"the plain file is longer than {length} bytes")


def parse_keys(text: str) -> dict[str, bytes]:
    """Content keys by name from a key file (one of 64 hex digits a line), or `ContentError`."""
    lines = text.split("\n")
    if lines[-1] or not 1 < len(lines) <= 257:
        raise ContentError("a key file has one key a line, and a newline behind each")
    if any(re.fullmatch(r"[0-9a-f]{64}", line, re.ASCII) is None for line in lines[:-1]):
        raise ContentError("a content key is 64 hex digits")
    return {key_id(key): key for key in (bytes.fromhex(line) for line in lines[:-1])}


def write_keys(keys: Iterable[bytes]) -> str:
    """The text that `parse_keys` reads."""
    return "".join(f"{key.hex()}\n" for key in keys)


def _cipher(key: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(SHA256(), KEY_BYTES, salt, MAGIC).derive(key))


def _nonce(number: int) -> bytes:
    return number.to_bytes(12, "big")
