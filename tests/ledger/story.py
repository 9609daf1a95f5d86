"""A study session told in a few lines: a device and a server on one fake clock, as honest or crooked as a test wants.

The server's side is the real `Desk`; nothing is signed, because credit rests on what verification has already accepted.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field, replace

from ledger import events as ev
from ledger import schedule
from ledger.course import Course, Text, Unit
from ledger.credit import SessionRecord
from ledger.desk import Desk
from ledger.events import Event
from ledger.grant import Grant
from ledger.policy import Policy, parse, preset
from ledger.schedule import Order, Schedule
from ledger.sessionlog import Stamp
from ledger.spans import Meter

NOON = 1_795_233_600_000  # 2026-11-21 12:00 in Beijing, ms since the epoch
SID = "00112233445566778899aabbccddeeff"  # with SEED, that of the published vector
SEED = bytes(range(32))
OFFLINE_SEED = bytes(range(100, 132))
Answer = Callable[[Order], tuple[str, str, int]]  # order → result, reason, ms it takes


def rules(**changes: object) -> Policy:
    """The standard policy with `changes`: a class that asks for no agent, so that stories need no heartbeats."""
    return replace(parse(preset("standard")), **{"demo": True, "agent_hole_ms": 0, **changes})  # type: ignore[arg-type]


def lesson(*minutes: int) -> Course:
    """A course of units u1, u2, … of so many minutes."""
    units = tuple(
        Unit(f"u{n}", Text("课", "lesson"), length * 60_000, f"{n}.mp4", "0" * 64, {}, {}, ())
        for n, length in enumerate(minutes, start=1)
    )
    return Course("c", 1, Text("课程", "course"), units)


def passes(order: Order) -> tuple[str, str, int]:
    """A learner who looks up and is recognised."""
    return "passed", "ok", 3_000


def grant(sid: str, time: int, seed: bytes, offline_ms: int, reference: str) -> Grant:
    """A grant with everything that credit looks at, and plain values elsewhere."""
    zeros = "0" * 64
    return Grant(
        sid=sid,
        cert=zeros,
        class_="s.example/c/k1",
        learner="1" * 32,
        registration="2" * 32,
        nonce="3" * 32,
        time=time,
        open_by=time + 600_000,
        late_by=time + 10**8,
        commit=schedule.commit(seed, sid),
        offline_seed=OFFLINE_SEED.hex(),
        policy=zeros,
        rules=zeros,
        course=zeros,
        models=zeros,
        reference=reference,
        recipients=(),
        limits={"session_ms": 14_400_000, "offline_ms": offline_ms},
        carried={"missed": 0, "mismatched": 0, "made_up": 0},
        accommodations=(),
        seen="192.0.2.1",
    )


@dataclass
class Story:
    """One session. `now` is the server's clock; the device's runs with it, plus `drift`."""

    policy: Policy
    course: Course
    sid: str = SID
    order: int = 1
    now: int = NOON
    prev: str | None = None
    answers: Answer = passes
    network: bool = True
    face: bool = True
    seed: bytes = SEED
    offline_ms: int = 3_600_000
    drift: int = 0  # ms that the device's clock is ahead by now
    log: list[Event] = field(default_factory=list)
    stamps: list[Stamp] = field(default_factory=list)
    last: tuple[int, int] | None = None
    at: int = 0  # media position

    def __post_init__(self) -> None:
        self.began = self.now
        self.grant = grant(self.sid, self.now, self.seed, self.offline_ms, "4" * 64 if self.face else "none")
        policy = self.policy if self.face else self.policy.faceless()
        self.desk = Desk(Schedule(self.seed, self.sid, policy), Meter(policy, self.course))
        self.own = Desk(Schedule(OFFLINE_SEED, self.sid, policy), Meter(policy, self.course), offline=True)
        self._sent = 0
        self._given: tuple[int, Order | None] | None = None
        self.say(ev.Opened("g", "c", "1", "1", "none", True))

    @property
    def mono(self) -> int:
        """The device's clock."""
        return self.now - self.began + self.drift

    def say(self, body: ev.Body) -> Event:
        """Append an event to the log."""
        event = Event(len(self.log), self.now, self.mono, self.sid, "5" * 32, body)
        self.log.append(event)
        self.own.feed(event)
        return event

    def wait(self, ms: int) -> None:
        """Time passes."""
        self.now += ms

    def play(self, ms: int, unit: str = "u1", rate: int = 1000, segment: int | None = None) -> Story:
        """Show `ms` of media from where it stands, a segment at a time."""
        left = ms
        while left:
            piece = min(left, segment or self.policy.segment_ms)
            begin = self.mono
            self.wait(piece * 1000 // rate)
            self.say(ev.Played(unit, self.at, self.at + piece, rate, begin, 1))
            self.at += piece
            left -= piece
            self.segment()
        return self

    def seek(self, to: int) -> Story:
        """Go to media position `to`."""
        self.at = to
        return self

    def segment(self) -> None:
        """End a segment: it goes up if it can, and whatever order comes is answered."""
        order = self.upload() if self.network else self.own.next(self.mono)
        if order is not None:
            self.obey(order)

    def upload(self, *, note: bool = True) -> Order | None:
        """Send what is unsent; `note`: the answer arrives and is noted as `cosigned`."""
        size = len(self.log)
        if size == self._sent:  # the same bytes again: the stored answer, same time
            assert self._given
            time, order = self._given
        else:
            for event in self.log[self._sent : size]:
                self.desk.feed(event)
            time, order = self.now // 1000, self.desk.next(self.now // 1000 * 1000)
            self._sent, self._given, self.last = size, (time, order), (size, time)
        if note:
            self.stamps.append(Stamp(len(self.log), size, time))
            self.say(ev.Cosigned(size, "line", "192.0.2.1"))
        return order if note else None

    def obey(self, order: Order) -> None:
        """Log the order and, after the learner's time, the answer; then end the segment."""
        result, reason, takes = self.answers(order)
        self.say(ev.Ordered(order.i, order.a, order.nonce, order.deadline_ms))
        if result == "ignored":
            return
        self.wait(takes)
        rules_ = self.policy if self.face else self.policy.faceless()
        kind = schedule.drawn(bytes.fromhex(order.nonce), order.i, rules_).kind
        self.say(ev.Answered(order.i, order.a, kind, result, reason, {}, {}, None))
        self.segment()

    def close(self, *, check: bool = True, how: str = "ended") -> SessionRecord:
        """End the session, by default with a closing check; the record is what the server reveals."""
        if check:
            self.say(ev.Asked("close"))
            self.segment()
        self.say(ev.Closed(how))
        if self.network:
            self.upload(note=False)
        return self.record()

    def record(self, **changes: object) -> SessionRecord:
        """The record as it stands, seed revealed."""
        found = SessionRecord(
            grant=self.grant, order=self.order, events=tuple(self.log), stamps=tuple(self.stamps), last=self.last,
            prev=self.prev, seed=self.seed, issued=self.desk.issued,
        )  # fmt: skip
        return replace(found, **changes)  # type: ignore[arg-type]


def opened(policy: Policy, course: Course, **fields: object) -> Story:
    """A session whose opening check is passed."""
    story = Story(policy, course, **fields)  # type: ignore[arg-type]
    story.wait(1_000)
    story.segment()
    return story
