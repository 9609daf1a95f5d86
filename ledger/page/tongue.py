"""The page's words in one language: every sentence stands in zh.toml and en.toml, and nowhere else."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from importlib import resources
from typing import Any, Final

from ledger.errors import LedgerError
from ledger.page.said import in_chinese
from ledger.reasons import reason

LANGUAGES: Final = ("zh", "en")
_BEIJING: Final = timezone(timedelta(hours=8))


@dataclass(frozen=True, slots=True)
class Tongue:
    """One language of the page."""

    lang: str
    words: dict[str, Any]

    def say(self, key: str, **values: object) -> str:
        """The sentence called `key` ("part.name"), filled in."""
        part, _, name = key.partition(".")
        return str(self.words[part][name]).format(**values)

    def name(self, part: str, key: str) -> str:
        """The word for a value of the records; the value itself where there is none."""
        return str(self.words[part].get(key, key))

    def reason(self, code: str) -> str:
        """Why a part is not counted."""
        return reason(code).zh if self.lang == "zh" else reason(code).en

    def said(self, message: object) -> str:
        """What the verifier itself said, or an error of ours."""
        return in_chinese(str(message)) if self.lang == "zh" else str(message)

    def remedy(self, code: str) -> str:
        """What to do about a refusal."""
        error = _ERRORS.get(code, LedgerError)
        return error.zh if self.lang == "zh" else error.remedy

    def length(self, ms: int) -> str:
        """A duration: hours, minutes, seconds."""
        seconds = ms // 1000
        hours, minutes, rest = seconds // 3600, seconds // 60 % 60, seconds % 60
        unit = self.words["unit"]
        parts = [(hours, unit["h"]), (minutes, unit["min"]), (rest, unit["s"])]
        while len(parts) > 1 and not parts[0][0]:
            parts.pop(0)
        return " ".join(f"{number} {name}" for number, name in parts)

    def moment(self, seconds: int) -> str:
        """A POSIX time; Beijing time in Chinese, UTC in English, and it says so; "–" for none."""
        if not seconds:
            return "–"
        try:
            at = datetime.fromtimestamp(seconds, _BEIJING if self.lang == "zh" else UTC)
        except (OverflowError, ValueError, OSError):
            return str(seconds)
        return at.strftime("%Y-%m-%d %H:%M:%S ") + self.say("unit.zone")


def load(lang: str) -> Tongue:
    """The page's words in `lang`, one of `LANGUAGES`."""
    text = (resources.files("ledger") / "page" / f"{lang}.toml").read_text("utf-8")
    return Tongue(lang, tomllib.loads(text))


def _all(error: type[LedgerError]) -> dict[str, type[LedgerError]]:
    found = {error.code: error}
    for below in error.__subclasses__():
        found = {**_all(below), **found}
    return found


_ERRORS: Final = _all(LedgerError)
