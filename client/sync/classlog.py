"""Follows the class log: every entry re-hashed against the checkpoint that our own trust file accepts.

From here come the keys that count (grant, cosigner, supervisors), the rules in force and what was granted; nothing of
it is taken from the server's word alone. Entries seen once are kept, so the log cannot be exchanged behind our back.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from client.errors import ForgedAnswerError, StaleAnswerError, UnknownLogKeyError
from client.profile import disk, write_private
from client.sync.api import Api
from ledger import checkpoint, names, tiles, trust
from ledger.classlog import ClassLog
from ledger.errors import LedgerError
from ledger.keys import Vkey
from ledger.trust import Trust


class Follower:
    """One class log as this device has seen it so far."""

    def __init__(self, api: Api, class_id: str, origin: str, trusted: Trust, cache: Path) -> None:
        self._api, self._class_id, self._trusted = api, class_id, trusted
        self._origin = origin
        self._file = cache / f"class-{class_id}.log"
        self.log = self._remembered()

    def update(self) -> ClassLog:
        """Fetch what is new and verify all of it; `ForgedAnswerError`, `StaleAnswerError`, or the network's errors.

        The log's own signature is enough to begin a lesson, so that no witness that is down stops a class. The quorum
        is asked for where something would be deleted on the log's word: see `receipts.verify_receipt`.
        """
        signed = self._api.raw("GET", f"/log/{self._class_id}/checkpoint").body
        try:
            parsed, signatures = checkpoint.parse(signed)
        except LedgerError as error:
            raise ForgedAnswerError(f"the class log's checkpoint: {error}") from error
        try:
            seen = self._trusted.verify_log(parsed, signatures, others=True).checkpoint
        except LedgerError as error:
            named = [key for key in self._trusted.logs if key.name == parsed.origin]
            ours = any(line.is_by(key) for line in signatures.signatures for key in named)
            kind = ForgedAnswerError if ours else UnknownLogKeyError
            raise kind(f"the class log's checkpoint: {error}") from error
        if seen.origin != self._origin:
            raise ForgedAnswerError(f"the checkpoint of another log: {seen.origin}")
        known = len(self.log)
        if seen.size < known:
            raise StaleAnswerError(f"the class log shrank from {known} to {seen.size} entries")
        fresh = self._fetch(known, seen.size)
        try:
            for entry in fresh:
                self.log.add(entry)
        except LedgerError as error:
            self.log = self._remembered()
            raise ForgedAnswerError(f"the class log: {error}") from error
        if self.log.tree.root() != seen.root:
            self.log = self._remembered()
            raise ForgedAnswerError(f"the class log's entries do not lead to its checkpoint of {seen.size}")
        if fresh:
            self._remember(fresh)
        return self.log

    def _fetch(self, start: int, stop: int) -> list[bytes]:
        """Entries [start, stop), bundle by bundle."""
        found: list[bytes] = []
        for index, width in tiles.spans(stop):
            first = index * tiles.WIDTH
            if first + width <= start:
                continue
            data = self._api.raw("GET", f"/log/{self._class_id}/{tiles.tile_path('entries', index, width)}").body
            try:
                found += tiles.decode_bundle(data, width)[max(0, start - first) :]
            except LedgerError as error:
                raise ForgedAnswerError(f"the class log's entries from {first} on: {error}") from error
        return found

    def _remembered(self) -> ClassLog:
        log = ClassLog(self._origin)
        if self._file.exists():
            with disk(str(self._file)):
                data = self._file.read_bytes()
            try:
                for entry in tiles.decode_bundle(data):
                    log.add(entry)
            except LedgerError:
                return ClassLog(self._origin)  # a damaged cache is fetched again, and judged by the checkpoint
        return log

    def _remember(self, fresh: Sequence[bytes]) -> None:
        with disk(str(self._file)):
            before = self._file.read_bytes() if self._file.exists() and len(self.log) > len(fresh) else b""
        write_private(self._file, before + tiles.encode_bundle(fresh))


def keys_of(log: ClassLog, role: str) -> tuple[Vkey, ...]:
    """The keys of `role` that count at the log's end."""
    return tuple(record.key for record in log.keys if record.leaf.role == role and record.counts_at(len(log)))


def class_id(origin: str) -> str:
    """The class ID of a class log's origin; `ForgedAnswerError` if it is none."""
    found = names.split("class origin", origin)
    if found is None:
        raise ForgedAnswerError(f"{origin[:80]!r} is no class")
    return found[1]


def parse_trust(data: bytes) -> Trust:
    """The trust file, ours or the operator's recommendation; `ForgedAnswerError` if it is none."""
    try:
        return trust.parse(data)
    except LedgerError as error:
        raise ForgedAnswerError(f"the trust file: {error}") from error
