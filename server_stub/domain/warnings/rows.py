"""Figures of sessions put together: a row for each learner of a class, each class, each place; what a rule may judge.

A row's figures are integers under names of a closed list (`TABLES`), so that a rule cannot ask for anything else.
Beside each stand references: the signed events that show it.
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Final

from server_stub.domain.warnings.measures import Measures
from server_stub.domain.warnings.networks import Networks
from server_stub.domain.warnings.trace import Asked, Check, Trace

MAX_REFS: Final = 12  # of one figure: enough to look at
GRAVE: Final = ("pause", "block")
TABLES: Final[Mapping[str, frozenset[str]]] = {
    "learner": frozenset({
        "sessions", "played_ms", "faster_spans", "overlapping_spans", "ahead_ms", "forks", "findings",
        "grave_findings", "finding_sessions", "agent_faults", "beats", "beat_same_permille", "lag_same_permille",
        "checks", "mismatched", "mismatch_run", "mismatch_permille", "missed", "missed_permille", "spread_ms",
        "passed", "still_ms", "signs", "signs_in_10h", "absent_permille", "played_permille", "at_once_ms", "at_once",
        "abroad", "countries_at_once", "impossible_addresses", "rapid", "rapid_permille", "answers",
    }),
    "address": frozenset({"learners", "at_once", "together", "classes"}),
    "machine": frozenset({"learners", "at_once", "classes"}),
    "pair": frozenset({"same_moves", "harvested", "harvested_permille", "harvested_back", "one_address"}),
    "group": frozenset({"learners", "close_items", "close_permille", "same_repeats"}),
    "class": frozenset({
        "learners", "studied", "studied_before", "studied_permille", "before_permille", "fall_permille", "age_ms",
        "first_answers", "first_right_permille", "warned", "warned_permille",
    }),
    "place": frozenset({"learners", "warned", "warned_permille", "classes", "classes_warned"}),
    "again": frozenset({"earlier", "sessions"}),
}  # fmt: skip


@dataclass(frozen=True, slots=True, order=True)
class Ref:
    """One signed event: of which session, and where its grant stands in the class log."""

    class_id: str
    leaf: int
    sid: str
    seq: int


@dataclass(frozen=True, slots=True)
class Row:
    """One thing to be judged. `key` names it within its table; `learners` are whom a warning about it concerns."""

    table: str
    class_id: str  # "" where several classes are concerned
    key: str
    learners: tuple[str, ...]
    values: Mapping[str, int]
    refs: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)


class _Refs:
    """References by figure, as they are found."""

    def __init__(self) -> None:
        self._kept: dict[str, list[Ref]] = defaultdict(list)

    def add(self, name: str, trace: Trace, seq: int) -> None:
        if len(self._kept[name]) < MAX_REFS:
            self._kept[name].append(Ref(trace.class_id, trace.leaf, trace.sid, seq))

    def done(self) -> dict[str, tuple[Ref, ...]]:
        return {name: tuple(refs) for name, refs in self._kept.items() if refs}


def ref(trace: Trace, seq: int = 0) -> Ref:
    """A reference to one event of a session."""
    return Ref(trace.class_id, trace.leaf, trace.sid, seq)


def permille(part: int, whole: int) -> int:
    """`part` of `whole` in per mille, 0 of nothing."""
    return part * 1000 // whole if whole else 0


# --- one learner in one class -----------------------------------------------------------------------------------------


def learner_row(own: Sequence[Trace], everywhere: Sequence[Trace], networks: Networks, measures: Measures) -> Row:
    """A learner's sessions `own` in one class; `everywhere`: those in all classes, for what only shows together."""
    refs = _Refs()
    values = _sums(own, refs) | _checks(own, refs, measures) | _evenness(own, refs)
    values |= _at_once(everywhere, refs, measures) | _where(everywhere, refs, networks, measures)
    first = own[0]
    return Row("learner", first.class_id, first.learner, (first.learner,), values, refs.done())


def _sums(own: Sequence[Trace], refs: _Refs) -> dict[str, int]:
    rules: set[str] = set()
    grave: set[str] = set()
    troubled = 0
    for trace in own:
        for name, seqs in (
            ("faster_spans", trace.faster), ("overlapping_spans", trace.overlapping),
            ("agent_faults", trace.agent_faults),
        ):  # fmt: skip
            for seq in seqs:
                refs.add(name, trace, seq)
        told = [found for found in trace.findings if found.response != "inform"]
        troubled += bool(told)
        rules |= {found.rule for found in told}
        for found in told:
            refs.add("findings", trace, found.seq)
            if found.response in GRAVE:
                grave.add(found.rule)
                refs.add("grave_findings", trace, found.seq)
        if trace.ahead_ms:
            refs.add("ahead_ms", trace, trace.ahead_seq)
        if trace.forks:
            refs.add("forks", trace, max(0, trace.size - 1))
    played = sum(trace.played_ms for trace in own)
    absent, paused = sum(trace.absent_ms for trace in own), sum(trace.paused_ms for trace in own)
    return {
        "sessions": len(own), "played_ms": played, "faster_spans": sum(len(trace.faster) for trace in own),
        "overlapping_spans": sum(len(trace.overlapping) for trace in own), "forks": sum(t.forks for t in own),
        "ahead_ms": max(trace.ahead_ms for trace in own), "findings": len(rules), "grave_findings": len(grave),
        "finding_sessions": troubled, "agent_faults": sum(len(trace.agent_faults) for trace in own),
        "absent_permille": permille(absent, played + absent), "played_permille": permille(played, played + paused),
    }  # fmt: skip


def _checks(own: Sequence[Trace], refs: _Refs, measures: Measures) -> dict[str, int]:
    run = longest = 0
    count: dict[str, int] = defaultdict(int)
    took = []
    for trace in own:
        for check in trace.checks:
            outcome = _outcome(trace, check)
            count[outcome] += 1
            if outcome == "mismatch":
                run += 1
                refs.add("mismatched", trace, check.seq)
            elif outcome == "passed":
                run = 0
                refs.add("passed", trace, check.seq)
                took.append(check.took_ms)
            elif outcome == "missed":
                refs.add("missed", trace, check.seq)
            longest = max(longest, run)
    decided = count["passed"] + count["mismatch"] + count["missed"]
    return {
        "checks": decided, "passed": count["passed"], "mismatched": count["mismatch"], "mismatch_run": longest,
        "mismatch_permille": permille(count["mismatch"], decided), "missed": count["missed"],
        "missed_permille": permille(count["missed"], decided),
        "spread_ms": _spread(took) if len(took) >= measures.even_checks else 10**6,
    }  # fmt: skip


def _outcome(trace: Trace, check: Check) -> str:
    """An order that nothing answers is a miss once the session is over; until then nobody can tell."""
    return "missed" if check.outcome == "open" and trace.closed else check.outcome


def _spread(took: list[int]) -> int:
    """The middle half's width, in ms: a single long wait changes nothing."""
    ordered = sorted(took)
    return ordered[len(ordered) * 3 // 4] - ordered[len(ordered) // 4]


def _evenness(own: Sequence[Trace], refs: _Refs) -> dict[str, int]:
    """Signs of life, and clocks that tick as no two processes do."""
    played, signs = sum(trace.played_ms for trace in own), sum(trace.own for trace in own)
    still = max(own, key=lambda trace: trace.still_ms)
    refs.add("still_ms", still, still.still_seq)
    refs.add("signs_in_10h", still, still.still_seq)
    beats = sum(sum(trace.between.values()) for trace in own)
    best = max(own, key=lambda trace: trace.beats)
    refs.add("beat_same_permille", best, max(0, best.size - 1))
    return {
        "still_ms": still.still_ms, "signs": signs,
        "signs_in_10h": math.floor(signs * 36_000_000 / played) if played else 10**6, "beats": beats,
        "beat_same_permille": permille(sum(max(t.between.values(), default=0) for t in own), beats),
        "lag_same_permille": permille(sum(max(t.lag.values(), default=0) for t in own), beats),
    }  # fmt: skip


def _at_once(everywhere: Sequence[Trace], refs: _Refs, measures: Measures) -> dict[str, int]:
    """Two sessions of one learner that play at the same time, on whatever devices, in whatever classes."""
    stretches = sorted(
        ((begin, end, trace, seq) for trace in everywhere for _, begin, end, seq in trace.stretches),
        key=lambda item: (item[0], item[1], item[3]),
    )
    total = times = 0
    running: list[tuple[int, Trace, int]] = []
    for begin, end, trace, seq in stretches:
        running = [item for item in running if item[0] > begin]
        for until, other, other_seq in running:
            both = min(until, end) - begin
            if other.sid != trace.sid and both > measures.overlap_ms:
                total, times = total + both, times + 1
                refs.add("at_once", trace, seq)
                refs.add("at_once", other, other_seq)
        running.append((end, trace, seq))
    return {"at_once_ms": total, "at_once": times}


def _where(everywhere: Sequence[Trace], refs: _Refs, networks: Networks, measures: Measures) -> dict[str, int]:
    seen = sorted(
        (at, address, trace.sid, seq)
        for trace in everywhere
        for address, at, seq in ((trace.address, trace.granted_at, 0), *trace.places)
    )
    by_sid = {trace.sid: trace for trace in everywhere}
    abroad, odd, jumps = set(), set(), 0
    before = ("", 0)
    for at, address, sid, seq in seen:
        country = networks.country(address)
        if networks.abroad(address):
            abroad.add(address)
            refs.add("abroad", by_sid[sid], seq)
        if networks.impossible(address):
            odd.add(address)
            refs.add("impossible_addresses", by_sid[sid], seq)
        if country and before[0] and country != before[0] and at - before[1] < measures.apart_ms:
            jumps += 1
            refs.add("countries_at_once", by_sid[sid], seq)
        before = (country, at) if country else before
    return {"abroad": len(abroad), "impossible_addresses": len(odd), "countries_at_once": jumps}


# --- answers before they could be read --------------------------------------------------------------------------------


def rapid(traces: Iterable[Trace], measures: Measures) -> dict[str, tuple[dict[str, int], tuple[Ref, ...]]]:
    """By learner: how many answers of a class came faster than each item's own threshold, a share of its median; and
    those answers."""
    times: dict[str, list[int]] = defaultdict(list)
    given: dict[str, list[tuple[Trace, Asked]]] = defaultdict(list)
    for trace in traces:
        for answer in trace.asked:
            times[answer.item].append(answer.think_ms)
            given[trace.learner].append((trace, answer))
    threshold = {item: sorted(all_)[len(all_) // 2] * measures.rapid_permille // 1000 for item, all_ in times.items()}
    found = {}
    for learner, answers in given.items():
        fast = [ref(trace, answer.seq) for trace, answer in answers if answer.think_ms < threshold[answer.item]]
        values = {"rapid": len(fast), "rapid_permille": permille(len(fast), len(answers)), "answers": len(answers)}
        found[learner] = values, tuple(fast[:MAX_REFS])
    return found


NO_ANSWERS: Final[Mapping[str, int]] = {"rapid": 0, "rapid_permille": 0, "answers": 0}
