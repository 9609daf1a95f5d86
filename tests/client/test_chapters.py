"""Chapters: named when one begins, gone back to within what was seen, and nothing to credit."""

from __future__ import annotations

from dataclasses import replace

import pytest

from client import effects
from client.events import Look, SeekAsked
from client.player import i18n, lines
from client.screen import Figures, view
from client.study import _unit
from client.view import Chapter, UnitView, View, Words
from ledger import course as courses
from ledger.events import Played
from tests.client.bench import Bench, check_log

PARTS = tuple(
    Chapter(at, Words(zh, en)) for at, zh, en in ((0, "拔", "Pull"), (20_000, "瞄", "Aim"), (300_000, "压", "Squeeze"))
)


@pytest.fixture
def bench() -> Bench:
    """A lesson of three chapters, under way."""
    found = Bench()
    rules = found.state.rules
    found.state = replace(found.state, rules=replace(rules, units=(replace(rules.units[0], chapters=PARTS),)))
    return found.study()


def seen(bench: Bench) -> View:
    return view(bench.state, Figures(), wanted=True, opening=False, begun=True)


def unit(bench: Bench) -> UnitView:
    found = seen(bench).unit
    assert found is not None
    return found


def hint(bench: Bench) -> str:
    found = seen(bench).hint
    return i18n.say("en", found) if found is not None else ""


def test_whoever_crosses_into_a_chapter_is_told_its_name(bench: Bench) -> None:
    """For the first five seconds of each, over the picture; then it is quiet again."""
    bench.play(2_000)
    assert hint(bench) == "Chapter 1: Pull"
    bench.play(10_000)
    assert (hint(bench), unit(bench).chapter) == ("", 1)
    while unit(bench).position_ms < 20_000:
        assert hint(bench) == ""
        bench.play(100)
    assert (hint(bench), unit(bench).chapter) == ("Chapter 2: Aim", 2)
    assert i18n.say("zh", seen(bench).hint or "") == "第 2 章：瞄"
    bench.press("rest")
    assert hint(bench) == "", "only while it plays"
    bench.press("play")
    bench.play(6_000)
    assert hint(bench) == ""


def test_the_cameras_word_comes_back_after_the_chapters(bench: Bench) -> None:
    """A chapter's name takes the place of "it is dark" for a moment and no longer."""
    bench.play(1_000)
    bench.send(Look(bench.state.now, 1, 1, covered=False, hint="dark"))
    assert hint(bench) == "Chapter 1: Pull"
    bench.play(6_000)
    bench.send(Look(bench.state.now, 1, 1, covered=False, hint="dark"))
    assert hint(bench) == i18n.say("en", "hint.dark")


def test_back_to_a_chapter_and_never_on_to_one(bench: Bench) -> None:
    """The beginning of a seen chapter is a seek; a chapter that was not reached ends where the learner is. Both logs
    are valid, and what is seen again is in no way more."""
    bench.play(30_000)
    furthest = unit(bench).seen_ms
    assert PARTS[1].at_ms < furthest < PARTS[2].at_ms
    bench.send(SeekAsked(PARTS[2].at_ms))
    sought = [effect.position_ms for effect in bench.done if isinstance(effect, effects.Seek)]
    assert sought[-1] <= furthest
    bench.play(3_000)
    bench.send(SeekAsked(PARTS[1].at_ms))
    sought = [effect.position_ms for effect in bench.done if isinstance(effect, effects.Seek)]
    assert sought[-1] == PARTS[1].at_ms
    bench.play(2_000)
    assert (hint(bench), unit(bench).chapter) == ("Chapter 2: Aim", 2)
    bench.press("rest")
    check_log(bench)
    spans = [body for body in bench.bodies(Played) if isinstance(body, Played)]
    assert spans[-1].from_ == PARTS[1].at_ms
    assert max(span.to for span in spans) <= furthest + 3_500


def test_each_chapter_is_said_with_what_can_be_done(bench: Bench) -> None:
    """What the terminal and the screen reader say of the list, in both languages."""
    bench.play(30_000)
    assert list(lines.chapters(unit(bench), "en")) == [
        "Go back to Chapter 1: Pull", "Chapter 2: Aim (on the screen now)", "Chapter 3: Squeeze (still to come)",
    ]  # fmt: skip
    assert list(lines.chapters(unit(bench), "zh"))[2] == "第 3 章：压（尚未学到）"


def test_a_unit_without_chapters_says_nothing() -> None:
    """No chapter, no hint, no list."""
    bench = Bench().study()
    bench.play(1_000)
    assert (hint(bench), unit(bench).chapter, list(lines.chapters(unit(bench), "en"))) == ("", 0, [])


def test_the_session_knows_the_chapters_of_the_course() -> None:
    """As course.toml names them, so the lesson does."""
    text = courses.Text("拔", "Pull")
    found = courses.Unit("u", text, 9, "m.mp4", "", {}, {}, (), chapters=(courses.Chapter(0, text),))
    assert _unit(found).chapters == (Chapter(0, Words("拔", "Pull")),)
