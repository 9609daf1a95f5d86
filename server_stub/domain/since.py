"""Since when a session can have gone on beyond its latest checkpoint: what may be logged without a false suspicion.

Verification bounds the credit between two logged checkpoints by the witnesses' time from the last anchor *before* the
first of them. A checkpoint that comes late (the device was off line) would stand after anchors younger than the
study that follows it, and honest time would look made up. So it is logged only when no anchor lies in between; a later
one, once the device is on line again, takes its place.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Final

from ledger import events, note
from ledger.errors import LedgerError
from ledger.events import Cosigned, Event
from server_stub.domain.ports import Session, Transaction

MARGIN_MS: Final = 5_000  # the device's clock is believed within a few seconds only (`clock_slack_ms`, a lead of 1 s)


def goes_on_since(tx: Transaction, session: Session) -> int:
    """Ms (our clock) before which nothing after the session's latest checkpoint was played.

    The last `cosigned` event tells: it was written after the time that its line states, the rest after that.
    """
    told, last = b"", b""
    for _, body in tx.events.segments(session.sid):
        for last in _entries(body):
            if b'"verb":"cosigned"' in last:
                told = last
    stamp, end = _read(told), _read(last)
    if stamp is None or end is None or not isinstance(stamp.body, Cosigned):
        return session.granted_at
    try:
        time = note.parse_line(stamp.body.line).time * 1000
    except LedgerError:
        return session.granted_at
    return time + max(0, end.mono - stamp.mono)


def may_be_logged(tx: Transaction, session: Session) -> bool:
    """Whether no anchor of the class log is younger than what can follow the session's latest checkpoint."""
    anchor = tx.witnessed.last_anchor(session.class_id)
    if anchor is None or anchor.at + MARGIN_MS <= session.granted_at:
        return True
    return anchor.at + MARGIN_MS <= goes_on_since(tx, session)


def _entries(body: bytes) -> Iterator[bytes]:
    """The entries of a segment as it is kept (`ledger.segment`); an erased one is empty."""
    at = 4 + int.from_bytes(body[:4], "big")
    while at < len(body):
        end = at + 2 + int.from_bytes(body[at : at + 2], "big")
        yield body[at + 2 : end]
        at = end


def _read(entry: bytes) -> Event | None:
    try:
        return events.decode(entry)
    except LedgerError:
        return None
