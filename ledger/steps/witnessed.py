"""Step 8, second part: no more is credited than the clocks of external witnesses saw pass, whoever colludes."""

from __future__ import annotations

from array import array
from bisect import bisect_left, bisect_right

from ledger.credit import SessionCredit
from ledger.errors import VerifyError
from ledger.events import Played
from ledger.findings import Findings, Refused, Status
from ledger.packed import Packed, fields_of
from ledger.steps.classlog import Anchor, VerifiedClass
from ledger.steps.credit import figure
from ledger.steps.session import VerifiedSession

STEP = "8 witnessed"
_SECOND = 1000


class Witnessed:
    """Compares credited time with anchors; needs witnesses in the trust file and anchors in the log."""

    def __init__(self, verified: VerifiedClass, findings: Findings) -> None:
        self._findings = findings
        self._anchors = Packed(fields_of, Anchor, (anchor for anchor in verified.anchors if any(anchor.times)))
        self._indexes = array("Q", (anchor.index for anchor in self._anchors))
        self._sizes = array("Q", (anchor.size for anchor in self._anchors))
        self.unbounded = 0
        findings.reach(STEP)

    def take(self, session: VerifiedSession, earned: SessionCredit) -> None:
        """Check every pair of logged points of one session."""
        points = [(session.record.granted_at, 0), *session.record.logged]
        parts, settled = _credited(session, earned), figure(session, earned)
        bounded = False
        try:
            with self._findings.step(STEP, session.sid):
                for i, (p, low) in enumerate(points):
                    for q, high in points[i + 1 :]:
                        bound = self._bound(p, q)
                        bounded |= bound is not None
                        if bound is not None:
                            _compare(session.sid, sum(ms for seq, ms in parts if low <= seq < high), bound, p, q)
                whole = self._bound(points[0][0], points[-1][0])
                if whole is not None:  # what was settled before an erasure lies in no part
                    _compare(session.sid, settled, whole, points[0][0], points[-1][0])
        except Refused:
            return
        self.unbounded += not bounded and earned.credited_ms > 0

    def close(self) -> None:
        """Say what no witness's clock bounded."""
        if not self._anchors:
            self._findings.add(STEP, Status.NOT_CHECKABLE, "no witness of the trust file signed this class log")
        elif self.unbounded:
            self._findings.add(STEP, Status.NOT_CHECKABLE, f"{self.unbounded} sessions have no anchor before and after")

    def _bound(self, p: int, q: int) -> int | None:
        """Ms between the last anchor before entry p and the first after entry q, by the strictest witness of both."""
        before = bisect_left(self._indexes, p) - 1
        after = bisect_right(self._sizes, q)
        if before < 0 or after >= len(self._anchors):
            return None
        early, late = self._anchors[before], self._anchors[after]
        both = [then - now for now, then in zip(early.times, late.times, strict=True) if now and then]
        return min(both) * _SECOND + _SECOND if both else None


def _credited(session: VerifiedSession, earned: SessionCredit) -> list[tuple[int, int]]:
    """(seq, credited ms) of each `played`; the spans of one part lie side by side, so nothing counts twice."""
    found = []
    for part in earned.credited:
        for event in session.log.events[part.first : part.last + 1]:
            if event is not None and isinstance(event.body, Played) and event.body.unit == part.unit:
                ms = min(part.to, event.body.to) - max(part.from_, event.body.from_)
                if ms > 0:
                    found.append((event.seq, ms))
    return found


def _compare(sid: str, credited: int, bound: int, p: int, q: int) -> None:
    if credited > bound:
        where = f"between class log entries {p} and {q}"
        raise VerifyError(f"session {sid}: {credited} ms credited {where}, where witnesses saw {bound} ms pass")
