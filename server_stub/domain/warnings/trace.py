"""What one session's signed events and the server's times say of how it was studied: a few hundred figures, no person.

The choice of route and accommodations are not read: neither the kind of a check, nor what it was answered by, nor
anything of the grant but learner, class, time and address. So no rule can use them.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable
from typing import Any, Final

from ledger import events, segment
from ledger.errors import LedgerError
from ledger.events import (
    Answered,
    Closed,
    Cosigned,
    Event,
    Fault,
    Finding,
    Focus,
    Heartbeat,
    Ordered,
    Paused,
    Played,
    Presence,
    Question,
    Resumed,
)

VERSION: Final = 1  # of these figures: kept ones of another version are read again
JITTER_MS: Final = 250  # as `ledger.spans`
GAP_MS: Final = 5_000  # spans that stand closer are one stretch of play
OWN: Final = frozenset(  # pauses that a person at the machine makes; a check's, a lesson's end and faults are none
    {"learner", "rest", "focus", "minimised", "covered", "desktop", "locked", "absent", "suspended"}
)
SIGN_MS: Final = 30_000
GRAIN_MS: Final = 100  # two learners whose moves agree to about this grain, four moves long and often, have one hand
MOVES: Final = 4
SLOW_MS: Final = 30_000  # four moves within it are one click seen four times
MAX_SHINGLES: Final = 800
MAX_KEPT: Final = 2_000  # of any list; a session of hours has less


@dataclasses.dataclass(slots=True)
class Check:
    """One check: when it was ordered (mono ms), how long its last attempt took, and what came of it."""

    i: str
    seq: int
    took_ms: int = 0
    outcome: str = "open"  # passed | mismatch | missed | unclear; open: ordered and not answered
    since: int = 0


@dataclasses.dataclass(slots=True)
class Asked:
    """One answer to a question of the lesson: which attempt (from 1), when by the server's time, how long it took."""

    item: str  # unit/item
    attempt: int
    at: int
    think_ms: int
    seq: int


@dataclasses.dataclass(slots=True)
class Found:
    """One finding of the agent."""

    rule: str
    severity: str
    response: str
    seq: int


@dataclasses.dataclass(slots=True)
class Trace:
    """Figures of one session. `at` and the like: ms since the epoch by the server; `mono` by the device."""

    sid: str
    learner: str
    class_id: str
    device: str
    granted_at: int
    leaf: int
    address: str  # at sign-in, as the server saw it
    size: int = 0
    heard_at: int = 0
    mono: int = 0
    closed: bool = False
    forks: int = 0
    played_ms: int = 0
    paused_ms: int = 0
    absent_ms: int = 0
    own: int = 0
    still_ms: int = 0  # the longest play without a sign that somebody is there
    still_seq: int = 0
    ahead_ms: int = 0  # the device's clock ran so much faster than ours, at most
    ahead_seq: int = 0
    boot_at: int = 0  # when the machine was started, as its uptime and our clock say; 0: no agent spoke
    beats: int = 0
    unreadable: int = 0
    faster: list[int] = dataclasses.field(default_factory=list)  # seqs
    overlapping: list[int] = dataclasses.field(default_factory=list)
    agent_faults: list[int] = dataclasses.field(default_factory=list)
    stretches: list[tuple[str, int, int, int]] = dataclasses.field(default_factory=list)  # unit, begin, end, seq
    checks: list[Check] = dataclasses.field(default_factory=list)
    findings: list[Found] = dataclasses.field(default_factory=list)
    places: list[tuple[str, int, int]] = dataclasses.field(default_factory=list)  # address, since, seq
    asked: list[Asked] = dataclasses.field(default_factory=list)
    shingles: list[int] = dataclasses.field(default_factory=list)
    between: dict[int, int] = dataclasses.field(default_factory=dict)  # ms between two beats by the agent's clock → n
    lag: dict[int, int] = dataclasses.field(default_factory=dict)  # the same: device's clock − agent's → n
    # where the reading stands
    ends: int = 0  # mono end of the span before
    still_now: int = 0
    sign_mono: int = -1  # of the last sign of life
    pause: tuple[str, int] = ("", 0)
    beat_mono: int = -1
    moves: tuple[int, ...] = ()  # the mono of the latest moves

    def to_json(self) -> dict[str, Any]:
        """As it is kept."""
        return {"v": VERSION, **dataclasses.asdict(self)}


def from_json(data: Any) -> Trace | None:
    """A kept trace; None where it is of another version and must be read again."""
    if not isinstance(data, dict) or data.get("v") != VERSION:
        return None
    given = {name: value for name, value in data.items() if name != "v"}
    given["checks"] = [Check(**item) for item in given["checks"]]
    given["findings"] = [Found(**item) for item in given["findings"]]
    given["asked"] = [Asked(**item) for item in given["asked"]]
    for name in ("stretches", "places"):
        given[name] = [tuple(item) for item in given[name]]
    for name in ("between", "lag"):
        given[name] = {int(key): value for key, value in given[name].items()}
    for name in ("pause", "moves"):
        given[name] = tuple(given[name])
    return Trace(**given)


def read(trace: Trace, segments: Iterable[tuple[int, bytes]]) -> Trace:
    """Read on in `trace`: of `segments`, (cosigned time in POSIX seconds, body), those from its `size` on."""
    for time, body in segments:
        parsed = segment.parse_kept(body)
        if parsed.old < trace.size:
            continue
        said = []
        for entry in parsed.entries:
            try:
                said.append(events.decode(entry))
            except LedgerError:  # erased, or no event: cosigned all the same
                trace.unreadable += 1
        take(trace, said, time * 1000)
        trace.size = parsed.checkpoint.size
    return trace


def take(trace: Trace, said: Iterable[Event], time: int) -> None:
    """One segment's events, accepted at `time` (server ms)."""
    for event in said:
        trace.mono = max(trace.mono, event.mono)
        trace.size = event.seq + 1
        act = _TAKES.get(event.body.verb)
        if act is not None:
            act(trace, event, event.body)
    trace.heard_at = time
    _clock(trace, time)


def _clock(trace: Trace, time: int) -> None:
    """The device's clock against ours since the grant: off line it may lag as it likes, never lead."""
    ahead = trace.mono - (time - trace.granted_at) - 1_000  # our stamps are whole seconds
    if ahead > trace.ahead_ms:
        trace.ahead_ms, trace.ahead_seq = ahead, max(0, trace.size - 1)


def _played(trace: Trace, event: Event, body: Played) -> None:
    took = max(0, event.mono - body.start)
    if (body.to - body.from_) * 1000 > body.rate * (took + JITTER_MS):
        _keep(trace.faster, event.seq)
    if body.start < trace.ends:
        _keep(trace.overlapping, event.seq)
    begin, end = trace.granted_at + body.start, trace.granted_at + event.mono
    last = trace.stretches[-1] if trace.stretches else None
    if last and last[0] == body.unit and -GAP_MS < begin - last[2] < GAP_MS:
        trace.stretches[-1] = (last[0], last[1], max(last[2], end), last[3])
    else:
        _keep(trace.stretches, (body.unit, begin, end, event.seq))
    trace.ends = max(trace.ends, event.mono)
    trace.played_ms += took
    trace.still_now += took
    if trace.still_now > trace.still_ms:
        trace.still_ms, trace.still_seq = trace.still_now, event.seq


def _paused(trace: Trace, event: Event, body: Paused) -> None:
    trace.pause = (body.because, event.mono)
    if body.because in OWN:
        _moved(trace, event)


def _resumed(trace: Trace, event: Event, _: Resumed) -> None:
    because, since = trace.pause
    if because:
        trace.paused_ms += event.mono - since
        trace.absent_ms += event.mono - since if because == "absent" else 0
    trace.pause = ("", 0)
    if because in OWN:
        _moved(trace, event)


def _moved(trace: Trace, event: Event) -> None:
    """Somebody is there: the stillness ends. What follows within half a minute is the same sign of life."""
    if trace.sign_mono < 0 or event.mono - trace.sign_mono > SIGN_MS:
        trace.own += 1
    trace.sign_mono = event.mono
    trace.still_now = 0
    _mark(trace, event.mono)


def _mark(trace: Trace, mono: int) -> None:
    """One more move of a hand or a head: the times between the latest ones, as a number to compare with others'."""
    trace.moves = (*trace.moves, mono)[-(MOVES + 1) :]
    if len(trace.moves) <= MOVES or trace.moves[-1] - trace.moves[0] < SLOW_MS or len(trace.shingles) >= MAX_SHINGLES:
        return
    for shift in (0, GRAIN_MS // 2):  # a move just at a step's edge agrees in the other one
        value = shift
        for one, other in zip(trace.moves, trace.moves[1:], strict=False):
            value = (value * 1_000_003 + (other - one + shift) // GRAIN_MS) % (1 << 61)
        trace.shingles.append(value)


def _presence(trace: Trace, event: Event, _: Presence) -> None:
    if event.seq > 3:
        _moved(trace, event)


def _focus(trace: Trace, event: Event, _: Focus) -> None:
    if event.seq > 3:  # the first ones say how the machine stood when the session opened
        _moved(trace, event)


def _ordered(trace: Trace, event: Event, body: Ordered) -> None:
    last = trace.checks[-1] if trace.checks else None
    if last is not None and last.i == str(body.i):
        last.since, last.outcome = event.mono, "open"
        return
    _keep(trace.checks, Check(str(body.i), event.seq, since=event.mono))


def _answered(trace: Trace, event: Event, body: Answered) -> None:
    check = trace.checks[-1] if trace.checks else None
    if check is None or check.i != str(body.i):
        return
    check.took_ms, check.seq = event.mono - check.since, event.seq
    if body.result == "passed":
        check.outcome = "passed"
    elif body.result == "failed" and body.reason == "other_person":
        check.outcome = "mismatch"
    else:
        check.outcome = "missed" if body.reason == "late" else "unclear"
    _mark(trace, event.mono)


def _finding(trace: Trace, event: Event, body: Finding) -> None:
    _keep(trace.findings, Found(body.rule, body.severity, body.response, event.seq))


def _heartbeat(trace: Trace, event: Event, body: Heartbeat) -> None:
    trace.beats += 1
    boot = trace.granted_at + event.mono - body.uptime
    trace.boot_at = min(trace.boot_at, boot) if trace.boot_at else boot  # the beat that was least delayed
    if trace.beat_mono >= 0:
        _count(trace.between, body.agent_mono - trace.beat_mono)
        _count(trace.lag, event.mono - body.agent_mono)
    trace.beat_mono = body.agent_mono


def _question(trace: Trace, event: Event, body: Question) -> None:
    think = event.mono - (trace.pause[1] if trace.pause[0] else trace.ends)
    item = Asked(f"{body.unit}/{body.item}", body.attempt, trace.granted_at + event.mono, max(0, think), event.seq)
    _keep(trace.asked, item)
    _mark(trace, event.mono)


def _cosigned(trace: Trace, event: Event, body: Cosigned) -> None:
    before = trace.places[-1][0] if trace.places else trace.address
    if body.seen != before:
        _keep(trace.places, (body.seen, trace.granted_at + event.mono, event.seq))


def _fault(trace: Trace, event: Event, body: Fault) -> None:
    if body.what == "agent":
        _keep(trace.agent_faults, event.seq)


def _closed(trace: Trace, event: Event, _: Closed) -> None:
    because, since = trace.pause
    if because == "absent":
        trace.absent_ms += event.mono - since
    trace.closed = True


def _count(counts: dict[int, int], value: int) -> None:
    if value in counts or len(counts) < MAX_KEPT:
        counts[value] = counts.get(value, 0) + 1


def _keep(kept: list[Any], value: object) -> None:
    if len(kept) < MAX_KEPT:
        kept.append(value)


_TAKES: Final[dict[str, Callable[[Trace, Event, Any], None]]] = {
    "played": _played, "paused": _paused, "resumed": _resumed, "presence": _presence, "focus": _focus,
    "ordered": _ordered, "answered": _answered, "finding": _finding, "heartbeat": _heartbeat, "question": _question,
    "cosigned": _cosigned, "fault": _fault, "closed": _closed,
}  # fmt: skip
