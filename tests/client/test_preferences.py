"""Preferences and reminders: strictly read, told once, honest about what a closed program cannot do."""

from __future__ import annotations

import stat
from datetime import date, datetime, timedelta, timezone
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.notify import Silent, notifier
from client.preferences import (
    SCALES,
    Looks,
    PreferencesError,
    Reminder,
    Wishes,
    encode_looks,
    encode_wishes,
    load_looks,
    load_wishes,
    parse_looks,
    parse_wishes,
    save_looks,
    save_wishes,
)
from client.reminders import due, following

CHINA = timezone(timedelta(hours=8))
EVENING = Reminder(19 * 60 + 30, (0, 2, 4))  # Monday, Wednesday, Friday at 19:30
MONDAY = datetime(2026, 11, 23, 19, 30, tzinfo=CHINA)
MINUTE = timedelta(minutes=1)

reminders = st.builds(
    Reminder, st.integers(0, 1439), st.sets(st.integers(0, 6), min_size=1).map(lambda s: tuple(sorted(s)))
)
wishes = st.builds(
    Wishes,
    st.lists(reminders, max_size=5).map(tuple),
    st.dictionaries(st.integers(0, 2**128 - 1).map(lambda n: f"{n:032x}"), st.dates(), max_size=3),
    st.integers(0, 2**50),
)


@given(wishes)
def test_wishes_come_back_as_they_were_kept(kept: Wishes) -> None:
    """Round trip."""
    assert parse_wishes(encode_wishes(kept)) == kept


@given(st.booleans(), st.sampled_from(SCALES))
def test_looks_come_back_as_they_were_kept(dark: bool, scale: int) -> None:
    """Round trip."""
    assert parse_looks(encode_looks(Looks(dark, scale))) == Looks(dark, scale)


json_like = st.recursive(
    st.none() | st.booleans() | st.integers() | st.text(max_size=8) | st.floats(),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(["dark", "scale", "reminders", "goals", "heard", "minute", "days", "x"]), inner, max_size=4
        )
    ),
    max_leaves=8,
)


@given(st.binary(max_size=80) | json_like.map(lambda v: __import__("json").dumps(v).encode()))
def test_only_our_own_error_leaves_the_parsers(data: bytes) -> None:
    """A file is hostile until it was read."""
    for parse in (parse_looks, parse_wishes):
        try:
            parse(data)
        except PreferencesError:
            continue


def test_a_damaged_file_is_no_reason_not_to_study(tmp_path: Path) -> None:
    """Ordinary values are taken, and the next choice replaces the file, private to this user."""
    (tmp_path / "wishes.json").write_bytes(b"\xff\x00")
    (tmp_path / "looks.json").write_text('{"dark": 1, "scale": 100}')
    assert load_wishes(tmp_path) == Wishes()
    assert load_looks(tmp_path) == Looks()
    save_wishes(tmp_path, Wishes((EVENING,), {"ab" * 16: date(2026, 12, 31)}, 5))
    save_looks(tmp_path, Looks(dark=True, scale=150))
    assert load_wishes(tmp_path).reminders == (EVENING,)
    assert load_looks(tmp_path) == Looks(dark=True, scale=150)
    assert stat.S_IMODE((tmp_path / "wishes.json").stat().st_mode) == 0o600


@pytest.mark.parametrize("wrong", [(1440, (0,)), (-1, (0,)), (5, ()), (5, (1, 1)), (5, (2, 1)), (5, (7,))])
def test_no_reminder_that_never_comes(wrong: tuple[int, tuple[int, ...]]) -> None:
    """Minutes of a day, days of a week, each once."""
    with pytest.raises(PreferencesError):
        Reminder(*wrong)


def test_a_reminder_is_told_in_its_minute_and_once() -> None:
    """Nothing at 19:29; at 19:30 it is due; told, it is silent until Wednesday."""
    before = MONDAY - MINUTE
    assert due([EVENING], before, before) is None
    found = due([EVENING], before, MONDAY + timedelta(seconds=3))
    assert found is not None
    assert (found.at, found.missed) == (MONDAY, False)
    assert due([EVENING], MONDAY + timedelta(seconds=3), MONDAY + MINUTE) is None
    wednesday = due([EVENING], MONDAY + MINUTE, MONDAY + timedelta(days=2))
    assert wednesday is not None
    assert wednesday.at == MONDAY + timedelta(days=2)


def test_what_passed_while_the_program_was_closed_is_said_to_be_missed() -> None:
    """Closed on Sunday, opened on Tuesday noon: Monday's reminder is told as missed, the latest one only."""
    found = due([EVENING, Reminder(8 * 60, (0,))], MONDAY - timedelta(days=1), MONDAY + timedelta(hours=16))
    assert found is not None
    assert (found.at, found.missed) == (MONDAY, True)


def test_a_clock_set_back_tells_nothing_twice() -> None:
    """`heard` lies in the future then."""
    assert due([EVENING], MONDAY + timedelta(days=1), MONDAY + MINUTE) is None


def test_when_the_next_one_comes() -> None:
    """Monday 19:30 is past: Wednesday."""
    assert following([EVENING], MONDAY) == MONDAY + timedelta(days=2)
    assert following([], MONDAY) is None


@given(st.lists(reminders, min_size=1, max_size=3), st.integers(0, 20_000))
def test_whatever_comes_next_is_due_when_it_comes(found: list[Reminder], minutes: int) -> None:
    """The screen's "next" and the bell agree."""
    now = MONDAY + minutes * MINUTE
    coming = following(found, now)
    assert coming is not None
    heard = due(found, now, coming)
    assert heard is not None
    assert heard.at == coming


def test_the_desktop_is_told_by_its_own_program() -> None:
    """No shell: what a course is called is an argument, whatever it contains; elsewhere nothing is claimed."""
    ran: list[tuple[str, ...]] = []

    def run(command: object) -> bool:
        ran.append(tuple(command))  # type: ignore[arg-type]
        return True

    linux = notifier("linux", lambda name: f"/usr/bin/{name}", run)
    assert linux.tell("TrueSeat", "--help; rm -rf ~\n$(id)")
    assert ran == [("/usr/bin/notify-send", "--app-name=TrueSeat", "--", "TrueSeat", "--help; rm -rf ~ $(id)")]
    assert notifier("darwin", lambda name: f"/usr/bin/{name}", run).tell("a", "b")
    assert ran[-1][-2:] == ("a", "b")
    assert isinstance(notifier("win32", lambda _: None), Silent)
    assert not notifier("linux", lambda _: None).tell("a", "b")
