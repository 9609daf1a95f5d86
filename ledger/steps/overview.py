"""What must be known of all sessions before the first is opened: who follows whom, and that none is left out."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from dataclasses import dataclass

from ledger import certificate
from ledger.archive import CHECKPOINT, PEOPLE, README, SUMMARIES, Source
from ledger.certificate import Certificate, Previous
from ledger.classlog import ClassLog, SessionRecord
from ledger.errors import LedgerError, MissingFileError, StrayFileError
from ledger.findings import Findings, Status
from ledger.steps.session import folder

STEP = "5"
_TOP = frozenset({README, CHECKPOINT, PEOPLE, *SUMMARIES, "tile", "sessions", "bodies", "evidence"})


@dataclass(frozen=True, slots=True)
class Overview:
    """The sessions that have a directory, by registration, each in the order of their `granted` leaves.

    `broken`: sid → why its device's chain does not hold there. `shared`: sids whose session key was used before.
    """

    by_registration: dict[str, list[SessionRecord]]
    broken: dict[str, str]
    shared: frozenset[str]

    def __iter__(self) -> Iterator[list[SessionRecord]]:
        return iter(self.by_registration.values())


def survey(source: Source, log: ClassLog, findings: Findings, *, partial: bool) -> Overview:
    """Read every certificate once (they are verified later) and compare what is here with what was granted."""
    present = set(source.folders("sessions/"))
    _check_left_out(log, present, findings, partial=partial)
    chains = _Chains(log, present)
    groups: dict[str, list[SessionRecord]] = defaultdict(list)
    for record in sorted(log.sessions.values(), key=lambda record: record.granted_at):
        if record.sid not in present:
            continue
        try:
            parsed, signed = certificate.parse(source.read(folder(record.sid) + "device.cert"))
        except LedgerError:
            groups[""].append(record)  # verify_session says what is wrong with it
            continue
        groups[parsed.registration].append(record)
        chains.take(record, parsed, signed.signatures[0].name)
    return Overview(dict(groups), chains.broken, frozenset(chains.shared))


def _check_left_out(log: ClassLog, present: set[str], findings: Findings, *, partial: bool) -> None:
    """Step 5: every granted session is here, or was revealed without an event; nobody else is."""
    findings.reach(STEP)
    for record in log.missing():
        if record.sid in present:
            continue
        if partial:
            findings.add("5", Status.NOT_CHECKABLE, "not in this part of the archive", sid=record.sid)
        else:
            findings.refuse(STEP, MissingFileError(f"session {record.sid} was granted and is left out"), record.sid)
    known = {record.sid for record in log.missing()}
    for sid in sorted(present - known):
        findings.refuse(STEP, StrayFileError(f"sessions/{sid} is no session of this class log"), sid)


def check_top(source: Source, findings: Findings) -> None:
    """No file or folder at the top that no step reads."""
    for name in source.folders(""):
        if name not in _TOP:
            findings.refuse(STEP, StrayFileError(f"{name} has no place in an archive"))


class _Chains:
    """Each device's sessions in this class follow one another; a session key speaks in one session only."""

    def __init__(self, log: ClassLog, present: set[str]) -> None:
        self._absent = {sid: record for sid, record in log.sessions.items() if sid not in present}
        self.broken: dict[str, str] = {}
        self.shared: set[str] = set()
        self._last: dict[str, SessionRecord] = {}
        self._keys: set[bytes] = set()

    def take(self, record: SessionRecord, parsed: Certificate, device: str) -> None:
        """Take the sessions in the order of their `granted` leaves."""
        before = self._last.get(device)
        self._last[device] = record
        key = parsed.session_key.key
        if key in self._keys:
            self.shared.add(record.sid)
        self._keys.add(key)
        if isinstance(parsed.prev, Previous):  # in a part of an archive the one before may be missing
            before = self._absent.get(parsed.prev.sid, before)
        expected = Previous(before.sid, *before.logged[-1][1:]) if before and before.logged else None
        if parsed.prev not in ("lost", expected):
            stated = f"follows {parsed.prev or 'none'}, where the class log has {expected or 'none'}"
            self.broken[record.sid] = f"a gap or a fork between this device's sessions: it {stated}"
