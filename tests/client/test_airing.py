"""When a live unit goes first, when it waits, when it is over: nobody stands before what cannot be studied."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from client.airing import EARLY_MS, TAIL_MS, airing, first_choice, moment
from client.events import Pressed, Progress
from client.motion import Running, Starting, Still, advance, joined
from client.screen import Figures, view
from client.session import step
from client.state import Rules, State, Studying, Unit
from client.timeline import Stretch, UnitLine, legs
from client.view import Words
from ledger.policy import parse, preset

STARTS, LONG = 1_795_000_000_000, 2_700_000
TITLE = Words("直播", "Live")


@pytest.mark.parametrize(
    ("at", "where"),
    [(-EARLY_MS - 1, "later"), (-EARLY_MS, "on"), (0, "on"), (LONG + TAIL_MS, "on"), (LONG + TAIL_MS + 1, "over")],
)
def test_a_live_unit_is_on_from_a_little_before_to_a_little_after(at: int, where: str) -> None:
    """One may sit down ten minutes early; a picture that came late is still seen to its end."""
    assert airing(STARTS, LONG, STARTS + at) == where
    assert airing(None, LONG, STARTS + at) == "on"


@given(
    missing=st.lists(st.booleans(), min_size=1, max_size=6),
    starts=st.lists(st.none() | st.integers(0, 10**7), min_size=6, max_size=6),
    wall=st.none() | st.integers(0, 10**7),
)
def test_the_choice_can_be_studied_now_and_a_live_one_that_is_on_goes_first(
    missing: list[bool], starts: list[int | None], wall: int | None
) -> None:
    """Never a unit that is through, never a live one out of its time; else the first of what is left."""
    planned = [(start, 60_000) for start in starts[: len(missing)]]
    index = first_choice(missing, planned, wall)
    on = [i for i, (start, long) in enumerate(planned) if missing[i] and start is not None and wall is not None
          and airing(start, long, wall) == "on"]  # fmt: skip
    plain = [i for i, (start, _) in enumerate(planned) if missing[i] and start is None]
    assert index == next(iter(on or plain), None)


def test_the_moment_is_told_in_the_programmes_time() -> None:
    """19:06 in UTC+8 on the day itself, with its date on another."""
    assert moment(STARTS, STARTS - 3_600_000, 480) == "19:06"
    assert moment(STARTS, STARTS - 86_400_000, 480) == "11-18 19:06"


def state(*units: Unit, wall: int, **changes: object) -> State:
    """A lesson of these units at this moment."""
    rules = Rules("", parse(preset("demo")), units, 3_600_000, 3_600_000)
    return replace(State(rules=rules, wall=wall, stage=Studying()), **changes)


VIDEO, MORE = Unit("a", Words("一", "One"), 60_000), Unit("c", Words("三", "Three"), 60_000)
HALL = Unit("b", TITLE, LONG, (), STARTS)


def test_the_next_unit_is_one_that_can_be_studied() -> None:
    """A live one is passed over before its time and after it; while it is on it follows."""
    for at, following in ((-EARLY_MS - 1, 2), (0, 1), (LONG + TAIL_MS + 1, 2)):
        assert state(VIDEO, HALL, MORE, wall=STARTS + at).following == following
    assert state(VIDEO, HALL, wall=STARTS - EARLY_MS - 1).following is None


def test_who_studies_another_unit_is_told_that_a_live_one_is_on() -> None:
    """A hint while the picture runs, a button in a pause; nothing of the kind before and after."""
    running = Running(0, 0, 0, 1000, Progress("a", 10, 1, True, False), 0)
    seen = view(state(VIDEO, HALL, wall=STARTS, motion=running), Figures(), wanted=True, opening=False, begun=True)
    assert seen.hint is not None
    assert seen.hint.key == "hint.live_on"
    rests = state(VIDEO, HALL, wall=STARTS, hold="rest", motion=Still("rest"))
    seen = view(rests, Figures(), wanted=True, opening=False, begun=True)
    assert seen.second is not None
    assert (seen.second.what, seen.sentence.key) == ("live", "pause.rest")
    before = view(replace(rests, wall=STARTS - EARLY_MS - 1), Figures(), wanted=True, opening=False, begun=True)
    assert before.second is None


def test_the_button_goes_there_and_on_to_the_rest_afterwards() -> None:
    """Joining leaves the other unit where it stood; when the live one is over, what is left follows."""
    rests = state(VIDEO, HALL, MORE, wall=STARTS, hold="rest", motion=Still("rest"), size=5, seen={"a": 20_000})
    there, _ = step(rests, Pressed("live"))
    assert (there.index, there.hold, there.position_ms, there.loaded) == (1, "", 0, False)
    later = replace(there, wall=STARTS + LONG + TAIL_MS + 1, finished=True, motion=Still("unit_end"))
    assert step(later, Pressed("play"))[0].index == 2
    none = state(VIDEO, HALL, wall=STARTS - EARLY_MS - 1, hold="rest", motion=Still("rest"), size=5)
    assert step(none, Pressed("live"))[0].index == 0


def test_what_stands_in_the_live_unit_is_said_in_its_own_words() -> None:
    """A rest there misses something; an end there is not the course's; no seeking, no rate."""
    rests = state(HALL, MORE, wall=STARTS, hold="rest", motion=Still("rest"))
    seen = view(rests, Figures(), wanted=True, opening=False, begun=True)
    assert (seen.sentence.key, seen.may_seek, seen.may_rate) == ("pause.rest_live", False, False)
    ended = state(HALL, MORE, wall=STARTS, finished=True, motion=Still("unit_end"))
    seen = view(ended, Figures(), wanted=True, opening=False, begun=True)
    assert seen.sentence.key == "say.live_end"
    assert seen.button is not None
    assert seen.button.what == "play"
    waits = state(HALL, wall=STARTS - 60_000, motion=Starting(0, 0),
                  progress=Progress("b", 0, 0, False, False, live="waiting"))  # fmt: skip
    seen = view(waits, Figures(), wanted=True, opening=False, begun=True)
    assert (seen.phase, seen.sentence.key, seen.sentence.values["time"]) == ("paused", "pause.live_waiting", "19:06")


@given(before=st.integers(0, 10**6), ahead=st.integers(0, 10**6), now=st.integers(0, 10**6))
def test_a_span_of_a_live_picture_never_begins_before_it_was_seen(before: int, ahead: int, now: int) -> None:
    """However long it took to come, and wherever the lesson stood: what went by is not explained away by the clock."""
    running = joined(Progress("b", before + ahead, 5, True, False), now, 0)
    assert (running.from_ms, running.start) == (before + ahead, now)
    later, goes_on = advance(running, Progress("b", before + ahead + 5_000, 9, True, False), now + 1_000)
    assert (later, goes_on) == (running, False), "a jump ends the span"


def test_no_make_up_asks_for_a_live_unit() -> None:
    """What is missing of it is not there to be studied; the same stretches of a video are."""
    parts = (Stretch("unseen", 0, 10_000), Stretch("credited", 10_000, 20_000))
    line = UnitLine("b", TITLE, 20_000, parts, live=True)
    assert legs((line,)) == legs((line,), "b") == ()
    assert len(legs((replace(line, live=False),))) == 1
