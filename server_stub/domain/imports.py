"""Records that reach the server by another way than the network: a learner's own copy of sessions that were not sent.

What they carry is judged as an upload is: signed by the session's key, continuing what is here, before the seed is
revealed. Nothing is believed because of who brings it.
"""

from __future__ import annotations

from collections.abc import Callable

from ledger import archive, certificate, checkpoint, events, segment
from ledger.archive import Source
from ledger.checkpoint import Checkpoint
from ledger.errors import ArchiveError, LedgerError
from ledger.events import Closed
from ledger.steps.session import folder
from server_stub.domain.errors import UnreadableError
from server_stub.domain.ports import Transaction
from server_stub.domain.reveal import known


def read_unsent(source: Source) -> list[tuple[str, bytes, list[bytes]]]:
    """(sid, checkpoint note, all events) of every session in the copy; `UnreadableError` if one cannot be used."""
    found = []
    for sid in source.folders("sessions/"):
        try:
            found.append(_session(source, sid))
        except LedgerError as error:
            raise UnreadableError(f"session {sid}: {error}") from error
    if not found:
        raise UnreadableError("no session lies in this folder")
    return found


def _session(source: Source, sid: str) -> tuple[str, bytes, list[bytes]]:
    parsed, _ = certificate.parse(source.read(folder(sid) + "device.cert"))
    raw = source.read(folder(sid) + "checkpoint")
    signed: Checkpoint = checkpoint.parse(raw)[0]
    if parsed.sid != sid or signed.origin != parsed.origin:
        raise ArchiveError("its certificate or checkpoint is another session's")
    entries = [data or b"" for data, _ in archive.read_log(source, folder(sid), signed, f"session {sid}, event")]
    if not entries or not isinstance(events.decode(entries[-1]).body, Closed):
        raise ArchiveError("it is not closed yet: end the lesson, then export it again")
    return sid, raw, entries


def size_of(tx: Transaction, sid: str) -> int:
    """How many events of a session are here; `UnknownSessionError` for one that was never granted."""
    known(tx, sid)
    return tx.events.progress(sid).size


def bring(
    source: Source, size_of: Callable[[str], int], accept: Callable[[str, bytes], bytes]
) -> list[tuple[str, int, int]]:
    """Give every session's missing events to `accept` (sid, segment); return (sid, events before, events now)."""
    brought = []
    for sid, signed, entries in read_unsent(source):
        old = size_of(sid)
        if old < len(entries):
            accept(sid, segment.build(old, signed, entries[old:]))
        brought.append((sid, old, max(old, len(entries))))
    return brought
