"""What the overview says of live lessons: when, in how many minutes, that it is on; of what is over it says nothing."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.airing import ANNOUNCED, EARLY_MS, SOON_MS, Planned, airing, announced
from client.player import i18n
from client.player.lines import lines
from client.player.shown import Today
from client.view import Sentence, Words
from tests.client import hall
from tests.client import world as worlds
from tests.client.test_journey import enrolled
from tests.client.world import World

MINUTE = 60_000
NOON = 1_795_665_600_000  # 2026-11-26 04:00 UTC, noon in China
CHINA = 480
HALL = Words("直播答疑", "Live: your questions")


def at(minutes: float, long: int = 45) -> Planned:
    """A lesson that begins so many minutes after noon."""
    return Planned(HALL, NOON + int(minutes * MINUTE), long * MINUTE)


def keys(*planned: Planned) -> list[str]:
    return [said.key for said in announced(planned, NOON, CHINA)]


def test_from_another_day_to_its_end() -> None:
    """The day, the hour, the minutes, open now, on, nothing: in the programme's own time, in both languages."""
    (said,) = announced([at(30 * 60)], NOON, CHINA)
    assert i18n.say("en", said) == "LIVE 11-27 18:00: “Live: your questions”."
    (said,) = announced([at(90)], NOON, CHINA)
    assert i18n.say("zh", said) == "13:30 直播：“直播答疑”。"
    (said,) = announced([at(24.5)], NOON, CHINA)
    assert i18n.say("en", said) == "LIVE at 12:24, in 25 min: “Live: your questions”."
    (said,) = announced([at(10)], NOON, CHINA)
    assert i18n.say("zh", said) == "12:10 直播，还有 10 分钟：“直播答疑”。现在打开课程，届时自动播放。"
    (said,) = announced([at(-44)], NOON, CHINA)
    assert i18n.say("en", said) == "LIVE now, until 12:01: “Live: your questions”. Open the course to join."
    assert announced([at(-45)], NOON, CHINA) == ()


def test_the_next_ones_are_named_in_the_order_of_the_clock() -> None:
    """The one that is on comes first, then the next; what is over takes nobody's place."""
    assert keys(at(600), at(30), at(-20), at(-200)) == ["today.live_on", "today.live_in"]
    assert keys() == []


def test_the_edges() -> None:
    """An hour before the minutes begin, ten minutes before it says to open the course: then the client waits itself."""
    assert keys(at(SOON_MS / MINUTE + 0.001)) == ["today.live_at"]
    assert keys(at(SOON_MS / MINUTE)) == ["today.live_in"]
    assert keys(at(EARLY_MS / MINUTE + 0.001)) == ["today.live_in"]
    assert keys(at(EARLY_MS / MINUTE)) == ["today.live_soon"]
    assert keys(at(0)) == ["today.live_on"]


@given(st.lists(st.tuples(st.integers(-600, 600), st.integers(1, 480)), max_size=6), st.integers(-720, 840))
def test_who_is_told_to_open_the_course_finds_it_open(planned: list[tuple[int, int]], offset: int) -> None:
    """Whenever it says open now, or on, the course does go to a live lesson; minutes are never 0 and never over 60."""
    items = [at(begins, long) for begins, long in planned]
    said = announced(items, NOON, offset)
    assert len(said) <= ANNOUNCED
    for one in said:
        if one.key in ("today.live_on", "today.live_soon"):
            assert any(airing(item.starts_ms, item.duration_ms, NOON) == "on" for item in items)
        if "minutes" in one.values:
            assert 1 <= int(str(one.values["minutes"])) <= 60


def test_the_text_client_does_not_count_minutes() -> None:
    """A line that changes every minute would be read out every minute; the hour is enough until it can be opened."""
    course = live_course(at(25))
    told = [lines(Today("", (course.at(NOON + ms),)), "en").told for ms in (0, MINUTE, 2 * MINUTE)]
    assert told[0] == told[1] == told[2]
    assert any("LIVE 12:25" in line for line in told[0])
    assert any("it starts by itself" in line for line in lines(Today("", (course.at(NOON + 16 * MINUTE),)), "en").told)


def live_course(*planned: Planned):  # type: ignore[no-untyped-def]
    from client.player.shown import Course

    return Course("a" * 32, HALL, 1, 0, 45 * MINUTE, planned=planned, utc_offset_minutes=CHINA)


def test_the_overview_goes_on_with_the_clock(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """From the course package to the page: soon, on, over, without anybody pressing anything."""
    monkeypatch.setattr(worlds, "_course", hall.course)
    world = World(tmp_path)
    client = enrolled(world, tmp_path / "pc")
    journey = client.until("today")

    def said() -> tuple[Sentence, ...]:
        client.clock.advance(100)
        journey.tick()
        assert isinstance(journey.shown, Today)
        return journey.shown.courses[0].live

    assert [one.key for one in said()] == ["today.live_soon"]
    client.clock.advance(hall.STARTS - client.clock.wall_ms)
    (on,) = said()
    assert (on.key, on.values["unit"]) == ("today.live_on", Words("直播", "Live"))
    client.clock.advance(hall.LONG)
    assert said() == ()
    world.close()
