"""What a log asks of a witness (C2SP tlog-witness, add-checkpoint): sign this, it only grew since you last looked."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger import checkpoint
from ledger.checkpoint import MAX_SIZE, Checkpoint
from ledger.errors import KeyFormatError, NoteFormatError, SubmissionError
from ledger.keys import b64decode, b64encode
from ledger.note import MAX_NOTE, Note

MAX_LINES: Final = 63  # C2SP: the client must not send more
MAX_SUBMISSION: Final = MAX_NOTE + 4096  # the old size and 63 hashes of 45 bytes stand before the note
_OLD = re.compile(r"old (0|[1-9][0-9]{0,15})")
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=")


@dataclass(frozen=True, slots=True)
class Submission:
    """A checkpoint, the size that the witness is thought to have seen, the proof from there. Nothing is verified."""

    old: int
    proof: tuple[bytes, ...]
    checkpoint: Checkpoint
    note: Note

    def __bytes__(self) -> bytes:
        return build(self.old, self.proof, bytes(self.note))


def build(old: int, proof: Sequence[bytes], signed: bytes) -> bytes:
    """The body of a request for the checkpoint note `signed`."""
    lines = [f"old {old}", *(b64encode(item) for item in proof), "", ""]
    return "\n".join(lines).encode() + signed


def parse(data: bytes) -> Submission:
    """Read a request of exactly this form, or raise `SubmissionError`; an old size beyond the checkpoint's, too."""
    if len(data) > MAX_SUBMISSION:
        raise SubmissionError(f"a request of {len(data)} bytes, more than {MAX_SUBMISSION}")
    head, blank, signed = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise SubmissionError("the old size and the proof are ASCII") from error
    match = _OLD.fullmatch(lines[0])
    if not blank or match is None or int(match[1]) > MAX_SIZE:
        raise SubmissionError("a request begins with the old size and holds a checkpoint")
    if len(lines) > MAX_LINES + 1 or not all(_HASH.fullmatch(line) for line in lines[1:]):
        raise SubmissionError("a proof is at most 63 hashes, one a line")
    try:
        proof = tuple(b64decode(line) for line in lines[1:])
        parsed, by = checkpoint.parse(signed)
    except (KeyFormatError, NoteFormatError) as error:
        raise SubmissionError(str(error)) from error
    if int(match[1]) > parsed.size:
        raise SubmissionError(f"from {match[1]} to {parsed.size} is backwards")
    return Submission(int(match[1]), proof, parsed, by)
