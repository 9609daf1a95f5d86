"""The words of the pages in both languages, from web/words/*.toml, a file for each part of the pages (house.md)."""

from __future__ import annotations

import tomllib
from pathlib import Path
from typing import Final

LANGUAGES: Final = ("zh", "en")


def load(folder: Path) -> dict[str, dict[str, str]]:
    """Language → key → text; a `ValueError` names an entry that is not a pair of texts, or stands in two files."""
    words: dict[str, dict[str, str]] = {language: {} for language in LANGUAGES}
    for path in sorted(folder.glob("*.toml")):
        for key, pair in tomllib.loads(path.read_text(encoding="utf-8")).items():
            if not isinstance(pair, list) or len(pair) != len(LANGUAGES) or not all(isinstance(v, str) for v in pair):
                raise ValueError(f"{path.name}: {key} is no pair of texts")
            if key in words[LANGUAGES[0]]:
                raise ValueError(f"{path.name}: {key} stands in another file already")
            for language, text in zip(LANGUAGES, pair, strict=True):
                words[language][key] = text
    return words


WORDS: Final = load(Path(__file__).parent.parent / "web" / "words")
