"""What the screens show, as values: the composition root fills them, the screens render them and hold nothing else."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from datetime import date
from typing import Literal

from client.airing import Planned, announced
from client.events import Prompt
from client.timeline import UnitLine
from client.today import Plan
from client.view import Sentence, Words, Worth


@dataclass(frozen=True, slots=True)
class Trouble:
    """An error for people: a sentence with the remedy, a stable code, and the key of the button's label ("": none)."""

    sentence: Words
    code: str
    action: str = "error.retry"


def trouble_of(error: Exception, action: str = "error.retry") -> Trouble:
    """The trouble that an error of any room states by its `code`, `remedy` and `zh`; a server's own words go first."""

    def first(*names: str) -> str:
        return next((str(found) for name in names if (found := getattr(error, name, ""))), "")

    en = first("server_remedy", "remedy") or str(error)
    zh = first("server_zh", "zh") or en
    return Trouble(Words(zh, en), first("server_code", "code") or "TS-C-000", action)


@dataclass(frozen=True, slots=True)
class Choices:
    """What the learner decided on the notice: all of both consents' combinations are fine."""

    notice: bool
    commitment: bool
    face: bool
    photos: bool


@dataclass(frozen=True, slots=True)
class Notice:
    """The notice screen; `trouble` when the choices could not be kept."""

    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class SignIn:
    """Sign-in: an account and the code that was sent; an employer's activation code; elsewhere (`uri`, `user_code`).

    `ways`: (way, name) of the server's other ways; "help": lost code, new number, lost computer.
    """

    step: Literal["account", "code", "activation", "elsewhere", "help"] = "account"
    account: str = ""
    busy: bool = False
    again_in: int = 0  # seconds until the code may be sent again
    development: bool = False
    server: str = ""
    trouble: Trouble | None = None
    ways: tuple[tuple[str, str], ...] = ()
    way: str = ""
    way_name: str = ""
    uri: str = ""
    user_code: str = ""


@dataclass(frozen=True, slots=True)
class RealName:
    """How far the real name is confirmed; `can_ask`: a development server confirms on request."""

    name: str
    state: Literal["open", "development", "identified"]
    can_ask: bool = False
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Enrol:
    """Face enrolment and practice. `known`: there is a face already; `missing`: the gesture to be missed on purpose.

    `advice` is the reason of an attempt that was not clear, as a check's result would name it.
    """

    step: Literal["intro", "starting", "camera", "running", "passed", "unclear", "practised"]
    prompt: Prompt | None = None
    scripted: bool = False
    known: bool = False
    practice: bool = False
    missing: bool = False
    advice: str = ""
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Course:
    """One course of the learner on the overview."""

    registration: str
    title: Words
    units: int
    credited_ms: int
    all_ms: int
    make_up_ms: int = 0
    next_unit: Words | None = None
    lines: tuple[UnitLine, ...] = ()  # every unit: what counts, what does not yet, what was never seen
    plan: Plan | None = None
    due: date | None = None  # the class's last day, or the learner's own goal
    own_goal: bool = False
    cap_ms: int = 0  # what the programme counts in one day
    window: tuple[str, str] = ("00:00", "24:00")  # hours in which study counts
    worth: Worth | None = None  # class hours and credit points; None: nothing studied yet, or no table
    planned: tuple[Planned, ...] = ()  # live lessons of which something is left
    utc_offset_minutes: int = 0  # where the programme is
    live: tuple[Sentence, ...] = ()  # what is said of them now: the one that is on, the next ones

    @property
    def complete(self) -> bool:
        """Everything is counted."""
        return self.credited_ms >= self.all_ms

    def at(self, wall: int) -> Course:
        """The same course with its live lessons as they are announced at `wall` (epoch ms)."""
        said = announced(self.planned, wall, self.utc_offset_minutes)
        return self if said == self.live else replace(self, live=said)


@dataclass(frozen=True, slots=True)
class Today:
    """The overview."""

    name: str
    courses: tuple[Course, ...]
    pending: int = 0  # records signed and not yet receipted
    online: bool = True
    identity_open: bool = False
    sparing: bool = False  # this computer runs at low load
    face: bool = False  # whether there is anything to enrol for, or to practise
    bell: Sentence | None = None  # a reminder that is due, or that passed while this program was closed
    standing: tuple[Sentence, ...] = ()  # how the records stand: last sent when, what waits
    waiting: bool = False  # whether records wait to be sent: the button that sends them now
    busy: bool = False
    trouble: Trouble | None = None


@dataclass(frozen=True, slots=True)
class Page:
    """A page that only says one thing."""

    trouble: Trouble
    title: Sentence = field(default_factory=lambda: Sentence("error.title"))
