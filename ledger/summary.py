"""summary.json and summary.csv: the archive in two small files, derived from it and compared with it byte for byte."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping, Sequence
from dataclasses import dataclass

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
    checkpoint: Checkpoint, sessions: Sequence[SessionLine], units: Sequence[UnitLine], vouchers: Mapping[str, str]
) -> bytes:
    """One canonical line and a newline.

    `vouchers`: hash of a voucher's text → SHA-256 of its file. Without the authority's key nobody can check the
    signature in it; so at least no bit of it changes unnoticed.
    """
    obj = {
        "v": 1,
        "class": checkpoint.origin,
        "size": checkpoint.size,
        "root": checkpoint.root.hex(),
        "sessions": [dict(zip(_COLUMNS, _row(line), strict=True)) for line in sessions],
        "units": [
            {"registration": u.registration, "unit": u.unit, "duration_ms": u.duration_ms, "credited_ms": u.credited_ms}
            for u in units
        ],
        "vouchers": [{"vouched": digest, "sha256": file} for digest, file in sorted(vouchers.items())],
    }
    return canonical.encode(obj, limit=_NO_LIMIT) + b"\n"


def to_csv(sessions: Sequence[SessionLine]) -> bytes:
    """One line a session, after a line of column names; RFC 4180 but for `\\n` line ends."""
    out = io.StringIO(newline="")
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(_COLUMNS)
    writer.writerows(["" if cell is None else cell for cell in _row(line)] for line in sessions)
    return out.getvalue().encode()


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
