"""What the server knows of people beyond their accounts: numbers, employers, places, duties. Values and the port."""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Protocol

from server_stub.domain.duties import Duty, Place


@dataclass(frozen=True, slots=True)
class Person:
    """A learner. `identity` is the keyed hash of the identity number, `sealed` the number itself, both empty if
    unknown; `employer` is a place's key or ""."""

    account: str
    learner: str
    name: str
    phone: str = ""
    employer: str = ""
    identity: str = ""
    sealed: bytes = b""
    classes: tuple[str, ...] = ()  # in which the learner is registered


@dataclass(frozen=True, slots=True)
class Enrolment:
    """One person as a list says it: made, changed or only enrolled; `registration` is "" where there is one already."""

    person: Person
    registration: str
    is_new: bool


@dataclass(frozen=True, slots=True)
class Deed:
    """One line of the journal: who did what. `leaf` is that of the audit in the first class it touched, or -1;
    `number` is the line's own, 0 for one that is not written down yet."""

    at: int
    by: str
    did: str
    target: str
    reason: str
    place: str
    leaf: int = -1
    number: int = 0


@dataclass(frozen=True, slots=True)
class Sought:
    """Which lines of the journal: those before line `before`, of these places (None: of all), by one of the `accounts`
    or one whose name holds `by` (both empty: by anybody), of this verb, from `since` until before `until` (ms)."""

    places: Collection[str] | None = None
    before: int = 2**52
    accounts: Collection[str] = ()
    by: str = ""
    did: str = ""
    since: int = 0
    until: int = 2**52


@dataclass(frozen=True, slots=True)
class Draft:
    """A list that was uploaded and not confirmed yet, sealed."""

    draft: str
    by: str
    class_id: str
    expires: int
    sealed: bytes
    shown: str  # hash of what the preview showed


@dataclass(frozen=True, slots=True)
class Wanted:
    """What a search asks for: every part that is given must fit. `classes` None means wherever."""

    text: str = ""  # part of a name, an account or a phone number
    identity: str = ""  # the keyed hash of a whole identity number
    classes: Collection[str] | None = None
    employer: str = ""  # a place's key
    after: tuple[str, str] = ("", "")  # name and account of the last one of the page before


class Registry(Protocol):
    """Keeps it; every method is one transaction of its own."""

    def places(self) -> Sequence[Place]: ...
    def put_place(self, place: Place) -> None:
        """Add a place, or give one that is there another name and parent."""

    def duties(self, account: str | None = None) -> Sequence[Duty]: ...
    def add_duty(self, duty: Duty) -> None: ...
    def drop_duty(self, duty: Duty) -> bool:
        """Whether it was there."""

    def search(self, wanted: Wanted, limit: int) -> Sequence[Person]:
        """Learners by name, then account."""

    def person(self, learner: str) -> Person | None: ...
    def known(self, accounts: Collection[str], identities: Collection[str]) -> Sequence[Person]:
        """Everybody who has one of these accounts or identity hashes; staff with an empty `learner`."""

    def counts(self) -> Mapping[str, int]:
        """Registrations by class."""

    def enrol(self, class_id: str, people: Sequence[Enrolment]) -> None:
        """All of it or nothing; `StalePreviewError` when somebody else took an account or a number meanwhile."""

    def keep_draft(self, draft: Draft) -> None: ...
    def draft(self, draft: str) -> Draft | None: ...
    def drop_drafts(self, now: int, draft: str = "") -> None:
        """Forget the drafts that expired, and this one."""

    def write_down(self, deed: Deed) -> None: ...
    def journal(self, sought: Sought, limit: int) -> Sequence[Deed]:
        """The deeds that fit in every part, the latest first."""
