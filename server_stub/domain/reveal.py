"""What the class log says of sessions as they go on and end: checkpoints, revealed seeds.

A checkpoint of every open session each 10 minutes and its last one; the seed once `closed` is cosigned, once the device
goes on in another session, or at `late_by`. From then on nothing can be added.
"""

from __future__ import annotations

from dataclasses import replace
from functools import partial
from typing import Final, Literal

from ledger import checkpoint
from ledger.leaves import Logged, RevealedLeaf
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.errors import NotYetError, UnknownSessionError
from server_stub.domain.ports import Records, Session, Transaction
from server_stub.domain.signin import Clock
from server_stub.domain.since import may_be_logged

CHECKPOINT_EVERY_MS: Final = 10 * 60 * 1000
How = Literal["closed", "abandoned"]


class Revealer:
    """Ends sessions, and answers for what was logged of them."""

    def __init__(self, records: Records, logs: ClassLogs, clock: Clock) -> None:
        self._records, self._logs, self._clock = records, logs, clock

    def log_checkpoint(self, tx: Transaction, sid: str) -> None:
        """Append the session's latest checkpoint to the class log, unless it stands there already."""
        session, progress = known(tx, sid), tx.events.progress(sid)
        if progress.size <= progress.logged_size:
            return
        entry = Logged(*checkpoint.parse(progress.checkpoint))
        leaf = self._logs.append(tx, session.class_id, entry)
        tx.events.set_progress(replace(progress, logged_size=progress.size, logged_at=self._clock(), logged_leaf=leaf))

    def reveal(self, tx: Transaction, sid: str, how: How) -> None:
        """End an open session: its last checkpoint, then its seed."""
        self.log_checkpoint(tx, sid)
        session, progress = known(tx, sid), tx.events.progress(sid)
        leaf = RevealedLeaf(self._clock(), sid, session.seed.hex(), how, progress.size, progress.issued)
        self._logs.append(tx, session.class_id, leaf)
        tx.events.set_progress(replace(progress, state=how, unsettled=progress.size > 0))

    def sweep(self) -> int:
        """Log what is due and end what is over, each in its own transaction; return how many sessions were touched."""
        still_open = self._records.read(lambda tx: list(tx.events.sessions(state="open")))
        return sum(self._records.write(partial(self._sweep, sid=sid)) for sid in still_open)

    def _sweep(self, tx: Transaction, sid: str) -> bool:
        session, progress = known(tx, sid), tx.events.progress(sid)
        if progress.state != "open":
            return False
        if self.is_over(session, progress.size):
            self.reveal(tx, sid, "abandoned")
            return True
        due = progress.size > progress.logged_size and self.checkpoint_due(tx, session, progress.logged_at)
        if due:
            self.log_checkpoint(tx, sid)
        return due

    def is_over(self, session: Session, size: int) -> bool:
        """Whether an open session may not go on: never opened in time, or later than it may be."""
        return self._clock() > (session.late_by if size else session.open_by)

    def checkpoint_due(self, tx: Transaction, session: Session, logged_at: int) -> bool:
        """Whether 10 minutes have passed since the session's last entry, and no anchor lies in the way (`since`)."""
        long_ago = self._clock() - (logged_at or session.granted_at) >= CHECKPOINT_EVERY_MS
        return long_ago and may_be_logged(tx, session)

    def receipt(self, sid: str) -> bytes:
        """The receipt of the session's last logged checkpoint, or `NotYetError`."""

        def find(tx: Transaction) -> bytes:
            session, progress = known(tx, sid), tx.events.progress(sid)
            if progress.logged_leaf < 0:
                raise NotYetError("no checkpoint of this session is logged yet")
            return self._logs.receipt(tx, session.class_id, progress.logged_leaf)

        return self._records.read(find)

    def revealed(self, sid: str) -> dict[str, object]:
        """Seed, how, size and issued of a session that is over, or `NotYetError`."""

        def find(tx: Transaction) -> dict[str, object]:
            session, progress = known(tx, sid), tx.events.progress(sid)
            if progress.state == "open":
                raise NotYetError("the session is still open")
            seed = session.seed.hex()
            return {"seed": seed, "how": progress.state, "size": progress.size, "issued": progress.issued}

        return self._records.read(find)


def known(tx: Transaction, sid: str) -> Session:
    """The session, or `UnknownSessionError`."""
    session = tx.events.session(sid)
    if session is None:
        raise UnknownSessionError("no session has this identifier")
    return session
