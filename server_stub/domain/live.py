"""Open sessions in memory: what their entries have said so far. Derived: may be lost, is read again from the store."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Sequence
from typing import Final

from ledger import course, grant, policy, segment
from ledger.desk import Desk
from ledger.grant import Grant
from ledger.keys import Vkey
from ledger.policy import Policy
from ledger.schedule import Order, Schedule
from ledger.sessionlog import Expected, SessionLog
from ledger.spans import Meter
from ledger.tree import leaf_hash
from server_stub.domain.errors import NotThereError
from server_stub.domain.ports import Session, Transaction
from server_stub.domain.said import accommodated

MAX_EVENTS: Final = 200_000  # about 200 MB; beyond it the session heard of longest ago is read again when it speaks


class Live:
    """One session's log as far as it was accepted, and the desk that orders its checks."""

    def __init__(self, log: SessionLog, desk: Desk) -> None:
        self.log, self.desk = log, desk

    def take(self, entries: Sequence[bytes]) -> None:
        """Take the next entries; what is no valid event is kept as `log.fault`: no order comes after it."""
        for entry in entries:
            self.log.tree.append(leaf_hash(entry))
        known = len(self.log.events)
        self.log.read(entries)
        for event in self.log.events[known:]:
            self.desk.feed(event)
        if self.log.fault:
            self.desk.feed(None)

    def order(self, time: int) -> Order | None:
        """The order that the answer to this segment carries; `time` is its cosignature's, POSIX seconds."""
        return self.desk.next(time * 1000)


class LiveSessions:
    """Takes one out to work on it and puts it back only when all went well."""

    def __init__(self, server: str, cosigner: Vkey) -> None:
        self._server, self._cosigner = server, cosigner
        self._kept: OrderedDict[str, Live] = OrderedDict()
        self._events = 0

    def take(self, tx: Transaction, session: Session, size: int) -> Live:
        """The state of a session that stands at `size` events; from now on nobody else's, until `keep`."""
        live = self._kept.pop(session.sid, None)
        if live is not None:
            self._events -= len(live.log.tree)
            if len(live.log.tree) == size:
                return live  # else another process took a segment meanwhile
        return self._load(tx, session)

    def _load(self, tx: Transaction, session: Session) -> Live:
        """The session read anew, in the same steps in which it came: the desk gives the same orders again."""
        given = grant.parse(session.grant)[0]
        rules = policy_of(tx, given)
        lessons = course.parse(document(tx, given.course))
        schedule = Schedule(session.seed, session.sid, rules)
        desk = Desk(schedule, Meter(rules, lessons), recipients=bool(given.recipients))
        live = Live(empty_log(self._server, (self._cosigner,), session), desk)
        for time, body in tx.events.segments(session.sid):
            live.take(segment.parse_kept(body).entries)
            live.order(time)
        return live

    def keep(self, tx: Transaction, sid: str, live: Live) -> None:
        """Put it back, to be forgotten if the transaction is undone."""
        self._kept[sid] = live
        self._events += len(live.log.tree)
        tx.on_undo(lambda: self._forget(sid))
        while self._events > MAX_EVENTS and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))

    def _forget(self, sid: str) -> None:
        live = self._kept.pop(sid, None)
        if live is not None:
            self._events -= len(live.log.tree)


def empty_log(server: str, cosigners: Sequence[Vkey], session: Session) -> SessionLog:
    """The session's log before its first event, knowing what `opened` must hold and who cosigns."""
    expected = Expected(session.cert.decode(), grant.parse(session.grant)[1].digest, cosigners)
    return SessionLog(server, session.sid, expected)


def document(tx: Transaction, digest: str) -> bytes:
    """A document that a grant names."""
    data = tx.log.body(digest)
    if data is None:
        raise NotThereError(f"the document {digest} is not kept here")
    return data


def policy_of(tx: Transaction, given: Grant) -> Policy:
    """The rules that hold in a session: those of its grant, accommodated, without a face where it has no reference."""
    rules = accommodated(tx, policy.parse(document(tx, given.policy)), given.accommodations)
    return rules.faceless() if given.reference == "none" else rules
