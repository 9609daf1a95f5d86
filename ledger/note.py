"""A signed note (C2SP signed-note): a text, a blank line, and signature lines that anybody with the keys can check."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from hashlib import sha256

from ledger.errors import KeyFormatError, NoteFormatError, SignatureError, UnknownSignerError
from ledger.keys import NoteSigner, Vkey, b64decode, b64encode, cosignature_time

MAX_NOTE = 65_535  # a note is an entry of a log, and an entry's length is a u16
MAX_SIGNATURES = 64  # the format asks for at least 16; a class has few witnesses
_CONTROL = re.compile(r"[\x00-\x09\x0b-\x1f]")
_LINE = re.compile(r"— ([^\s+]{1,255}) ([A-Za-z0-9+/]{8,}={0,2})")


@dataclass(frozen=True, slots=True)
class Signature:
    """One signature line: who, by which key, and the raw signature bytes."""

    name: str
    key_id: bytes
    raw: bytes

    def __str__(self) -> str:
        """The line without its newline."""
        return f"— {self.name} {b64encode(self.key_id + self.raw)}"

    @property
    def time(self) -> int:
        """POSIX seconds of a cosignature; believe it only once verified."""
        return cosignature_time(self.raw)

    def is_by(self, key: Vkey) -> bool:
        """Whether the line claims to be by `key`."""
        return self.name == key.name and self.key_id == key.key_id


@dataclass(frozen=True, slots=True)
class Note:
    """A parsed note; nothing in it is to be believed before `verify`."""

    text: str
    signatures: tuple[Signature, ...]

    def __bytes__(self) -> bytes:
        return self.text.encode() + b"\n" + "".join(f"{line}\n" for line in self.signatures).encode()

    @property
    def digest(self) -> str:
        """SHA-256 (hex) of the text, through the newline before the blank line: the hash of the note."""
        return digest(self.text)


def digest(text: str) -> str:
    """The hash of a note with this text; signatures are malleable and never hashed."""
    return sha256(text.encode()).hexdigest()


def parse(data: bytes) -> Note:
    """Read a note of exactly this form (one spelling), or raise `NoteFormatError`."""
    if len(data) > MAX_NOTE:
        raise NoteFormatError(f"a note of {len(data)} bytes, more than {MAX_NOTE}")
    try:
        whole = data.decode()
    except UnicodeDecodeError as error:
        raise NoteFormatError("a note is UTF-8") from error
    if _CONTROL.search(whole):
        raise NoteFormatError("a control character in a note")
    text, blank, block = whole.rpartition("\n\n")
    if not blank or not block.endswith("\n"):
        raise NoteFormatError("no blank line before the signatures, or no newline at the end")
    lines = block[:-1].split("\n")
    if len(lines) > MAX_SIGNATURES:
        raise NoteFormatError(f"{len(lines)} signatures, more than {MAX_SIGNATURES}")
    signatures = tuple(parse_line(line) for line in lines)
    if len({(line.name, line.key_id) for line in signatures}) != len(signatures):
        raise NoteFormatError("two signatures by one key")
    return Note(text + "\n", signatures)


def parse_line(line: str) -> Signature:
    """Read one signature line without its newline, or raise `NoteFormatError`."""
    match = _LINE.fullmatch(line)
    if match is None:
        raise NoteFormatError(f"no signature line: {line[:60]!r}")
    try:
        raw = b64decode(match[2])
    except KeyFormatError as error:
        raise NoteFormatError(str(error)) from error
    if len(raw) < 5:
        raise NoteFormatError("a signature without bytes")
    return Signature(match[1], raw[:4], raw[4:])


def sign(text: str, *signers: NoteSigner) -> bytes:
    """Return the note of `text` (which ends in a newline) with one signature by each signer."""
    check_text(text)
    lines = (Signature(s.vkey.name, s.vkey.key_id, s.sign(text.encode())) for s in signers)
    return bytes(Note(text, tuple(lines)))


def add(data: bytes, *lines: str) -> bytes:
    """Return the note with further signature lines (each without its newline) at the end."""
    return bytes(parse(data + "".join(f"{line}\n" for line in lines).encode()))


def check_text(text: str) -> None:
    """Return quietly, or raise `NoteFormatError`: `text` may stand in a note."""
    if not text.endswith("\n") or _CONTROL.search(text):
        raise NoteFormatError("a note's text ends in a newline and holds no other control character")


def verify(note: Note, keys: Iterable[Vkey], *, others: bool = False) -> tuple[Signature, ...]:
    """Check every signature by one of `keys`; return those lines, in their order.

    `SignatureError` when a line by a known key does not fit (the whole note is refused, signed-note "Signatures");
    `UnknownSignerError` when no known key signed, or when `others` is False (a file of ours) and a stranger did.
    """
    known = tuple(keys)
    text = note.text.encode()
    good = []
    for line in note.signatures:
        matching = [key for key in known if line.is_by(key)]
        if len(set(matching)) > 1:
            raise SignatureError(f"two keys answer to {line.name} and {line.key_id.hex()}")
        if matching:
            matching[0].verify(text, line.raw)
            good.append(line)
        elif not others:
            raise UnknownSignerError(f"a signature by {line.name} ({line.key_id.hex()}), whom nobody vouches for")
    if not good:
        raise UnknownSignerError("no signature by " + (" or ".join(sorted({k.name for k in known})) or "any known key"))
    return tuple(good)
