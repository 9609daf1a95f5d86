"""The class log: what happened in a class, in an order that nobody can change afterwards.

Entries and the signed checkpoint over them are written in the caller's transaction; what memory holds of a log is
derived, checked by the same rules as a verifier's, and forgotten whenever a transaction is undone.
"""

from __future__ import annotations

from ledger import checkpoint, tiles
from ledger.classlog import ClassLog
from ledger.keys import Signer
from ledger.leaves import Leaf, Logged
from ledger.proof import Receipt
from ledger.trust import NONE
from server_stub.domain.errors import NotThereError, NotYetError
from server_stub.domain.keyring import Keyring
from server_stub.domain.ports import Transaction

LATEST = 2**62  # "in force now": after every entry


class ClassLogs:
    """Appends to class logs and answers for them; one for the whole server."""

    def __init__(self, keyring: Keyring) -> None:
        self._keyring = keyring
        self._logs: dict[str, ClassLog] = {}

    def append(self, tx: Transaction, class_id: str, *entries: Leaf | Logged, signer: Signer | None = None) -> int:
        """Append entries and sign the new checkpoint; return the index of the first. Only inside `Records.write`.

        `signer`: the log's new key, where these entries are its change.

        `LeafError` for an entry that a verifier would refuse: the transaction must not be committed then.
        """
        signer = signer or self._keyring.log(class_id)
        log = self._writable(tx, class_id)
        first = len(log)
        for entry in entries:
            data = bytes(entry)
            log.add(data)
            tx.log.append(class_id, len(log) - 1, data, log.tree.node(0, len(log) - 1))
        tx.log.set_head(class_id, checkpoint.sign(log.checkpoint(), signer))
        return first

    def origin(self, class_id: str) -> str:
        """The class log's origin."""
        return self._keyring.origin(class_id)

    def refresh(self, tx: Transaction) -> None:
        """Read in what the logs hold and memory does not: at the start, and what another process appended."""
        for class_id in self._keyring.logs:
            self._writable(tx, class_id)

    def log(self, tx: Transaction, class_id: str) -> ClassLog:
        """What the log has said so far; to be read only."""
        log = self._logs.get(class_id)
        return log if log is not None and len(log) >= tx.log.size(class_id) else self._load(tx, class_id)

    def in_force(self, tx: Transaction, class_id: str, what: str) -> str:
        """The digest of the document in force: policy, rules, models, course or client; "none" without one."""
        return self.log(tx, class_id).in_force(what, LATEST) or "none"

    def next_serial(self, tx: Transaction, class_id: str, what: str) -> int:
        """The serial that the next document of this sort gets: it only rises."""
        history = self.log(tx, class_id).policies.get(what)
        return history[-1][1].serial + 1 if history else 1

    def head(self, tx: Transaction, class_id: str) -> bytes:
        """The latest signed checkpoint, with its cosignatures once a quorum signed it; or `NotThereError`."""
        head = tx.log.head(class_id)
        if not head:
            raise NotThereError(f"this server keeps no class {class_id!r}")
        if tx.witnessed.size(class_id) == tx.log.size(class_id):
            return tx.witnessed.checkpoint(class_id)
        return head

    def receipt(self, tx: Transaction, class_id: str, index: int) -> bytes:
        """The receipt (tlog-proof) of one entry under the latest checkpoint, where witnesses are named the latest that
        a quorum signed; `NotYetError` while that does not cover the entry."""
        asked = self._keyring.trust(class_id).quorum != NONE
        head = tx.witnessed.checkpoint(class_id) if asked else self.head(tx, class_id)
        size = checkpoint.parse(head)[0].size if head else 0
        if size <= index:
            raise NotYetError("the witnesses have not signed the class log with this entry yet")
        return bytes(Receipt(index, tuple(self.log(tx, class_id).tree.inclusion_proof(index, size)), head))

    def tile(self, tx: Transaction, class_id: str, path: str) -> bytes:
        """The bytes at a tlog-tiles path (`tile/…`) of the latest checkpoint, or `NotThereError`."""
        size = checkpoint.parse(self.head(tx, class_id))[0].size
        where = locate(path, size)
        if where is None:
            raise NotThereError(f"no tile {path[:80]!r} at size {size}")
        level, index, width = where
        if level == "entries":
            start = index * tiles.WIDTH
            return tiles.encode_bundle(tx.log.entries(class_id, start, start + width))
        return tiles.hash_tile(self.log(tx, class_id).tree, int(level), index, width)

    def _writable(self, tx: Transaction, class_id: str) -> ClassLog:
        tx.on_undo(lambda: self._logs.pop(class_id, None))
        log = self._logs.setdefault(class_id, ClassLog(self._keyring.origin(class_id)))
        self._catch_up(tx, class_id, log)  # another process (an export) may have appended
        return log

    def _load(self, tx: Transaction, class_id: str) -> ClassLog:
        log = ClassLog(self._keyring.origin(class_id))
        self._catch_up(tx, class_id, log)
        return log

    @staticmethod
    def _catch_up(tx: Transaction, class_id: str, log: ClassLog) -> None:
        size = tx.log.size(class_id)
        if len(log) < size:
            for data in tx.log.entries(class_id, len(log), size):
                log.add(data)


def locate(path: str, size: int) -> tuple[str, int, int] | None:
    """(level, index, width) of a tile path that a log of `size` has, full or partial of any earlier width."""
    head, _, partial = path.partition(".p/")
    parts = head.split("/")
    if len(parts) < 3 or parts[0] != "tile":
        return None
    digits = "".join(part.removeprefix("x") for part in parts[2:])
    if not (digits.isascii() and digits.isdigit()) or len(digits) > 15 or len(parts[1]) > 7:
        return None
    index, level = int(digits), 0
    if parts[1] != "entries":
        if not (parts[1].isascii() and parts[1].isdigit()) or int(parts[1]) > 63:
            return None
        level = int(parts[1])
    width = tiles.WIDTH
    if partial:
        if not (partial.isascii() and partial.isdigit() and len(partial) <= 3):
            return None
        width = int(partial)
    there = (size >> (8 * level)) - index * tiles.WIDTH
    spelled = tiles.tile_path(parts[1], index, width) == path and 0 < width <= min(there, tiles.WIDTH)
    return (parts[1], index, width) if spelled else None
