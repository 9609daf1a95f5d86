"""A receipt (C2SP tlog-proof): one file by which an entry's place in a witnessed log is proven offline."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from ledger import tree
from ledger.checkpoint import MAX_SIZE
from ledger.checkpoint import parse as parse_checkpoint
from ledger.errors import KeyFormatError, NoteFormatError, ReceiptError
from ledger.keys import b64decode, b64encode
from ledger.trust import Seen, Trust

HEADER: Final = "c2sp.org/tlog-proof@v1"
_INDEX = re.compile(r"index (0|[1-9][0-9]{0,15})")
_HASH = re.compile(r"[A-Za-z0-9+/]{43}=")


@dataclass(frozen=True, slots=True)
class Receipt:
    """An entry's index, its audit path, and the log's signed checkpoint byte for byte. `extra` is not authenticated."""

    index: int
    path: tuple[bytes, ...]
    checkpoint: bytes
    extra: bytes | None = None

    def __bytes__(self) -> bytes:
        lines = [HEADER]
        if self.extra is not None:
            lines.append(f"extra {b64encode(self.extra)}")
        lines += [f"index {self.index}", *(b64encode(item) for item in self.path), "", ""]
        return "\n".join(lines).encode() + self.checkpoint

    def verify(self, entry: bytes, trust: Trust, *, others: bool = False) -> Seen:
        """Return the checkpoint it rests on, or raise: `entry` stands at `index` of a log that `trust` accepts."""
        seen = trust.verify(self.checkpoint, others=others)
        self.verify_path(entry, seen.checkpoint.size, seen.checkpoint.root)
        return seen

    def verify_path(self, entry: bytes, size: int, root: bytes) -> None:
        """Return quietly, or raise `ProofError`: the path leads from `entry` to `root`."""
        tree.verify_inclusion(tree.leaf_hash(entry), self.index, size, self.path, root)


def parse(data: bytes) -> Receipt:
    """Read a receipt of exactly this form, or raise `ReceiptError`; nothing is verified yet."""
    head, blank, signed = data.partition(b"\n\n")
    try:
        lines = head.decode("ascii").split("\n")
    except UnicodeDecodeError as error:
        raise ReceiptError("a receipt's head is ASCII") from error
    if not blank or lines.pop(0) != HEADER:
        raise ReceiptError(f"a receipt begins with {HEADER} and holds a checkpoint")
    try:
        extra = b64decode(lines.pop(0)[6:]) if lines and lines[0].startswith("extra ") else None
        match = _INDEX.fullmatch(lines.pop(0)) if lines else None
        if match is None or int(match[1]) > MAX_SIZE:
            raise ReceiptError("a receipt names the entry's index")
        if len(lines) > tree.MAX_PROOF or not all(_HASH.fullmatch(line) for line in lines):
            raise ReceiptError("a receipt's path is at most 64 hashes, one a line")
        path = tuple(b64decode(line) for line in lines)
        parse_checkpoint(signed)
    except (KeyFormatError, NoteFormatError) as error:
        raise ReceiptError(str(error)) from error
    return Receipt(int(match[1]), path, signed, extra)
