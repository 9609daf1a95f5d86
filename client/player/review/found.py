"""What a review finds: the regulation's number, how grave, where, and the sentence in both languages."""

from __future__ import annotations

import tomllib
from dataclasses import dataclass
from functools import cache
from importlib import resources
from typing import Any, Final

from client.player.errors import ReviewError

_LISTS: Final = ("video_codecs", "audio_codecs", "adverts")
_NUMBERS: Final = (
    "min_height", "min_rate_permille", "length_off_ms", "quietest_db", "loudest_db", "silent_permille",
    "caption_permille", "preview_ms", "shared_permille",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that the reviewer is told. An `error` keeps the course from being put on, a `warning` is looked at."""

    number: str
    level: str  # error | warning
    where: str
    en: str
    zh: str

    def __str__(self) -> str:
        mark = "!!" if self.level == "error" else "·"
        return f"{mark} {self.number} {self.where}: {self.en}\n     {self.zh}"


def error(number: str, where: str, en: str, zh: str) -> Finding:
    """What must be put right."""
    return Finding(number, "error", where, en, zh)


def warning(number: str, where: str, en: str, zh: str) -> Finding:
    """What a person looks at."""
    return Finding(number, "warning", where, en, zh)


@dataclass(frozen=True, slots=True)
class Spec:
    """What picture and sound must be (`spec.toml`)."""

    video_codecs: tuple[str, ...]
    audio_codecs: tuple[str, ...]
    adverts: tuple[str, ...]
    min_height: int
    min_rate_permille: int
    length_off_ms: int
    quietest_db: int
    loudest_db: int
    silent_permille: int
    caption_permille: int
    preview_ms: int
    shared_permille: int


def parse_spec(data: bytes) -> Spec:
    """What the bytes of a spec.toml state, or `ReviewError` naming the field."""
    try:
        table: dict[str, Any] = tomllib.loads(data[: 1 << 20].decode())
    except (ValueError, RecursionError) as error_:
        raise ReviewError(f"spec: no TOML: {str(error_)[:200]}") from error_
    wrong = sorted(set(table) ^ {*_LISTS, *_NUMBERS})
    if wrong:
        raise ReviewError(f"spec: missing or unknown field {wrong[0][:64]!r}")
    for name in _NUMBERS:
        if type(table[name]) is not int or not -200 <= table[name] <= 10**9:
            raise ReviewError(f"spec: {name} is a whole number")
    for name in _LISTS:
        words = table[name]
        if not isinstance(words, list) or not all(isinstance(word, str) and 0 < len(word) <= 40 for word in words):
            raise ReviewError(f"spec: {name} is a list of words")
    values: dict[str, Any] = {name: tuple(table[name]) for name in _LISTS} | {name: table[name] for name in _NUMBERS}
    return Spec(**values)


@cache
def standard() -> Spec:
    """The one that is shipped."""
    return parse_spec(resources.files("client.player.review").joinpath("spec.toml").read_bytes())
