"""The papers of supervision: applications, cases, inspections, certificates, holds. One drawer, one form, no name of
a person as a key. What is decided by a paper stands in the class log beside it; the paper can be erased."""

from __future__ import annotations

import secrets
from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Protocol, TypeVar

from server_stub.domain.errors import NotThereError
from server_stub.domain.shape import from_data, to_data

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Paper:
    """`place`: where it belongs (class/…, employer/…); `about`: a learner, a keyed hash, or "". Times in ms."""

    kind: str
    place: str
    about: str
    state: str
    made: int
    changed: int
    data: Mapping[str, Any]
    paper: str = field(default_factory=lambda: secrets.token_hex(16))
    version: int = 0  # of the row that is kept; 0 is not kept yet

    def read(self, kind: type[T]) -> T:
        """What it says, as a value."""
        return from_data(kind, self.data)


class Papers(Protocol):
    """Keeps them; every method is one transaction of its own."""

    def put(self, *papers: Paper) -> Sequence[Paper]:
        """Keep them all, each in a higher version; `PaperChangedError`, and none of them is, when another is kept."""

    def get(self, kind: str, paper: str) -> Paper | None: ...
    def find(
        self,
        kind: str,
        *,
        places: Collection[str] | None = None,
        about: Collection[str] | None = None,
        states: Collection[str] | None = None,
        limit: int = 1000,
    ) -> Sequence[Paper]:
        """The latest first; every part that is given must fit."""  # fmt: skip

    def count(self, kind: str) -> Mapping[tuple[str, str], int]:
        """How many there are by place and state."""

    def drop(self, papers: Collection[str]) -> int:
        """Erase them; return how many there were."""


def fresh(kind: str, place: str, about: str, state: str, now: int, value: object) -> Paper:
    """A new paper that says `value`."""
    return Paper(kind, place, about, state, now, now, to_data(value))


def changed(paper: Paper, now: int, value: object, state: str = "") -> Paper:
    """The same paper saying something else, perhaps in another state; to be put."""
    return replace(paper, data=to_data(value), changed=now, state=state or paper.state)


def required(found: Paper | None) -> Paper:
    """The paper, or `NotThereError`."""
    if found is None:
        raise NotThereError("no such paper")
    return found
