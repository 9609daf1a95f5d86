"""summary.json and summary.csv: the archive in two small files, derived from it and compared with it byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from hashlib import sha256
from itertools import chain

from ledger import canonical
from ledger.checkpoint import Checkpoint

_NO_LIMIT = 1 << 40
_COLUMNS = ("learner", "registration", "session", "granted_ms", "state", "events", "credited_ms")


@dataclass(frozen=True, slots=True)
class SessionLine:
    """One session; `granted_ms` by the server's clock, `state` closed | abandoned | open, None where not checkable."""

    learner: str
    registration: str
    sid: str
    granted_ms: int
    state: str
    events: int
    credited_ms: int | None


@dataclass(frozen=True, slots=True)
class UnitLine:
    """One unit of one registration's course."""

    registration: str
    unit: str
    duration_ms: int
    credited_ms: int


def to_json(
    checkpoint: Checkpoint, sessions: Iterable[SessionLine], units: Iterable[UnitLine], vouchers: Mapping[str, str]
) -> Iterator[bytes]:
    """One canonical line and a newline, in pieces.

    `vouchers`: hash of a voucher's text → SHA-256 of its file. Without the authority's key nobody can check the
    signature in it; so at least no bit of it changes unnoticed.
    """
    empty = {
        "v": 1, "class": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(), "sessions": [],
        "units": [], "vouchers": [{"vouched": digest, "sha256": file} for digest, file in sorted(vouchers.items())],
    }  # fmt: skip
    whole = canonical.encode(empty, limit=_NO_LIMIT)
    head, found, rest = whole.partition(b'"sessions":[')
    yield head + found
    yield from _objects(dict(zip(_COLUMNS, _row(line), strict=True)) for line in sessions)
    head, found, rest = rest.partition(b'"units":[')
    yield head + found
    yield from _objects(fields(unit) for unit in units)
    yield rest + b"\n"


def _objects(found: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    for count, obj in enumerate(found):
        yield (b"," if count else b"") + canonical.encode(obj)


def fields(unit: UnitLine) -> dict[str, object]:
    """The unit's line as it stands in the JSON."""
    return {
        "registration": unit.registration, "unit": unit.unit, "duration_ms": unit.duration_ms,
        "credited_ms": unit.credited_ms,
    }  # fmt: skip


def to_csv(sessions: Iterable[SessionLine]) -> Iterator[bytes]:
    """One line a session, after a line of column names; RFC 4180 but for `\\n` line ends."""
    for cells in chain((_COLUMNS,), map(_row, sessions)):
        out = io.StringIO(newline="")
        csv.writer(out, lineterminator="\n").writerow(["" if cell is None else cell for cell in cells])
        yield out.getvalue().encode()


def digest(pieces: Iterable[bytes]) -> bytes:
    """SHA-256 of these pieces, one after the other."""
    whole = sha256()
    for piece in pieces:
        whole.update(piece)
    return whole.digest()


def _row(line: SessionLine) -> tuple[str | int | None, ...]:
    return (
        line.learner,
        line.registration,
        line.sid,
        line.granted_ms,
        line.state,
        line.events,
        line.credited_ms,
    )
