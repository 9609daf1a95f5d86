"""The client's pages as lines of text: what is told, what may be chosen by number, what may be written. Values only.

The same values that the window's screens render, said one below the other for terminals and screen readers.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

from client.player import i18n, ownlines, pages, shown
from client.player.choices import Choice, Lines
from client.view import ResultView, Sentence, UnitView, Value, View

CHECKED: Final = ("notice", "check")


def lines(value: Any, language: str) -> Lines:
    """What a page says in a language."""
    say = _Say(language)
    match value:
        case shown.SignIn():
            return say.sign_in(value)
        case shown.RealName():
            return say.real_name(value)
        case shown.Enrol():
            return say.enrol(value)
        case shown.Today():
            return say.today(value)
        case View():
            return say.lesson(value)
        case ResultView():
            return say.result(value)
        case shown.Trouble():
            return Lines(tuple(say.trouble(value)), (Choice(say(value.action), "again"),) if value.action else ())
        case pages.Timeline():
            return ownlines.timeline(value, language, say)
        case pages.Rights():
            return ownlines.rights(value, language, say)
        case pages.Settings():
            return ownlines.settings(value, language, say)
        case pages.Ways():
            return ownlines.ways(value, language, say)
        case _:
            return Lines((say("text.elsewhere"),), (Choice(say("text.back"), "home"),))


def panel(view: View, language: str) -> tuple[str, ...]:
    """Why this minute counts, where the lesson stands, and how the records do: what `?` tells."""
    say = _Say(language)
    unit = view.unit
    told = [say(line.sentence) for line in view.panel]
    if unit is not None:
        at, end = i18n.stamp(unit.position_ms), i18n.stamp(unit.duration_ms)
        live = f"{say('lesson.live')} · " if unit.live else ""
        told.append(f"{live}{say.words(unit.title)}: {at} / {end}")
    told += [
        f"{say('lesson.unit')}: {say.long(view.credited_unit_ms)}",
        f"{say('lesson.all')}: {say.long(view.credited_all_ms)}",
        say(view.last_check),
        say(view.sync),
    ]
    return tuple(told)


def chapters(unit: UnitView, language: str) -> Iterator[str]:
    """Each chapter of the unit in words, and whether it is on the screen now, can be gone to, or is still to come."""
    for number, chapter in enumerate(unit.chapters, 1):
        state = "seen" if chapter.at_ms <= unit.seen_ms else "later"
        state = "here" if number == unit.chapter else state
        named = Sentence("hint.chapter", {"number": number, "title": chapter.title})
        yield i18n.say(language, f"lesson.chapter_{state}", chapter=named)


def _without_minutes(said: Sentence) -> Sentence:
    """A start without the minutes to it: a line that is told anew every minute is noise."""
    return Sentence("today.live_at", said.values) if said.key == "today.live_in" else said


class _Say:
    """One language, and the pages in it."""

    def __init__(self, language: str) -> None:
        self._language = language

    def __call__(self, sentence: Sentence | str, **values: Value) -> str:
        return i18n.say(self._language, sentence, **values)

    def words(self, words: Any) -> str:
        return str(getattr(words, self._language))

    def long(self, ms: int) -> str:
        return i18n.long(self._language, ms)

    def trouble(self, trouble: shown.Trouble | None) -> Iterator[str]:
        if trouble is not None:
            yield self.words(trouble.sentence)
            yield self("error.code", code=trouble.code)

    def sign_in(self, value: shown.SignIn) -> Lines:
        if value.busy:
            return Lines((self("today.loading"),))
        told = [*self.trouble(value.trouble)]
        if value.step == "account":
            return Lines((*told, self("signin.lead"), self("signin.account")), field="account")
        if value.step == "activation":
            other = (Choice(self("signin.other"), "other_account"),)
            return Lines((*told, self("signin.activation_lead"), self("signin.activation_code")), other, "code")
        if value.step != "code":
            said = (value.uri, value.user_code) if value.step == "elsewhere" else (self("signin.help_code_more"),)
            return Lines((*told, *said), (Choice(self("signin.other"), "other_account"),))
        told.append(self("signin.code_lead", account=value.account))
        return Lines((*told, self("signin.code")), (Choice(self("signin.other"), "other_account"),), "code")

    def real_name(self, value: shown.RealName) -> Lines:
        told = [*self.trouble(value.trouble), self(f"name.lead_{value.state}")]
        if value.busy:
            return Lines((self("today.loading"),))
        ask = [Choice(self("name.ask"), "confirm_name")] if value.can_ask else []
        later = "name.later" if value.state == "open" else "name.continue"
        return Lines(tuple(told), (*ask, Choice(self(later), "leave_name")))

    def enrol(self, value: shown.Enrol) -> Lines:
        told = [*self.trouble(value.trouble)]
        other = Choice(self("enrol.other_way"), "without_face")
        if value.prompt is not None:
            told.append(self(f"gesture.{value.prompt.gesture}"))
            return Lines(tuple(told), (other,))
        match value.step:
            case "passed":
                return Lines((*told, self("enrol.passed")), (Choice(self("enrol.continue"), "home"),))
            case "unclear":
                advice = self(f"advice.{value.advice}") if value.advice else ""
                words = self("enrol.unclear_because", advice=advice) if advice else self("enrol.unclear")
                return Lines((*told, words), (Choice(self("enrol.again"), "enrol"), other))
            case "camera":
                return Lines((*told, self("enrol.camera")), (Choice(self("enrol.again"), "enrol"), other))
            case "practised":
                return Lines((*told, self("enrol.practised")), (Choice(self("enrol.back"), "home"),))
            case "intro":
                begin = Choice(self("enrol.start"), "enrol")
                practise = Choice(self("enrol.practise"), "practise")
                return Lines((*told, self("enrol.lead"), self("enrol.point_light")), (begin, practise, other))
            case _:
                return Lines((*told, self("enrol.starting")))

    def today(self, value: shown.Today) -> Lines:
        if value.busy and not value.courses:
            return Lines((self("today.loading"),))
        told = [*self.trouble(value.trouble)]
        if value.bell is not None:
            told.append(self(value.bell))
        told += [self(sentence) for sentence in value.standing]
        choices = []
        for course in value.courses:
            title = self.words(course.title)
            done, whole = self.long(course.credited_ms), self.long(course.all_ms)
            told.append(f"{title}: {self('today.credited', done=done, all=whole)}")
            told += [self(_without_minutes(said)) for said in course.live]
            word = "today.complete" if course.complete else "today.start"
            choices.append(Choice(f"{self(word)}: {title}", "open", course.registration))
            if course.make_up_ms:
                words = self("today.make_up", time=self.long(course.make_up_ms))
                choices.append(Choice(f"{title}: {words}", "make_up_of", course.registration))
            choices.append(Choice(f"{self('timeline.title')}: {title}", "timeline", course.registration))
        if not value.courses:
            told += [self("today.empty"), self("today.empty_text")]
        if value.waiting:
            choices.append(Choice(self("sync.send_now"), "send_now"))
        if value.face:
            choices.append(Choice(self("today.face"), "face"))
        choices += [Choice(self("rights.title"), "rights"), Choice(self("settings.title"), "settings")]
        return Lines(tuple(told), tuple(choices))

    def lesson(self, view: View) -> Lines:
        told = [view.message] if view.message else []
        if view.unit is not None and view.unit.live:
            told.append(f"{self('lesson.live')} · {self.words(view.unit.title)}")
        told.append(self(view.sentence))
        if view.photo is not None and view.phase in CHECKED:
            told.append(self(view.photo))
        if view.phase == "check" and view.prompt is not None and view.camera:
            told.append(self(f"gesture.{view.prompt.gesture}"))
        if view.hint is not None:
            told.append(self(view.hint))
        choices, field = [], ""
        if view.question is not None:
            asked = view.question
            told.append(self.words(asked.prompt) if asked.prompt else self("check.code") if asked.code else "")
            choices += [Choice(self.words(words), "item", at) for at, words in enumerate(asked.choices)]
            if not view.question.busy:
                choices += [Choice(self(f"item.{word}"), "item", at) for at, word in enumerate(view.question.words)]
                field = "answer" if view.question.code else ""
        for button in (view.button, view.second):
            if button is not None:
                choices.append(Choice(self(button.label), "press", button.what))
        if view.may_rest:
            choices.append(Choice(self("lesson.rest"), "press", "rest"))
        if view.may_end:
            choices.append(Choice(self("lesson.end"), "press", "end"))
        if view.asked is not None:
            told.append(self(view.asked))
        if view.hand is not None:
            choices.append(Choice(self(view.hand.label), "press", view.hand.what))
        return Lines(tuple(line for line in told if line), tuple(choices), field)

    def result(self, value: ResultView) -> Lines:
        told = [
            self("result.title"), self(f"result.how_{value.how}"),
            f"{self('result.credited')}: {self.long(value.credited_ms)}",
            f"{self('result.all')}: {self.long(value.credited_all_ms)}",
            f"{self('result.checks')}: {self('result.of', some=value.checks_passed, all=value.checks_all)}",
            f"{self('result.records')}: {value.records} ({self('result.sent' if value.sent else 'result.unsent')})",
        ]  # fmt: skip
        told += ownlines.worth(value.worth, self)
        for part in value.parts:
            stretch = {"from": i18n.stamp(part.from_ms), "to": i18n.stamp(part.to_ms)}
            told.append(self("result.part", reason=self.words(part.reason), **stretch))
        missing = sum(part.to_ms - part.from_ms for part in value.parts if part.make_up)
        again = [Choice(self("result.make_up", time=self.long(missing)), "make_up")] if missing else []
        return Lines(tuple(told), (*again, Choice(self("result.done"), "home")))
