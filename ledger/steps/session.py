"""Steps 3 to 6 for one session: who may speak, what was said, that nothing of it changed, that it is well formed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from hashlib import sha256

from ledger import archive, certificate, grant, leaves, note, proof, tiles, tree
from ledger.archive import Source
from ledger.certificate import Certificate
from ledger.checkpoint import Checkpoint
from ledger.classlog import KeyRecord, SessionRecord
from ledger.errors import (
    CertificateError,
    GrantError,
    InconsistentLogError,
    LeafError,
    ReceiptError,
    SignatureError,
    TileError,
    UnknownSignerError,
)
from ledger.findings import Findings, Status
from ledger.grant import Grant
from ledger.keys import Vkey
from ledger.leaves import Logged
from ledger.note import Note
from ledger.sessionlog import Expected, Fault, SessionLog
from ledger.steps.classlog import VerifiedClass, session_entry


@dataclass(slots=True)
class VerifiedSession:
    """A session that stands: its log was hashed, its signatures hold. `fault` says from where on it counts nothing."""

    record: SessionRecord
    certificate: Certificate
    device: KeyRecord
    log: SessionLog
    checkpoint: Checkpoint
    cosigned: int  # POSIX seconds of the cosignature on its last checkpoint
    raw: bytes  # that checkpoint, byte for byte
    grant: Grant | None = None
    withheld: tuple[int, ...] = ()
    fault: Fault | None = None

    @property
    def sid(self) -> str:
        """Its 32 hex digits."""
        return self.record.sid


def folder(sid: str) -> str:
    """Where a session's files lie."""
    return f"sessions/{sid}/"


def read_certificate(
    source: Source, verified: VerifiedClass, record: SessionRecord
) -> tuple[Certificate, Note, KeyRecord]:
    """Step 3, first part: the certificate is by a device whose key counted when the session was granted."""
    parsed, signed = certificate.parse(source.read(folder(record.sid) + "device.cert"))
    if parsed.class_origin != verified.log.origin or parsed.sid != record.sid:
        raise CertificateError(
            f"the certificate of session {record.sid} is of {parsed.origin} in {parsed.class_origin}"
        )
    device = verified.log.signer("device", signed.signatures[0], record.granted_at)
    note.verify(signed, [device.key])
    return parsed, signed, device


def read_events(source: Source, session: Checkpoint, record: SessionRecord, log: SessionLog) -> tuple[int, ...]:
    """Step 4: hash every event again; return the withheld indexes, each of them covered by an `erased` leaf."""
    withheld: list[int] = []
    what = f"session {record.sid}, event"
    for entries, _ in archive.read_bundles(source, folder(record.sid), session, what, log.tree):
        first = len(log.tree) - len(entries)
        withheld += [first + at for at, entry in enumerate(entries) if not entry] if b"" in entries else ()
        log.read(entries)
    name = folder(record.sid) + "withheld"
    if withheld:
        stated = source.read(name)
        if stated != "".join(f"{index}\n" for index in withheld).encode():
            raise TileError(f"{name} does not list what is withheld")
        _check_erased(record, withheld)
    expected = {folder(record.sid) + path for path in tiles.paths(session.size)}
    expected |= {folder(record.sid) + path for path in ("checkpoint", "device.cert", "receipt.tlog-proof")}
    archive.check_names(source.names(folder(record.sid)), expected | ({name} if withheld else set()))
    return tuple(withheld)


def _check_erased(record: SessionRecord, withheld: list[int]) -> None:
    """An event may be withheld only after an `erased` leaf that stands after a `settled` leaf."""
    erased = {i for at, leaf in record.erased if record.settled_at and at > record.settled_at[0] for i in leaf.index}
    for index in withheld:
        if index not in erased:
            error = TileError(
                f"session {record.sid}, event {index}: withheld without an `erased` leaf after a settlement"
            )
            error.index = index
            raise error


def read_checkpoint(source: Source, record: SessionRecord, parsed: Certificate) -> tuple[Logged, bytes]:
    """Step 4: the session's last checkpoint, signed by the session key that the certificate names."""
    raw = source.read(folder(record.sid) + "checkpoint")
    entry = leaves.decode(raw)
    if not isinstance(entry, Logged) or entry.checkpoint.origin != parsed.origin or entry.checkpoint.size == 0:
        raise LeafError(f"session {record.sid}: its checkpoint is not its own, or over nothing")
    return entry, raw


def verify_signatures(entry: Logged, session_key: Vkey, cosigners: list[Vkey]) -> int:
    """The session's signature and the server's cosignature on one checkpoint; return the latter's POSIX seconds."""
    first, second = note.verify(entry.note, [session_key, *cosigners])
    if not first.is_by(session_key):
        raise SignatureError(f"{entry.checkpoint.origin}: the session's own signature stands first")
    return second.time


def check_receipt(source: Source, verified: VerifiedClass, session: VerifiedSession) -> None:
    """Step 5: the receipt proves the checkpoint in *this* class log."""
    record = session.record
    leaf = tree.leaf_hash(session.raw)
    if not record.logged or leaf != verified.tree.node(0, record.logged[-1][0]):
        raise InconsistentLogError(f"session {record.sid}: its checkpoint is not the last one in the class log")
    receipt = proof.parse(source.read(folder(record.sid) + "receipt.tlog-proof"))
    index, size = record.logged[-1][0], len(verified.log)
    path = tuple(verified.tree.inclusion_proof(index, size))
    if (
        receipt.extra is not None
        or receipt.checkpoint != verified.raw
        or (receipt.index, receipt.path) != (index, path)
    ):
        raise ReceiptError(f"session {record.sid}: its receipt is not over this archive's checkpoint")
    tree.verify_inclusion(leaf, index, size, receipt.path, verified.seen.checkpoint.root)


def check_earlier(verified: VerifiedClass, session: VerifiedSession, cosigners: list[Vkey]) -> None:
    """Step 5: the session's earlier logged checkpoints are signed as they must be, and prefixes of what is here."""
    for at, size in session.record.logged[:-1]:
        entry = session_entry(verified, at)
        if session.log.tree.root_at(size) != entry.checkpoint.root:
            raise InconsistentLogError(
                f"session {session.sid}: its checkpoint at class log entry {at} is of another log"
            )
        verify_signatures(entry, session.certificate.session_key, cosigners)


def read_grant(verified: VerifiedClass, session: VerifiedSession, certificate_digest: str) -> Grant:
    """Step 3, second part: the grant that `opened` holds is the one that was logged, and fits everything around it."""
    opened, record, log = session.log.opened, session.record, verified.log
    if opened is None:
        raise GrantError(f"session {record.sid} holds no grant")
    parsed, signed = grant.parse(opened.grant.encode())
    session.fault = _signature_fault(verified, record, signed)
    expected: dict[str, object] = {
        "sid": record.sid, "class_": log.origin, "cert": certificate_digest, "commit": record.granted.commit,
        "registration": session.certificate.registration,
    }  # fmt: skip
    expected |= {what: log.in_force(what, record.granted_at) for what in ("policy", "rules", "models", "course")}
    for name, value in expected.items():
        if getattr(parsed, name) != value:
            raise GrantError(f"the grant of session {record.sid}: its {name.rstrip('_')} is not that of the class log")
    _check_named(verified, record, parsed)
    return parsed


def _check_named(verified: VerifiedClass, record: SessionRecord, parsed: Grant) -> None:
    """Photos are sealed to keys of this class only, and accommodations were on record before the grant."""
    at, log = record.granted_at, verified.log
    keys = {str(key) for key in log.counting("evidence", at)} if parsed.recipients else set()
    what = "" if keys.issuperset(parsed.recipients) else "recipient"
    if any(log.accommodated.get(digest, at) >= at for digest in parsed.accommodations):
        what = "accommodation"
    if what:
        raise GrantError(f"the grant of session {record.sid}: a {what} that stands in no entry before it")


def _signature_fault(verified: VerifiedClass, record: SessionRecord, signed: Note) -> Fault | None:
    """The grant's text is the logged one; whether its signature was copied whole is the device's to answer for."""
    try:
        key = verified.log.signer("grant", signed.signatures[0], record.granted_at).key
        note.verify(signed, [key])
    except (SignatureError, UnknownSignerError) as error:
        return Fault(0, f"`opened` holds a grant without its signature: {error}")
    return None


def check_owner(source: Source, session: VerifiedSession, findings: Findings) -> None:
    """Step 3: the device's `owner` is the grant's learner, if the 16 bytes that say so are still kept."""
    owner = session.device.leaf.owner or ""
    name = f"bodies/sha256/{owner}"
    if not source.has(name):
        findings.add("3", Status.NOT_CHECKABLE, f"whose device it is: {name} is not kept", sid=session.sid)
        return
    data = source.read(name)
    learner = session.grant.learner if session.grant else ""
    if sha256(data).hexdigest() != owner or len(data) != 48 or data[16:] != learner.encode():
        raise CertificateError(f"session {session.sid}: its device is registered for another learner")


def check_form(session: VerifiedSession, findings: Findings) -> None:
    """Step 6: what its own device got wrong is not credited from there on; what the keeper got wrong is refused."""
    record, log = session.record, session.log
    for fault in _faults(session):
        session.fault = fault if session.fault is None or fault.index < session.fault.index else session.fault
        findings.add("6", Status.NOT_CREDITED, fault.reason, sid=record.sid, index=fault.index)
    if record.revealed is not None and record.revealed.size != session.checkpoint.size:
        raise InconsistentLogError(
            f"session {record.sid}: revealed at {record.revealed.size} events, but {session.checkpoint.size} are here"
        )
    if record.revealed is not None and record.revealed.how == "closed" and log.fault is None and log.closed is None:
        last = log.events[-1] if log.events else None
        if last is not None:
            raise InconsistentLogError(f"session {record.sid}: revealed as closed, but its last event is not `closed`")


def _faults(session: VerifiedSession) -> Iterator[Fault]:
    log = session.log
    if session.fault is not None:
        yield session.fault
    if log.fault is not None:
        yield log.fault
    if session.grant is None:
        return
    first = log.stamps[0].time if log.stamps else session.cosigned
    if first * 1000 > session.grant.open_by:
        late = first * 1000 - session.grant.open_by
        yield Fault(0, f"`opened` was first cosigned {late} ms after `open_by`")


def verify_session(
    source: Source, verified: VerifiedClass, record: SessionRecord, findings: Findings
) -> VerifiedSession:
    """Steps 3 to 6 for one session; `findings.Refused` where the rest has nothing to stand on."""
    sid, log = record.sid, verified.log
    with findings.step("3", sid):
        parsed, signed, device = read_certificate(source, verified, record)
        cosigners = log.counting("cosign", record.granted_at)
    events = SessionLog(log.server, sid, Expected(bytes(signed).decode(), record.granted.grant, cosigners))
    with findings.step("4", sid):
        entry, raw = read_checkpoint(source, record, parsed)
        withheld = read_events(source, entry.checkpoint, record, events)
    findings.count("4", entry.checkpoint.size - 1)
    with findings.step("5", sid):
        cosigned = verify_signatures(entry, parsed.session_key, cosigners)
        session = VerifiedSession(record, parsed, device, events, entry.checkpoint, cosigned, raw, withheld=withheld)
        check_receipt(source, verified, session)
        check_earlier(verified, session, cosigners)
    _grant_and_form(source, verified, session, signed, findings)
    return session


def _grant_and_form(
    source: Source, verified: VerifiedClass, session: VerifiedSession, signed: Note, findings: Findings
) -> None:
    if session.log.opened is not None:
        with findings.step("3", session.sid):
            session.grant = read_grant(verified, session, signed.digest)
            check_owner(source, session, findings)
    elif 0 in session.withheld:
        findings.add("3", Status.NOT_CHECKABLE, "its grant is withheld", sid=session.sid, index=0)
    else:
        findings.add("3", Status.NOT_CREDITED, "it does not begin with its grant", sid=session.sid, index=0)
    with findings.step("6", session.sid):
        check_form(session, findings)
