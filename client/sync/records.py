"""What this device's own records are worth: the same `ledger.credit` that the server and the verifier call.

Also where the learner goes on: at the first stretch that is not counted yet, so that a make-up needs no search.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from client.airing import first_choice
from client.errors import LocalRecordsError
from client.sync.keyring import read_keys
from client.sync.outbox import Kept, Outbox
from ledger import bodies, certificate, grant
from ledger.bodies import Spot
from ledger.certificate import Previous
from ledger.course import Course
from ledger.credit import Credit, Part, credit
from ledger.errors import LedgerError
from ledger.events import Command, Event, Played, Question
from ledger.facts import SessionRecord
from ledger.intervals import Intervals
from ledger.policy import Policy
from ledger.sessionlog import Expected, SessionLog
from ledger.tree import leaf_hash

WAITING: Final = ("pending", "offline_unconfirmed")  # earned once the network says so; not to be studied again
NOWHERE: Final = ("rate", "unit", "range", "overlap", "faster")  # spans that showed nothing that counts as seen


@dataclass(frozen=True, slots=True)
class Place:
    """Where to go on, how far each unit was seen, and which questions (unit, item) were answered."""

    index: int
    position_ms: int
    seen: Mapping[str, int]
    replied: frozenset[tuple[str, str]] = frozenset()
    attempts: Mapping[str, int] = field(default_factory=dict)  # unit → attempts at its test


class Records:
    """The sessions of one registration on this device."""

    def __init__(self, path: Path, registration: str, course: Course, policy: Policy) -> None:
        self._path, self._registration = path, registration
        self._course, self._policy = course, policy
        self._done: dict[str, SessionRecord] = {}  # sessions that change no more are read once
        self._shown: dict[str, list[tuple[int, int]]] = {}  # sid → (seq, to) of the spans that `credit` read
        self._replied: frozenset[tuple[str, str]] = frozenset()  # questions that `credit` saw answered
        self._attempts: dict[str, int] = {}  # at tests, that `credit` saw
        self.begun: dict[str, int] = {}  # sid → when it was granted (ms, server clock), of all that `credit` read

    def credit(self) -> Credit:
        """The registration's credit as far as this device can compute it: seeds are the server's until revealed."""
        outbox = Outbox(self._path)
        try:
            found = [self._record(outbox, kept, order) for order, kept in enumerate(outbox.sessions())]
        finally:
            outbox.close()
        records = [record for record in found if record is not None]
        self.begun = {record.sid: record.grant.time for record in records}
        self._shown = {record.sid: _spans(record) for record in records}
        said = (event.body for record in records for event in record.events if event is not None)
        answered = [body for body in said if isinstance(body, Question)]
        self._replied = frozenset((body.unit, body.item) for body in answered)
        self._attempts = self._tested(answered)
        try:
            return credit(records, self._course, self._policy)
        except LedgerError as error:
            raise LocalRecordsError(f"credit: {error}") from error

    def _record(self, outbox: Outbox, kept: Kept, order: int) -> SessionRecord | None:
        if kept.registration != self._registration or not kept.size or not kept.grant:
            return None
        if kept.sid not in self._done:
            record = read_record(outbox, kept, order)
            if kept.state != "sent" or not kept.seed:
                return record
            self._done[kept.sid] = record
        return self._done[kept.sid]

    def place(self, found: Credit, wall: int | None = None) -> Place:
        """Where the learner goes on after what `found` says; `wall` (epoch ms) tells whether a live unit is on."""
        seen: dict[str, int] = {}
        waiting: dict[str, list[tuple[int, int]]] = {}
        for session in found.sessions:
            last = max((check.place for check in session.checks), default=(-1, 0))
            for part in (*session.credited, *session.not_credited):
                if part.reason not in NOWHERE:
                    seen[part.unit] = max(seen.get(part.unit, 0), part.to)
                if part.reason in WAITING and (part.first, 0) < last:  # what no check followed earns nothing later
                    waiting.setdefault(part.unit, []).append((part.from_, self._followed(part, last)))
        left = [
            Intervals([*unit.intervals, *waiting.get(unit.unit, [])]).without(0, unit.duration_ms)
            for unit in found.units
        ]
        planned = [(unit.live.starts_ms if unit.live else None, unit.duration_ms) for unit in self._course.units]
        index = first_choice([bool(missing) for missing in left], planned, wall)
        if index is None:
            return Place(0, 0, seen, self._replied, self._attempts)
        live = planned[index][0] is not None
        at = seen.get(found.units[index].unit, 0) if live else left[index][0][0]
        return Place(index, at, seen, self._replied, self._attempts)

    def _followed(self, part: Part, last: tuple[int, int]) -> int:
        """How far a part was followed by a check, the last of which stands at `last`: its spans lie on both sides."""
        shown = self._shown.get(part.sid, [])
        return min(max((to for seq, to in shown if seq >= part.first and (seq, 0) < last), default=part.to), part.to)

    def _tested(self, answered: Iterable[Question]) -> dict[str, int]:
        """Unit → the last attempt at its test that was begun."""
        items = {(unit.id, one.id) for unit in self._course.units if unit.test for one in unit.test.questions}
        found: dict[str, int] = {}
        for body in answered:
            if (body.unit, body.item) in items:
                found[body.unit] = max(found.get(body.unit, 0), body.attempt)
        return found


def _spans(record: SessionRecord) -> list[tuple[int, int]]:
    """Where each span of a session ended: seq, media ms."""
    events = (event for event in record.events if event is not None)
    return [(event.seq, event.body.to) for event in events if isinstance(event.body, Played)]


def read_record(outbox: Outbox, kept: Kept, order: int) -> SessionRecord:
    """One session as `ledger.credit` takes it, every cosignature verified; `LocalRecordsError` if it is damaged."""
    try:
        cert, signed = certificate.parse(kept.cert)
        given, given_note = grant.parse(kept.grant)
        server = kept.class_.partition("/")[0]
        keys = read_keys(kept.keys)
        log = SessionLog(server, kept.sid, Expected(bytes(signed).decode(), given_note.digest, keys.cosigners))
        for event in outbox.events(kept.sid):
            log.add(event, leaf_hash(event))
        spots = read_spots(outbox.spots(kept.sid), log.events)
    except LedgerError as error:
        raise LocalRecordsError(f"session {kept.sid}: {error}") from error
    receipted = [item for item in outbox.signed(kept.sid) if item.line]
    return SessionRecord(
        seed=kept.seed or None,
        issued=kept.issued if kept.seed else None,
        grant=given,
        order=order,
        events=log.events,
        stamps=log.stamps,
        last=(receipted[-1].size, receipted[-1].time) if receipted else None,
        prev=cert.prev.sid if isinstance(cert.prev, Previous) else None,
        spots=spots,
    )


def read_spots(notes: Iterable[bytes], events: Iterable[Event | None]) -> dict[str, Spot]:
    """The spot checks among `notes` that the session's `command` events name, as `spot-<n>`."""
    named = {event.body.digest for event in events if event is not None and isinstance(event.body, Command)}
    found = {}
    for data in notes:
        body, note = bodies.parse(data)
        if isinstance(body, Spot) and note.digest in named:
            found[f"spot-{body.n}"] = body
    return found
