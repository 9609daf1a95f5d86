"""What must be known of all sessions before the first is opened: who follows whom, and that none is left out."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256
from typing import Final

from ledger import certificate
from ledger.archive import CHECKPOINT, PEOPLE, README, SUMMARIES, Source
from ledger.certificate import Certificate, Previous
from ledger.classlog import ClassLog, SessionRecord
from ledger.errors import LedgerError, MissingFileError, StrayFileError
from ledger.findings import Findings, Status
from ledger.steps.classlog import VerifiedClass, session_entry
from ledger.steps.session import folder

STEP = "5"
CERTIFICATE: Final = "device.cert"
_SID: Final = 16  # bytes
_TOP = frozenset({README, CHECKPOINT, PEOPLE, *SUMMARIES, "tile", "sessions", "bodies", "evidence", "timestamps"})


@dataclass(frozen=True, slots=True)
class Overview:
    """The sessions that have a directory, by registration, each in the order of their `granted` leaves.

    `broken`: sid → why its device's chain does not hold there. `shared`: sids whose session key was used before.
    """

    by_registration: dict[bytes, bytes]  # sids one after the other, 16 bytes each
    broken: dict[str, str]
    shared: frozenset[str]

    def __iter__(self) -> Iterator[list[str]]:
        for sids in self.by_registration.values():
            yield [sids[at : at + _SID].hex() for at in range(0, len(sids), _SID)]

    def __len__(self) -> int:
        return len(self.by_registration)


def survey(source: Source, verified: VerifiedClass, findings: Findings, *, partial: bool) -> Overview:
    """Read every certificate once (they are verified later) and compare what is here with what was granted."""
    log = verified.log
    _check_left_out(source, log, findings, partial=partial)
    chains = _Chains(source, verified)
    groups: dict[bytes, bytes] = {}
    for sid in log.sessions:
        if not _is_here(source, sid):
            continue
        registration = b""
        try:
            parsed, signed = certificate.parse(source.read(folder(sid) + CERTIFICATE))
        except LedgerError:  # verify_session says what is wrong with it, or missing
            pass
        else:
            registration = bytes.fromhex(parsed.registration)
            chains.take(log.sessions[sid], parsed, signed.signatures[0].name)
        groups[registration] = groups.get(registration, b"") + bytes.fromhex(sid)
    return Overview(groups, chains.broken, frozenset(chains.shared))


def _is_here(source: Source, sid: str) -> bool:
    return source.has(folder(sid) + CERTIFICATE) or bool(source.names(folder(sid)))


def _check_left_out(source: Source, log: ClassLog, findings: Findings, *, partial: bool) -> None:
    """Step 5: every granted session is here, or was revealed without an event; nobody else is."""
    findings.reach(STEP)
    for record in log.missing():
        if _is_here(source, record.sid):
            continue
        if partial:
            findings.add("5", Status.NOT_CHECKABLE, "not in this part of the archive", sid=record.sid)
        else:
            findings.refuse(STEP, MissingFileError(f"session {record.sid} was granted and is left out"), record.sid)
    for sid in source.folders("sessions/"):
        revealed = log.sessions[sid].revealed if sid in log.sessions else None
        if sid in log.sessions and (revealed is None or revealed.size > 0):
            continue
        findings.refuse(STEP, StrayFileError(f"sessions/{sid} is no session of this class log"), sid)


def check_top(source: Source, findings: Findings) -> None:
    """No file or folder at the top that no step reads."""
    for name in source.folders(""):
        if name not in _TOP:
            findings.refuse(STEP, StrayFileError(f"{name} has no place in an archive"))


class _Chains:
    """Each device's sessions in this class follow one another; a session key speaks in one session only."""

    def __init__(self, source: Source, verified: VerifiedClass) -> None:
        self._source, self._verified, self._log = source, verified, verified.log
        self.broken: dict[str, str] = {}
        self.shared: set[str] = set()
        self._last: dict[bytes, bytes] = {}  # device → its session before
        self._keys: dict[int, None] = {}  # a set of many takes four times as much

    def take(self, record: SessionRecord, parsed: Certificate, device: str) -> None:
        """Take the sessions in the order of their `granted` leaves."""
        name = sha256(device.encode()).digest()[:_SID]
        last = self._last.get(name)
        before = None if last is None else self._log.sessions[last.hex()]
        self._last[name] = bytes.fromhex(record.sid)
        key = hash(parsed.session_key.key)  # 64 bits, another secret in each process: nobody makes two keys meet
        if key in self._keys:
            self.shared.add(record.sid)
        self._keys[key] = None
        if isinstance(parsed.prev, Previous) and not _is_here(self._source, parsed.prev.sid):
            before = self._log.sessions.get(parsed.prev.sid, before)  # in a part of an archive it may be missing
        expected = None
        if before is not None and before.logged:
            at, size = before.logged[-1]
            expected = Previous(before.sid, size, session_entry(self._verified, at).checkpoint.root)
        if parsed.prev not in ("lost", expected):
            stated = f"follows {parsed.prev or 'none'}, where the class log has {expected or 'none'}"
            self.broken[record.sid] = f"a gap or a fork between this device's sessions: it {stated}"
