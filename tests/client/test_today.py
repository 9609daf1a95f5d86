"""How much to study today: an even rhythm to the deadline, never more than the programme counts, never a scare."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

from hypothesis import given
from hypothesis import strategies as st

from client.player.pages import Settings
from client.player.shown import Course, Today
from client.today import CLOSE_DAYS, EASY, STEP, Need, credited_on, day_of, plan
from server_stub.domain.application import Application
from server_stub.domain.office import class_place
from server_stub.domain.plan import Lesson
from tests.client.test_journey import enrolled
from tests.client.world import CLASS, World

MINUTE, HOUR = 60_000, 3_600_000
MONDAY = date(2026, 11, 23)


def test_what_is_left_is_spread_over_the_days() -> None:
    """Ten hours in ten days, today included: an hour a day."""
    made = plan(Need(12 * HOUR, 2 * HOUR, due=MONDAY + timedelta(days=9)), MONDAY)
    assert (made.left_ms, made.share_ms, made.left_today_ms, made.days) == (10 * HOUR, HOUR, HOUR, 10)
    assert made.enough
    assert not made.close


def test_what_was_earned_today_shortens_today_and_not_tomorrow() -> None:
    """After 40 of 60 minutes, 20 are left for today; the share itself does not move while one studies."""
    need = Need(12 * HOUR, 2 * HOUR + 40 * MINUTE, today_ms=40 * MINUTE, due=MONDAY + timedelta(days=9))
    made = plan(need, MONDAY)
    assert made.share_ms == HOUR
    assert made.left_today_ms == 20 * MINUTE


def test_without_a_deadline_a_class_hour_is_proposed() -> None:
    """Nobody is hurried; the last bit is no more than what is left."""
    assert plan(Need(9 * HOUR, 0), MONDAY).share_ms == EASY
    assert plan(Need(9 * HOUR, 9 * HOUR - 12 * MINUTE), MONDAY).share_ms == 12 * MINUTE
    assert plan(Need(9 * HOUR, 0), MONDAY).days is None


def test_a_cap_that_cannot_reach_the_deadline_is_said() -> None:
    """Twenty hours in two days at eight hours a day: the proposal is the cap, and the screen says it is not enough."""
    made = plan(Need(20 * HOUR, 0, due=MONDAY + timedelta(days=1), cap_ms=8 * HOUR), MONDAY)
    assert made.share_ms == 8 * HOUR
    assert not made.enough
    assert made.close


def test_after_the_deadline_everything_is_proposed_and_nothing_is_threatened() -> None:
    """A day too late: no days are left, the rest is one share."""
    made = plan(Need(2 * HOUR, HOUR, due=MONDAY - timedelta(days=1)), MONDAY)
    assert (made.days, made.share_ms, made.enough) == (0, HOUR, False)


def test_done_is_done() -> None:
    """Nothing left: no share, no deadline that is close."""
    made = plan(Need(2 * HOUR, 2 * HOUR, due=MONDAY), MONDAY)
    assert (made.left_ms, made.left_today_ms, made.close, made.enough) == (0, 0, False, True)


@given(
    st.integers(1, 500 * HOUR), st.integers(0, 500 * HOUR), st.integers(0, 10 * HOUR), st.integers(-5, 400),
    st.sampled_from([0, 4 * HOUR, 8 * HOUR]),
)  # fmt: skip
def test_following_the_proposal_reaches_the_deadline(whole: int, done: int, today: int, days: int, cap: int) -> None:
    """Whoever studies the share each day is through in time, wherever the screen says that the days suffice."""
    done, today = min(done, whole), min(today, done, cap or done)
    day, due = MONDAY, MONDAY + timedelta(days=days)
    first = plan(Need(whole, done, min(today, done), due, cap), day)
    assert first.share_ms <= max(first.left_ms + today, 0)
    if not first.enough or days < 0:
        return
    while day <= due:
        done += plan(Need(whole, done, min(today, done), due, cap), day).left_today_ms
        day, today = day + timedelta(days=1), 0
    assert done == whole


def test_a_day_begins_where_the_programme_is() -> None:
    """17:00 UTC is tomorrow in China (UTC+8) and today in London; sessions count on the day they began."""
    at = 1_795_626_000_000  # 2026-11-25 17:00 UTC
    assert day_of(at, 480) == date(2026, 11, 26)
    assert day_of(at, 0) == date(2026, 11, 25)
    assert credited_on(date(2026, 11, 26), {"a": 5, "b": 7, "c": 1}, {"a": at, "b": at - 24 * HOUR}, 480) == 5


def test_near_is_three_days() -> None:
    """Amber from three days on, with something left."""
    assert plan(Need(HOUR, 0, due=MONDAY + timedelta(days=CLOSE_DAYS - 1)), MONDAY).close
    assert not plan(Need(HOUR, 0, due=MONDAY + timedelta(days=CLOSE_DAYS)), MONDAY).close
    assert plan(Need(HOUR, 0, due=MONDAY + timedelta(days=6)), MONDAY).share_ms % STEP == 0


def test_the_classs_last_day_comes_from_the_server_to_the_overview(tmp_path: Path) -> None:
    """An approved plan on the server: Today says its last day as the deadline, spreads what is left over the days to
    it, and in the settings nobody chooses another goal for that course."""
    world = World(tmp_path, units=(("pass", 40 * MINUTE),))
    client = enrolled(world, tmp_path / "pc")
    client.until("today")
    journey = client.journey

    def course() -> Course:
        while journey.busy:
            journey.tick()
        assert isinstance(journey.shown, Today)
        return journey.shown.courses[0]

    journey.to_today()
    assert course().due is None
    today = day_of(world.clock.wall_ms, 480)
    last = today + timedelta(days=7)
    lesson = Lesson(last.isoformat(), "09:00", "11:00", "online", "theory", 3, "fire", "T")
    plan_ = Application("trade", 5, False, "exam", ("T",), ("room",), (lesson,))
    world.server.services.supervision.bench.keep("application", class_place(CLASS), "", "approved", plan_)
    journey.to_today()
    found = course()
    assert (found.due, found.own_goal) == (last, False)
    assert found.plan is not None
    assert (found.plan.days, found.plan.share_ms) == (8, 5 * MINUTE)
    journey.own.to_settings()
    assert isinstance(journey.shown, Settings)
    assert (journey.shown.goals[0].due, journey.shown.goals[0].fixed) == (last, True)
    world.close()


@given(st.integers(), st.integers(-840, 840))
def test_any_end_of_a_class_is_a_day(ends, offset):
    """A server may say any number: it is a day of the calendar, and the order of days stays."""
    assert day_of(ends, offset) <= day_of(ends + 86_400_000, offset)
