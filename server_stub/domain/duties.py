"""Who of the staff may do what where: a duty is a role at a place; a place lies within its parents (R1.7).

Places form a tree: district over institution over class, and employers and providers beside them. A duty at a place
holds for everything below it, and nowhere else; a duty at `EVERYWHERE` holds for all. Pure: no store, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from server_stub.domain.errors import NotAllowedError, UnreadableError

EVERYWHERE: Final = ""
KINDS: Final = ("district", "institution", "employer", "provider", "class")
_PARENTS: Final[Mapping[str, tuple[str, ...]]] = {  # what a place of a kind may lie in; "" is nowhere in particular
    "district": ("", "district"),
    "institution": ("", "district"),
    "employer": ("", "district"),
    "provider": ("",),
    "class": ("", "institution"),
}
_DEPTH: Final = 16  # districts within districts; a longer chain is a fault
_PLACE: Final = re.compile(r"(district|institution|employer|provider|class)/[a-z0-9][a-z0-9.-]{0,62}")


class Right(StrEnum):
    """One thing that somebody may do."""

    SEE = "see"  # learners, sessions, live view
    STEER = "steer"  # message, pause
    DECIDE = "decide"  # hand in what supervisors signed: spot checks, identifications, verdicts
    IMPORT = "import"  # learners, by list
    REVEAL = "reveal"  # one learner's identity number in full, for a stated reason
    EXPORT = "export"  # the class archive
    FLEET = "fleet"  # devices and versions, no findings
    FIGURES = "figures"  # counts without persons
    STAFF = "staff"  # accounts and duties of the staff, and places


_ALL = frozenset(Right)
ROLES: Final[Mapping[str, frozenset[Right]]] = {
    "administrator": _ALL,
    "supervisor": _ALL - {Right.STAFF, Right.IMPORT},
    "officer": frozenset({Right.SEE, Right.STEER, Right.IMPORT, Right.EXPORT, Right.FLEET, Right.FIGURES}),
    "teacher": frozenset({Right.SEE, Right.STEER, Right.FIGURES}),
    "employer": frozenset({Right.FLEET, Right.FIGURES}),
    "provider": frozenset({Right.FIGURES}),
}
ROLE_PLACES: Final[Mapping[str, tuple[str, ...]]] = {  # where a role can be held
    "administrator": ("", "district", "institution"),
    "supervisor": ("", "district", "institution", "class"),
    "officer": ("institution",),
    "teacher": ("institution", "class"),
    "employer": ("employer",),
    "provider": ("provider",),
}


@dataclass(frozen=True, slots=True)
class Place:
    """A district, institution, employer, provider or class; `key` is its kind, a slash and its name for life."""

    key: str
    name: str
    parent: str = ""

    @property
    def kind(self) -> str:
        """The part before the slash."""
        return self.key.partition("/")[0]


@dataclass(frozen=True, slots=True)
class Duty:
    """One role of one account at one place."""

    account: str
    role: str
    place: str = EVERYWHERE


class Tree:
    """All places, and which lies within which."""

    def __init__(self, places: Iterable[Place]) -> None:
        self.places = {place.key: place for place in places}

    def chain(self, key: str) -> tuple[str, ...]:
        """The place, its parent, its parent's parent, …, and `EVERYWHERE`; an unknown place lies only in the latter."""
        found: list[str] = []
        while key and key not in found and len(found) < _DEPTH:
            found.append(key)
            known = self.places.get(key)
            key = known.parent if known else ""
        return (*found, EVERYWHERE)

    def may(self, duties: Iterable[Duty], right: Right, key: str) -> bool:
        """Whether one of these duties gives the right at this place."""
        around = self.chain(key)
        return any(duty.place in around and right in ROLES.get(duty.role, frozenset()) for duty in duties)

    def anywhere(self, duties: Iterable[Duty], right: Right) -> bool:
        """Whether one of these duties gives the right somewhere."""
        return any(right in ROLES.get(duty.role, frozenset()) for duty in duties)

    def check_place(self, place: Place) -> None:
        """Return quietly, or raise `UnreadableError`: the key is well formed, the parent is there and is no child."""
        if not _PLACE.fullmatch(place.key) or not 0 < len(place.name) <= 200:
            raise UnreadableError(f"{place.key[:80]!r} is no place: a kind, a slash and up to 63 of a-z 0-9 . -")
        if place.parent and place.parent not in self.places:
            raise UnreadableError(f"there is no place {place.parent[:80]!r}")
        if place.parent.partition("/")[0] not in _PARENTS[place.kind]:
            raise UnreadableError(f"a place of kind {place.kind} does not lie in {place.parent[:80]!r}")
        if place.key in self.chain(place.parent):
            raise UnreadableError("a place does not lie within itself")

    def check_duty(self, duty: Duty, giver: Iterable[Duty]) -> None:
        """Return quietly, or raise: the role can be held there, and the giver holds at least as much around it."""
        if duty.role not in ROLES or duty.place.partition("/")[0] not in ROLE_PLACES[duty.role]:
            raise UnreadableError(f"the role {duty.role[:40]!r} is not held at {duty.place[:80]!r}")
        if duty.place and duty.place not in self.places:
            raise UnreadableError(f"there is no place {duty.place[:80]!r}")
        giver = tuple(giver)
        if not all(self.may(giver, right, duty.place) for right in {*ROLES[duty.role], Right.STAFF}):
            raise NotAllowedError("nobody gives a duty that is larger than their own")
