"""The words on the screen, in Simplified Chinese and English: one table a language, equal keys, equal placeholders.

English of what the lesson says stands in `client/view.py` (its `TEXT`); `en.toml` holds the other screens, `zh.toml`
all of both. Values that are filled in may come from outside: they are shown as they are, never parsed.
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Mapping
from functools import cache
from pathlib import Path
from typing import Any, Final

from client.view import TEXT, Sentence, Value, Words

LANGUAGES: Final = ("zh", "en")
PLACEHOLDER: Final = re.compile(r"\{([a-z_]+)\}")
FORBIDDEN: Final = ("attack", "suspicious", "cheat", "failed face", "人脸失败", "违规", "作弊", "检查点")
_MINUTE, _HOUR = 60_000, 3_600_000


@cache
def table(language: str) -> Mapping[str, str]:
    """Key → words of one language."""
    data = tomllib.loads((Path(__file__).parent / f"{language}.toml").read_text(encoding="utf-8"))
    return {**(TEXT if language == "en" else {}), **_flat(data, "")}


def _flat(data: Mapping[str, Any], prefix: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in data.items():
        if isinstance(value, dict):
            found |= _flat(value, f"{prefix}{key}.")
        else:
            found[prefix + key] = str(value)
    return found


def say(language: str, sentence: Sentence | str, **values: Value) -> str:
    """A sentence in a language, its placeholders filled. An unknown key is shown itself: ugly, but nothing is lost."""
    key = sentence.key if isinstance(sentence, Sentence) else sentence
    given = {**sentence.values, **values} if isinstance(sentence, Sentence) else values
    pattern = table(language).get(key, key)
    return PLACEHOLDER.sub(lambda m: _value(language, given.get(m[1], m[0])), pattern)


def _value(language: str, value: Value) -> str:
    if isinstance(value, Sentence):
        return say(language, value)
    return str(getattr(value, language)) if isinstance(value, Words) else str(value)


def long(language: str, ms: int) -> str:
    """A length of time in words: 45 s, 12 min 30 s, 1 h 12 min."""
    hours, minutes, seconds = ms // _HOUR, ms // _MINUTE % 60, ms // 1000 % 60
    if hours and not minutes:
        return say(language, "time.whole_hours", hours=hours)
    if hours:
        return say(language, "time.hours", hours=hours, minutes=minutes)
    if minutes:
        return say(language, "time.minutes", minutes=minutes, seconds=seconds) if seconds else say(
            language, "time.whole_minutes", minutes=minutes)  # fmt: skip
    return say(language, "time.seconds", seconds=seconds)


def stamp(ms: int) -> str:
    """A place in a lesson: 12:31, 1:02:07."""
    hours, minutes, seconds = ms // _HOUR, ms // _MINUTE % 60, ms // 1000 % 60
    return f"{hours}:{minutes:02d}:{seconds:02d}" if hours else f"{minutes}:{seconds:02d}"
