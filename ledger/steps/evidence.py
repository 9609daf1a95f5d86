"""Step 10: sealed photos are the ones that events name; whoever may open them checks the rest."""

from __future__ import annotations

from hashlib import sha256

from ledger.archive import Source
from ledger.errors import RootMismatchError, StrayFileError
from ledger.events import Answered
from ledger.findings import Findings, Refused, Status
from ledger.sessionlog import SessionLog

STEP = "10"
FOLDER = "evidence/"


class Evidence:
    """Compares each photo with the event that names it; what no event names is refused at the end."""

    def __init__(self, source: Source, findings: Findings) -> None:
        self._source, self._findings = source, findings
        self.unnamed = set(source.names(FOLDER))
        findings.reach(STEP)

    def take(self, log: SessionLog) -> None:
        """Check what this session's answers name."""
        for event in log.naming:
            if not isinstance(event.body, Answered) or event.body.evidence is None:
                continue
            named = event.body.evidence
            self._check(log.sid, event.seq, f"{FOLDER}sha256/{named['sha256']}", named["sha256"])
            self._check(log.sid, event.seq, f"{FOLDER}keys/{named['eid']}.json", named["keys"])

    def _check(self, sid: str, seq: int, name: str, digest: str) -> None:
        if not self._source.has(name):
            self._findings.add(STEP, Status.NOT_CHECKABLE, f"{name} is not kept", sid=sid, index=seq)
            return
        self.unnamed.discard(name)
        try:
            with self._findings.step(STEP, sid):
                if sha256(self._source.read(name)).hexdigest() != digest:
                    raise RootMismatchError(f"session {sid}, event {seq}: {name} was changed")
        except Refused:
            return

    def close(self) -> None:
        """Refuse what is left over."""
        for name in sorted(self.unnamed):
            self._findings.refuse(STEP, StrayFileError(f"{name} is named by no event"))
