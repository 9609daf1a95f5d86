"""The learner's own pages as text: what is told, what a number or a typed line does, and all on a real journey."""

from __future__ import annotations

import dataclasses
import queue
from datetime import timedelta
from types import SimpleNamespace
from typing import Any

import pytest

from client.player import i18n, samples
from client.player.lines import lines, panel
from client.player.pages import Rights, Settings, Timeline, Ways
from client.preferences import DAYS, MOST, Reminder
from client.text import Terminal
from client.timeline import legs
from client.view import Sentence
from tests.client.test_own import Client, studied, world
from tests.client.test_text import Journey as Plain

__all__ = ["studied", "world"]
COURSE = next(course for course in samples.courses() if legs(course.lines))
PAGES = [
    Timeline(COURSE), samples.rights(), samples.settings(), Rights(), Rights(busy=True),
    samples.ways(), Ways((), ()), Ways(busy=True),
]  # fmt: skip


class Journey(Plain):
    """With the learner's own pages, which are remembered, too."""

    def __init__(self, value: Any) -> None:
        super().__init__(value)
        ways = ("to_timeline", "to_rights", "to_settings")
        acts = (*ways, "write", "save", "decide", "set_reminders", "set_goal")
        self.own = SimpleNamespace(**{name: self._did(name) for name in acts})
        self.back = self._did("back")
        changes = ("to_page", "link", "unlink", "cancel")
        self.linking = SimpleNamespace(**{name: self._did(name) for name in changes})


class Typed:
    """A terminal on a journey, and how one types at it."""

    def __init__(self, journey: Any) -> None:
        self.journey, self.said = journey, []  # type: tuple[Any, list[str]]
        self._box: queue.Queue[str | None] = queue.Queue()
        self.terminal = Terminal(journey, SimpleNamespace(picture=lambda: None), self.said.append, self._box)  # type: ignore[arg-type]
        self.terminal.step()

    def line(self, *given: str) -> None:
        for one in given:
            self._box.put(one)
            self.terminal.step()
            self.terminal.step()

    def choose(self, key: str, *, has: str = "") -> None:
        """The number that stands beside these words."""
        words = i18n.say(self.journey.language, key)
        page = lines(self.journey.shown, self.journey.language)
        number = next(n for n, one in enumerate(page.choices, 1) if words in one.words and has in one.words)
        self.line(str(number))


@pytest.mark.parametrize("language", i18n.LANGUAGES)
def test_every_own_page_is_said_whole(language: str) -> None:
    """Both languages: words, never a key, nothing left to fill in, and a way back."""
    known = i18n.table(language)
    for value in PAGES:
        page = lines(value, language)
        for line in (*page.told, *(choice.words for choice in page.choices)):
            assert line
            assert line not in known, line
            assert not i18n.PLACEHOLDER.search(line), line
        assert value.busy or page.choices[-1].words == i18n.say(language, "text.back")


def test_all_of_the_rights_are_told_that_the_window_shows() -> None:
    """Hours with every reason, findings, consents, photos, letters and their answers."""
    value = samples.rights()
    told = "\n".join(lines(value, "en").told)
    for hours in value.hours:
        assert hours.title.en in told
        assert all(lost.why.en in told for lost in hours.lost)
    assert all(found.title.en in told for found in value.findings)
    assert all(i18n.say("en", f"rights.what_{one.what}") in told for one in value.consents)
    assert all(name in told for photo in value.photos for name in photo.recipients)
    assert all(letter.text[:200] in told and letter.answer in told for letter in value.letters or ())
    assert i18n.say("en", "rights.letters_unknown") in lines(dataclasses.replace(value, letters=None), "en").told


def test_one_unit_is_made_up_from_the_timeline() -> None:
    """Each unit with something missing has its number."""
    for unit in {COURSE.lines[leg.index].unit: COURSE.lines[leg.index] for leg in legs(COURSE.lines)}.values():
        typed = Typed(Journey(Timeline(COURSE)))
        page = lines(typed.journey.shown, "en")
        at = next(n for n, one in enumerate(page.choices, 1) if one.value == (COURSE.registration, unit.unit))
        typed.line(str(at))
        assert typed.journey.did == [("open_course", COURSE.registration, unit.unit)]


def test_a_letter_is_typed_first_and_then_sent() -> None:
    """Nothing empty is sent; several lines are one letter; it goes along with the papers of an appeal."""
    typed = Typed(Journey(samples.rights()))
    typed.choose("rights.send")
    assert i18n.say("en", "text.letter_first") in typed.said
    assert typed.journey.did == []
    typed.line("The network was down.", "I changed computers.")
    typed.choose("rights.send")
    typed.choose("rights.bundle")
    letter = "The network was down.\nI changed computers."
    assert typed.journey.did == [("write", "statement", letter), ("save", "appeal", letter)]
    typed.journey.shown = dataclasses.replace(samples.rights(), done=Sentence("rights.wrote"), findings=())
    typed.terminal.step()
    typed.choose("rights.appeal")
    assert typed.said[-1] == i18n.say("en", "text.letter_first"), "what was sent is not sent again"


def test_consents_are_taken_back_and_deletion_is_asked_twice() -> None:
    """A consent goes with one press; a request for deletion only after a yes."""
    typed = Typed(Journey(samples.rights()))
    given = {one.what: one.given for one in samples.rights().consents}
    typed.choose("rights.withdraw" if given["face"] else "rights.give", has=i18n.say("en", "rights.what_face"))
    assert typed.journey.did.pop() == ("decide", "face", not given["face"])
    typed.choose("rights.delete")
    assert i18n.say("en", "rights.delete_sure") in typed.said
    typed.line("2")
    assert typed.journey.did == []
    typed.choose("rights.delete")
    typed.line("1")
    assert typed.journey.did == [("write", "deletion", "")]


def test_while_something_is_on_its_way_nothing_can_be_chosen() -> None:
    """Pressed twice is sent once."""
    typed = Typed(Journey(dataclasses.replace(samples.rights(), busy=True)))
    typed.line("1", "2", "3", "words")
    assert typed.journey.did == []


def test_reminders_and_goals_are_set_by_typing() -> None:
    """A time of the day becomes a daily reminder, what is no time becomes none; a goal moves by a week."""
    value = dataclasses.replace(samples.settings(), reminders=())
    typed = Typed(Journey(value))
    typed.line("7:05", "25:00", "x:y", "19：30")
    every = tuple(range(DAYS))
    assert typed.journey.did == [
        ("set_reminders", (Reminder(7 * 60 + 5, every),)), ("set_reminders", (Reminder(19 * 60 + 30, every),)),
    ]  # fmt: skip
    full = Typed(Journey(dataclasses.replace(value, reminders=(Reminder(600, every),) * MOST)))
    full.line("7:05")
    assert full.journey.did == []
    full.choose("settings.remove")
    assert full.journey.did == [("set_reminders", (Reminder(600, every),) * (MOST - 1))]
    goal = next(goal for goal in value.goals if goal.due is not None and not goal.fixed)
    typed = Typed(Journey(value))
    typed.choose(Sentence("settings.days", {"days": "+7"}), has=goal.title.en)  # type: ignore[arg-type]
    assert goal.due is not None
    assert typed.journey.did == [("set_goal", goal.registration, goal.due + timedelta(days=7))]


def settled(typed: Typed) -> None:
    while typed.journey.busy:
        typed.terminal.step()
    typed.terminal.step()


@pytest.mark.slow
def test_a_learner_without_a_window_uses_every_right(studied: Client) -> None:
    """On a real journey and server: read, write, take a copy along, take a consent back, make a unit up."""
    journey = studied.journey
    journey.language = "en"
    typed = Typed(journey)
    settled(typed)
    typed.choose("rights.title")
    settled(typed)
    assert isinstance(journey.shown, Rights)
    typed.line("The light went out.")
    typed.choose("rights.send")
    settled(typed)
    assert i18n.say("en", "rights.wrote") in typed.said
    assert any("The light went out." in line for line in typed.said)
    typed.choose("rights.copy")
    settled(typed)
    assert isinstance(journey.shown, Rights)
    assert journey.shown.done is not None
    assert journey.shown.done.key == "rights.saved"
    typed.choose("rights.withdraw", has=i18n.say("en", "rights.what_face"))
    settled(typed)
    assert next(one for one in journey.shown.consents if one.what == "face").given is False
    typed.choose("text.back")
    settled(typed)
    typed.choose("settings.title")
    assert isinstance(journey.shown, Settings)
    typed.line("19:30")
    assert journey.shown.reminders[0].clock == "19:30"
    typed.choose("text.back")
    settled(typed)
    typed.choose("timeline.title")
    assert isinstance(journey.shown, Timeline)
    unit = journey.shown.course.lines[0]
    if legs((unit,)):
        typed.line("1")
        settled(typed)
        assert journey.page == "lesson"


def test_a_live_lesson_is_called_live_in_words_too() -> None:
    """The window has a mark on the picture: the lines say LIVE with the title, while it plays, waits and is asked for;
    a recorded lesson says nothing of the kind."""
    for view in (samples.live(), samples.live("paused", "pause.live_waiting")):
        assert "LIVE · Live: fire hazards around you" in lines(view, "en").told
        assert "直播 · 直播答疑：身边的火灾隐患" in lines(view, "zh").told
        assert any(line.startswith("LIVE · ") for line in panel(view, "en"))
    said = (*lines(samples.view(), "en").told, *panel(samples.view(), "en"))
    assert not [line for line in said if "LIVE" in line]
