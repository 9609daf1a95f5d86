"""Step 10: sealed photos are the ones that events name; whoever may open them checks the rest."""

from __future__ import annotations

from ledger.archive import Source
from ledger.classlog import SessionRecord
from ledger.errors import LeafError, RootMismatchError, StrayFileError
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

    def take(self, log: SessionLog, record: SessionRecord) -> None:
        """Check what this session's answers name against what its class-log `record` says was erased."""
        for event in log.naming:
            if not isinstance(event.body, Answered) or event.body.evidence is None:
                continue
            named, seq = event.body.evidence, event.seq
            erased = [at for at, leaf in record.erased if seq in leaf.index]
            if erased:
                self._erased(record, seq, erased[0], (f"sha256/{named['sha256']}", f"keys/{named['eid']}.json"))
                continue
            self._check(log.sid, seq, f"{FOLDER}sha256/{named['sha256']}", named["sha256"])
            self._check(log.sid, seq, f"{FOLDER}keys/{named['eid']}.json", named["keys"])

    def _erased(self, record: SessionRecord, seq: int, at: int, names: tuple[str, ...]) -> None:
        """A photo is erased after its session was settled, and then it is gone: keeping it in secret is refused."""
        try:
            with self._findings.step(STEP, record.sid):
                if not any(settled < at for settled in record.settled_at):
                    raise LeafError(f"session {record.sid}, event {seq}: its photo was erased before a settlement")
                for name in names:
                    if self._source.has(FOLDER + name):
                        raise StrayFileError(f"{FOLDER}{name} is kept, but class log entry {at} says it was erased")
        except Refused:
            return
        said = f"its photo was erased (class log entry {at})"
        self._findings.add(STEP, Status.NOT_CHECKABLE, said, sid=record.sid, index=seq)

    def _check(self, sid: str, seq: int, name: str, digest: str) -> None:
        if not self._source.has(name):
            self._findings.add(STEP, Status.NOT_CHECKABLE, f"{name} is not kept", sid=sid, index=seq)
            return
        self.unnamed.discard(name)
        try:
            with self._findings.step(STEP, sid):
                if self._source.digest(name).hex() != digest:
                    raise RootMismatchError(f"session {sid}, event {seq}: {name} was changed")
        except Refused:
            return

    def close(self) -> None:
        """Refuse what is left over."""
        for name in sorted(self.unnamed):
            self._findings.refuse(STEP, StrayFileError(f"{name} is named by no event"))
