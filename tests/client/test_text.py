"""The client as text: what is told, what a typed line does; the journey is faked at its edge, the lines are real."""

from __future__ import annotations

import dataclasses
import queue
from types import SimpleNamespace
from typing import Any

import pytest

from client.events import Prompt
from client.player import i18n, shown
from client.player.lines import lines, panel
from client.text import Terminal, TerminalProbe
from client.view import Button, Chapter, PanelLine, Question, ResultView, Sentence, UnitView, View, Words

TITLE = Words("消防安全", "Fire safety")
VIEW = View(
    phase="playing",
    sentence=Sentence("say.playing"),
    button=None,
    panel=(PanelLine(Sentence("panel.window_unknown"), "unknown"),),
    unit=UnitView("u1", TITLE, 1, 2, 31_000, 60_000, 31_000),
    last_check=Sentence("check.passed_now"),
    sync=Sentence("sync.good"),
    credited_unit_ms=20_000,
    credited_all_ms=20_000,
    pending_ms=0,
    may_rest=True,
    may_end=True,
)
CHECK = dataclasses.replace(
    VIEW, phase="check", prompt=Prompt(1, "turn_left", 1, 2, 9_000), may_rest=False, may_end=False
)
ASKED = dataclasses.replace(
    VIEW, phase="check", camera=False, question=Question(("sun", "moon"), "moon", True, False, False)
)
RESULT = ResultView(50_000, 50_000, 3, 3, (), True, "ended", 120)
TROUBLE = shown.Trouble(Words("请重试", "Try again"), "TS-C-001")
COURSE = shown.Course("ab" * 16, TITLE, 2, 0, 60_000, make_up_ms=9_000)
PAGES: list[Any] = [
    shown.SignIn(), shown.SignIn("code", "138"), shown.SignIn(trouble=TROUBLE), shown.RealName("王芳", "open", True),
    shown.RealName("王芳", "identified"), *(shown.Enrol(step) for step in (
        "intro", "starting", "camera", "passed", "unclear", "practised")), shown.Enrol("unclear", advice="dark"),
    shown.Enrol("running", Prompt(0, "look_up", 1, 2, 9_000)), shown.Today("王芳", ()), shown.Today("王芳", (COURSE,)),
    VIEW, CHECK, ASKED, RESULT, TROUBLE,
]  # fmt: skip


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_page_is_said_whole(language: str) -> None:
    """Each page of the journey in both languages: words, never a key, and nothing left to fill in."""
    known = i18n.table(language)
    for value in PAGES:
        page = lines(value, language)
        for line in (*page.told, *(choice.words for choice in page.choices)):
            assert line
            assert line not in known, line
            assert not i18n.PLACEHOLDER.search(line), line
    assert any("0:31" in line for line in panel(VIEW, language))


class Journey:
    """What the terminal asks of a journey, and what it did to it."""

    def __init__(self, value: Any) -> None:
        self.shown, self.problem, self.language = value, None, "en"
        self.did: list[tuple[Any, ...]] = []
        self.study = SimpleNamespace(press=self._did("press"), seek=self._did("seek"), reply=self._did("reply"))
        self.own = SimpleNamespace(to_timeline=self._did("timeline"))

    def _did(self, name: str) -> Any:
        return lambda *given: self.did.append((name, *given))

    def tick(self) -> None:
        return None

    def captions(self, _unit: str) -> dict[str, Any]:
        return {}

    def __getattr__(self, name: str) -> Any:
        return self._did(name)


def typed(value: Any, *given: str) -> tuple[Journey, list[str]]:
    """A terminal on one page, and what these lines did there."""
    journey, said = Journey(value), []
    box: queue.Queue[str | None] = queue.Queue()
    terminal = Terminal(journey, SimpleNamespace(picture=lambda: None), said.append, box)  # type: ignore[arg-type]
    terminal.step()
    for line in given:
        box.put(line)
        terminal.step()
    return journey, said


def test_the_notice_asks_four_questions_and_two_of_them_must_be_answered_by_yes() -> None:
    """Reading and the promise are needed; each consent is the learner's own, in all four combinations."""
    journey, said = typed(shown.Notice(), "2", "1", "1", "2", "1")
    assert i18n.say("en", "text.needed") in said
    assert journey.did == [("choose", shown.Choices(True, True, False, True))]


def test_numbers_press_what_stands_beside_them() -> None:
    """A lesson's buttons, a course, a page's way back."""
    paused = dataclasses.replace(VIEW, phase="paused", button=Button("play", "button.continue"))
    assert typed(paused, "1")[0].did == [("press", "play")]
    assert typed(VIEW, "2")[0].did == [("press", "end")]
    assert typed(shown.Today("", (COURSE,)), "1")[0].did == [("open_course", COURSE.registration)]
    assert typed(shown.Today("", (COURSE,)), "2")[0].did == [("open_course", COURSE.registration, "")]
    assert typed(RESULT, "1")[0].did == [("to_today",)]


def test_a_phone_number_and_a_code_are_no_choices() -> None:
    """Digits go where they are wanted."""
    assert typed(shown.SignIn(), "13800000001")[0].did == [("ask_code", "13800000001")]
    assert typed(shown.SignIn("code", "138"), "000001")[0].did == [("enter_code", "000001")]
    assert typed(shown.SignIn("code", "138"), "1")[0].did == [("other_account",)]


def test_a_question_wants_its_word_first_and_then_its_code() -> None:
    """On the way without a camera: the word by its number, then the code; neither alone is an answer."""
    journey, said = typed(ASKED, "123456", "2", "123456")
    assert i18n.say("en", "text.choose_first") in said
    assert i18n.say("en", "text.now_code") in said
    assert journey.did == [("reply", 1, "123456")]


def test_chapters_are_listed_and_gone_back_to() -> None:
    """`k` lists them, `k1` goes back to the first; one that was not reached is not gone to, and none is made up."""
    parts = (Chapter(0, TITLE), Chapter(30_000, TITLE), Chapter(50_000, TITLE))
    assert VIEW.unit is not None
    lesson = dataclasses.replace(VIEW, unit=dataclasses.replace(VIEW.unit, chapters=parts), may_seek=True)
    journey, said = typed(lesson, "k")
    assert "  Chapter 3: Fire safety (still to come)" in said
    assert journey.did == []
    assert typed(lesson, "k1", "k2", "k3", "k9", "k0")[0].did == [("seek", 0), ("seek", 30_000)]
    assert typed(dataclasses.replace(lesson, may_seek=False), "k1")[0].did == []
    assert i18n.say("en", "text.chapters_none") in typed(VIEW, "k1")[1]


def test_what_is_new_is_told_once() -> None:
    """The same view ten times a second says nothing twice; a check says its gesture."""
    _, said = typed(CHECK, "?", "")
    assert said.count(i18n.say("en", "gesture.turn_left")) == 1


def test_without_a_window_system_the_foreground_is_unknown() -> None:
    """Nobody guesses: the class's rule for the unknown decides."""
    for environment in ({}, {"WINDOWID": "x"}, {"WINDOWID": "5"}, {"WINDOWID": "5", "DISPLAY": ":999"}):
        seen = TerminalProbe(environment).observe()
        assert (seen.focused, seen.covered, seen.source) == (None, None, "terminal")
