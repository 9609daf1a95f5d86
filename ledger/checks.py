"""What came of each check of a session: its orders, answers and misses against the seed that was committed to.

An outcome is the result of a check's last attempt: passed | failed | missed (study-session.md, "Random checks" and
"What is credited"). Without the seed, or with a wrong one, which is the operator's failure, the log's own orders stand.
"""

from __future__ import annotations

import dataclasses
from bisect import bisect_left
from typing import Final

from ledger import identify
from ledger.errors import ScheduleError
from ledger.facts import Attempt, Cosignature, Facts, SessionRecord
from ledger.outcome import judge
from ledger.policy import Policy
from ledger.schedule import CLOSE, SPOT, CheckId, Drawn, Schedule, drawn, verify_commit

ONLINE: Final = "online"
OFFLINE: Final = "offline"
# inconclusive by what was or was not done, not by what was seen
DELAYED: Final = ("late", "other_kind", "no_photo", "no_note")
BEFORE: Final = 0  # a place just before the event at a seq, where a miss stands
AT: Final = 1  # the place of the event itself


@dataclasses.dataclass(frozen=True, slots=True, order=True)
class Check:
    """One check's outcome. `place` = (seq, BEFORE | AT) in leaf order; `why` is one word, "" for a pass.

    `mode` tells which seed asked for it. `help` marks a miss without blame: nothing could be judged, a person helps.
    `mismatch` marks another face than the learner's at the last attempt.
    """

    place: tuple[int, int]
    i: CheckId = dataclasses.field(compare=False)
    mode: str = dataclasses.field(compare=False)
    outcome: str = dataclasses.field(compare=False)
    why: str = dataclasses.field(compare=False)
    attempts: int = dataclasses.field(compare=False)
    help: bool = dataclasses.field(default=False, compare=False)
    mismatch: bool = dataclasses.field(default=False, compare=False)


@dataclasses.dataclass(slots=True)
class _Line:
    """The attempts of one check under one seed, as far as they were accepted."""

    i: CheckId
    mode: str
    attempts: list[tuple[Attempt, str, str]] = dataclasses.field(default_factory=list)  # attempt, result, why

    @property
    def wants(self) -> int | None:
        """The number of the attempt that may come next; None after a pass or while one is unanswered."""
        if self.attempts and self.attempts[-1][1] in ("passed", "unanswered", "pending"):
            return None
        return len(self.attempts)


class Judge:
    """Judges one session's orders. `stray` lists orders that no seed, no note and no moment accounts for."""

    def __init__(self, record: SessionRecord, facts: Facts, policy: Policy) -> None:
        self._record, self._facts, self._policy = record, facts, policy
        self.seed_wrong = False
        self._online = self._online_schedule()
        self._offline = Schedule(bytes.fromhex(record.grant.offline_seed), record.sid, policy)
        self._lines: dict[tuple[str, CheckId], _Line] = {}
        self.stray: list[tuple[int, CheckId]] = []
        self._answered = -1  # seq of the last answer to an order by the server's seed
        self._others: list[Attempt] = []  # orders that the server did not give: it gives none while one of them is open

    def _online_schedule(self) -> Schedule | None:
        if self._record.seed is None:
            return None
        try:
            verify_commit(self._record.seed, self._record.sid, self._record.grant.commit)
        except ScheduleError:
            self.seed_wrong = True
            return None
        return Schedule(self._record.seed, self._record.sid, self._policy)

    def checks(self) -> list[Check]:
        """All outcomes in leaf order, misses at their due place, withheld entries as failed checks."""
        for attempt in self._facts.attempts:
            self._take(attempt)
        found = [self._conclude(line) for line in self._lines.values()]
        found += [Check((seq, AT), "", ONLINE, "failed", "withheld", 0) for seq in self._facts.withheld]
        if self._online is not None:
            issued = -1 if self._record.issued is None else self._record.issued
            found += self._misses(self._online, ONLINE, 0, self._facts.e, issued)
        found += self._misses(self._offline, OFFLINE, 1, self._facts.f, -1)
        return sorted(found)

    # --- one order ----------------------------------------------------------------------------------------------------

    def _take(self, attempt: Attempt) -> None:
        i, a = attempt.ordered.i, attempt.ordered.a
        mode = self._mode(attempt)
        other = mode != ONLINE or (isinstance(i, str) and i.startswith(SPOT))
        if other:
            self._others.append(attempt)
        line = self._lines.get((mode, i), _Line(i, mode))
        if not mode or a >= self._policy.max_attempts or line.wants != a or not self._in_time(attempt, mode):
            self.stray.append((attempt.seq, i))
            return
        since = None if mode == OFFLINE else self._ordered_at(attempt)
        if mode == ONLINE and since is None:
            self.stray.append((attempt.seq, i))  # before the server could have ordered it
            return
        if not other and attempt.answer is not None:  # a spot check may be answered between a random order and its own
            self._answered = attempt.answer_seq
        line.attempts.append((attempt, *self._result(attempt, since)))
        self._lines[mode, i] = line

    def _mode(self, attempt: Attempt) -> str:
        """Which seed the nonce belongs to; "" if to none that we know."""
        i, a, nonce = attempt.ordered.i, attempt.ordered.a, bytes.fromhex(attempt.ordered.nonce)
        if isinstance(i, str) and i.startswith(SPOT):
            spot = self._record.spots.get(i)
            once = spot is not None and spot.nonce == attempt.ordered.nonce and a == 0  # a nonce has one attempt
            return ONLINE if once else ""
        if i != 0 and self._offline.nonce(i, a) == nonce:
            return OFFLINE
        if self._online is None or self._online.nonce(i, a) == nonce:
            return ONLINE
        return ""

    def _in_time(self, attempt: Attempt, mode: str) -> bool:
        """Whether the check was due when it was ordered, and not long missed."""
        i = attempt.ordered.i
        if i == CLOSE:
            return attempt.asked >= 0
        schedule = self._offline if mode == OFFLINE else self._online
        if not isinstance(i, int) or schedule is None or attempt.ordered.a > 0:
            return True
        now = attempt.f if mode == OFFLINE else attempt.e
        due = _due_up_to(schedule, i, now)
        return due is not None and now <= due + self._policy.order_slack_ms

    def _ordered_at(self, attempt: Attempt) -> int | None:
        """T(order), computed and never told; None when no cosignature before the order accounts for it."""
        i = attempt.ordered.i
        stamp = self._facts.latest_before(attempt.seq)
        if isinstance(i, str) and i.startswith(SPOT):
            return stamp.time if stamp else None
        if i == CLOSE:
            stamp = self._free(self._facts.first_due(0, max(self._answered, attempt.asked)))
        elif self._online is not None and isinstance(i, int):
            stamp = self._free(self._facts.first_due(self._online.due(i), self._answered))
        return stamp.time if stamp and stamp.seq < attempt.seq else None

    def _free(self, stamp: Cosignature | None) -> Cosignature | None:
        """The first cosignature from `stamp` on that covers no order of another seed still waiting for its answer.

        Records of an offline hour are uploaded in order: the server orders at the segment where E reached due_i, before
        it has seen the checks that the device ordered itself later on.
        """
        while stamp is not None and any(one.seq < stamp.size <= max(one.answer_seq, one.seq) for one in self._others):
            stamp = self._facts.cover(stamp.size)
        return stamp

    def _result(self, attempt: Attempt, since: int | None) -> tuple[str, str]:
        if attempt.answer is None:
            return "unanswered", "unanswered"
        asked = self._asked(attempt)
        if since is None:
            late = attempt.answer_mono - attempt.mono > asked.deadline_ms
        else:
            stamp = self._facts.cover(attempt.answer_seq)
            if stamp is None:
                return "pending", "pending"
            late = stamp.time - since > asked.deadline_ms + self._policy.net_slack_ms
        evidence = attempt.photos and bool(self._record.grant.recipients)
        verdict = judge(asked, attempt.answer, late=late, evidence=evidence)
        why = self._doubt(attempt, asked, since) if verdict.result == "passed" else ""
        return ("inconclusive", why) if why else (verdict.result, verdict.why)

    def _doubt(self, attempt: Attempt, asked: Drawn, since: int | None) -> str:
        """Why a pass without a camera is none: its item or its note is not what was asked for; "" for any other."""
        if attempt.answer is None or asked.kind not in ("attention", "identify"):
            return ""
        if since is None:  # off line the device's clock leads on from the last signed time
            stamp = self._facts.latest_before(attempt.seq)
            since = stamp.time + attempt.mono - stamp.mono if stamp else self._record.grant.time + attempt.mono
        order = attempt.ordered
        until = since + asked.deadline_ms + self._policy.net_slack_ms
        ordered = identify.Asked(order.i, order.a, order.nonce, since, until)
        return identify.doubt(ordered, attempt.answer, self._policy.routes, self._record.identified)

    def _asked(self, attempt: Attempt) -> Drawn:
        i, nonce = attempt.ordered.i, bytes.fromhex(attempt.ordered.nonce)
        spot = self._record.spots.get(i) if isinstance(i, str) else None
        if spot is None:
            return drawn(nonce, i, self._policy)
        return dataclasses.replace(drawn(nonce, i, self._policy, spot.kind_), deadline_ms=spot.deadline_ms)

    # --- outcomes and misses ------------------------------------------------------------------------------------------

    def _conclude(self, line: _Line) -> Check:
        attempt, result, why = line.attempts[-1]
        if result in ("passed", "failed"):
            place, outcome = (attempt.answer_seq, AT), result
        else:
            place, outcome = self._miss_place(line), "missed"
        return Check(
            place,
            line.i,
            line.mode,
            outcome,
            why,
            len(line.attempts),
            help=result == "inconclusive" and why not in DELAYED,
            mismatch=(result, why) == ("failed", "other_person"),
        )

    def _miss_place(self, line: _Line) -> tuple[int, int]:
        """Just before the span with which E (or F) reaches due_i; the order's own place where nothing is due."""
        schedule = self._offline if line.mode == OFFLINE else self._online
        if not isinstance(line.i, int) or schedule is None:
            return line.attempts[0][0].seq, AT
        return self._due_place(schedule.due(line.i), line.mode)

    def _due_place(self, due: int, mode: str) -> tuple[int, int]:
        if due == 0:
            return 0, BEFORE
        spans = self._facts.spans
        index = bisect_left(spans, due, key=lambda span: span.f if mode == OFFLINE else span.e)
        return (spans[index].seq if index < len(spans) else self._facts.size), BEFORE

    def _misses(self, schedule: Schedule, mode: str, first: int, reached: int, issued: int) -> list[Check]:
        """Checks that were due and never ordered in the log. At most one stands for those beyond what was reached."""
        found: list[Check] = []
        i = first
        while (due := schedule.due(i)) <= reached or i <= issued:
            lost = due + self._policy.order_slack_ms < reached
            if (mode, i) not in self._lines and (lost or i <= issued):
                found.append(Check(self._due_place(due, mode), i, mode, "missed", "not_ordered", 0))
            if due > reached:
                break
            i += 1
        return found


def _due_up_to(schedule: Schedule, i: int, now: int) -> int | None:
    """due_i if it is <= `now`, else None, without computing further than `now` (a hostile i would cost hours)."""
    if i > now // schedule.policy.min_gap_ms + 1:
        return None
    due = schedule.due(i)
    return due if due <= now else None
