"""Step 8, further part: class hours and credit points of a registration, by the table that the class log names."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Any

from ledger import points
from ledger.classlog import ClassLog
from ledger.credit import Credit
from ledger.errors import LedgerError
from ledger.findings import Findings, Status
from ledger.points import Rules
from ledger.policy import Policy
from ledger.steps.bodies import Reader
from ledger.summary import PointLine, fields

STEP = "8 points"


class Counting:
    """Repeats what the operator's pages show; says nothing where the class log names no table."""

    def __init__(self, log: ClassLog, reader: Reader, findings: Findings) -> None:
        self._log, self._reader, self._findings = log, reader, findings
        self._tables: dict[str, Rules] = {}
        self.complete = True  # whether every figure that is due could be computed
        if log.policies.get("points"):
            findings.reach(STEP)

    def line(self, registration: str, granted_at: int, found: Credit, policy: Policy, *, erased: bool) -> (
        PointLine | None
    ):
        """What this credit is worth; None without a table, or where events were `erased` since it was settled."""
        digest = points.named(self._log, granted_at)
        if digest is None:
            return None
        if erased:
            said = f"registration {registration}: events of it were erased, its points cannot be repeated"
            self._findings.add(STEP, Status.NOT_CHECKABLE, said)
            return None
        rules = self._table(digest)
        if rules is None:
            self.complete = False
            self._findings.add(STEP, Status.NOT_CHECKABLE, f"registration {registration}: its point table is not kept")
            return None
        self._findings.count(STEP)
        hours = points.class_hours(found.credited_ms, policy)
        return PointLine(registration, rules.version, hours, points.count(found, policy, rules))

    def _table(self, digest: str) -> Rules | None:
        """The table, which step 2 has read; None where it is not kept, or refused there."""
        data = self._reader.plain(digest, "points")
        if data is not None and digest not in self._tables:
            try:
                self._tables[digest] = points.parse(data)
            except LedgerError:
                return None
        return self._tables.get(digest)


def check_stated(kept: bytes, counted: Sequence[PointLine]) -> str | None:
    """Which registration `summary.json` states other points of, as a sentence; None where it states none that differ.

    `kept` is hostile: what is no JSON of that form is left to the comparison of its bytes.
    """
    try:
        stated: Any = json.loads(kept)
        lines = {line["registration"]: line for line in stated["points"]}
    except (ValueError, RecursionError, LookupError, TypeError):
        return None
    for line in counted:
        other = lines.pop(line.registration, None)
        if other is None:
            return f"summary.json leaves out the points of registration {line.registration}"
        if other != fields(line):
            said, ours = _said(other), _said(fields(line))
            return f"summary.json: registration {line.registration} is given {said}, its records give {ours}"
    extra = next(iter(lines), None)
    return None if extra is None else f"summary.json: points of registration {str(extra)[:40]}, which has none here"


def _said(line: Any) -> str:
    found = line.get("points_tenths") if isinstance(line, dict) else line
    return f"{str(found)[:20]} tenths of a point"
