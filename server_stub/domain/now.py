"""What goes on in a class at this moment, derived from the segments that came: who studies, who waits, what to look at.

Never a judgement: a rank says only what a person should look at first, and every incident has its ordinary explanation.
"""

from __future__ import annotations

import threading
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import IntEnum
from functools import partial
from typing import Final

from ledger import events, segment
from ledger.errors import LedgerError
from ledger.events import Answered, Closed, Event, Fault, Finding, Opened, Ordered, Paused, Played, Presence, Resumed
from server_stub.domain.people import People
from server_stub.domain.ports import Progress, Records, Session, Transaction
from server_stub.domain.signin import Clock

SILENT_MS: Final = 90_000  # a segment comes each 30 s; a learner off line is silent, too
_MAX_FINDINGS: Final = 8
_MAX_KEPT: Final = 20_000  # sessions in memory; forgotten ones are read again


class Look(IntEnum):
    """What to look at first; the page sorts by it."""

    HELD = 0  # a finding holds study up
    UNREAD = 1  # from some event on nothing counts, or two histories are signed
    MISSED = 2  # the last check was not passed
    UNCLEAR = 3  # the last attempt could not be decided: somebody may need help
    SILENT = 4
    FINDING = 5
    FAULT = 6
    PAUSED = 7
    STUDYING = 8


@dataclass(frozen=True, slots=True)
class Now:
    """One open session as its events tell it. `checking`: the check that is ordered and not answered, "" for none."""

    sid: str
    learner: str
    granted_at: int
    size: int = 0
    heard_at: int = 0
    state: str = "opening"  # opening | studying | paused | closed
    because: str = ""
    unit: str = ""
    position: int = 0
    played_ms: int = 0  # clock ms of its spans, credited or not
    faces: int = -1
    checking: str = ""
    result: str = ""  # of the last attempt: passed | failed | inconclusive
    reason: str = ""
    findings: tuple[tuple[str, str], ...] = ()  # rule, response; the latest ones
    fault: str = ""
    client: str = ""
    agent: str = ""
    unread: bool = False
    forks: int = 0

    def look(self, now: int) -> Look:
        """What to look at first."""
        if self.state == "paused" and self.because == "finding":
            return Look.HELD
        if self.unread or self.forks:
            return Look.UNREAD
        if self.result == "failed":
            return Look.MISSED
        if self.result == "inconclusive":
            return Look.UNCLEAR
        if self.size and now - self.heard_at > SILENT_MS:
            return Look.SILENT
        if any(response != "inform" for _, response in self.findings):
            return Look.FINDING
        if self.fault:
            return Look.FAULT
        return Look.STUDYING if self.state == "studying" else Look.PAUSED


def fold(now: Now, event: Event) -> Now:
    """What one more event changes."""
    match event.body:
        case Opened(client=client, agent=agent):
            return replace(now, client=client, agent=agent)
        case Played(unit=unit, to=to, start=start):
            done = now.played_ms + max(0, event.mono - start)
            return replace(now, state="studying", because="", unit=unit, position=to, played_ms=done, fault="")
        case Paused(unit=unit, pos=pos, because=because):
            return replace(now, state="paused", because=because, unit=unit, position=pos)
        case Resumed(unit=unit, pos=pos):
            return replace(now, state="studying", because="", unit=unit, position=pos, fault="")
        case Presence(faces=faces):
            return replace(now, faces=faces)
        case Ordered(i=i):
            return replace(now, checking=str(i))
        case Answered(result=result, reason=reason):
            return replace(now, checking="", result=result, reason=reason)
        case Finding(rule=rule, response=response):
            others = tuple(item for item in now.findings if item[0] != rule)
            return replace(now, findings=(*others, (rule, response))[-_MAX_FINDINGS:])
        case Fault(what=what):
            return replace(now, fault=what)
        case Closed(how=how):
            return replace(now, state="closed", because=how)
    return now


@dataclass(frozen=True, slots=True)
class Line:
    """One learner on the page."""

    person: str
    now: Now
    look: Look
    hand: int = 0  # since when (ms) this learner's hand is up


@dataclass(frozen=True, slots=True)
class View:
    """One class now: learners that are registered, that ever opened a session, today, and the open sessions."""

    class_id: str
    at: int
    registered: int
    ever: int
    today: int
    lines: tuple[Line, ...]

    @property
    def studying(self) -> int:
        """How many lessons play."""
        return sum(line.now.state == "studying" for line in self.lines)

    @property
    def to_look_at(self) -> int:
        """How many sessions a person should look at."""
        return sum(line.look < Look.PAUSED or line.hand > 0 for line in self.lines)


class Board:
    """Reads open sessions on from where it stopped; what it keeps is derived and may be lost."""

    def __init__(self, people: People, records: Records, clock: Clock) -> None:
        self._people, self._records, self._clock = people, records, clock
        self._kept: dict[str, Now] = {}
        self._lock = threading.Lock()

    def view(self, class_id: str, since: int, registered: int, hands: Mapping[str, int] | None = None) -> View:
        """The class now, what should be looked at first; `since`: when today began (ms). Whoever asks for somebody, in
        `hands`, stands above all others."""
        at = self._clock()
        with self._lock:
            found, ever, today = self._records.read(partial(self._read, class_id=class_id, since=since))
            if len(self._kept) > _MAX_KEPT:
                self._kept.clear()
            self._kept.update((now.sid, now) for now in found)
        up = hands or {}
        lines = [Line(self._name(now.learner), now, now.look(at), up.get(now.sid, 0)) for now in found]
        lines.sort(key=lambda line: (not line.hand, line.look, line.person, line.now.sid))
        return View(class_id, at, registered, ever, today, tuple(lines))

    def one(self, sid: str) -> Now | None:
        """One open session; None when it is over or was never granted."""
        with self._lock:
            return self._records.read(lambda tx: self._session(tx, sid))

    def _name(self, learner: str) -> str:
        account = self._people.account_of(learner)
        return account.person if account else learner

    def _read(self, tx: Transaction, class_id: str, since: int) -> tuple[list[Now], int, int]:
        open_ = tx.events.sessions(class_id=class_id, state="open")
        found = [now for sid in open_ if (now := self._session(tx, sid)) is not None]
        ever, today = tx.events.learners(class_id, 0), tx.events.learners(class_id, since)
        return found, ever, today

    def _session(self, tx: Transaction, sid: str) -> Now | None:
        session = tx.events.session(sid)
        if session is None:
            return None
        progress = tx.events.progress(sid)
        if progress.state != "open":
            self._kept.pop(sid, None)
            return None
        return self._caught_up(tx, session, progress)

    def _caught_up(self, tx: Transaction, session: Session, progress: Progress) -> Now:
        now = self._kept.get(session.sid) or Now(session.sid, session.learner, session.granted_at)
        if now.size < progress.size:
            for body in tx.events.segments_from(session.sid, now.size):
                now = _take(now, segment.parse_kept(body).entries)
        return replace(
            now, size=progress.size, heard_at=progress.heard_at, unread=progress.unread is not None,
            forks=len(tx.events.forks(session.sid)),
        )  # fmt: skip


def _take(now: Now, entries: Iterable[bytes]) -> Now:
    for entry in entries:
        try:
            now = fold(now, events.decode(entry))
        except LedgerError:  # cosigned all the same; `unread` says so
            continue
    return now
