"""Credited study time, computed and never reported: one pure function for the screen, the server and the verifier.

`credit(sessions, course, policy, rulings)` takes every session of one registration and says, for each media ms that
was played, whether it counts and, if not, why (study-session.md, "What is credited"). Integer ms; linear in events.

How the page's words are read where they leave a choice:

* *Nearest outcome*: within the session; a check of another session proves nothing here, but for an offline span's
  need of a later passed online check, where check 0 of the session that names this one as `prev` counts.
* *Granted unit order*: results are listed in the course's order of units; it decides no credit, because no two units
  share a ms.
* A span's time is that of the first cosignature that covers it: hours of the day and the daily cap go by that.
* What the same log contradicts (a check open, another window in front, nobody there, no agent) moves E and F, so that
  checks go on coming, and earns nothing. A log that is silent about such a thing holds nothing against a span.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from typing import Final

from ledger.bodies import Reversal, Verdict
from ledger.checks import OFFLINE, ONLINE, Check, Judge
from ledger.clocks import Allowed, Clocks, day
from ledger.course import Course
from ledger.errors import CreditError
from ledger.facts import Facts, SessionRecord, read
from ledger.intervals import Intervals
from ledger.policy import Policy
from ledger.spans import Span

Ruling = tuple[str, Verdict | Reversal]  # hash of the note, and the note; in leaf order


@dataclasses.dataclass(frozen=True, slots=True)
class Part:
    """Media ms [from_, to) of a unit as spans [first, last] of a session showed them; `reason` "" when credited."""

    sid: str
    first: int
    last: int
    unit: str
    from_: int
    to: int
    reason: str

    @property
    def ms(self) -> int:
        """Its length in media ms."""
        return self.to - self.from_


@dataclasses.dataclass(frozen=True, slots=True)
class SessionCredit:
    """One session: what it earned, what it did not and why, and what came of its checks."""

    sid: str
    credited_ms: int
    played_ms: int  # media ms of all spans, replays included
    online_ms: int  # E
    offline_ms: int  # F
    flagged_ms: int  # credited although the platform could not tell the foreground
    credited: tuple[Part, ...]
    not_credited: tuple[Part, ...]
    checks: tuple[Check, ...]
    stray: tuple[tuple[int, int | str], ...]  # (seq, i) of orders that nothing accounts for
    seed_wrong: bool  # the operator's failure: computed from the orders in the log


@dataclasses.dataclass(frozen=True, slots=True)
class UnitCredit:
    """One unit of the course over all sessions."""

    unit: str
    duration_ms: int
    intervals: tuple[tuple[int, int], ...]
    credited_ms: int

    @property
    def missing(self) -> tuple[tuple[int, int], ...]:
        """What is left to study, as media intervals."""
        edges = [0, *(edge for interval in self.intervals for edge in interval), self.duration_ms]
        return tuple((a, b) for a, b in zip(edges[::2], edges[1::2], strict=True) if a < b)


@dataclasses.dataclass(frozen=True, slots=True)
class Credit:
    """The credit of one registration."""

    credited_ms: int
    sessions: tuple[SessionCredit, ...]  # in order of `granted` leaf
    units: tuple[UnitCredit, ...]  # in the course's order

    def session(self, sid: str) -> SessionCredit:
        """The session called `sid`; `CreditError` if it was not among those given."""
        for session in self.sessions:
            if session.sid == sid:
                return session
        raise CreditError(f"no session {sid[:32]} among the {len(self.sessions)} given")


@dataclasses.dataclass(frozen=True, slots=True)
class _Studied:
    """One session, read and judged, before credit is given."""

    record: SessionRecord
    policy: Policy
    course: Course
    facts: Facts
    checks: tuple[Check, ...]
    judge: Judge


def effective(policy: Policy, record: SessionRecord) -> Policy:
    """The rules that hold in one session: accommodated, and faceless where the grant agreed on the non-face route."""
    for changes in record.changes:
        policy = policy.accommodated(changes)
    return policy.faceless() if record.grant.reference == "none" else policy


def credit(sessions: Iterable[SessionRecord], course: Course, policy: Policy, rulings: Sequence[Ruling] = ()) -> Credit:
    """Compute what every session of one registration earned.

    `rulings`: verdicts and reversals of the registration in leaf order. Raises `CreditError` when two sessions share a
    sid or a place in the class log, `PolicyError` when an accommodation does not fit. The same input gives the same
    answer on every machine.
    """
    records = sorted(sessions, key=lambda record: record.order)
    for names in ([record.sid for record in records], [record.order for record in records]):
        if len(set(names)) != len(names):
            raise CreditError("two sessions with one sid, or one place in the class log")
    studied = [_study(record, course, policy) for record in records]
    confirmed = {
        one.record.prev for one in studied if any(check.i == 0 and check.outcome == "passed" for check in one.checks)
    }
    purse = _Purse(_zeroed(rulings))
    found = tuple(purse.earn(one, confirmed=one.record.sid in confirmed) for one in studied)
    units = tuple(_unit(unit.id, unit.duration_ms, purse.seen) for unit in course.units)
    return Credit(sum(one.credited_ms for one in found), found, units)


def _study(record: SessionRecord, course: Course, policy: Policy) -> _Studied:
    rules = effective(record.policy or policy, record)
    lessons = record.course or course
    facts = read(record, rules, lessons)
    judge = Judge(record, facts, rules)
    return _Studied(record, rules, lessons, facts, tuple(judge.checks()), judge)


def _unit(name: str, duration_ms: int, seen: Mapping[str, Intervals]) -> UnitCredit:
    intervals = seen.get(name, Intervals())
    return UnitCredit(name, duration_ms, tuple(intervals), intervals.total)


def _zeroed(rulings: Sequence[Ruling]) -> dict[str, list[Verdict]]:
    """The verdicts that stand, by sid."""
    reversed_ = {ruling.verdict for _, ruling in rulings if isinstance(ruling, Reversal)}
    standing: dict[str, list[Verdict]] = {}
    for digest, ruling in rulings:
        if isinstance(ruling, Verdict) and digest not in reversed_:
            standing.setdefault(ruling.sid, []).append(ruling)
    return standing


# --- proof ------------------------------------------------------------------------------------------------------------

_UNPROVEN: Final = {"failed": "check_failed", "missed": "check_missed"}


def _unproven(check: Check) -> str:
    if check.outcome == "passed":
        return ""
    if check.why in ("pending", "withheld"):
        return check.why
    return "check_unclear" if check.help else _UNPROVEN[check.outcome]


class _Proof:
    """Which spans of a session are proven: between two passed outcomes, in leaf order."""

    def __init__(self, one: _Studied, *, confirmed: bool) -> None:
        self._checks = one.checks
        self._limit = one.record.grant.limits["offline_ms"]
        passed = [check.place for check in one.checks if check.outcome == "passed" and check.mode == ONLINE]
        self._last_online = passed[-1] if passed else (-1, 0)
        self._confirmed = confirmed

    def reason(self, span: Span) -> str:
        """Why `span` is not proven; "" when it is."""
        place = (span.seq, 1)
        index = bisect_left(self._checks, place, key=lambda check: check.place)
        before = self._checks[index - 1] if index else None
        after = self._checks[index] if index < len(self._checks) else None
        if before is None or after is None:
            found = next((_unproven(check) for check in (before, after) if check and _unproven(check)), "")
            return found or ("no_check_before" if before is None else "no_check_after")
        why = _unproven(before) or _unproven(after)
        if why or span.online:
            return why
        if span.f > self._limit:
            return "offline_limit"
        return "" if self._confirmed or self._last_online > place else "offline_unconfirmed"


# --- who gets a ms ----------------------------------------------------------------------------------------------------


class _Purse:
    """Gives each media ms once: sessions in order of their `granted` leaf, spans in order of seq."""

    def __init__(self, zeroed: Mapping[str, list[Verdict]]) -> None:
        self.seen: dict[str, Intervals] = {}
        self._zeroed = zeroed
        self._days: dict[int, int] = {}

    def earn(self, one: _Studied, *, confirmed: bool) -> SessionCredit:
        """Credit what one session proved, and list the rest."""
        proof = _Proof(one, confirmed=confirmed)
        clocks = Clocks(one.facts, one.policy, one.record.grant.time)
        tally = _Tally(one.record.sid)
        verdicts = self._zeroed.get(one.record.sid, [])
        flagged = 0
        for span in one.facts.spans:
            allowed = clocks.allow(span)
            reason = self._reason(span, allowed, proof, verdicts)
            given = 0 if reason else self._give(span, allowed, one.policy, tally)
            flagged += given if span.flagged else 0
            if reason:
                tally.add(span, span.from_, span.to, reason)
            elif allowed.why:
                tally.add(span, allowed.to, span.to, allowed.why)
        return tally.close(one, flagged)

    @staticmethod
    def _reason(span: Span, allowed: Allowed, proof: _Proof, verdicts: list[Verdict]) -> str:
        """Why nothing at all of `span` counts; "" when some of it may."""
        if span.invalid:
            return span.invalid
        if any(verdict.from_ <= span.seq < verdict.to for verdict in verdicts):
            return "zeroed"
        if span.doubt:
            return span.doubt
        return proof.reason(span) or (allowed.why if allowed.to == span.from_ else "")

    def _give(self, span: Span, allowed: Allowed, policy: Policy, tally: _Tally) -> int:
        """Credit the ms of a proven span that nobody has yet; return how many."""
        seen = self.seen.setdefault(span.unit, Intervals())
        today = day(allowed.time, policy)
        given = 0
        fresh = seen.without(span.from_, allowed.to)
        for begin, end in Intervals(fresh).without(span.from_, allowed.to):
            tally.add(span, begin, end, "replay")
        for begin, end in fresh:
            room = end - begin
            if policy.daily_cap_ms:
                room = min(room, max(0, policy.daily_cap_ms - self._days.get(today, 0)))
            seen.add(begin, begin + room)
            self._days[today] = self._days.get(today, 0) + room
            tally.add(span, begin, begin + room, "")
            tally.add(span, begin + room, end, "daily_cap")
            given += room
        return given


class _Tally:
    """The parts of one session, neighbours with the same reason put together."""

    def __init__(self, sid: str) -> None:
        self._sid = sid
        self._parts: list[Part] = []

    def add(self, span: Span, begin: int, end: int, reason: str) -> None:
        if begin >= end and not span.invalid:
            return
        part = Part(self._sid, span.seq, span.seq, span.unit, begin, max(begin, end), reason)
        last = self._parts[-1] if self._parts else None
        if last and (last.unit, last.to, last.reason) == (part.unit, part.from_, part.reason):
            self._parts[-1] = dataclasses.replace(last, last=part.last, to=part.to)
        else:
            self._parts.append(part)

    def close(self, one: _Studied, flagged: int) -> SessionCredit:
        credited = tuple(part for part in self._parts if not part.reason)
        return SessionCredit(
            sid=self._sid,
            credited_ms=sum(part.ms for part in credited),
            played_ms=sum(span.to - span.from_ for span in one.facts.spans if not span.invalid),
            online_ms=one.facts.e,
            offline_ms=one.facts.f,
            flagged_ms=flagged,
            credited=credited,
            not_credited=tuple(part for part in self._parts if part.reason),
            checks=one.checks,
            stray=tuple(one.judge.stray),
            seed_wrong=one.judge.seed_wrong,
        )


__all__ = [
    "OFFLINE", "ONLINE", "Check", "Credit", "Part", "Ruling", "SessionCredit", "SessionRecord", "UnitCredit", "credit",
    "effective",
]  # fmt: skip
