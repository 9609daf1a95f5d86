"""What several learners share: an address, a machine, the same moves, each other's answers; and how a class goes."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from server_stub.domain.warnings.measures import Measures
from server_stub.domain.warnings.networks import Networks
from server_stub.domain.warnings.rows import MAX_REFS, Ref, Row, permille, ref
from server_stub.domain.warnings.trace import Asked, Trace

COMMON: Final = 25  # moves that so many learners share are the player's own and nobody's hand
CROWD: Final = 3  # where more than so many try an item at the same moments, nobody can say who learned from whom


# --- addresses and machines -------------------------------------------------------------------------------------------


def address_rows(traces: Iterable[Trace], networks: Networks, measures: Measures) -> list[Row]:
    """Addresses that several learners use; those on the allow-list are no rows at all."""
    by_address: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        for address in {trace.address, *(place[0] for place in trace.places)}:
            by_address[address].append(trace)
    return [
        _row("address", address, found, measures)
        for address, found in sorted(by_address.items())
        if len({trace.learner for trace in found}) > 1 and not networks.kind(address)
    ]


def machine_rows(traces: Iterable[Trace], networks: Networks, measures: Measures) -> list[Row]:
    """Machines that several learners use: the same address and the same moment of being started (the agent's `uptime`
    against our clock). A classroom's machines are rightly used by many."""
    by_address: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        if trace.boot_at and not networks.kind(trace.address):
            by_address[trace.address].append(trace)
    found = []
    for address, here in sorted(by_address.items()):
        here.sort(key=lambda trace: trace.boot_at)
        machine: list[Trace] = []
        for trace in here:
            if machine and trace.boot_at - machine[-1].boot_at > measures.boot_ms:
                found.append((address, machine))
                machine = []
            machine.append(trace)
        found.append((address, machine))
    return [
        _row("machine", f"{address} {machine[0].boot_at // 60_000}", machine, measures)
        for address, machine in found
        if len({trace.learner for trace in machine}) > 1
    ]


def _row(table: str, key: str, traces: Sequence[Trace], measures: Measures) -> Row:
    learners = sorted({trace.learner for trace in traces})
    classes = {trace.class_id for trace in traces}
    at_once, busiest = _at_once(traces)
    values = {"learners": len(learners), "at_once": at_once, "classes": len(classes)}
    refs = {"learners": _firsts(traces), "at_once": tuple(ref(trace) for trace in busiest[:MAX_REFS])}
    if table == "address":
        begun = sorted({(trace.granted_at, trace.learner) for trace in traces})
        times = [at for at, _ in begun]
        values["together"] = max(
            len({name for _, name in begun[i : bisect_right(times, at + measures.together_ms)]})
            for i, at in enumerate(times)
        )
        refs["together"] = refs["learners"]
    one = classes.pop() if len(classes) == 1 else ""
    return Row(table, one, key, tuple(learners), values, refs)


def _firsts(traces: Sequence[Trace]) -> tuple[Ref, ...]:
    """The first session of each learner."""
    first: dict[str, Trace] = {}
    for trace in sorted(traces, key=lambda item: item.granted_at):
        first.setdefault(trace.learner, trace)
    return tuple(ref(trace) for trace in list(first.values())[:MAX_REFS])


def _at_once(traces: Sequence[Trace]) -> tuple[int, list[Trace]]:
    """The most different learners who played at one moment, and their sessions."""
    ends: list[tuple[int, Trace]] = []
    best: list[Trace] = []
    pieces = sorted(((begin, end, t) for t in traces for _, begin, end, _ in t.stretches), key=lambda item: item[:2])
    for begin, end, trace in pieces:
        ends = [item for item in ends if item[0] > begin]
        ends.append((end, trace))
        now = list({item[1].learner: item[1] for item in ends}.values())
        best = now if len(now) > len(best) else best
    return len(best), best


# --- pairs and groups -------------------------------------------------------------------------------------------------


def move_rows(traces: Sequence[Trace]) -> list[Row]:
    """Pairs of learners, of whatever classes, whose hands move alike."""
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    for pair in _same_moves(traces):
        pairs[pair] += 1
    own = _by_learner(traces)
    return [_pair_row(names, {"same_moves": count}, own) for names, count in sorted(pairs.items())]


def harvest_rows(traces: Sequence[Trace], networks: Networks, measures: Measures) -> list[Row]:
    """Pairs of one class of whom one tries what the other then answers (CAMEO).

    In a listed classroom everybody answers at the same moments; sessions from there say nothing of it.
    """
    answers = _answers(trace for trace in traces if networks.kind(trace.address) != "classroom")
    pairs: dict[tuple[str, str], int] = defaultdict(int)
    given: dict[str, int] = defaultdict(int)
    for by_learner in answers.values():
        for pair in _harvests(by_learner, measures):
            pairs[pair] += 1
        for learner in by_learner:
            given[learner] += 1
    own = _by_learner(traces)
    rows = []
    for (giver, taker), count in sorted(pairs.items()):
        back = pairs.get((taker, giver), 0)
        if (count, giver) >= (back, taker):
            values = {"harvested": count, "harvested_back": back, "harvested_permille": permille(count, given[taker])}
            rows.append(_pair_row((min(giver, taker), max(giver, taker)), values, own))
    return rows


def _by_learner(traces: Iterable[Trace]) -> dict[str, list[Trace]]:
    own: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        own[trace.learner].append(trace)
    return own


def _pair_row(names: tuple[str, str], values: dict[str, int], own: Mapping[str, Sequence[Trace]]) -> Row:
    one, other = ({trace.address for trace in own[name]} for name in names)
    classes = {trace.class_id for name in names for trace in own[name]}
    shown = [ref(trace) for name in names for trace in own[name][: MAX_REFS // 2]]
    asked = [ref(trace, answer.seq) for name in names for trace in own[name] for answer in trace.asked[:2]]
    refs = {"same_moves": tuple(shown), "harvested": tuple(asked[:MAX_REFS])}
    return Row("pair", classes.pop() if len(classes) == 1 else "", " ".join(names), names,
               values | {"one_address": int(bool(one & other))}, refs)  # fmt: skip


def _same_moves(traces: Iterable[Trace]) -> Iterable[tuple[str, str]]:
    """Two learners for each row of moves that both have; what many share is the player's own rhythm."""
    who: dict[int, set[str]] = defaultdict(set)
    for trace in traces:
        for shingle in trace.shingles:
            who[shingle].add(trace.learner)
    for learners in who.values():
        if 1 < len(learners) <= COMMON:
            names = sorted(learners)
            yield from ((one, other) for at, one in enumerate(names) for other in names[at + 1 :])


def _answers(traces: Iterable[Trace]) -> dict[str, dict[str, list[Asked]]]:
    """Item → learner → that learner's answers, in time."""
    found: dict[str, dict[str, list[Asked]]] = defaultdict(lambda: defaultdict(list))
    for trace in traces:
        for answer in trace.asked:
            found[answer.item][trace.learner].append(answer)
    for by_learner in found.values():
        for answers in by_learner.values():
            answers.sort(key=lambda item: item.at)
    return found


def _harvests(by_learner: Mapping[str, Sequence[Asked]], measures: Measures) -> Iterable[tuple[str, str]]:
    """(who tried several times, who then answered once and soon) of one item."""
    tried = sorted((answers[-1].at, name) for name, answers in by_learner.items() if len(answers) > 1)
    times = [at for at, _ in tried]
    for name, answers in by_learner.items():
        if len(answers) != 1:
            continue
        at = answers[0].at
        before = tried[bisect_left(times, at - measures.harvest_ms) : bisect_left(times, at)]
        if len(before) <= CROWD:
            yield from ((giver, name) for _, giver in before)


def group_rows(traces: Sequence[Trace], networks: Networks, measures: Measures) -> list[Row]:
    """Three and more learners of one class who answer the same items at nearly the same moments.

    A classroom in which all study together does that rightly: sessions from a listed classroom are left out.
    """
    traces = [trace for trace in traces if networks.kind(trace.address) != "classroom"]
    answers = _answers(traces)
    close: dict[tuple[str, str], int] = defaultdict(int)
    same: dict[tuple[str, str], int] = defaultdict(int)
    both: dict[str, int] = defaultdict(int)
    for by_learner in answers.values():
        ordered = sorted((given[0].at, name, len(given)) for name, given in by_learner.items())
        for _, name, _ in ordered:
            both[name] += 1
        _near(ordered, measures.close_ms, close, same)
    linked = {pair: n for pair, n in close.items() if n * 2 >= min(both[pair[0]], both[pair[1]])}
    own: dict[str, Trace] = {}
    for trace in traces:
        own.setdefault(trace.learner, trace)
    return [_group_row(names, linked, same, both, own) for names in _parts(linked) if len(names) > 2]


def _near(
    ordered: Sequence[tuple[int, str, int]], within: int, close: dict[tuple[str, str], int],
    same: dict[tuple[str, str], int],
) -> None:  # fmt: skip
    for index, (at, name, tries) in enumerate(ordered):
        for later, other, other_tries in ordered[index + 1 :]:
            if later - at > within:
                break
            pair = (min(name, other), max(name, other))
            close[pair] += 1
            same[pair] += tries == other_tries > 1


def _parts(linked: Mapping[tuple[str, str], int]) -> list[list[str]]:
    """Connected groups of learners."""
    home: dict[str, set[str]] = {}
    for one, other in linked:
        merged = home.get(one, {one}) | home.get(other, {other})
        for name in merged:
            home[name] = merged
    return sorted({id(part): sorted(part) for part in home.values()}.values())


def _group_row(
    names: list[str], close: Mapping[tuple[str, str], int], same: Mapping[tuple[str, str], int],
    given: Mapping[str, int], own: Mapping[str, Trace],
) -> Row:  # fmt: skip
    inside = [pair for pair in close if pair[0] in names]
    items = min(close[pair] for pair in inside)
    share = min(permille(close[pair], min(given[pair[0]], given[pair[1]])) for pair in inside)
    values = {
        "learners": len(names), "close_items": items, "close_permille": share,
        "same_repeats": max(same.get(pair, 0) for pair in inside),
    }  # fmt: skip
    shown = tuple(ref(own[name], own[name].asked[0].seq if own[name].asked else 0) for name in names[:MAX_REFS])
    return Row("group", own[names[0]].class_id, " ".join(names)[:1000], tuple(names), values, {"close_items": shown})


# --- a class, a place, an earlier decision ----------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Roster:
    """A class as it should study: its learners, and since when (ms) it exists."""

    class_id: str
    made: int
    learners: frozenset[str]


def class_row(roster: Roster, traces: Sequence[Trace], warned: frozenset[str], now: int, measures: Measures) -> Row:
    """How a class goes: who studied this week and the week before, first answers, how many are warned about."""
    week = [trace for trace in traces if trace.heard_at > now - measures.week_ms and trace.played_ms]
    before = [t for t in traces if now - 2 * measures.week_ms < t.heard_at <= now - measures.week_ms and t.played_ms]
    studied, then = ({trace.learner for trace in some} & roster.learners for some in (week, before))
    size = len(roster.learners)
    first = right = 0
    for by_learner in _answers(traces).values():
        first += len(by_learner)
        right += sum(len(given) == 1 and given[0].attempt <= 1 for given in by_learner.values())
    share, share_before = permille(len(studied), size), permille(len(then), size)
    concerned = warned & roster.learners
    values = {
        "learners": size, "studied": len(studied), "studied_before": len(then), "studied_permille": share,
        "before_permille": share_before, "fall_permille": max(0, share_before - share), "age_ms": now - roster.made,
        "first_answers": first, "first_right_permille": permille(right, first), "warned": len(concerned),
        "warned_permille": permille(len(concerned), size),
    }  # fmt: skip
    last = sorted(traces, key=lambda trace: trace.heard_at)[-MAX_REFS:]
    refs = {name: tuple(ref(trace, max(0, trace.size - 1)) for trace in last) for name in ("studied", "fall_permille")}
    answered = [ref(trace, trace.asked[0].seq) for trace in traces if trace.asked][:MAX_REFS]
    return Row("class", roster.class_id, roster.class_id, (), values,
               refs | {"first_right_permille": tuple(answered)})  # fmt: skip


def place_row(key: str, rosters: Sequence[Roster], warned: frozenset[str]) -> Row:
    """An institution, or one teacher's classes: the share of learners about whom there are warnings."""
    learners = frozenset[str]().union(*(roster.learners for roster in rosters))
    hit = [roster for roster in rosters if roster.learners & warned]
    values = {
        "learners": len(learners), "warned": len(learners & warned),
        "warned_permille": permille(len(learners & warned), len(learners)), "classes": len(rosters),
        "classes_warned": len(hit),
    }  # fmt: skip
    one = rosters[0].class_id if len(rosters) == 1 else ""
    return Row("place", one, key, (), values)


def again_row(own: Sequence[Trace], earlier: Sequence[Ref]) -> Row:
    """A learner of whom a decision stands, and who studies again: to be looked at once more (回头看)."""
    first = own[0]
    values = {"earlier": len(earlier), "sessions": len(own)}
    refs = {"earlier": tuple(earlier[:MAX_REFS]), "sessions": tuple(ref(trace) for trace in own[:MAX_REFS])}
    return Row("again", first.class_id, first.learner, (first.learner,), values, refs)
