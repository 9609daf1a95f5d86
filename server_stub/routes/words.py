"""The words of the pages in both languages, from web/words.toml (house.md, "Words")."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("zh", "en")


def load(path: Path) -> dict[str, dict[str, str]]:
    """Language → key → text; a `ValueError` names an entry that is not a pair of texts."""
    words: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for key, pair in tomllib.loads(path.read_text(encoding="utf-8")).items():
        if not isinstance(pair, list) or len(pair) != len(LANGUAGES) or not all(isinstance(item, str) for item in pair):
            raise ValueError(f"{path.name}: {key} is no pair of texts")
        for language, text in zip(LANGUAGES, pair, strict=True):
            words[language][key] = text
    return words


WORDS: Final = load(Path(__file__).parent.parent / "web" / "words.toml")
