"""One inspection: all sessions of a window × the rules → what a person should look at. Pure: no clock, no store."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace

from server_stub.domain.warnings import shared
from server_stub.domain.warnings.networks import Networks
from server_stub.domain.warnings.rows import NO_ANSWERS, Ref, Row, learner_row, rapid
from server_stub.domain.warnings.rule import Match, Pack
from server_stub.domain.warnings.shared import Roster
from server_stub.domain.warnings.trace import Trace


@dataclass(frozen=True, slots=True)
class World:
    """What an inspection looks at. `places`: institution or teacher → its classes; `earlier`: learner → decisions
    that stand; `now` in ms since the epoch."""

    traces: Sequence[Trace]
    rosters: Sequence[Roster]
    now: int
    networks: Networks = field(default_factory=Networks)
    places: Mapping[str, frozenset[str]] = field(default_factory=dict)
    earlier: Mapping[str, tuple[Ref, ...]] = field(default_factory=dict)


def inspect(world: World, pack: Pack) -> list[Match]:
    """Every rule on every row; what concerns classes and places last, for it counts what was found before."""
    found = [match for row in _single(world, pack) for match in pack.judge(row)]
    warned = frozenset(name for match in found for name in match.row.learners if match.rule.table != "again")
    return found + [match for row in _whole(world, pack, warned) for match in pack.judge(row)]


def _single(world: World, pack: Pack) -> list[Row]:
    """Rows about learners, and what they share."""
    since = world.now - pack.measures.window_ms
    traces = [trace for trace in world.traces if trace.granted_at >= since]
    everywhere: dict[str, list[Trace]] = defaultdict(list)
    classes: dict[str, list[Trace]] = defaultdict(list)
    for trace in traces:
        everywhere[trace.learner].append(trace)
        classes[trace.class_id].append(trace)
    rows = shared.address_rows(traces, world.networks, pack.measures)
    rows += shared.machine_rows(traces, world.networks, pack.measures)
    rows += shared.move_rows(traces)
    for here in classes.values():
        rows += _of_class(here, everywhere, world, pack)
    return rows


def _of_class(here: Sequence[Trace], everywhere: Mapping[str, Sequence[Trace]], world: World, pack: Pack) -> list[Row]:
    rows = shared.harvest_rows(here, world.networks, pack.measures)
    rows += shared.group_rows(here, world.networks, pack.measures)
    own: dict[str, list[Trace]] = defaultdict(list)
    for trace in here:
        own[trace.learner].append(trace)
    fast = rapid(here, pack.measures)
    for learner, mine in own.items():
        row = learner_row(mine, everywhere[learner], world.networks, pack.measures)
        values, shown = fast.get(learner, (NO_ANSWERS, ()))
        rows.append(replace(row, values={**row.values, **values}, refs={**row.refs, "rapid": shown}))
        if world.earlier.get(learner):
            rows.append(shared.again_row(mine, world.earlier[learner]))
    return rows


def _whole(world: World, pack: Pack, warned: frozenset[str]) -> list[Row]:
    """Rows about classes, institutions and teachers."""
    by_class: dict[str, list[Trace]] = defaultdict(list)
    for trace in world.traces:
        by_class[trace.class_id].append(trace)
    rows = [
        shared.class_row(roster, by_class[roster.class_id], warned, world.now, pack.measures)
        for roster in world.rosters
    ]
    for key, classes in sorted(world.places.items()):
        below = [roster for roster in world.rosters if roster.class_id in classes]
        if below:
            rows.append(shared.place_row(key, below, warned))
    return rows
