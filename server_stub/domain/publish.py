"""New rules for a class: a document is kept, named by a leaf, and in force for every session granted from then on."""

from __future__ import annotations

from hashlib import sha256
from typing import Final

from ledger import points, policy
from ledger.errors import LedgerError
from ledger.leaves import DOCUMENTS, PolicyLeaf
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import DecisionError
from server_stub.domain.ports import Records, Transaction
from server_stub.domain.signin import Clock

WHAT: Final = DOCUMENTS


class Publisher:
    """Appends `policy` leaves; a serial only rises."""

    def __init__(self, records: Records, logs: ClassLogs, clock: Clock) -> None:
        self._records, self._logs, self._clock = records, logs, clock

    def publish(self, class_id: str, what: str, data: bytes) -> int:
        """Put a document in force; return its serial. A policy and a point table state their own, higher than the last.

        What is in force already stays as it is. `DecisionError` for an older policy or one that is none.
        """
        if what not in WHAT:
            raise DecisionError(f"{what[:40]!r} is no document of a class: {', '.join(WHAT)}")
        try:
            stated = _serial(what, data)
            return self._records.write(lambda tx: self._publish(tx, class_id, what, data, stated))
        except LedgerError as error:
            raise DecisionError(f"{error.code}: {error}") from error

    def _publish(self, tx: Transaction, class_id: str, what: str, data: bytes, stated: int | None) -> int:
        digest = sha256(data).hexdigest()
        due = self._logs.next_serial(tx, class_id, what)
        if digest == self._logs.in_force(tx, class_id, what):
            return due - 1
        serial = due if stated is None else stated
        if serial < due:
            raise DecisionError(f"serial {serial} of {what} is not higher than {due - 1}")
        tx.log.put_body(class_id, digest, data, public=True)
        self._logs.append(tx, class_id, PolicyLeaf(self._clock(), what, serial, digest))
        return serial


def _serial(what: str, data: bytes) -> int | None:
    """The serial that a document states; None for one that states none. `PolicyError` for one that is none."""
    match what:
        case "policy":
            return policy.parse(data).serial
        case "points":
            return points.parse(data).version
    return None
