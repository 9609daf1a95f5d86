"""What the doctor's screen shows, as a value: a line a thing, the ones with something to do first."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from client.view import Words


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that was looked at; `remedy` is empty when all is well. `level`: ok, warn or fail."""

    name: Words
    says: Words
    remedy: Words
    level: str


@dataclass(frozen=True, slots=True)
class Health:
    """All lines so far; `busy` while more are to come; `kept` names the support bundle that was just written."""

    lines: Sequence[Line] = ()
    busy: bool = True
    kept: str = ""

    def of(self, level: str) -> list[Line]:
        """The lines of one level, in the order in which they were looked at."""
        return [line for line in self.lines if line.level == level]
