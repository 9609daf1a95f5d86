"""A session's events as tlog-tiles, for whoever may export its class: a province follows them while a class studies.

What is handed out is what the class log has stated: up to the session's last logged checkpoint, so that every byte is
bound by an entry that nobody can take back. That somebody follows stands in the class log, once a day.
"""

from __future__ import annotations

from functools import partial
from typing import Final

from ledger import segment, tiles
from ledger.tree import leaf_hash
from server_stub.domain.classlog import locate
from server_stub.domain.duties import Right
from server_stub.domain.errors import NotThereError
from server_stub.domain.office import class_place
from server_stub.domain.people import Account
from server_stub.domain.ports import Transaction
from server_stub.domain.registry import Sought
from server_stub.domain.reveal import known
from server_stub.domain.work import Bench

FOLLOWED: Final = "followed the records"
AGAIN_MS: Final = 24 * 3600 * 1000


class Feed:
    """Reads session logs; changes nothing but the journal."""

    def __init__(self, bench: Bench) -> None:
        self._bench = bench

    def tile(self, account: Account, sid: str, path: str) -> bytes:
        """The bytes at `tile/entries/…` or `tile/0/…` of the session's log as it was logged last; an erased entry has
        length 0 in its bundle and its hash in `tile/0`. `NotThereError` for what is not there, or not theirs."""
        bench = self._bench
        class_id = bench.read(lambda tx: known(tx, sid).class_id)
        bench.office.require(account, Right.EXPORT, class_id)
        data = bench.read(partial(_tile, sid=sid, path=path))
        self._say(account, class_id)
        return data

    def _say(self, account: Account, class_id: str) -> None:
        """An audit in the class log before anything is handed out, unless there is one of the last 24 hours."""
        bench = self._bench
        since = max(1, bench.clock() - AGAIN_MS)
        sought = Sought([class_place(class_id)], accounts=[account.name], did=FOLLOWED, since=since)
        if not bench.registry.journal(sought, 1):
            bench.office.audit(account, FOLLOWED, class_id, "session logs, as they are logged", class_id)


def _tile(tx: Transaction, sid: str, path: str) -> bytes:
    where = locate(path, tx.events.progress(sid).logged_size)
    if where is None or where[0] not in ("entries", "0"):
        raise NotThereError(f"no tile {path[:80]!r} of this session is logged")
    level, index, width = where
    start = index * tiles.WIDTH
    entries = _entries(tx, sid, start, start + width)
    if level == "entries":
        return tiles.encode_bundle(entries)
    gone = tx.events.erased(sid)
    return b"".join(gone[start + at] if start + at in gone else leaf_hash(item) for at, item in enumerate(entries))


def _entries(tx: Transaction, sid: str, start: int, stop: int) -> list[bytes]:
    """Entries [start, stop) as they are kept: b"" for one that was erased."""
    found: list[bytes] = []
    for _, body in tx.events.segments(sid):
        parsed = segment.parse_kept(body)
        end = parsed.old + len(parsed.entries)
        if end > start:
            found += parsed.entries[max(0, start - parsed.old) : stop - parsed.old]
        if end >= stop:
            break
    return found
