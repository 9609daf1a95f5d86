"""The facts of one session that credit rests on: spans, cosignatures, orders with their answers; read in one pass."""

from __future__ import annotations

import dataclasses
from bisect import bisect_left, bisect_right
from collections.abc import Mapping, Sequence
from typing import Any, Final

from ledger.bodies import Spot
from ledger.course import Course
from ledger.events import Answered, Asked, Consent, Event, Ordered
from ledger.grant import Grant
from ledger.identify import Identified
from ledger.policy import Policy
from ledger.schedule import CLOSE
from ledger.sessionlog import Stamp
from ledger.spans import Meter, Span

_TOLD: Final = frozenset({"ordered", "answered", "asked", "consent", "cosigned"})  # what is read besides spans


@dataclasses.dataclass(frozen=True, slots=True, kw_only=True)
class SessionRecord:
    """What is known of one session: the same from the server's store, an archive, or the device's own unsent log.

    `events`: the prefix that counts, None where an entry is withheld; `stamps`: its `cosigned` events with verified
    times (both as `ledger.sessionlog.SessionLog` has them). `last`: (size, POSIX seconds) of the cosignature on the
    session's last checkpoint, which no event holds. `order`: index of the `granted` leaf (any rising number on the
    device). `prev`: sid of the session that the certificate names. `seed` and `issued`: as revealed, or as the server
    knows them; None where they are not known. `changes`: those of the grant's accommodations, in the grant's order.
    `policy`, `course`: where the grant names others than the rest of the registration.
    """

    grant: Grant
    order: int
    events: Sequence[Event | None]
    stamps: Sequence[Stamp]
    last: tuple[int, int] | None = None
    prev: str | None = None
    seed: bytes | None = None
    issued: int | None = None
    changes: tuple[Mapping[str, Any], ...] = ()
    spots: Mapping[str, Spot] = dataclasses.field(default_factory=dict)  # "spot-<n>" → the supervisor's note
    identified: Mapping[str, Identified] | None = None  # notes that answers name; None: the device's own word stands
    policy: Policy | None = None
    course: Course | None = None

    @property
    def sid(self) -> str:
        """The session's 32 hex digits."""
        return self.grant.sid


@dataclasses.dataclass(frozen=True, slots=True)
class Cosignature:
    """The server's signed time `time` (ms) over `size` events, in the log at `seq` when the device's clock read `mono`.

    `e` is E over the events below `size`. The last one of a session stands in no event: its `seq` is beyond the log.
    """

    seq: int
    size: int
    time: int
    mono: int
    e: int


@dataclasses.dataclass(frozen=True, slots=True)
class Attempt:
    """One `ordered`, E and F at it, and what answered it."""

    seq: int
    mono: int
    ordered: Ordered
    e: int
    f: int
    asked: int  # seq of the first `asked` that no closing check has served before (-1: none)
    photos: bool  # consent to photos stood when it was ordered, and still when it was answered
    answer: Answered | None = None
    answer_seq: int = -1
    answer_mono: int = 0


@dataclasses.dataclass(slots=True)
class Facts:
    """One session, read."""

    spans: list[Span] = dataclasses.field(default_factory=list)
    attempts: list[Attempt] = dataclasses.field(default_factory=list)
    cosignatures: list[Cosignature] = dataclasses.field(default_factory=list)  # sizes rise, times never fall
    withheld: list[int] = dataclasses.field(default_factory=list)
    size: int = 0
    e: int = 0
    f: int = 0

    def cover(self, seq: int) -> Cosignature | None:
        """The first cosignature that covers event `seq`."""
        index = bisect_right(self.cosignatures, seq, key=lambda item: item.size)
        return self.cosignatures[index] if index < len(self.cosignatures) else None

    def first_due(self, e: int, beyond: int) -> Cosignature | None:
        """The first cosignature over a log with E >= `e` that also covers event `beyond` (-1: nothing to cover)."""
        index = max(
            bisect_left(self.cosignatures, e, key=lambda item: item.e),
            bisect_right(self.cosignatures, beyond, key=lambda item: item.size),
        )
        return self.cosignatures[index] if index < len(self.cosignatures) else None

    def latest_before(self, seq: int) -> Cosignature | None:
        """The last cosignature that stands in the log before event `seq`."""
        index = bisect_left(self.cosignatures, seq, key=lambda item: item.seq)
        return self.cosignatures[index - 1] if index else None


class _Reader:
    def __init__(self, record: SessionRecord, policy: Policy, course: Course) -> None:
        self.facts = Facts(size=len(record.events))
        self._meter = Meter(policy, course)
        self._stamps = {stamp.seq: stamp for stamp in record.stamps}
        self._open: int | None = None  # index of the attempt that waits
        self._asked = -1
        self._asked_served = False
        self._photos = False
        self._seqs: list[int] = []  # of the spans, with E after each: E below any size
        self._es: list[int] = []

    def take(self, event: Event) -> None:
        span = self._meter.feed(event)
        if span is not None:
            self.facts.spans.append(span)
            self._seqs.append(span.seq)
            self._es.append(span.e)
        elif event.body.verb in _TOLD:
            self._told(event)

    def _told(self, event: Event) -> None:
        match event.body:
            case Ordered() as ordered:
                self._on_ordered(event, ordered)
            case Answered() as answered:
                self._on_answered(event, answered)
            case Asked() if self._asked < 0 or self._asked_served:
                self._asked, self._asked_served = event.seq, False
            case Consent(_, _, "photos", given):
                self._photos = given
            case _ if event.seq in self._stamps:
                self.stamp(self._stamps[event.seq], event.mono)

    def _on_ordered(self, event: Event, ordered: Ordered) -> None:
        self._open = len(self.facts.attempts)
        self._asked_served = self._asked_served or ordered.i == CLOSE
        e, f = self._meter.e, self._meter.f
        self.facts.attempts.append(Attempt(event.seq, event.mono, ordered, e, f, self._asked, self._photos))

    def _on_answered(self, event: Event, answered: Answered) -> None:
        if self._open is None:
            return
        attempt = self.facts.attempts[self._open]
        if (answered.i, answered.a) == (attempt.ordered.i, attempt.ordered.a):
            self.facts.attempts[self._open] = dataclasses.replace(
                attempt, answer=answered, answer_seq=event.seq, answer_mono=event.mono,
                photos=attempt.photos and self._photos,
            )  # fmt: skip
            self._open = None

    def stamp(self, stamp: Stamp, mono: int) -> None:
        before = self.facts.cosignatures[-1] if self.facts.cosignatures else None
        if before and stamp.size <= before.size:
            return  # says nothing new
        index = bisect_left(self._seqs, stamp.size)
        time = max(stamp.time * 1000, before.time if before else 0)
        e = self._es[index - 1] if index else 0
        self.facts.cosignatures.append(Cosignature(stamp.seq, stamp.size, time, mono, e))


def read(record: SessionRecord, policy: Policy, course: Course) -> Facts:
    """Read the record's events once. `policy` is the one that holds in it: accommodated, faceless where agreed."""
    reader = _Reader(record, policy, course)
    mono = 0
    for seq, event in enumerate(record.events):
        if event is None:
            reader.facts.withheld.append(seq)
        else:
            reader.take(event)
            mono = event.mono
    if record.last is not None:
        size, time = record.last
        reader.stamp(Stamp(seq=max(size, len(record.events)), size=size, time=time), mono)
    reader.facts.e, reader.facts.f = reader._meter.e, reader._meter.f
    return reader.facts
