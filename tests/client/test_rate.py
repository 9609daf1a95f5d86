"""The rate within what the programme allows: spans carry it, and nobody gets a rate that the policy does not name."""

from __future__ import annotations

from dataclasses import replace

from client import effects
from client.events import Progress
from ledger.events import Played
from tests.client.bench import Bench, check_log, policy


def told(bench: Bench) -> list[int]:
    return [effect.rate for effect in bench.done if isinstance(effect, effects.Rate)]


def at_rate(bench: Bench, rate: int, ms: int) -> None:
    """Let the lesson run at `rate` for `ms` of the clock."""
    for _ in range(0, ms, 100):
        bench.tick(100)
        bench.place += 100 * rate // 1000
        bench.shown += 3
        bench.send(Progress(bench.state.unit.unit, bench.place, bench.shown, True, False, rate))
        if bench.state.now % 1000 < 100:
            bench.look()
        if bench.state.now % 5000 < 100:
            bench.beat()
        if bench.cuts[-1] > bench.cosigned:
            bench.answer()


def test_a_slower_rate_ends_the_span_and_the_next_one_carries_it() -> None:
    """750 per mille: 20 s of the clock are 15 s of lesson, and every span is valid for the ledger."""
    bench = Bench(rules=policy(rates=(1000, 750))).study()
    at_rate(bench, 1000, 5_000)
    bench.press("rate")
    assert told(bench) == [750]
    at_rate(bench, 750, 20_000)
    bench.press("rate")
    assert told(bench) == [750, 1000], "after the slowest, normal speed again"
    at_rate(bench, 1000, 5_000)
    bench.press("rest")
    check_log(bench)
    spans = [body for body in bench.bodies(Played) if isinstance(body, Played)]
    assert {span.rate for span in spans} == {1000, 750}
    slow = sum(span.to - span.from_ for span in spans if span.rate == 750)
    assert abs(slow - 15_000) <= 300


def test_where_one_rate_is_allowed_there_is_none_to_choose() -> None:
    """The button does nothing, the span goes on."""
    bench = Bench(rules=policy(rates=(1000,))).study()
    at_rate(bench, 1000, 3_000)
    before = bench.state.motion
    bench.press("rate")
    assert told(bench) == []
    assert bench.state.motion == before


def test_the_rate_stays_for_the_next_unit() -> None:
    """The player forgets it with every file; the session tells it again."""
    bench = Bench(rules=policy(rates=(1000, 750)), units=(("pass", 600_000), ("aim", 600_000))).study()
    bench.press("rate")
    bench.state = replace(bench.state, index=1, loaded=False, position_ms=0, progress=None)
    bench.press("rest")
    bench.press("play")
    bench.tick(100)
    bench.look()
    loads = [type(effect) for effect in bench.done if isinstance(effect, effects.Load | effects.Rate)]
    assert loads[-2:] == [effects.Load, effects.Rate]
