"""A room with a person in it: whose presence was signed, and until when; and who signed in today and who did not."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from functools import partial
from typing import Final

from ledger.bodies import Identification
from ledger.identify import LASTS_MS
from server_stub.domain.classlog import ClassLogs
from server_stub.domain.now import Board, Line
from server_stub.domain.ports import Transaction
from server_stub.domain.reveal import known
from server_stub.domain.said import said
from server_stub.domain.work import Bench, day_of

WEEK_MS: Final = 7 * 86_400_000
SOON_MS: Final = 10 * 60_000  # a round is due again before it has run out


@dataclass(frozen=True, slots=True)
class Present:
    """One learner of a class in the room: the last word of a person on their presence, and whether they study now.

    `until` in ms, 0 where nobody has signed; `due`: absent a new signature the next check waits for a person.
    """

    learner: str
    person: str
    studying: bool
    method: str
    signed_at: int
    until: int
    due: bool


@dataclass(frozen=True, slots=True)
class Signed:
    """One learner's sign-ins: today's sessions, the first and the last time, days of the last week, all sessions."""

    learner: str
    person: str
    today: int
    first: int
    last: int
    days: int
    sessions: int


class Rooms:
    """Reads; what is signed is handed in on the same page and taken by `decisions`."""

    def __init__(self, bench: Bench, logs: ClassLogs, board: Board) -> None:
        self._bench, self._logs, self._board = bench, logs, board

    def present(self, class_id: str, lines: tuple[Line, ...]) -> list[Present]:
        """Everybody of the class; who is due first, then who studies."""
        now, studying = self._bench.clock(), {line.now.learner for line in lines}
        words = self._bench.read(partial(self._words, class_id=class_id))
        found = []
        for item in self._bench.people.registrations(class_id=class_id):
            method, at = words.get(item.learner, ("", 0))
            until = at + LASTS_MS[method] if method else 0
            here = item.learner in studying
            due = here and until < now + SOON_MS
            name = self._name(item.learner)
            found.append(Present(item.learner, name, here, method, at, until if until > now else 0, due))
        return sorted(found, key=lambda one: (not one.due, not one.studying, one.person, one.learner))

    def _words(self, tx: Transaction, class_id: str) -> Mapping[str, tuple[str, int]]:
        """Learner → the latest identification for a while: how, when."""
        found: dict[str, tuple[str, int]] = {}
        for _, body in said(tx, self._logs.log(tx, class_id), "identification"):
            if isinstance(body, Identification) and body.method in LASTS_MS:
                found[body.learner] = (body.method, body.at)
        return found

    def sign_ins(self, class_id: str) -> list[Signed]:
        """Everybody of the class, who has not come today first."""
        now = self._bench.clock()
        times = self._bench.read(partial(_times, class_id=class_id))
        today, found = day_of(now), []
        for item in self._bench.people.registrations(class_id=class_id):
            mine = times.get(item.learner, [])
            here = [at for at in mine if day_of(at) == today]
            days = len({day_of(at) for at in mine if at > now - WEEK_MS})
            found.append(Signed(item.learner, self._name(item.learner), len(here), min(here, default=0),
                                max(mine, default=0), days, len(mine)))  # fmt: skip
        return sorted(found, key=lambda one: (one.today > 0, one.days, one.person, one.learner))

    def _name(self, learner: str) -> str:
        account = self._bench.people.account_of(learner)
        return account.person if account else learner[:8]


def _times(tx: Transaction, class_id: str) -> dict[str, list[int]]:
    """Learner → when each session was granted."""
    found: dict[str, list[int]] = {}
    for sid in tx.events.sessions(class_id=class_id):
        session = known(tx, sid)
        found.setdefault(session.learner, []).append(session.granted_at)
    return found
