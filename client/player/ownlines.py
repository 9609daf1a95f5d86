"""The learner's own pages as lines of text: a timeline, the rights, the settings, the ways in.

For `client/player/lines.py`.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any, Final

from client.player import i18n
from client.player.choices import Choice, Lines
from client.player.pages import Agreed, Goal, Hours, Rights, Settings, Timeline, Ways, Wrote
from client.preferences import DAYS, Reminder
from client.timeline import legs, length
from client.view import Worth

MINE: Final = ("face", "photos")  # what may be taken back while one studies
FIRST_GOAL: Final = timedelta(days=30)
STEPS: Final = (-7, 7)
Say = Callable[..., str]


def timeline(value: Timeline, language: str, say: Say) -> Lines:
    """What counts of each unit and why the rest does not; a make-up of one unit, or of all."""
    course, told, choices = value.course, [_of(value.course.title, language)], []
    for line in course.lines:
        whole = i18n.long(language, line.duration_ms)
        counts = say("today.credited", done=i18n.long(language, line.sum("credited")), all=whole)
        told.append(f"{_of(line.title, language)}: {counts}")
        for part in line.stretches:
            if part.why is not None:
                stretch = {"from": i18n.stamp(part.from_ms), "to": i18n.stamp(part.to_ms)}
                told.append(say("result.part", reason=_of(part.why, language), **stretch))
        if missing := length(legs(course.lines, line.unit)):
            words = say("timeline.make_up", time=i18n.long(language, missing))
            target = (course.registration, line.unit)
            choices.append(Choice(f"{_of(line.title, language)}: {words}", "make_up_unit", target))
    if len(choices) > 1:
        all_ = say("timeline.make_up_all", time=i18n.long(language, length(legs(course.lines))))
        choices.insert(0, Choice(all_, "make_up_of", course.registration))
    return _page(value, [*_trouble(value, language, say), *told], [*choices, Choice(say("text.back"), "home")], say)


def rights(value: Rights, language: str, say: Say) -> Lines:
    """Everything that is known of the learner, in the order of the screen; below it what can be done about it."""
    told = [*_trouble(value, language, say)]
    if value.done is not None and not value.busy:
        told.append(say(value.done))
    told += [say("rights.title"), say("rights.lead"), *_hours(value.hours, language, say), say("rights.findings")]
    told += [
        f"{_when(found.at)} · {_of(found.course, language)} · {_of(found.title, language)}" for found in value.findings
    ] or [say("rights.findings_none")]
    told += [say("rights.words_lead"), say("text.letter"), *_letters(value.letters, say), say("rights.consents")]
    told += [_agreed(one, say) for one in value.consents]
    told.append(say("rights.photos"))
    for taken in value.photos:
        sealed = say("rights.photo", names=", ".join(taken.recipients))
        told.append(f"{_when(taken.at)} · {_of(taken.course, language)} · {sealed}")
    if not value.photos:
        told.append(say("rights.photos_none"))
    return _page(value, told, list(_acts(value, say)), say, "letter")


def sure(say: Say) -> Lines:
    """Asked once more before a deletion is asked for."""
    yes, no = Choice(say("rights.delete_yes"), "delete_yes"), Choice(say("rights.delete_no"), "delete_no")
    return Lines((say("rights.delete_sure"),), (yes, no))


def settings(value: Settings, language: str, say: Say) -> Lines:
    """Reminders and goals; colours and size of text are the window's."""
    looks = say("settings.dark" if value.looks.dark else "settings.light")
    told = [*_trouble(value, language, say), say("settings.title"), f"{say('settings.looks')}: {looks}"]
    told.append(f"{say('settings.text')}: {say('settings.scale', percent=value.looks.scale)}")
    choices: list[Choice] = []
    if value.signed_in:
        told += [say("settings.reminders"), say("text.reminder")]
        for number, one in enumerate(value.reminders):
            told.append(_reminder(one, say))
            rest = (*value.reminders[:number], *value.reminders[number + 1 :])
            choices.append(Choice(f"{say('settings.remove')}: {_reminder(one, say)}", "reminders", rest))
        if value.following:
            told.append(say("settings.following", at=value.following))
        told.append(say("settings.honest_inside"))
        for goal in value.goals:
            told.append(f"{_of(goal.title, language)}: {_goal(goal, say)}")
            choices += _aims(value, goal, language, say)
        choices += [Choice(say("ways.title"), "ways"), Choice(say("app.sign_out"), "sign_out")]
    return _page(value, told, [*choices, Choice(say("text.back"), "back")], say, "reminder" if value.signed_in else "")


def ways(value: Ways, language: str, say: Say) -> Lines:
    """Which accounts elsewhere open this one, one more, one less."""
    told = [*_trouble(value, language, say), say("ways.title"), say("ways.lead")]
    if value.done is not None and not value.busy:
        told.append(say(value.done))
    if value.uri:
        lead = "signin.elsewhere_code" if value.user_code else "signin.elsewhere_scan"
        said = (say("ways.link", name=value.way_name), say(lead), value.user_code, value.uri)
        return Lines((*told, *(one for one in said if one)), (Choice(say("ways.cancel"), "cancel_link"),))
    told += [f"{say('ways.always')}: {say('ways.always_lead')}"]
    if value.linked is not None:
        told += [f"{say('ways.mine')}: {name}" for _, name in value.linked] or [
            say("ways.none" if value.offered else "ways.none_here")
        ]
    choices = [Choice(f"{say('ways.unlink')}: {name}", "unlink", issuer) for issuer, name in value.linked or ()]
    choices += [Choice(say("ways.link", name=one[1]), "link", one) for one in value.offered]
    return _page(value, told, [*choices, Choice(say("text.back"), "back")], say)


# --- parts ------------------------------------------------------------------------------------------------------------


def _page(value: Any, told: list[str], choices: list[Choice], say: Say, field: str = "") -> Lines:
    """While something is on its way there is nothing to choose: nothing is sent twice."""
    if value.busy:
        return Lines((*told, say("today.loading")))
    return Lines(tuple(told), tuple(choices), field)


def _trouble(value: Any, language: str, say: Say) -> Iterator[str]:
    if value.trouble is not None:
        yield _of(value.trouble.sentence, language)
        yield say("error.code", code=value.trouble.code)


def _hours(hours: tuple[Hours, ...], language: str, say: Say) -> Iterator[str]:
    yield say("rights.hours")
    if not hours:
        yield say("rights.none_yet")
    for one in hours:
        done, whole = i18n.long(language, one.credited_ms), i18n.long(language, one.all_ms)
        yield f"{_of(one.title, language)}: {say('today.credited', done=done, all=whole)}"
        yield from worth(one.worth, say)
        for lost in one.lost:
            yield f"{i18n.long(language, lost.ms)} · {_of(lost.why, language)}"


def worth(found: Worth | None, say: Say) -> Iterator[str]:
    """Credit points and class hours, and why; nothing where the class names no table."""
    if found is not None:
        yield say("points.line", points=found.points, hours=found.hours)
        yield from map(say, found.why)


def _letters(letters: tuple[Wrote, ...] | None, say: Say) -> Iterator[str]:
    if letters is None:
        yield say("rights.letters_unknown")
    for one in letters or ():
        yield f"{say(f'rights.was_{one.what}', at=_when(one.at))}: {one.text[:200]}"
        yield say("rights.answer", text=one.answer) if one.answer else say("rights.no_answer")


def _agreed(one: Agreed, say: Say) -> str:
    state = say("rights.state_given" if one.given else "rights.state_withdrawn")
    since = say("rights.since", at=_when(one.at)) + ("" if one.sent else say("rights.unsent"))
    return f"{say(f'rights.what_{one.what}')}: {state} ({since})"


def _acts(value: Rights, say: Say) -> Iterator[Choice]:
    yield Choice(say("rights.copy"), "save", "copy")
    yield Choice(say("rights.bundle"), "save", "appeal")
    yield Choice(say("rights.send"), "write", "statement")
    yield Choice(say("rights.appeal"), "write", "appeal")
    for one in value.consents:
        if one.what in MINE:
            words = say("rights.withdraw" if one.given else "rights.give")
            yield Choice(f"{words}: {say(f'rights.what_{one.what}')}", "decide", (one.what, not one.given))
    yield Choice(say("rights.delete"), "delete")
    yield Choice(say("text.back"), "back")


def _reminder(one: Reminder, say: Say) -> str:
    days = "" if len(one.days) == DAYS else " " + " ".join(say(f"settings.day_{day}") for day in one.days)
    return f"{one.clock}{days}"


def _goal(goal: Goal, say: Say) -> str:
    if goal.due is None:
        return say("settings.no_goal")
    return say("settings.fixed_goal", day=goal.due.isoformat()) if goal.fixed else goal.due.isoformat()


def _aims(value: Settings, goal: Goal, language: str, say: Say) -> Iterator[Choice]:
    title, name = _of(goal.title, language), goal.registration
    if goal.fixed:
        return
    if goal.due is None:
        yield Choice(f"{title}: {say('settings.set_goal')}", "goal", (name, value.today + FIRST_GOAL))
        return
    for step in STEPS:
        days = say("settings.days", days=f"+{step}" if step > 0 else f"−{-step}")
        yield Choice(f"{title}: {days}", "goal", (name, goal.due + timedelta(days=step)))
    yield Choice(f"{title}: {say('settings.clear_goal')}", "goal", (name, None))


def _of(words: Any, language: str) -> str:
    return str(getattr(words, language))


def _when(ms: int) -> str:
    """A moment by this computer's clock."""
    return time.strftime("%Y-%m-%d %H:%M", time.localtime(ms / 1000))
