"""What holds for every log, honest or crooked: no ms twice, never more than the clock, and bad news never pays."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from ledger import events as ev
from ledger.clocks import LEAD_MS
from ledger.credit import Credit, SessionRecord, credit
from ledger.intervals import Intervals
from ledger.schedule import Order
from tests.ledger.story import NOON, Story, lesson, rules
from tests.tries import tries

POLICY = rules(min_gap_ms=3_000, max_gap_ms=30_000, net_slack_ms=5_000)
COURSE = lesson(10, 10)
MOVES = st.one_of(
    st.tuples(st.just("play"), st.integers(1, 90_000)),
    st.tuples(st.just("seek"), st.integers(0, 600_000)),
    st.tuples(st.just("wait"), st.integers(0, 60_000)),
    st.tuples(st.just("drift"), st.integers(0, 120_000)),
    st.tuples(st.just("lie"), st.integers(0, 60_000)),
    st.tuples(st.just("crumbs"), st.integers(1, 20)),
    st.tuples(st.just("hold"), st.integers(1, 90_000)),
    st.tuples(st.just("network"), st.integers(0, 1)),
    st.tuples(st.just("away"), st.integers(100_000, 300_000)),
    st.tuples(st.just("focus"), st.integers(0, 1)),
    st.tuples(st.just("ask"), st.just(0)),
)
RESULTS = st.sampled_from(["passed"] * 12 + ["failed", "inconclusive", "ignored"])
Plot = tuple[list[tuple[str, int]], list[tuple[str, int]], bool]
PLOTS = st.tuples(
    st.lists(MOVES, max_size=20),
    st.lists(st.tuples(RESULTS, st.integers(0, 70_000)), min_size=1, max_size=5),
    st.booleans(),
)


def told(plot: Plot, **fields: object) -> Story:
    """The story of a plot: moves of the device, and what its checks are answered in turn."""
    moves, replies, closing = plot
    turn = iter(range(10**6))

    def answers(order: Order) -> tuple[str, str, int]:
        result, takes = replies[next(turn) % len(replies)]
        return result, "ok", takes

    story = Story(POLICY, COURSE, answers=answers, **fields)  # type: ignore[arg-type]
    story.segment()
    for move, amount in moves:
        _move(story, move, amount)
    story.network = True
    story.close(check=closing)
    return story


def _move(story: Story, move: str, amount: int) -> None:
    match move:
        case "play":
            story.play(min(amount, max(1, 600_000 - story.at)), segment=POLICY.segment_ms)
        case "seek":
            story.seek(amount)
        case "wait":
            story.wait(amount)
        case "drift":
            story.drift += amount
        case "lie":
            begin = story.mono
            story.drift += amount
            story.say(ev.Played("u2", story.at, story.at + amount, 1000, begin, 1))
        case "crumbs":
            for n in range(amount):
                story.say(ev.Played("u2", n * 250, (n + 1) * 250, 1000, story.mono, 1))
        case "hold":  # time put between a checkpoint and its `cosigned`
            if story.network:
                story.upload(note=False)
                _move(story, "lie", amount)
                story.upload()
        case "network":
            story.network = bool(amount)
        case "away":
            story.network = False
            story.seek(min(story.at, 600_000 - amount)).play(amount)
            story.network = True
            story.segment()
        case "focus":
            story.say(ev.Focus(bool(amount), 0, "test"))
        case "ask":
            story.say(ev.Asked("close"))


def parts(found: Credit) -> list[tuple[str, int, int]]:
    return [(part.unit, part.from_, part.to) for session in found.sessions for part in session.credited]


def assert_once(found: Credit) -> None:
    seen: dict[str, Intervals] = {}
    for unit, begin, end in parts(found):
        held = seen.setdefault(unit, Intervals())
        assert held.without(begin, end) == [(begin, end)], "a ms was credited twice"
        held.add(begin, end)
    assert sum(held.total for held in seen.values()) == found.credited_ms
    assert found.credited_ms == sum(unit.credited_ms for unit in found.units)


SETTINGS = settings(max_examples=tries(150), deadline=None, suppress_health_check=[HealthCheck.too_slow])


@SETTINGS
@given(plot=PLOTS)
def test_no_ms_is_credited_twice_and_none_is_forgotten(plot: Plot) -> None:
    """Every ms of a valid span is either credited once or listed with its reason."""
    story = told(plot)
    found = credit([story.record()], COURSE, POLICY)
    assert_once(found)
    session = found.sessions[0]
    invalid = {"rate", "unit", "range", "overlap"}
    listed = sum(part.ms for part in session.not_credited if part.reason not in invalid)
    too_fast = (
        sum(
            event.body.to - event.body.from_
            for event in story.log
            if isinstance(event.body, ev.Played) and event.body.to > event.body.from_
        )
        - session.credited_ms
        - listed
    )
    assert too_fast >= 0
    assert session.credited_ms <= session.played_ms <= session.credited_ms + listed


@SETTINGS
@given(plot=PLOTS)
def test_credit_never_exceeds_the_servers_clock(plot: Plot) -> None:
    """Whatever a device writes: credited time <= time between grant and last cosignature, the slack and a second."""
    story = told(plot)
    found = credit([story.record()], COURSE, POLICY)
    passed = story.now - NOON
    assert found.credited_ms <= passed + POLICY.clock_slack_ms + LEAD_MS


@SETTINGS
@given(plot=PLOTS, which=st.integers(0, 10**6))
def test_a_failed_check_never_raises_credit(plot: Plot, which: int) -> None:
    """Turning any answer of a log into a failure never earns a ms more."""
    record = told(plot).record()
    answered = [event.seq for event in record.events if event and isinstance(event.body, ev.Answered)]
    if not answered:
        return
    worse = _failed(record, answered[which % len(answered)])
    assert credit([worse], COURSE, POLICY).credited_ms <= credit([record], COURSE, POLICY).credited_ms


def _failed(record: SessionRecord, seq: int) -> SessionRecord:
    event = record.events[seq]
    assert event
    assert isinstance(event.body, ev.Answered)
    bad = event._replace(body=dataclasses.replace(event.body, result="failed", reason="other_person"))
    return dataclasses.replace(record, events=(*record.events[:seq], bad, *record.events[seq + 1 :]))


@SETTINGS
@given(plots=st.lists(PLOTS, min_size=1, max_size=3), shuffle=st.randoms())
def test_credit_is_a_function_of_the_logs_alone(plots: Sequence[Plot], shuffle: object) -> None:
    """Not of the order in which sessions are given, nor of salts or the device's wall clock; once across them all."""
    records: list[SessionRecord] = []
    now = NOON
    for n, plot in enumerate(plots, start=1):
        before = records[-1].sid if records else None
        story = told(plot, sid=f"{n:032x}", order=n, now=now, prev=before, seed=bytes([n]) * 32)
        records.append(story.record())
        now = story.now + 60_000
    found = credit(records, COURSE, POLICY)
    assert_once(found)
    mixed = [_resalted(record) for record in records]
    shuffle.shuffle(mixed)  # type: ignore[attr-defined]
    assert credit(mixed, COURSE, POLICY) == found


def _resalted(record: SessionRecord) -> SessionRecord:
    again = tuple(event and event._replace(salt="f" * 32, wall=0) for event in record.events)
    return dataclasses.replace(record, events=again)


@settings(max_examples=tries(60), deadline=None)
@given(minutes=st.integers(1, 40), seed=st.binary(min_size=32, max_size=32))
def test_an_honest_learner_gets_every_ms_with_or_without_the_seed(minutes: int, seed: bytes) -> None:
    """Under any seed: every check passed and a closing check, all is credited; the device's own figure is the same."""
    course = lesson(40)
    story = Story(POLICY, course, seed=seed)
    story.segment()
    record = story.play(minutes * 60_000).close()
    settled = credit([record], course, POLICY)
    assert settled.credited_ms == minutes * 60_000
    assert (
        credit([dataclasses.replace(record, seed=None, issued=None)], course, POLICY).credited_ms == settled.credited_ms
    )


@settings(max_examples=tries(200), deadline=None)
@given(
    added=st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=30),
    asked=st.tuples(st.integers(0, 60), st.integers(0, 60)),
)
def test_intervals_agree_with_a_set(added: list[tuple[int, int]], asked: tuple[int, int]) -> None:
    """The set of counted ms is what a plain set of integers would be."""
    held, plain = Intervals(added), {n for begin, end in added for n in range(begin, end)}
    assert {n for begin, end in held for n in range(begin, end)} == plain
    assert held.total == len(plain)
    free = [n for begin, end in held.without(*asked) for n in range(begin, end)]
    assert free == [n for n in range(*asked) if n not in plain]
    edges = [edge for interval in held for edge in interval]
    assert edges == sorted(set(edges)), "touching neighbours were not merged"
