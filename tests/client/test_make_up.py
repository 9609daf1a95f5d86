"""A make-up through the real session: just the missing part is played, signed and counted, and nothing else."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from client.study import Study
from client.timeline import UnitLine, legs, timeline
from ledger.events import Played
from tests.client.world import MachineSide, World
from tests.scripted import at_once

SECOND = 1_000
SELDOM = {b"max_gap_ms = 30_000": b"max_gap_ms = 28_800_000"}  # where the hole lies is ours to say, not the draw's


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    world = World(tmp_path, units=(("one", 60_000), ("two", 60_000)), changes=SELDOM, calm_ms=600 * SECOND)
    yield world
    world.close()


def lines(machine: MachineSide) -> tuple[UnitLine, ...]:
    """The timeline as the screen shows it now."""
    lesson = machine.lesson()
    return timeline(lesson.credit()[0], lesson.course)


def session(machine: MachineSide, ms: int, *, seek: int = -1, look: bool = True) -> str:
    """Study for `ms`; end with the closing look, or without it."""
    study = machine.study()
    machine.run(study, 60 * SECOND, until="playing")
    if seek >= 0:
        study.seek(seek)
        machine.run(study, 2 * SECOND)
    machine.run(study, ms)
    if look:
        machine.finish(study)
    else:
        study.press("end")
        study.press("end")
        machine.run(study, 120 * SECOND, until="done")
    machine.send_all()
    return study.sid


def with_a_hole(world: World) -> MachineSide:
    """0–20 s counts; 20–40 s was played, and no look followed; 40 s to the end counts."""
    machine = world.machine()
    session(machine, 20 * SECOND)
    session(machine, 20 * SECOND, look=False)
    session(machine, 12 * SECOND, seek=39 * SECOND)
    return machine


@pytest.mark.slow
def test_just_the_missing_part_is_studied_and_then_counts(world: World) -> None:
    """The hole in the middle is played from its begin to its end, the lesson closes by itself, all of it counts."""
    machine = with_a_hole(world)
    before = lines(machine)
    way = legs(before)
    assert len(way) == 1, before
    (hole,) = way
    assert hole.index == 0
    assert 20 * SECOND <= hole.from_ms < hole.to_ms - 3 * SECOND < 40 * SECOND
    study = Study(machine.ports, replace(machine.lesson(), way=way), at_once)
    study.press("play")
    machine.run(study, 60 * SECOND, until="playing")
    machine.run(study, 2 * SECOND)
    unit = study.view().unit
    assert unit is not None
    assert unit.leg == (1, 1)
    assert hole.from_ms <= unit.position_ms < hole.from_ms + 4 * SECOND
    machine.run(study, 120 * SECOND, until="done")
    machine.send_all()
    played = [e.body for e in machine.events(study.sid) if isinstance(e.body, Played)]
    assert min(body.from_ for body in played) == hole.from_ms
    assert hole.to_ms <= max(body.to for body in played) <= hole.to_ms + 500, "a tick of the clock, no more"
    assert legs(lines(machine)) == ()
    assert lines(machine)[0].sum("credited") - before[0].sum("credited") == hole.to_ms - hole.from_ms
    assert not world.verified().refused


@pytest.mark.slow
def test_several_parts_one_after_the_other_and_nothing_between(world: World) -> None:
    """Two parts: both are played, what lies between them is not."""
    machine = with_a_hole(world)
    whole = lines(machine)
    hole = legs(whole)[0]
    third = (hole.to_ms - hole.from_ms) // 3
    first, second = replace(hole, to_ms=hole.from_ms + third), replace(hole, from_ms=hole.to_ms - third)
    study = Study(machine.ports, replace(machine.lesson(), way=(first, second)), at_once)
    study.press("play")
    machine.run(study, 200 * SECOND, until="done")
    machine.send_all()
    played = [(e.body.from_, e.body.to) for e in machine.events(study.sid) if isinstance(e.body, Played)]
    between = range(first.to_ms + 500, second.from_ms)
    assert not [span for span in played if span[0] in between or span[1] - 1 in between], played
    assert min(a for a, _ in played) == first.from_ms
    assert max(b for _, b in played) >= second.to_ms
    after = lines(machine)
    assert after[0].sum("credited") > whole[0].sum("credited")
    assert [leg for leg in legs(after) if leg.from_ms < second.from_ms], "the part between is still to be made up"


@pytest.mark.slow
def test_the_learner_may_end_a_make_up_at_any_time(world: World) -> None:
    """A make-up is a session like any other: what was proven counts, the rest stays to be made up."""
    machine = with_a_hole(world)
    way = legs(lines(machine))
    study = Study(machine.ports, replace(machine.lesson(), way=way), at_once)
    study.press("play")
    machine.run(study, 60 * SECOND, until="playing")
    machine.run(study, 5 * SECOND)
    machine.finish(study)
    machine.send_all()
    (rest,) = legs(lines(machine))
    assert way[0].from_ms < rest.from_ms < way[0].to_ms
