"""A hand is uneven, a loop is not."""

from __future__ import annotations

import random
from itertools import accumulate

import pytest
from hypothesis import given
from hypothesis import strategies as st

from agent.rhythm import rhythm


def moments(gaps: list[float]) -> list[int]:
    return [round(moment * 1000) for moment in accumulate([0.0, *gaps])]


@pytest.mark.parametrize(
    "gaps",
    [
        [1.0, 1.02, 0.99, 1.01], [30.0, 30.01, 29.98, 30.0, 30.03], [2.0] * 4,
        [5.0, 0.004, 5.0, 0.004, 5.0, 0.003, 5.0, 5.0],
        [0.5 + 0.01 * (number % 3) for number in range(20)],
    ],
)  # fmt: skip
def test_a_loop_is_regular(gaps: list[float]) -> None:
    """From the fifth act on an even beat is one, also when each act is a press, a move and a release."""
    assert rhythm(moments(gaps)).regular


def test_a_bot_that_draws_its_pause_is_regular_after_a_while() -> None:
    """A pause drawn from 25 to 35 s stays within a sixth of its middle: sixteen of them are enough."""
    draw = random.Random(7)
    seen = [rhythm(moments([draw.uniform(25, 35) for _ in range(16)])).regular for _ in range(50)]
    assert sum(seen) >= 48


def test_hands_are_not_regular() -> None:
    """Human clicks and taps are spread far wider (log-normal, as reaction times are): almost none looks even."""
    draw = random.Random(11)
    seen = [rhythm(moments([draw.lognormvariate(0.2, 0.5) for _ in range(20)])).regular for _ in range(3000)]
    assert sum(seen) <= 3


def test_a_fast_clicker_is_regular_and_fast_typing_is_not() -> None:
    """Thirty clicks at 50 ms are a loop; thirty keys at 20 ms are a password manager typing."""
    fast = moments([0.05] * 30)
    assert rhythm(fast, clicks_ms=fast).regular
    assert not rhythm(moments([0.02] * 30)).regular


def test_a_few_acts_say_nothing() -> None:
    """Four even acts are a coincidence."""
    for count in range(4):
        assert not rhythm(moments([1.0] * count)[: count + 1]).regular
    assert not rhythm([]).regular


def test_a_series_ends_when_it_is_quiet_for_long() -> None:
    """Ten seconds, or two and a half periods of a slow one."""
    assert rhythm(moments([30.0] * 6)).ongoing(70_000)
    assert not rhythm(moments([30.0] * 6)).ongoing(80_000)
    assert not rhythm(moments([1.0] * 6)).ongoing(10_001)


@given(st.lists(st.integers(0, 10**9), max_size=100), st.lists(st.integers(0, 10**9), max_size=100))
def test_any_moments_have_a_rhythm(times: list[int], clicks: list[int]) -> None:
    """No series raises; the figures are plain integers."""
    beat = rhythm(times, clicks)
    assert beat.acts >= 0
    assert beat.period_ms >= 0
    assert beat.jitter >= 0
