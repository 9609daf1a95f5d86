"""Another server's class log, followed entry by entry: what comes is believed only where our own trust file's key
signed a checkpoint that all entries, old and new, lead to. Nothing is skipped, and nothing is taken twice.
"""

from __future__ import annotations

from dataclasses import dataclass

from ledger import checkpoint, tiles
from ledger.checkpoint import Checkpoint
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.trust import Trust
from server_stub.asking import Http
from server_stub.domain.work_errors import FeedError


@dataclass(frozen=True, slots=True)
class Grown:
    """What is new: the entries, and the signed checkpoint over all."""

    entries: tuple[bytes, ...]
    checkpoint: Checkpoint
    signed: bytes


def update(http: Http, class_id: str, trusted: Trust, log: ClassLog) -> Grown:
    """Bring `log` up to the latest signed checkpoint and return what was added.

    `OSError` where the line is cut: whatever of it has come is thrown away, so the next call begins where `log` stood.
    `FeedError` where what came is forged, contradicts what was seen, or goes back; `log` is not to be used any more.
    """
    signed = _get(http, f"/log/{class_id}/checkpoint")
    try:
        parsed, note = checkpoint.parse(signed)
        seen = trusted.verify_log(parsed, note, others=True).checkpoint
        if seen.origin != log.origin:
            raise FeedError(f"the checkpoint of another log: {seen.origin}")
        if seen.size < len(log):
            raise FeedError(f"the log went back from {len(log)} to {seen.size} entries")
        fresh = _entries(http, class_id, len(log), seen.size)
        for entry in fresh:
            log.add(entry)
    except LedgerError as error:
        raise FeedError(f"{error.code}: {error}") from error
    if log.tree.root() != seen.root:
        raise FeedError(f"the entries do not lead to the signed checkpoint of {seen.size}")
    return Grown(tuple(fresh), seen, signed)


def _entries(http: Http, class_id: str, start: int, stop: int) -> list[bytes]:
    """Entries [start, stop), bundle by bundle."""
    found: list[bytes] = []
    for index, width in tiles.spans(stop):
        first = index * tiles.WIDTH
        if first + width > start:
            data = _get(http, f"/log/{class_id}/{tiles.tile_path('entries', index, width)}")
            found += tiles.decode_bundle(data, width)[max(0, start - first) :]
    return found


def _get(http: Http, path: str) -> bytes:
    reply = http.ask("GET", path)
    if reply.status != 200:
        raise OSError(f"{path} answers {reply.status}")
    return reply.body
