"""The lesson's clock follows the sound, never falls, and never runs ahead of the wall."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from client.player.clock import MediaClock


class Wall:
    """Seconds that a test moves."""

    def __init__(self) -> None:
        self.seconds = 100.0

    def __call__(self) -> float:
        return self.seconds


def test_it_stands_until_started_and_passes_at_its_rate() -> None:
    """A minute at 1.5 speed is a minute and a half of lesson; a pause is nothing."""
    wall = Wall()
    clock = MediaClock(wall)
    clock.jump(5000)
    wall.seconds += 60
    assert clock.position() == 5000
    clock.set_rate(1500)
    clock.start()
    wall.seconds += 60
    assert clock.position() == 95_000
    clock.stop()
    wall.seconds += 60
    assert clock.position() == 95_000


def test_a_sound_card_that_reports_in_steps_does_not_make_it_stumble() -> None:
    """SDL says how much is queued in steps of 21 ms; the position stays within one step and never jumps."""
    wall = Wall()
    clock = MediaClock(wall)
    clock.start()
    before = 0.0
    for refresh in range(1, 600):
        wall.seconds += 1 / 60
        true = refresh * 1000 / 60
        clock.follow(true // 21.33 * 21.33)
        assert abs(clock.position() - true) < 22
        assert clock.position() - before < 21
        before = clock.position()


@given(st.lists(st.tuples(st.floats(0.001, 0.5), st.floats(-100_000, 100_000)), min_size=1, max_size=60))
def test_no_sound_card_makes_time_run_ahead_or_backwards(steps: list[tuple[float, float]]) -> None:
    """Whatever the card reports: never back, and never further ahead than 4 ms a correction."""
    wall = Wall()
    clock = MediaClock(wall)
    clock.start()
    told = 0.0
    for count, (seconds, error) in enumerate(steps, 1):
        wall.seconds += seconds
        clock.follow(clock.position() + error)
        assert clock.position() >= told
        told = clock.position()
        assert told <= (wall.seconds - 100) * 1000 + 4 * count + 0.001
