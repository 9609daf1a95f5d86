"""Words that somebody should look at before others read them (R4.4): data, not judgement.

What is written is never deleted or held back: its author is told once, and whoever reads it sees a mark. Beside the
list, an identity number or a telephone number in a text is marked: it is rarely meant to be read by others.
"""

from __future__ import annotations

import re
import tomllib
import unicodedata
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, Final

from server_stub.domain import citizen
from server_stub.domain.errors import SetupError

SHIPPED: Final = Path(__file__).parent.parent / "wordlist.toml"
SORTS: Final = ("insult", "threat", "advertising", "private")
MAX_FILE: Final = 1 << 20
MAX_WORDS: Final = 20_000
_NUMBER: Final = re.compile(r"(?<![0-9])(?:[0-9]{17}[0-9X]|1[3-9][0-9]{9})(?![0-9X])")
_BETWEEN: Final = re.compile(r"[\s\u200b-\u200f\u2060\ufeff.,，。·*_\-—~!！/\\|]+")


class WordList:
    """The words by sort; asked for every text that people write to others."""

    def __init__(self, sorts: Mapping[str, Sequence[str]]) -> None:
        self._words = [(sort, word, _plain(word)) for sort, words in sorts.items() for word in words]

    def marks(self, text: str) -> tuple[str, ...]:
        """The sorts of words that are in a text, in the order of `SORTS`; () for one that nobody need look at.

        Chinese words are found with spaces and signs between their characters, too; Latin ones as whole words.
        """
        low = unicodedata.normalize("NFKC", text).lower()
        tight, spaced = _BETWEEN.sub("", low), f" {' '.join(re.findall(r'[a-z0-9]+', low))} "
        found = {
            sort for sort, word, plain in self._words
            if (f" {plain} " in spaced if word.isascii() else plain in tight)
        }  # fmt: skip
        if any(_is_number(number) for number in _NUMBER.findall(citizen.plain(text))):
            found.add("private")
        return tuple(sort for sort in SORTS if sort in found)


def _is_number(text: str) -> bool:
    return len(text) == 11 or citizen.check_digit(text[:17]) == text[17]


def _plain(word: str) -> str:
    low = unicodedata.normalize("NFKC", word).lower()
    return " ".join(low.split()) if word.isascii() else _BETWEEN.sub("", low)


def parse(data: bytes) -> WordList:
    """What the bytes of a wordlist.toml state, or `SetupError`."""
    if len(data) > MAX_FILE:
        raise SetupError("a word list is shorter than that")
    try:
        table: dict[str, Any] = tomllib.loads(data.decode("utf-8"))
    except (ValueError, RecursionError) as error:
        raise SetupError(f"the word list cannot be read: {error}") from error
    sorts = table.get("sorts")
    if set(table) != {"version", "sorts"} or type(table["version"]) is not int or not isinstance(sorts, dict):
        raise SetupError("a word list has a version and words by sort")
    for sort, words in sorts.items():
        if sort not in SORTS or not isinstance(words, list) or len(words) > MAX_WORDS:
            raise SetupError(f"word list: {sort[:40]!r} is no sort of words ({', '.join(SORTS)})")
        if not all(isinstance(word, str) and 0 < len(word) <= 40 and _plain(word) for word in words):
            raise SetupError(f"word list, {sort}: a word has 1 to 40 characters")
    return WordList(sorts)


def load(folder: Path) -> WordList:
    """The list of a data directory, else the one that is shipped."""
    own = folder / "wordlist.toml"
    return parse((own if own.is_file() else SHIPPED).read_bytes())
