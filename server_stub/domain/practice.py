"""Practice: a course's questions to try, as often as one likes. Nothing is kept, nothing is earned.

Which choice is right stands on the server alone, in `answers/<sha256 of the course>.toml` of the data directory: a
table a unit, in it a question's name = the number of the right choice from 0. A question without one is only shown.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from ledger.course import Question, Unit
from server_stub.domain.errors import SetupError

MAX_FILE: Final = 1 << 20
MAX_CHOICE: Final = 20
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
Answers = Mapping[str, Mapping[str, int]]


@dataclass(frozen=True, slots=True)
class Tried:
    """One question with what was chosen (-1: nothing) and whether that is right (None: nobody here knows)."""

    unit: str
    question: Question
    chosen: int = -1
    right: bool | None = None


def parse(data: bytes) -> Answers:
    """Read an answer file, or raise `SetupError`."""
    if len(data) > MAX_FILE:
        raise SetupError("a file of answers is shorter than that")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the answers cannot be read: {error}") from error
    for unit, items in table.items():
        if not isinstance(items, dict):
            raise SetupError(f"answers: {unit[:40]!r} is a table of questions")
        if not all(type(number) is int and 0 <= number < MAX_CHOICE for number in items.values()):
            raise SetupError(f"answers of {unit[:40]!r}: each is the number of a choice, from 0")
    return table


class AnswerFiles:
    """The answers that a data directory holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, course: str) -> Answers:
        """By unit and question; {} where there is no file for this course (its sha256)."""
        path = self._folder / f"{course}.toml"
        return parse(path.read_bytes()) if _DIGEST.fullmatch(course) and path.is_file() else {}


def try_out(units: Sequence[Unit], answers: Answers, chosen: Mapping[str, int]) -> list[Tried]:
    """All questions of a course with what was chosen; `chosen` by `<unit>/<question>`."""
    found = []
    for unit in units:
        for question in unit.questions:
            choice = chosen.get(f"{unit.id}/{question.id}", -1)
            key = answers.get(unit.id, {}).get(question.id)
            fits = 0 <= choice < len(question.choices)
            found.append(Tried(unit.id, question, choice if fits else -1,
                               choice == key if fits and key is not None else None))  # fmt: skip
    return found
