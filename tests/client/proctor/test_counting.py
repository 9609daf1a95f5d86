"""Blinks, openings and turns are counted as rises above a face's own rest, whatever that rest is."""

from __future__ import annotations

from collections.abc import Iterable

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.proctor.counting import STAYS_MS, Rule, Wave, blinks_in, lids, mouth_opens_in, turned
from client.proctor.limits import Limits
from client.proctor.seen import Pose, Seen
from tests.client.proctor.scenes import pose, seen

FRAME_MS = 40


def clip(poses: Iterable[Pose | None]) -> list[Seen]:
    """A clip of 25 frames a second."""
    return [seen(i * FRAME_MS, pose=one) for i, one in enumerate(poses)]


def lidded(*values: float) -> list[Seen]:
    """Ten frames of eyes at the first value, then the others, then ten frames at the first again."""
    return clip(pose(blink=v) for v in (*[values[0]] * 10, *values, *[values[0]] * 10))


@pytest.mark.parametrize("rest", [0.0, 0.05, 0.15, 0.25, 0.35])
def test_a_blink_counts_from_any_rest(rest: float, shipped: Limits) -> None:
    """Glasses and low lids read half closed when open; a blink is what rises above that and comes back."""
    assert blinks_in(lidded(rest, rest + 0.35, rest + 0.4, rest + 0.3), shipped) == 1


def test_lids_that_flutter_are_no_blink(shipped: Limits) -> None:
    """A squint of a tenth or two, and low lids that stay low."""
    assert blinks_in(lidded(0.1, 0.3, 0.2, 0.3), shipped) == 0
    assert blinks_in(lidded(0.4, 0.45, 0.5, 0.42), shipped) == 0


def test_eyes_closed_for_long_are_no_blink(shipped: Limits) -> None:
    """A nap is not two blinks, and the eyes that look down to write are none at all."""
    assert blinks_in(lidded(0.1, *[0.7] * 25), shipped) == 0
    assert blinks_in(lidded(0.1, *[0.6] * (STAYS_MS // FRAME_MS + 5)), shipped) == 0


def test_a_clip_that_begins_in_a_blink_counts_the_next(shipped: Limits) -> None:
    """Rest falls quickly: the first frame may have been anything."""
    frames = [*[0.7] * 3, *[0.1] * 20, 0.6, 0.7, *[0.1] * 10]
    assert blinks_in(clip(pose(blink=v) for v in frames), shipped) == 1


def test_eyes_seen_from_aside_are_not_read(shipped: Limits) -> None:
    """In profile the lids read as closed: a turn is not a blink."""
    frames = [*[pose()] * 10, *[pose(yaw=50, blink=0.6)] * 5, *[pose()] * 10]
    assert blinks_in(clip(frames), shipped) == 0


def test_an_opening_counts_once_however_it_trembles(shipped: Limits) -> None:
    """Down is half the way back: noise at the threshold is one opening."""
    frames = [0.02] * 8 + [0.3, 0.5, 0.45, 0.55, 0.4, 0.6] + [0.05] * 8
    assert mouth_opens_in(clip(pose(jaw=v) for v in frames), shipped) == 1


def test_a_clip_may_end_with_the_mouth_open(shipped: Limits) -> None:
    """It was opened."""
    assert mouth_opens_in(clip(pose(jaw=v) for v in [0.02] * 8 + [0.6] * 4), shipped) == 1


def test_a_head_thrown_back_opens_no_mouth(shipped: Limits) -> None:
    """The model reads a jaw from below as an open one."""
    frames = [*[pose()] * 8, *[pose(pitch=35, jaw=0.6)] * 6, *[pose()] * 8]
    assert mouth_opens_in(clip(frames), shipped) == 0


def test_a_turn_is_held_for_two_frames() -> None:
    """One frame may be a mistake of the model, or another face."""
    assert turned([0, 2, 45, 3, -1]) == (3, 0)
    assert turned([0, -30, -33, 0, 25, 22]) == (22, 30)
    assert turned([31]) == (31, 0)
    assert turned([]) == (0, 0)


@given(st.lists(st.tuples(st.integers(1, 5_000), st.integers(-10, 1_010)), max_size=60))
def test_no_figures_break_a_wave(steps: list[tuple[int, int]]) -> None:
    """What came back rose before, and never more often."""
    wave, now = Wave(), 0
    for wait, value in steps:
        now += wait
        before, wave = wave, wave.follow(now, value, Rule(380, 240, 800))
        assert before.count <= wave.count <= wave.rises
        assert wave.rises <= before.rises + 1
        assert wave.rest is not None


def test_the_shipped_rule_is_the_one_that_is_counted_by(shipped: Limits) -> None:
    """A challenge and a measurement read the same numbers."""
    assert lids(shipped) == Rule(shipped.blink_closed, shipped.blink_rise, shipped.blink_ms)
