"""One session's events read in order, as the device that signed them must have written them (verification step 6).

What is wrong here was well signed: it is the device's word that is worth nothing from there on, not the keeper's fault.
So nothing is raised; the first fault is kept, and every event from it on counts nothing.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from ledger import events, names, note
from ledger.checkpoint import Checkpoint
from ledger.errors import EventError, LedgerError
from ledger.events import Body, Closed, Cosigned, Event, Opened
from ledger.keys import Vkey
from ledger.tree import Tree

_NAMING: Final = frozenset({"answered", "consent", "command", "finding"})  # the verbs that later steps look for
_TOLD: Final = frozenset({"opened", "cosigned", "closed"})  # the verbs that the log's own form depends on


@dataclass(frozen=True, slots=True)
class Fault:
    """From event `index` on the session counts nothing, because of `reason`."""

    index: int
    reason: str


@dataclass(frozen=True, slots=True)
class Stamp:
    """A verified `cosigned` event: at index `seq`, everything below `size` is older than `time` (POSIX seconds)."""

    seq: int
    size: int
    time: int


@dataclass(frozen=True, slots=True)
class Expected:
    """What the session's own records must agree with: text of its certificate, hash of its grant, keys of `/w`.

    Of a session that was never sent, grant and cosigners stand in no class log: None, and not checked.
    """

    certificate: str
    grant: str | None
    cosigners: Sequence[Vkey] | None


class SessionLog:
    """Takes events and leaf hashes one by one; `events` is the prefix that counts, None where one is withheld."""

    def __init__(self, server: str, sid: str, expected: Expected) -> None:
        self.sid = sid
        self.origin = names.session_origin(server, sid)
        self.tree = Tree()
        self.events: list[Event | None] = []
        self.naming: list[Event] = []  # those among them that name documents, photos or findings
        self.stamps: list[Stamp] = []
        self.fault: Fault | None = None
        self._expected = expected
        self._size = 0
        self._mono = 0
        self._closed = False

    def add(self, data: bytes | None, leaf: bytes) -> None:
        """Take the next event; `data` None when it is withheld (its leaf hash still stands)."""
        self.read((data or b"",))
        self.tree.append(leaf)

    def read(self, entries: Sequence[bytes]) -> None:
        """Take the next events, empty where one is withheld.

        `tree` must hold the leaf hashes of all events before each, and may hold more.
        """
        index = self._size
        self._size += len(entries)
        if self.fault is not None:
            return
        decode, check, keep = events.decode, self._check, self.events.append
        try:
            for data in entries:
                event = decode(data) if data else None
                check(index, event)
                keep(event)
                index += 1
        except LedgerError as error:
            self.fault = Fault(index, str(error))

    @property
    def opened(self) -> Opened | None:
        """The body of event 0, where it is one."""
        first = self.events[0] if self.events else None
        return first.body if first is not None and isinstance(first.body, Opened) else None

    @property
    def closed(self) -> Closed | None:
        """The body of the last event, where the session was closed by its device."""
        last = self.events[-1] if self.events and self.fault is None else None
        return last.body if last is not None and isinstance(last.body, Closed) else None

    def _check(self, index: int, event: Event | None) -> None:
        if self._closed:
            raise EventError("an event after `closed`")
        if event is None:
            return
        seq, _, mono, sid, _, body = event
        if seq != index or sid != self.sid:
            raise EventError(f"it says it is event {seq} of session {sid}")
        if mono < self._mono:
            raise EventError(f"its clock falls from {self._mono} to {mono} ms")
        verb = body.verb
        if (verb == "opened") != (index == 0):
            raise EventError("event 0, and no other, is `opened`")
        if verb in _TOLD:
            self._take(index, body)
        elif verb in _NAMING:
            self.naming.append(event)
        self._mono = mono

    def _take(self, index: int, body: Body) -> None:
        if isinstance(body, Opened):
            self._open(body)
        elif isinstance(body, Cosigned):
            self._stamp(index, body)
        self._closed = isinstance(body, Closed)

    def _open(self, body: Opened) -> None:
        if body.cert != self._expected.certificate:
            raise EventError("`opened` holds another certificate")
        if self._expected.grant not in (None, note.parse(body.grant.encode()).digest):
            raise EventError("`opened` holds another grant than the class log names")

    def _stamp(self, index: int, body: Cosigned) -> None:
        if not 0 < body.size <= index:
            raise EventError(f"`cosigned` over {body.size} events, {index} stand before it")
        line = note.parse_line(body.line)
        if self._expected.cosigners is None:
            return
        key = next((key for key in self._expected.cosigners if line.is_by(key)), None)
        if key is None:
            raise EventError(f"`cosigned` by {line.name}, which is not this server's cosigner")
        checkpoint = Checkpoint(self.origin, body.size, self.tree.root_at(body.size))
        key.verify(str(checkpoint).encode(), line.raw)
        if self.stamps and (line.time < self.stamps[-1].time or body.size < self.stamps[-1].size):
            raise EventError("a cosignature that is older than the one before it")
        self.stamps.append(Stamp(index, body.size, line.time))
