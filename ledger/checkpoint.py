"""What a log states about itself: origin, size, root (C2SP tlog-checkpoint), and who saw it when (tlog-cosignature)."""

from __future__ import annotations

import re
from dataclasses import dataclass

from ledger import note
from ledger.errors import CheckpointFormatError, KeyFormatError, UnknownSignerError
from ledger.keys import COSIGNATURE, NoteSigner, Signer, Vkey, b64decode, b64encode
from ledger.note import Note, Signature
from ledger.tree import HASH_BYTES

MAX_SIZE = 2**53 - 1  # sizes stand in JSON too
_TEXT = re.compile(r"([^\s+]{1,255})\n(0|[1-9][0-9]{0,15})\n([A-Za-z0-9+/]{43}=)\n")


@dataclass(frozen=True, slots=True)
class Checkpoint:
    """One size of one log and the root there."""

    origin: str
    size: int
    root: bytes

    def __str__(self) -> str:
        """The note text: three lines. We write no extension lines and accept none, nobody could audit them."""
        return f"{self.origin}\n{self.size}\n{b64encode(self.root)}\n"


def parse_text(text: str) -> Checkpoint:
    """Read the three lines, or raise `CheckpointFormatError`."""
    match = _TEXT.fullmatch(text)
    if match is None or int(match[2]) > MAX_SIZE:
        raise CheckpointFormatError("a checkpoint is three lines: origin, size, root")
    try:
        root = b64decode(match[3])
    except KeyFormatError as error:
        raise CheckpointFormatError(str(error)) from error
    if len(root) != HASH_BYTES:
        raise CheckpointFormatError("a root is 32 bytes")
    return Checkpoint(match[1], int(match[2]), root)


def parse(data: bytes) -> tuple[Checkpoint, Note]:
    """Read a signed checkpoint; nothing in it is to be believed before its signatures are verified."""
    parsed = note.parse(data)
    return parse_text(parsed.text), parsed


def sign(checkpoint: Checkpoint, signer: NoteSigner) -> bytes:
    """The checkpoint as a note by its log's key, whose name is the origin."""
    if signer.vkey.name != checkpoint.origin:
        raise CheckpointFormatError(f"{signer.vkey.name} cannot sign for {checkpoint.origin}")
    return note.sign(str(checkpoint), signer)


def cosignature(checkpoint: Checkpoint, signer: Signer, time: int) -> Signature:
    """The cosignature over `checkpoint` at `time`, POSIX seconds."""
    return Signature(signer.vkey.name, signer.vkey.key_id, signer.cosign(str(checkpoint).encode(), time))


def cosign(checkpoint: Checkpoint, signer: Signer, time: int) -> str:
    """The same as a line, without newline."""
    return str(cosignature(checkpoint, signer, time))


def verify_cosignature(checkpoint: Checkpoint, line: str, key: Vkey) -> int:
    """Return the POSIX seconds at which `key` saw `checkpoint`.

    `NoteFormatError` when it is no line, `UnknownSignerError` when it is by somebody else, `SignatureError` when it
    does not fit.
    """
    signature = note.parse_line(line)
    if key.type != COSIGNATURE or not signature.is_by(key):
        raise UnknownSignerError(f"the cosignature is by {signature.name}, not by {key.name}")
    key.verify(str(checkpoint).encode(), signature.raw)
    return signature.time
