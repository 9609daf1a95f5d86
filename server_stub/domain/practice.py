"""Practice: a course's questions to try, as often as one likes. Nothing is kept, nothing is earned.

Which choice is right stands on the server alone, in `answers/<sha256 of the course>.toml` of the data directory: a
table a unit, in it for each question of the course the number of the right choice from 0, or a table `right` and `why`
(the explanation in zh and en); a table with `prompt` and `choices` besides is a question for practice alone.
"""

from __future__ import annotations

import json
import os
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from ledger.course import Question, Text, Unit
from server_stub.domain.errors import SetupError

MAX_FILE: Final = 4 << 20
MAX_CHOICE: Final = 20
MAX_TEXT: Final = 1_000
MAX_QUESTIONS: Final = 2_000  # of one course
_DIGEST: Final = re.compile(r"[0-9a-f]{64}")
_NAME: Final = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]{0,63}")
_CONTROL: Final = re.compile(r"[\x00-\x1f\x7f\u2028\u2029\u202a-\u202e\u2066-\u2069\ud800-\udfff]")


@dataclass(frozen=True, slots=True)
class Key:
    """The right choice of a question, from 0, and why."""

    right: int
    why: Text | None = None


@dataclass(frozen=True, slots=True)
class Bank:
    """What is known of a course's questions: keys by unit and question, and questions for practice alone by unit."""

    keys: Mapping[str, Mapping[str, Key]] = field(default_factory=dict)
    more: Mapping[str, tuple[Question, ...]] = field(default_factory=dict)

    @property
    def count(self) -> int:
        """How many questions can be tried with an answer."""
        return sum(map(len, self.keys.values()))


@dataclass(frozen=True, slots=True)
class Tried:
    """One question with what was chosen (-1: nothing), whether that is right (None: nobody here knows), and why."""

    unit: str
    question: Question
    chosen: int = -1
    right: bool | None = None
    answer: int = -1  # shown once something was chosen
    why: Text | None = None


def parse(data: bytes) -> Bank:
    """Read an answer file, or raise `SetupError` naming the question."""
    if len(data) > MAX_FILE:
        raise SetupError("a file of answers is shorter than that")
    try:
        table = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the answers cannot be read: {str(error)[:200]}") from error
    keys: dict[str, dict[str, Key]] = {}
    more: dict[str, list[Question]] = {}
    for unit, items in table.items():
        if not isinstance(items, dict):
            raise SetupError(f"answers: {unit[:40]!r} is a table of questions")
        for name, item in items.items():
            where = f"{unit[:40]}/{name[:40]}"
            keys.setdefault(unit, {})[name] = _key(item, where)
            if isinstance(item, dict) and "prompt" in item:
                more.setdefault(unit, []).append(_question(name, item, where))
    if sum(map(len, keys.values())) > MAX_QUESTIONS:
        raise SetupError(f"a course has up to {MAX_QUESTIONS} questions to practise")
    return Bank(keys, {unit: tuple(found) for unit, found in more.items()})


def _key(item: Any, where: str) -> Key:
    if isinstance(item, dict):
        wrong = sorted(set(item) - {"right", "why", "prompt", "choices"})
        if wrong or ("prompt" in item) != ("choices" in item):
            raise SetupError(f"answers of {where}: right, why, and prompt with choices")
        why = _text(item["why"], where) if "why" in item else None
        return Key(_choice(item.get("right"), where), why)
    return Key(_choice(item, where))


def _choice(value: Any, where: str) -> int:
    if type(value) is not int or not 0 <= value < MAX_CHOICE:
        raise SetupError(f"answers of {where}: the number of a choice, from 0")
    return value


def _question(name: str, item: Mapping[str, Any], where: str) -> Question:
    choices = item["choices"]
    if not _NAME.fullmatch(name) or not isinstance(choices, list) or not 2 <= len(choices) <= MAX_CHOICE:
        raise SetupError(f"answers of {where}: a name of letters and digits, and two to {MAX_CHOICE} choices")
    if item["right"] >= len(choices):
        raise SetupError(f"answers of {where}: there is no such choice")
    return Question(name, 0, "practice", _text(item["prompt"], where), tuple(_text(one, where) for one in choices))


def _text(value: Any, where: str) -> Text:
    if not isinstance(value, dict) or set(value) != {"zh", "en"}:
        raise SetupError(f"answers of {where}: a text is in zh and en")
    for said in value.values():
        if not isinstance(said, str) or not 0 < len(said) <= MAX_TEXT or _CONTROL.search(said):
            raise SetupError(f"answers of {where}: a sentence of 1 to {MAX_TEXT} characters")
    return Text(value["zh"], value["en"])


def write(bank: Bank) -> bytes:
    """The file that says this; `parse` reads the same from it."""
    lines = []
    for unit, keys in bank.keys.items():
        lines.append(f"[{json.dumps(unit, ensure_ascii=False)}]")
        own = {question.id: question for question in bank.more.get(unit, ())}
        for name, key in keys.items():
            parts = [f"right = {key.right}", *([f"why = {_said(key.why)}"] if key.why else [])]
            if name in own:
                choices = ", ".join(map(_said, own[name].choices))
                parts += [f"prompt = {_said(own[name].prompt)}", f"choices = [{choices}]"]
            lines.append(f"{json.dumps(name, ensure_ascii=False)} = {{ {', '.join(parts)} }}")
    return "".join(f"{line}\n" for line in lines).encode()


def _said(text: Text) -> str:
    """JSON's strings without control characters are TOML's, too."""
    zh, en = (json.dumps(said, ensure_ascii=False) for said in (text.zh, text.en))
    return f"{{ zh = {zh}, en = {en} }}"


class AnswerFiles:
    """The answers that a data directory holds."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def of(self, course: str) -> Bank:
        """What is known of this course (its sha256); an empty one where there is no file."""
        path = self._folder / f"{course}.toml"
        return parse(path.read_bytes()) if _DIGEST.fullmatch(course) and path.is_file() else Bank()

    def put(self, course: str, bank: Bank) -> None:
        """Keep this in the place of what was there: all of it or nothing; only the server's own account reads it."""
        if not _DIGEST.fullmatch(course):
            raise SetupError("a course is named by its sha256")
        self._folder.mkdir(mode=0o700, exist_ok=True)
        path, fresh = self._folder / f"{course}.toml", self._folder / f"{course}.new"
        handle = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(handle, "wb") as file:
            file.write(write(bank))
            file.flush()
            os.fsync(file.fileno())
        fresh.replace(path)


def try_out(units: Sequence[Unit], bank: Bank, chosen: Mapping[str, int]) -> list[Tried]:
    """All questions of a course, then those for practice alone, with what was chosen; `chosen` by `<unit>/<question>`.
    The answer and why are told for those for which something was chosen."""
    found = []
    for unit in units:
        known = bank.keys.get(unit.id, {})
        for question in (*unit.questions, *bank.more.get(unit.id, ())):
            choice, key = chosen.get(f"{unit.id}/{question.id}", -1), known.get(question.id)
            if not 0 <= choice < len(question.choices):
                found.append(Tried(unit.id, question))
            elif key is None or key.right >= len(question.choices):
                found.append(Tried(unit.id, question, choice))
            else:
                found.append(Tried(unit.id, question, choice, choice == key.right, key.right, key.why))
    return found
