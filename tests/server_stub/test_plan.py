"""Rules of a teaching plan, one by one: R1.3, R1.10, R2.4, R2.8, R3.6. Pure: no server."""

from __future__ import annotations

import datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from server_stub.domain import plan
from server_stub.domain.application import Application, Signed
from server_stub.domain.eligibility import Subsidy, age, repeated
from server_stub.domain.errors import ServerError, UnreadableError
from server_stub.domain.plan import Lesson
from server_stub.domain.shape import from_data, to_data
from server_stub.domain.work_errors import PlanError, TooLateError
from tests.server_stub.classlife import PLAN

TAGS = ("law", "safety", "fire", "drugs", "rights")


def lesson(day: int = 1, part: str = "theory", how: str = "online", hours: int = 3, **more: str) -> Lesson:
    values = {"begins": "09:00", "ends": "11:00", "topic": "t", "teacher": f"T{day}{part}{how}"} | more
    return Lesson(f"2026-12-{day:02d}", values["begins"], values["ends"], how, part, hours, values["topic"],
                  values["teacher"], TAGS)  # fmt: skip


def codes(*lessons: Lesson, trade: str = "电工", practical: bool = False) -> set[str]:
    found = plan.check(lessons, trade, practical=practical, teachers=[item.teacher for item in lessons])
    return {item.code for item in found}


@pytest.mark.parametrize(("hours", "practical", "said"), [
    ((3, 7), False, set()), ((2, 8), False, {"theory_short"}),  # 30 % of theory is enough, 20 % is not
    ((5, 5), True, set()), ((6, 4), True, {"offline_short"}),  # half of a trade of practice is on the spot
    ((10, 0), False, set()),  # all theory, all online
])  # fmt: skip
def test_shares_are_of_all_hours(hours: tuple[int, int], practical: bool, said: set[str]) -> None:
    """R1.3, R3.6: theory at least 30 %, half on the spot where the trade is one of practice; the edge is allowed."""
    theory, practice = hours
    lessons = [lesson(1, hours=theory)] + ([lesson(9, "practice", "offline", practice)] if practice else [])
    assert codes(*lessons, practical=practical) == said


def test_each_trade_has_its_own_share() -> None:
    """R1.3: 养老护理员 at most 60 % online; another trade all of it."""
    lessons = [lesson(1, hours=7), lesson(2, how="offline", hours=3)]
    assert codes(*lessons, trade="养老护理员") == {"online_long"}
    assert codes(*lessons) == set()


def test_practice_is_on_the_spot_and_after_theory() -> None:
    """R2.4: neither online nor before the last lesson of theory has ended."""
    assert codes(lesson(1), lesson(2, "practice", "online")) == {"practice_online"}
    assert codes(lesson(5), lesson(2, "practice", "offline")) == {"practice_early"}


def test_nobody_teaches_twice_at_once() -> None:
    """Lessons that only touch are no clash."""
    same = {"teacher": "王"}
    assert codes(lesson(1, **same), lesson(1, begins="10:00", ends="12:00", **same)) == {"teacher_twice"}
    assert codes(lesson(1, **same), lesson(1, begins="11:00", ends="12:00", **same)) == set()


def test_three_days_ahead_is_counted_in_days() -> None:
    """R1.10: on the first, a lesson of the fourth may move; one of the third may not, whether it leaves or comes."""
    today = datetime.date(2026, 12, 1)
    assert plan.check_change([lesson(4)], [lesson(5)], today)
    for before, after in (([lesson(3)], [lesson(9)]), ([lesson(9)], [lesson(3)]), ([lesson(3)], [])):
        with pytest.raises(TooLateError):
            plan.check_change(before, after, today)
    assert plan.check_change([lesson(2)], [lesson(2)], today) == []


def test_a_plan_reads_back() -> None:
    """What the page shows is what was understood."""
    lessons = plan.read(PLAN)
    assert plan.read(plan.table(lessons)) == lessons
    assert plan.hours(lessons) == 12


@pytest.mark.parametrize("row", [
    "2026-13-01\t09:00-11:00\t线上\t理论\t3\tt\tT", "2026-12-01\t11:00-09:00\t线上\t理论\t3\tt\tT",
    "2026-12-01\t09:00-11:00\t梦中\t理论\t3\tt\tT", "2026-12-01\t09:00-11:00\t线上\t理论\t99\tt\tT",
    "2026-12-01\t09:00-11:00\t线上\t理论\t3\t\tT", "2026-12-01\t09:00-11:00\t线上\t理论\t3\tt\tT\t占卜",
])  # fmt: skip
def test_a_row_that_makes_no_sense_is_named(row: str) -> None:
    """By its number in what was pasted."""
    with pytest.raises(PlanError, match="row 2"):
        plan.read("2026-12-01\t09:00-11:00\t线上\t理论\t3\tt\tT\n" + row)


@given(st.text(max_size=200))
def test_only_our_own_error_leaves_the_reader(text: str) -> None:
    """Whatever is pasted."""
    try:
        plan.read(text)
    except ServerError:
        return


@pytest.mark.parametrize(("before", "said"), [
    ([("电工", 5)], ("subsidy_same", "电工 5 (2024)")), ([("电工", 3)], ("subsidy_lower", "电工 3 (2024)")),
    ([("焊工", 5)], None), ([], None),
])  # fmt: skip
def test_a_subsidy_is_paid_once_and_never_downwards(before: list[tuple[str, int]], said: object) -> None:
    """R3.8: the same level, or a lower one after a higher; another trade is another matter; upwards is allowed."""
    assert repeated("电工", 5, [Subsidy(trade, level, 2024, "list") for trade, level in before]) == said
    assert repeated("电工", 2, [Subsidy("电工", 4, 2024, "list")]) is None


def test_age_is_counted_on_the_birthday() -> None:
    """Sixteen on the day, not the day before."""
    number = "110105201011220017"
    assert (age(number, datetime.date(2026, 11, 22)), age(number, datetime.date(2026, 11, 21))) == (16, 15)


def test_an_application_is_kept_and_read_back() -> None:
    """A paper is of its form, whatever the database gives back."""
    value = Application("电工", 5, True, "a", ("王",), ("r",), plan.read(PLAN), (Signed("institution", "o", 1, "ab"),))
    assert from_data(Application, to_data(value)) == value
    for bad in ({}, {**to_data(value), "level": "5"}, {**to_data(value), "more": 1}, [], None):
        with pytest.raises(UnreadableError):
            from_data(Application, bad)


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(), lambda inner: st.lists(inner) |
                    st.dictionaries(st.text(max_size=5), inner), max_leaves=10))  # fmt: skip
def test_no_other_data_is_an_application(data: object) -> None:
    """Only our own error."""
    with pytest.raises(UnreadableError):
        from_data(Application, data)
