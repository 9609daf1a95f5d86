"""Spans: how much of what a session says was played counts towards checks, on line (E) and off line (F).

One `Meter` is fed event by event by the server (which orders checks on E), by the client (which orders them itself on
F) and by `ledger.credit`, so all three count alike (study-session.md, "Spans and eligible time"). Integer ms.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any, Final

from ledger.course import Course
from ledger.events import Cosigned, Event, Finding, Focus, Played, Presence
from ledger.policy import Policy

ONLINE_MS: Final = 90_000  # span time without a `cosigned` event; beyond it a span is off line
JITTER_MS: Final = 250  # a player's position comes in steps: frames and sound buffers
SETTLE_MS: Final = 1_000  # what stops a span is signed just before or just after the `played` that ends it


@dataclasses.dataclass(frozen=True, slots=True)
class Span:
    """One `played` event, measured: media ms [from_, to) of `unit` shown between mono `begin` and `end`.

    `invalid` says why it counts nowhere ("" when it is valid). `doubt` says what the same log holds against a valid
    span: it moves E or F, so that checks keep coming, but earns nothing. `e` and `f` are E and F, itself included.
    """

    seq: int
    unit: str
    from_: int
    to: int
    rate: int
    begin: int
    end: int
    online: bool
    e: int
    f: int
    invalid: str = ""
    doubt: str = ""
    flagged: bool = False  # the platform could not tell the foreground

    @property
    def clock_ms(self) -> int:
        """How long it took by the device's clock."""
        return self.end - self.begin


class _Shade:
    """A condition that must not hold while something plays: when it held since the last span."""

    __slots__ = ("past", "since")

    def __init__(self) -> None:
        self.since: int | None = None
        self.past: list[tuple[int, int]] = []

    def begin(self, mono: int) -> None:
        if self.since is None:
            self.since = mono

    def end(self, mono: int) -> None:
        if self.since is not None and mono > self.since:
            self.past.append((self.since, mono))
        self.since = None

    def within(self, begin: int, end: int) -> int:
        """Ms of [begin, end) in which it held; what lies before is then forgotten."""
        held = sum(max(0, min(end, until) - max(begin, since)) for since, until in self.past)
        self.past.clear()
        return held if self.since is None else held + max(0, end - max(begin, self.since))


class Conditions:
    """What the log itself says about the time in which spans played: focus, presence, agent, orders, findings.

    A log that never speaks of a condition holds nothing against a span, but for the agent: where the policy asks for
    one, silence is a hole. An overlap up to `SETTLE_MS` is the order in which events were written, no contradiction.
    """

    def __init__(self, policy: Policy) -> None:
        self._grace = policy.absence_grace_ms
        self._hole = policy.agent_hole_ms
        names = ("order_open", "not_foreground", "foreground_unknown", "absent", "finding", "agent_hole")
        self._shades = {name: _Shade() for name in names}
        self._unknown_counts = policy.foreground_unknown == "pause"
        self._shades["foreground_unknown"].begin(0)
        if self._hole:
            self._shades["agent_hole"].begin(self._hole)  # `opened` names the agent: the first beat has as long to come
        self._takes: dict[str, Callable[[int, Any], None]] = {
            "ordered": self._ordered, "answered": self._answered, "focus": self._focus, "presence": self._presence,
            "finding": self._finding, "resumed": self._resumed,
        }  # fmt: skip
        if self._hole:
            self._takes["heartbeat"] = self._heartbeat

    def feed(self, event: Event) -> None:
        """Note what `event` begins or ends."""
        take = self._takes.get(event.body.verb)
        if take is not None:
            take(event.mono, event.body)

    def _ordered(self, mono: int, _: Any) -> None:
        self._shades["order_open"].begin(mono)

    def _answered(self, mono: int, _: Any) -> None:
        self._shades["order_open"].end(mono)

    def _focus(self, mono: int, body: Focus) -> None:
        _set(self._shades["not_foreground"], mono, holds=not body.gained)
        _set(self._shades["foreground_unknown"], mono, holds=body.covered is None)

    def _presence(self, mono: int, body: Presence) -> None:
        _set(self._shades["absent"], mono if body.faces else mono + self._grace, holds=body.faces == 0)

    def _heartbeat(self, mono: int, _: Any) -> None:
        hole = self._shades["agent_hole"]
        hole.end(mono)
        hole.begin(mono + self._hole)

    def _finding(self, mono: int, body: Finding) -> None:
        if body.response in ("pause", "block"):
            self._shades["finding"].begin(mono)

    def _resumed(self, mono: int, _: Any) -> None:
        self._shades["finding"].end(mono)

    def judge(self, begin: int, end: int) -> tuple[str, bool]:
        """(the first condition that contradicts a span over [begin, end), whether its foreground was unknown)."""
        held = {name: shade.within(begin, end) for name, shade in self._shades.items()}
        unknown = held["foreground_unknown"] > SETTLE_MS
        if not self._unknown_counts:
            del held["foreground_unknown"]
        return next((name for name, ms in held.items() if ms > SETTLE_MS), ""), unknown


def _set(shade: _Shade, mono: int, *, holds: bool) -> None:
    if holds:
        shade.begin(mono)
    else:
        shade.end(mono)


class Meter:
    """E and F of one session, event by event."""

    def __init__(self, policy: Policy, course: Course) -> None:
        """`policy` and `course` are those that the session's grant names."""
        self._rates = frozenset(policy.rates)
        self._lengths = {unit.id: unit.duration_ms for unit in course.units}
        self._conditions = Conditions(policy)
        self._end = 0  # of the span before, valid or not
        self._since_cosigned = 0
        self.e = 0
        self.f = 0

    @property
    def online(self) -> bool:
        """Whether the next moment that plays would still count on line."""
        return self._since_cosigned < ONLINE_MS

    def feed(self, event: Event) -> Span | None:
        """Take the next event of the log; a `played` comes back measured.

        Before the first `cosigned` the 90 s count from `opened`, which the grant dates.
        """
        body = event.body
        if isinstance(body, Played):  # no condition begins or ends with it
            return self._span(event, body)
        if isinstance(body, Cosigned):
            self._since_cosigned = 0
        else:
            self._conditions.feed(event)
        return None

    def _span(self, event: Event, played: Played) -> Span:
        invalid = self._invalid(played, event.mono)
        doubt, flagged = self._conditions.judge(played.start, event.mono)
        clock_ms = 0 if invalid else event.mono - played.start
        self._end = event.mono
        self._since_cosigned += clock_ms
        online = self._since_cosigned <= ONLINE_MS
        if online:
            self.e += clock_ms
        else:
            self.f += clock_ms
        return Span(
            seq=event.seq, unit=played.unit, from_=played.from_, to=played.to, rate=played.rate, begin=played.start,
            end=event.mono, online=online, e=self.e, f=self.f, invalid=invalid, doubt=doubt, flagged=flagged,
        )  # fmt: skip

    def _invalid(self, played: Played, mono: int) -> str:
        """Why the span counts nowhere, or "" (study-session.md, "Valid:")."""
        if played.rate not in self._rates:
            return "rate"
        if played.unit not in self._lengths:
            return "unit"
        if not 0 <= played.from_ < played.to <= self._lengths[played.unit]:
            return "range"
        if not self._end <= played.start <= mono:
            return "overlap"
        if (played.to - played.from_) * 1000 > played.rate * (mono - played.start + JITTER_MS):
            return "faster"
        return ""
