"""One thing that the doctor looked at: how it is, in Chinese and English, and one remedy if something is to be done."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Any, Final, Literal

Level = Literal["ok", "warn", "fail"]  # fail: studying does not work like this; warn: it works, with less
LEVELS: Final[tuple[Level, ...]] = ("ok", "warn", "fail")
# Facts that say nothing of a person, their computer's name or their files: all that a support bundle carries.
PLAIN: Final = frozenset({"engine", "load", "version", "free_mib", "count", "seconds"})
_PLAIN: Final = re.compile(r"[0-9]{1,5}(\.[0-9]{1,5}){1,3}|mediapipe|dnn|normal|low")  # of those that are text

Facts = Mapping[str, str | int]


@dataclass(frozen=True, slots=True)
class Found:
    """`what` was looked at, `how` it is (both keys of words.toml), and the `facts` that its words name."""

    what: str
    how: str
    level: Level = "ok"
    facts: Facts = field(default_factory=dict)

    def name(self, language: str) -> str:
        """What was looked at."""
        return str(words()[self.what][language])

    def says(self, language: str) -> str:
        """How it is."""
        return self._filled(language)

    def remedy(self, language: str) -> str:
        """What to do; empty when all is well."""
        return "" if self.level == "ok" else self._filled(f"todo_{language}")

    def to_json(self) -> dict[str, Any]:
        """As `doctor --json` prints it."""
        told: dict[str, Any] = {"what": self.what, "level": self.level, "how": self.how}
        told |= {language: self.says(language) for language in ("zh", "en")}
        if self.level != "ok":
            told["remedy"] = {language: self.remedy(language) for language in ("zh", "en")}
        return told

    def plain(self) -> dict[str, Any]:
        """The same without a word that may name a person, a computer or a file."""
        told: dict[str, Any] = {"what": self.what, "level": self.level, "how": self.how}
        for name, value in self.facts.items():
            if name in PLAIN and (isinstance(value, int) or _PLAIN.fullmatch(value)):
                told[name] = value
        return told

    def _filled(self, key: str) -> str:
        text = str(words()[self.what][self.how].get(key, ""))
        for name, value in self.facts.items():
            text = text.replace(f"{{{name}}}", str(value))
        return text


@cache
def words() -> Mapping[str, Any]:
    """All that the doctor can say."""
    return tomllib.loads(Path(__file__).with_name("words.toml").read_text("utf-8"))


def worst(found: list[Found]) -> Level:
    """The level of the whole."""
    return max((item.level for item in found), key=LEVELS.index, default="ok")
