"""`python -m ledger complain`: something was signed more than a day ago and the class log still does not have it.

What the server signs for one person must stand in the log that everybody sees within `merge_delay`: a grant as its
`granted` leaf, a cosignature as a logged checkpoint of at least that size. The complaint holds both signed statements.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Final

from ledger import archive, canonical, checkpoint, grant, names, note
from ledger.archive import CHECKPOINT, Source
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.errors import ArchiveError, CanonicalError, FormatError
from ledger.fields import MS, VERSION, Record, Table, is_vkey, one_of, strip_version, text
from ledger.keys import Vkey
from ledger.leaves import Leaf
from ledger.note import Note
from ledger.tree import Tree
from ledger.trust import Trust

MERGE_DELAY_MS: Final = 24 * 3600 * 1000
MAX_FILE: Final = 1 << 20
_SECOND: Final = 1000


class ComplaintError(FormatError):
    """There is nothing to complain about: it stands in the log, is too young, or is not signed by the server."""

    code = "TS-L-068"
    remedy = "Wait until a day has passed and ask for a newer archive; if it is still missing, complain then."
    zh = "尚不能据此投诉：记录已在日志中、未满 24 小时，或并非服务器签名。请稍后取得更新的档案再比对。"


@dataclass(frozen=True, slots=True)
class Complaint(Record):
    """`claim`: the note that the server signed at `signed_ms` with `key`; `checkpoint`: the class log's, which knows of
    `seen_ms` (the latest time that it or its witnesses state) and lacks `missing`."""

    missing: str
    key: str
    claim: str
    signed_ms: int
    checkpoint: str
    seen_ms: int
    error = ComplaintError
    checks: ClassVar[Table] = {
        "missing": one_of("granted", "checkpoint"), "key": is_vkey, "claim": text(65_535), "signed_ms": MS,
        "checkpoint": text(65_535), "seen_ms": MS,
    }  # fmt: skip

    def __bytes__(self) -> bytes:
        """The file: one canonical line and a newline."""
        return canonical.encode({"v": VERSION, "type": "omission", **self.to_json()}, limit=MAX_FILE) + b"\n"


def parse(data: bytes) -> Complaint:
    """Read a complaint, or raise `ComplaintError`; it is checked by complaining again against the same archive."""
    if not data.endswith(b"\n"):
        raise ComplaintError("a complaint is one line")
    try:
        obj = strip_version(canonical.decode(data[:-1], limit=MAX_FILE), ComplaintError)
    except CanonicalError as error:
        raise ComplaintError(str(error)) from error
    if obj.pop("type", None) != "omission":
        raise ComplaintError("this is no complaint about an omission")
    return Complaint.from_json(obj)


def complain(claim: bytes, source: Source, trust: Trust) -> Complaint:
    """Return the complaint about `claim` against the class log in `source`, or raise `ComplaintError` saying why not.

    `claim` is a grant, or a session's checkpoint with the server's cosignature; a quorum is not needed to lack it.
    Other `LedgerError`s where a side cannot be used.
    """
    raw = source.read(CHECKPOINT)
    seen = trust.verify_log(*checkpoint.parse(raw), others=True)
    signed = note.parse(claim)
    log, latest, logged = _read(source, seen.checkpoint, signed.text.partition("\n")[0])
    if signed.text.startswith(grant.HEADER):
        missing, key, signed_ms = _grant(log, signed)
    else:
        missing, key, signed_ms = _cosignature(source, log, logged, signed)
    seen_ms = max([latest, *(time * _SECOND for time in seen.times.values())])
    if seen_ms - signed_ms < MERGE_DELAY_MS:
        raise ComplaintError(f"it is {max(0, seen_ms - signed_ms)} ms old there, less than {MERGE_DELAY_MS}")
    return Complaint(missing, str(key), claim.decode(), signed_ms, raw.decode(), seen_ms)


def _read(source: Source, signed: Checkpoint, origin: str) -> tuple[ClassLog, int, dict[int, Checkpoint]]:
    """The class log, every entry hashed; the latest time (ms) that an entry states; the checkpoints of `origin`."""
    log, latest = ClassLog(signed.origin), 0
    logged: dict[int, Checkpoint] = {}
    for data, _ in archive.read_log(source, "", signed, "class log entry"):
        entry = log.add(data or b"")
        if isinstance(entry, Leaf):
            latest = max(latest, entry.at)
        elif entry.checkpoint.origin == origin:
            logged[len(log) - 1] = entry.checkpoint
    return log, latest, logged


def _grant(log: ClassLog, signed: Note) -> tuple[str, Vkey, int]:
    given = grant.parse_text(signed.text)
    if given.class_ != log.origin:
        raise ArchiveError(f"the grant is of {given.class_}, the archive of {log.origin}")
    key = _by(log, "grant", signed)
    record = log.sessions.get(given.sid)
    if record is not None and record.granted.grant == signed.digest:
        raise ComplaintError(f"the grant stands at class log entry {record.granted_at}")
    return "granted", key, given.time


def _cosignature(
    source: Source, log: ClassLog, logged: dict[int, Checkpoint], signed: Note
) -> tuple[str, Vkey, int]:
    found = checkpoint.parse_text(signed.text)
    session = names.split("session origin", found.origin)
    if session is None or session[0] != log.server:
        raise ArchiveError(f"{found.origin} is no session of {log.server}")
    key = _by(log, "cosign", signed)
    time = next(line.time for line in signed.signatures if line.is_by(key))
    for at, one in logged.items():
        if _covers(source, session[1], one, found):
            raise ComplaintError(f"class log entry {at} has this session at {one.size} events")
    return "checkpoint", key, time * _SECOND


def _covers(source: Source, sid: str, logged: Checkpoint, claimed: Checkpoint) -> bool:
    """Whether the logged checkpoint is a continuation of the claimed one, as far as the archive's events can tell."""
    if logged.size == claimed.size:
        return logged.root == claimed.root
    if logged.size < claimed.size or not source.has(f"sessions/{sid}/checkpoint"):
        return logged.size > claimed.size
    last = checkpoint.parse(source.read(f"sessions/{sid}/checkpoint"))[0]
    tree = Tree(leaf for _, leaf in archive.read_log(source, f"sessions/{sid}/", last, f"session {sid}, event"))
    return tree.root_at(claimed.size) == claimed.root


def _by(log: ClassLog, role: str, signed: Note) -> Vkey:
    """The server's key of this role, revoked or not, whose signature stands on the claim."""
    keys = [record.key for record in log.keys if record.leaf.role == role]
    good = note.verify(signed, keys, others=True)
    return next(key for key in keys if any(line.is_by(key) for line in good))
