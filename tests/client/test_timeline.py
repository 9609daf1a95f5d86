"""A unit as a line: every ms stands in one stretch, every figure is the ledger's, a make-up never jumps ahead."""

from __future__ import annotations

import itertools

from hypothesis import given
from hypothesis import strategies as st

from client.timeline import Leg, legs, length, timeline
from ledger.course import Course, Text, Unit
from ledger.credit import Credit, Part, SessionCredit, UnitCredit
from ledger.intervals import Intervals

MINUTE = 60_000
DURATION = 600_000


def part(begin: int, end: int, reason: str = "", unit: str = "one") -> Part:
    return Part("ab" * 16, 3, 4, unit, begin, end, reason)


def credit_of(units: dict[str, int], found: list[Part]) -> tuple[Credit, Course]:
    """A credit with these parts, as ledger.credit would list them."""
    good, rest = tuple(p for p in found if not p.reason), tuple(p for p in found if p.reason)
    session = SessionCredit("ab" * 16, 0, 0, 0, 0, 0, good, rest, (), (), seed_wrong=False)
    had = {name: Intervals((p.from_, p.to) for p in good if p.unit == name) for name in units}
    counted = tuple(UnitCredit(name, long, tuple(had[name]), had[name].total) for name, long in units.items())
    course = Course(
        "c", 1, Text("课", "Course"),
        tuple(Unit(name, Text(name, name), long, "x.mp4", "0" * 64, {}, {}, ()) for name, long in units.items()),
    )  # fmt: skip
    return Credit(sum(unit.credited_ms for unit in counted), (session,), counted), course


parts = st.lists(
    st.builds(
        lambda begin, long, reason: part(begin, min(begin + long, DURATION), reason),
        st.integers(0, DURATION - 1), st.integers(1, DURATION),
        st.sampled_from(["", "check_missed", "no_check_after", "pending", "replay", "rate", "absent"]),
    ),
    max_size=12,
)  # fmt: skip


@given(parts)
def test_every_ms_stands_in_one_stretch(found: list[Part]) -> None:
    """The line is whole, without gap or overlap, neighbours differ, and what counts is exactly what the ledger says."""
    credit, course = credit_of({"one": DURATION}, found)
    (line,) = timeline(credit, course)
    edges = [(s.from_ms, s.to_ms) for s in line.stretches]
    assert edges[0][0] == 0
    assert edges[-1][1] == DURATION
    assert all(one[1] == two[0] for one, two in itertools.pairwise(edges))
    assert all(
        (one.kind, one.code) != (two.kind, two.code)
        for one, two in zip(line.stretches, line.stretches[1:], strict=False)
    )
    assert line.sum("credited") == credit.units[0].credited_ms
    assert [(s.from_ms, s.to_ms) for s in line.stretches if s.kind == "credited"] == list(credit.units[0].intervals)


@given(parts)
def test_a_make_up_earns_nothing_twice_and_never_jumps_ahead(found: list[Part]) -> None:
    """Its parts lie below the furthest place seen, overlap nothing that counts or waits, rise and do not touch."""
    credit, course = credit_of({"one": DURATION}, found)
    lines = timeline(credit, course)
    way = legs(lines)
    assert all(leg.to_ms <= lines[0].seen_ms for leg in way)
    assert all(one.to_ms < two.from_ms for one, two in itertools.pairwise(way))
    for leg in way:
        for stretch in lines[0].stretches:
            if stretch.kind in ("credited", "waiting"):
                assert stretch.to_ms <= leg.from_ms or leg.to_ms <= stretch.from_ms


def test_the_reason_stands_beside_the_part() -> None:
    """Played and not proven says why in both languages; what was never played says nothing."""
    credit, course = credit_of({"one": DURATION}, [part(0, 2 * MINUTE), part(2 * MINUTE, 3 * MINUTE, "check_missed")])
    (line,) = timeline(credit, course)
    assert [(s.kind, s.from_ms, s.to_ms) for s in line.stretches] == [
        ("credited", 0, 2 * MINUTE), ("unproven", 2 * MINUTE, 3 * MINUTE), ("unseen", 3 * MINUTE, DURATION),
    ]  # fmt: skip
    assert line.stretches[1].why is not None
    assert "make" not in line.stretches[1].why.en.lower()
    assert "补学" in line.stretches[1].why.zh


def test_a_part_that_counts_elsewhere_counts() -> None:
    """Played in vain on Monday, proven on Tuesday: it is not listed as missing."""
    credit, course = credit_of({"one": DURATION}, [part(0, MINUTE, "no_check_after"), part(0, MINUTE)])
    lines = timeline(credit, course)
    assert lines[0].stretches[0].kind == "credited"
    assert legs(lines) == ()


def test_holes_between_are_made_up_and_the_unseen_rest_is_not() -> None:
    """Neighbouring holes are one part; what lies beyond the furthest place seen is ordinary study."""
    credit, course = credit_of(
        {"one": DURATION, "two": DURATION},
        [
            part(0, MINUTE), part(MINUTE, 2 * MINUTE, "absent"), part(2 * MINUTE, 3 * MINUTE, "check_missed"),
            part(4 * MINUTE, 5 * MINUTE), part(0, MINUTE, "absent", "two"),
        ],
    )  # fmt: skip
    lines = timeline(credit, course)
    way = legs(lines)
    assert way == (Leg(0, MINUTE, 4 * MINUTE), Leg(1, 0, MINUTE))
    assert length(way) == 4 * MINUTE
    assert legs(lines, "two") == (Leg(1, 0, MINUTE),)
