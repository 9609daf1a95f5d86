"""One page of text: what is told, what may be chosen by number, what may be written. Values only."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Choice:
    """One numbered choice: its words, the name of what it does, and with what."""

    words: str
    do: str
    value: Any = None


@dataclass(frozen=True, slots=True)
class Lines:
    """One page. `told` is said when it changes; `field` names what a typed line is, "" where none is wanted."""

    told: tuple[str, ...]
    choices: tuple[Choice, ...] = ()
    field: str = ""
