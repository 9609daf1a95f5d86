"""A session that was never sent: what its device kept of it, with no class log around it.

Steps 3 (the certificate's form), 4 and 6 can be done; who the device is, receipts, cosignatures, seeds and credit
cannot, and stay *not checkable*.
"""

from __future__ import annotations

from ledger import archive, certificate, checkpoint, note, tiles
from ledger.archive import CHECKPOINT, README, Source
from ledger.errors import CertificateError, StrayFileError
from ledger.findings import Findings, Refused, Status
from ledger.sessionlog import Expected, SessionLog
from ledger.steps.session import folder

_WHY = "there is no class log: the session was never sent"


def is_unsent(source: Source) -> bool:
    """Whether this is such a copy: sessions, and no class log."""
    return not source.has(CHECKPOINT) and bool(source.folders("sessions/"))


def verify_unsent(source: Source, findings: Findings) -> None:
    """Verify every session as far as it goes by itself."""
    for number in ("1", "2", "5", "7", "8"):
        findings.add(number, Status.NOT_CHECKABLE, _WHY)
    for name in source.folders(""):
        if name not in ("sessions", README):
            findings.refuse("5", StrayFileError(f"{name} has no place in the copy of an unsent session"))
    for sid in source.folders("sessions/"):
        try:
            _session(source, sid, findings)
        except Refused:
            continue


def _session(source: Source, sid: str, findings: Findings) -> None:
    with findings.step("3", sid):
        parsed, signed = certificate.parse(source.read(folder(sid) + "device.cert"))
        if parsed.sid != sid:
            raise CertificateError(f"the certificate beside session {sid} is another session's")
    findings.add("3", Status.NOT_CHECKABLE, f"{signed.signatures[0].name}: {_WHY}", sid=sid)
    log = SessionLog(parsed.class_origin.partition("/")[0], sid, Expected(bytes(signed).decode(), None, None))
    with findings.step("4", sid):
        found, by = checkpoint.parse(source.read(folder(sid) + "checkpoint"))
        note.verify(by, [parsed.session_key])
        if found.origin != parsed.origin:
            raise CertificateError(f"session {sid}: its checkpoint is of {found.origin}")
        for entries, _ in archive.read_bundles(source, folder(sid), found, f"session {sid}, event", log.tree):
            log.read(entries)
        names = {folder(sid) + path for path in (*tiles.paths(found.size), "checkpoint", "device.cert")}
        archive.check_names(source.names(folder(sid)), names)
    findings.count("4", found.size - 1)
    findings.reach("6")
    findings.add("6", Status.NOT_CHECKABLE, f"its cosignatures: {_WHY}", sid=sid)
    if log.fault is not None:
        findings.add("6", Status.NOT_CREDITED, log.fault.reason, sid=sid, index=log.fault.index)
