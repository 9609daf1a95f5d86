"""What a lesson asks of network and disk while it runs, for one course of one learner: a session opened, events kept,
credit computed, a code compared, a consent taken back.

`book` and `consents` are the screen thread's, on a connection of their own; the others are slow and run beside it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import closing
from pathlib import Path

from client.events import Identified, Marked, Order, Sheet
from client.ports import Clock, SessionStore
from client.sync.content import ContentKeys
from client.sync.enrol import Enrolment, Registration
from client.sync.hand import put
from client.sync.identify import Who, ask
from client.sync.keyring import read_keys
from client.sync.live import LiveFeed
from client.sync.logbook import Logbook
from client.sync.marking import mark
from client.sync.opening import Granted, open_session
from client.sync.outbox import KeptConsent, Outbox
from client.sync.records import Place, Records
from client.sync.worth import Basis
from client.view import Worth
from client.worth import worth
from ledger.credit import Credit


class _Desk:
    """The screen thread's own connection to the records, opened there on first use."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._outbox: Outbox | None = None

    def outbox(self) -> Outbox:
        if self._outbox is None:
            self._outbox = Outbox(self._path)
        return self._outbox

    def close(self) -> None:
        if self._outbox is not None:
            self._outbox.close()
            self._outbox = None


class Sitting:
    """See the module. `keys` are fetched with each session where the package is `encrypted`."""

    def __init__(
        self,
        enrolment: Enrolment,
        registration: Registration,
        records: Records,
        keys: ContentKeys,
        feeds: Mapping[str, LiveFeed],
        clock: Clock,
        counted_by: Callable[[], Basis | None],
        *,
        encrypted: bool,
    ) -> None:
        """`counted_by` (slow) tells by what credit points are counted."""
        self._enrolment, self._registration, self._records = enrolment, registration, records
        self._keys, self._feeds, self._clock, self._encrypted = keys, feeds, clock, encrypted
        self._path = enrolment.profile.outbox
        self._desk = _Desk(self._path)
        self._counted_by = counted_by
        self._basis: Basis | None = None

    def open(self, take_over: bool) -> Granted:
        """Ask for a grant; its keys and live streams come with it."""
        with closing(Outbox(self._path)) as outbox:
            granted = open_session(self._enrolment, outbox, self._registration, take_over=take_over)
        if self._encrypted:
            self._keys.fetch(self._enrolment.api, granted.sid)
        for feed in self._feeds.values():
            feed.begin(granted.sid)
        self._basis = self._counted_by()
        return granted

    def worth(self, found: Credit) -> Worth | None:
        """What this credit is worth in points; None before a session opened, or where the class names no table."""
        return worth(found, self._basis.policy, self._basis.table) if self._basis is not None else None

    def book(self, granted: Granted) -> SessionStore:
        """Where the session's events are kept."""
        return Logbook(self._desk.outbox(), granted.sid, granted.signer)

    def consents(self) -> Sequence[KeptConsent]:
        """What the learner agreed to for this course."""
        return self._desk.outbox().consents(self._registration.registration)

    def credit(self) -> tuple[Credit, Place]:
        """What counts so far, and where the learner goes on."""
        found = self._records.credit()
        return found, self._records.place(found, self._clock.wall())

    def identified(self, granted: Granted, order: Order, code: str) -> Identified:
        """The server's word on a check without a camera."""
        with closing(Outbox(self._path)) as outbox:
            keys = read_keys(outbox.session(granted.sid).keys)
        return ask(self._enrolment.api, Who(granted.sid, granted.grant.learner, keys), order, code)

    def mark(self, granted: Granted, sheet: Sheet) -> Marked:
        """The server's word on a test."""
        with closing(Outbox(self._path)) as outbox:
            keys = read_keys(outbox.session(granted.sid).keys)
        return mark(self._enrolment.api, Who(granted.sid, granted.grant.learner, keys), sheet)

    def withdraw(self, what: str) -> None:
        """Take a consent back."""
        with closing(Outbox(self._path)) as outbox:
            self._enrolment.withdraw(outbox, self._registration, what)

    def raise_hand(self, sid: str, up: bool) -> None:
        """Raise or lower the learner's hand."""
        put(self._enrolment.api, sid, up=up)

    def close(self) -> None:
        """Forget the keys, end the streams, let go of the records."""
        self._keys.forget()
        for feed in self._feeds.values():
            feed.close()
        self._desk.close()
