"""One session of an archive for people and for other tools: as a table, and as a trust file of its own."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from ledger import archive, certificate, checkpoint, events, leaves, names, words
from ledger.archive import Source
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError, FormatError, LedgerError
from ledger.keys import Vkey, cosignature_time
from ledger.leaves import KeyLeaf
from ledger.note import parse_line
from ledger.trust import Trust

_LONG = 60  # characters of one value; grants and certificates are longer than any screen


def session_table(source: Source, sid: str) -> str:
    """Every event of the session, one a line, after its hashes were compared with its checkpoint.

    Signatures are `verify`'s to check, and the first line says so.
    """
    prefix, signed = _session(source, sid)
    lines = [f"session {sid}, {signed.size} events, as its device wrote them (verify checks signatures)"]
    lines.append(f"{'event':>6} {'at':>9}  what")
    for index, (data, _) in enumerate(archive.read_log(source, prefix, signed, f"session {sid}, event")):
        lines.append(_line(index, data))
    return "\n".join(lines) + "\n"


def _session(source: Source, sid: str) -> tuple[str, Checkpoint]:
    prefix = f"sessions/{sid}/"
    if not names.is_a("sid", sid) or not source.has(prefix + "checkpoint"):
        raise ArchiveError(f"there is no session {sid[:40]!r} in this archive")
    signed, _ = checkpoint.parse(source.read(prefix + "checkpoint"))
    return prefix, signed


def _line(index: int, data: bytes | None) -> str:
    if data is None:
        return f"{index:>6} {'':>9}  (erased)"
    try:
        event = events.decode(data)
    except LedgerError as error:
        return f"{index:>6} {'':>9}  no event: {words.shown(str(error))}"
    said = " ".join(_fields(event.body.verb, event.body.fields()))
    return f"{index:>6} {words.position(event.mono):>9}  {event.body.verb} {said}".rstrip()


def _fields(verb: str, fields: dict[str, Any]) -> Iterator[str]:
    for name, value in fields.items():
        if verb == "cosigned" and name == "line":
            yield f"time={_time(value)}"
        elif value not in (None, {}, ""):
            said = words.shown(str(value).replace("\n", "⏎"))
            yield f"{name}={said if len(said) <= _LONG else said[:_LONG] + '…'}"


def _time(line: str) -> str:
    try:
        return words.moment(cosignature_time(parse_line(line).raw))
    except LedgerError:
        return "(no cosignature)"


def session_trust(source: Source, sid: str) -> str:
    """A trust file by which third-party tools check this session's log: its key, the server's cosigner as witness.

    The keys come from the archive: they are worth what `verify` says of it.
    """
    prefix, signed = _session(source, sid)
    parsed, _ = certificate.parse(source.read(prefix + "device.cert"))
    if parsed.sid != sid:
        raise FormatError(f"the certificate beside session {sid} is another session's")
    witnesses: dict[str, Vkey] = {}
    class_checkpoint, _ = checkpoint.parse(source.read(archive.CHECKPOINT))
    for data, _ in archive.read_log(source, "", class_checkpoint, "class log entry"):
        entry = leaves.decode(data or b"")
        if isinstance(entry, KeyLeaf) and entry.role == "cosign" and entry.op == "add":
            witnesses[f"server{len(witnesses) or ''}"] = entry.key
    groups = {"servers": (1, tuple(witnesses))} if len(witnesses) > 1 else {}
    quorum = "servers" if groups else next(iter(witnesses), "none")
    return f"# session {sid} of {signed.origin}\n{Trust((parsed.session_key,), witnesses, groups, quorum)}"
