"""One upload of a session: the new events and the checkpoint over all so far; and what the server answers (receipt 1).

Body: u32be length of the head · the head `old <N>\\n\\n<checkpoint note>` · entries N … size-1, each u16be length and
bytes. An entry of length 0 is refused: in an archive that stands for a withheld one.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Final

from ledger import canonical, checkpoint, tiles
from ledger.checkpoint import Checkpoint
from ledger.errors import CanonicalError, NoteFormatError, SegmentError, TileError
from ledger.fields import ID128, MS, SHORT, Record, Table, many, text
from ledger.note import Note

MAX_SEGMENT: Final = 1 << 20  # 1 MiB; longer is 413
_OLD = re.compile(rb"old (0|[1-9][0-9]{0,15})\n\n")
_CHECK = re.compile(r"close|spot-[0-9]{1,9}")


@dataclass(frozen=True, slots=True)
class Segment:
    """A parsed upload; neither signature nor root is verified yet."""

    old: int
    checkpoint: Checkpoint
    note: Note
    entries: tuple[bytes, ...]


def build(old: int, signed: bytes, entries: Sequence[bytes]) -> bytes:
    """The body that carries `entries`, which begin at index `old`, under the checkpoint note `signed`."""
    head = b"old %d\n\n" % old + signed
    return len(head).to_bytes(4, "big") + head + tiles.encode_bundle(entries)


def parse(data: bytes, *, limit: int = MAX_SEGMENT) -> Segment:
    """Read an upload, or raise `SegmentError`: of form, and with as many entries as its sizes say.

    `limit` in bytes: one that is brought as a file holds a whole session.
    """
    if len(data) > limit:
        raise SegmentError(f"a segment of {len(data)} bytes, more than {limit}")
    found = parse_kept(data)
    if not all(found.entries):
        raise SegmentError("an entry without bytes")
    return found


def parse_kept(data: bytes) -> Segment:
    """Read an accepted upload as it is kept: of any length, entries without bytes stand for ones erased since."""
    end = 4 + int.from_bytes(data[:4], "big")
    match = _OLD.match(data, 4, min(end, len(data)))
    if len(data) < end or match is None:
        raise SegmentError("a segment begins with the length of its head, the old size and a checkpoint")
    old = int(match[1])
    try:
        parsed, signed = checkpoint.parse(data[match.end() : end])
        if old > parsed.size:
            raise SegmentError(f"from {old} to {parsed.size} is backwards")
        entries = tiles.decode_bundle(data[end:], parsed.size - old)
    except (NoteFormatError, TileError) as error:
        raise SegmentError(str(error)) from error
    return Segment(old, parsed, signed, tuple(entries))


def is_check(value: object) -> bool:
    """The name of a check: a number, `close` or `spot-<n>`."""
    if isinstance(value, str):
        return _CHECK.fullmatch(value) is not None
    return type(value) is int and 0 <= value <= 1_000_000


@dataclass(frozen=True, slots=True)
class Order(Record):
    """The server asks for attempt `a` of check `i` (a number, `close` or `spot-<n>`) within `deadline_ms`."""

    i: int | str
    a: int
    nonce: str
    deadline_ms: int
    error = SegmentError
    checks: ClassVar[Table] = {"i": is_check, "a": MS, "nonce": ID128, "deadline_ms": MS}


@dataclass(frozen=True, slots=True)
class Answer(Record):
    """What a segment is answered: the cosignature line (no newline), an order or none, command notes, our address."""

    cosignature: str
    order: Mapping[str, Any] | None
    commands: tuple[str, ...]
    seen: str
    error = SegmentError
    checks: ClassVar[Table] = {
        "cosignature": text(400),
        "order": lambda value: value is None or isinstance(value, Mapping),
        "commands": many(text(8192), 16),
        "seen": SHORT,
    }

    def __post_init__(self) -> None:
        self.check(self.to_json())
        if self.order is not None:
            Order.from_json(self.order)

    def __bytes__(self) -> bytes:
        return canonical.encode(self.to_json(), limit=MAX_SEGMENT)

    @property
    def ordered(self) -> Order | None:
        """The order as a value."""
        return None if self.order is None else Order.from_json(self.order)


def parse_answer(data: bytes) -> Answer:
    """Read the server's answer, or raise `SegmentError`; its cosignature is not verified yet."""
    try:
        return Answer.from_json(canonical.decode(data, limit=MAX_SEGMENT))
    except CanonicalError as error:
        raise SegmentError(str(error)) from error
