"""summary.json and summary.csv: the archive in two small files, derived from it and compared with it byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Iterator, Mapping, Sequence
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


@dataclass(frozen=True, slots=True)
class PointLine:
    """What one registration's credited time is worth, in tenths, by the table of this version."""

    registration: str
    table: int
    hours_tenths: int
    points_tenths: int


@dataclass(frozen=True, slots=True)
class ExamLine:
    """One learner's last result of the final exam."""

    learner: str
    score_tenths: int
    passed: bool


@dataclass(frozen=True, slots=True)
class TestLine:
    """One learner's test of one unit: how many attempts, and the best of them."""

    learner: str
    unit: str
    attempts: int
    right: int
    asked: int
    passed: bool


@dataclass(frozen=True, slots=True)
class Results:
    """What was earned beyond minutes; a member of summary.json is there only if a class log gives rise to it."""

    points: Sequence[PointLine] = ()
    exams: Sequence[ExamLine] = ()
    tests: Sequence[TestLine] = ()


def to_json(
    checkpoint: Checkpoint, sessions: Iterable[SessionLine], units: Iterable[UnitLine], vouchers: Mapping[str, str],
    results: Results = Results(),
) -> Iterator[bytes]:  # fmt: skip
    """One canonical line and a newline, in pieces.

    `vouchers`: hash of a voucher's text → SHA-256 of its file. Without the authority's key nobody can check the
    signature in it; so at least no bit of it changes unnoticed.
    """
    empty = {
        "v": 1, "class": checkpoint.origin, "size": checkpoint.size, "root": checkpoint.root.hex(), "sessions": [],
        "units": [], "vouchers": [{"vouched": digest, "sha256": file} for digest, file in sorted(vouchers.items())],
    }  # fmt: skip
    lists: dict[str, Iterator[Mapping[str, object]]] = {  # in canonical order
        "exams": map(fields, results.exams), "points": map(fields, results.points),
        "sessions": (dict(zip(_COLUMNS, _row(line), strict=True)) for line in sessions),
        "tests": map(fields, results.tests), "units": map(fields, units),
    }  # fmt: skip
    earned = {"exams": results.exams, "points": results.points, "tests": results.tests}
    empty |= {name: [] for name, found in earned.items() if found}
    rest = canonical.encode(empty, limit=_NO_LIMIT)
    for name, lines in lists.items():
        if name in empty:
            head, found, rest = rest.partition(b'"%s":[' % name.encode())
            yield head + found
            yield from _objects(lines)
    yield rest + b"\n"


def _objects(found: Iterable[Mapping[str, object]]) -> Iterator[bytes]:
    for count, obj in enumerate(found):
        yield (b"," if count else b"") + canonical.encode(obj)


def fields(line: UnitLine | PointLine | ExamLine | TestLine) -> dict[str, object]:
    """The line as it stands in the JSON."""
    return {name: getattr(line, name) for name in line.__match_args__}


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
