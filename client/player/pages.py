"""The learner's own pages, as values: a course's timeline, the rights, the settings, the ways in. Screens render
them."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Literal

from client.player.shown import Course, Trouble
from client.preferences import Looks, Reminder
from client.view import Sentence, Words, Worth


@dataclass(frozen=True, slots=True)
class Timeline:
    """One course, unit by unit."""

    course: Course
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Lost:
    """Media ms of a course that do not count (yet), for one reason."""

    ms: int
    why: Words
    make_up: bool


@dataclass(frozen=True, slots=True)
class Hours:
    """One course: what counts, and what does not with every reason."""

    title: Words
    credited_ms: int
    all_ms: int
    lost: tuple[Lost, ...]
    worth: Worth | None = None  # class hours and credit points


@dataclass(frozen=True, slots=True)
class Found:
    """Something to be clarified (待核实情况) that the study assistant recorded: when, and in the rule's words."""

    at: int  # wall ms
    title: Words
    course: Words


@dataclass(frozen=True, slots=True)
class Agreed:
    """The learner's last word on one thing, and when; `sent`: the server has it."""

    what: str  # notice | commitment | face | photos
    given: bool
    at: int  # wall ms
    sent: bool


@dataclass(frozen=True, slots=True)
class Taken:
    """A sealed photo: when it was taken, and who alone can open it."""

    at: int  # wall ms
    course: Words
    recipients: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Wrote:
    """What the learner wrote to the school: a statement, an appeal, a request for deletion."""

    what: Literal["statement", "appeal", "deletion"]
    at: int  # wall ms, the server's
    text: str
    answer: str = ""
    marked: bool = False  # it has words that somebody will look at; it was sent all the same


@dataclass(frozen=True, slots=True)
class Rights:
    """Everything that is known of the learner, and what can be done about it."""

    hours: tuple[Hours, ...] = ()
    findings: tuple[Found, ...] = ()
    consents: tuple[Agreed, ...] = ()
    photos: tuple[Taken, ...] = ()
    letters: tuple[Wrote, ...] | None = None  # None: the server could not be asked
    done: Sentence | None = None  # what the last button did
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Goal:
    """The day by which a course is to be through; `fixed`: the class says so, the learner does not choose."""

    registration: str
    title: Words
    due: date | None
    fixed: bool


@dataclass(frozen=True, slots=True)
class Settings:
    """Colours, size of text, reminders, goals. `outside`: the desktop can show a reminder beside our window."""

    looks: Looks
    reminders: tuple[Reminder, ...] = ()
    goals: tuple[Goal, ...] = ()
    today: date = date(2026, 1, 1)
    following: str = ""  # when the next reminder comes: 11-24 19:30
    outside: bool = False
    signed_in: bool = True
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Ways:
    """The learner's ways in. `linked`: (issuer, name) of accounts elsewhere that open this one; `offered`: (way, name)
    of those that may be linked. `way`: the one that is being linked, at `uri`, with `user_code`."""

    linked: tuple[tuple[str, str], ...] | None = None  # None: not known yet
    offered: tuple[tuple[str, str], ...] = ()
    way: str = ""
    way_name: str = ""
    uri: str = ""
    user_code: str = ""
    done: Sentence | None = None  # what the last button did
    busy: bool = False
    trouble: Trouble | None = None
