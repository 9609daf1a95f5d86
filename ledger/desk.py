"""Which check to order now: the same desk for the server (seed, E) and for a client off line (offline seed, F).

It is fed the log as it grows and asked once after each segment; fed the same log in the same steps it gives the same
orders, so a restarted server rebuilds it from what is stored.
"""

from __future__ import annotations

import dataclasses
from typing import Final

from ledger.events import Answered, Asked, Closed, Consent, Event, Ordered
from ledger.outcome import judge
from ledger.schedule import CLOSE, CheckId, Order, Schedule, drawn
from ledger.spans import Meter, Span

_HEARD: Final = frozenset({"ordered", "answered", "asked", "consent", "closed"})  # nearly every event is another


@dataclasses.dataclass(slots=True)
class _Open:
    """An order that was given: when, and what the log says of it."""

    order: Order
    since: int
    ordered_at: int | None = None
    answer: Answered | None = None
    answered_at: int = 0


class Desk:
    """Orders checks one at a time, the lowest due number first, an attempt again while attempts are left.

    `issued` is the highest numbered check ordered so far, -1 for none (the `issued` of the `revealed` leaf).
    """

    def __init__(self, schedule: Schedule, meter: Meter, *, offline: bool = False, recipients: bool = False) -> None:
        """`recipients`: the grant names somebody to seal photos to. Off line, check 0 does not exist."""
        self.schedule = schedule
        self.meter = meter
        self.issued = -1
        self._offline = offline
        self._recipients = recipients
        self._photos = False
        self._next = 1 if offline else 0
        self._open: _Open | None = None
        self._other_open = False  # an order that is not ours: of the other seed, or a spot check
        self._asked = False
        self._closing_done = False
        self._over = False

    @property
    def open(self) -> Order | None:
        """The order that waits for its answer, if any."""
        return self._open.order if self._open else None

    def feed(self, event: Event | None) -> Span | None:
        """Take the next entry of the log (None: one that is no event; nothing is ordered from there on)."""
        if event is None:
            self._over = True
        if event is None or self._over:
            return None
        if event.body.verb in _HEARD:
            self._hear(event)
        return self.meter.feed(event)

    def _hear(self, event: Event) -> None:
        match event.body:
            case Ordered() as ordered:
                self._on_ordered(ordered, event.mono)
            case Answered() as answered:
                self._on_answered(answered, event.mono)
            case Asked():
                self._asked = True
            case Consent(_, _, "photos", given):
                self._photos = given
            case Closed():
                self._over = True

    def _on_ordered(self, ordered: Ordered, mono: int) -> None:
        mine = self._open
        if mine and (ordered.i, ordered.a, ordered.nonce) == (mine.order.i, mine.order.a, mine.order.nonce):
            mine.ordered_at = mono
            return
        self._other_open = True
        if ordered.i == CLOSE:
            self._asked = False  # the other seed serves it

    def _on_answered(self, answered: Answered, mono: int) -> None:
        mine = self._open
        if mine and mine.ordered_at is not None and (answered.i, answered.a) == (mine.order.i, mine.order.a):
            mine.answer, mine.answered_at = answered, mono
        else:
            self._other_open = False

    def next(self, now: int) -> Order | None:
        """The order to give at a segment's end, once per segment, after all of its events were fed.

        `now`: the time of the cosignature (server) or the mono of the segment's end (off line), ms.
        """
        if self._over:
            return None
        again = self._settle(now)
        if self._open or self._other_open:
            return None
        if again:
            return self._give(again, now)
        due = self._due()
        if due is None and self._asked and not self._closing_done:
            self._closing_done, due = True, CLOSE
        return None if due is None else self._give(self.schedule.order(due, 0), now)

    def _give(self, order: Order, now: int) -> Order:
        self._open = _Open(order, now)
        if isinstance(order.i, int):
            self.issued = max(self.issued, order.i)
        return order

    def _settle(self, now: int) -> Order | None:
        """Close the open order if it is answered, or lost for good; return the next attempt if one is owed."""
        mine = self._open
        if mine is None:
            return None
        if mine.answer is None:
            if mine.ordered_at is None and isinstance(mine.order.i, int) and self._missed(mine.order.i):
                self._open = None
            return None
        self._open = None
        policy = self.schedule.policy
        asked = drawn(bytes.fromhex(mine.order.nonce), mine.order.i, policy)
        if self._offline:
            late = mine.answered_at - (mine.ordered_at or 0) > asked.deadline_ms
        else:
            late = now - mine.since > asked.deadline_ms + policy.net_slack_ms
        verdict = judge(asked, mine.answer, late=late, evidence=self._photos and self._recipients)
        if verdict.result == "passed" or mine.order.a + 1 >= policy.max_attempts:
            return None
        return self.schedule.order(mine.order.i, mine.order.a + 1)

    def _due(self) -> CheckId | None:
        """The lowest check that is due and not yet lost; it counts as given."""
        while self.schedule.due(self._next) <= self._eligible:
            self._next += 1
            if not self._missed(self._next - 1):
                return self._next - 1
        return None

    def _missed(self, i: int) -> bool:
        return self._eligible > self.schedule.due(i) + self.schedule.policy.order_slack_ms

    @property
    def _eligible(self) -> int:
        return self.meter.f if self._offline else self.meter.e
