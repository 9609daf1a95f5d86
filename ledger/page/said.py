"""What the verifier says, in the reader's language: it writes English; said.zh.toml has each sentence in Chinese."""

from __future__ import annotations

import re
import tomllib
from functools import cache
from importlib import resources
from typing import Final

from ledger.reasons import REASONS

GAP: Final = "{}"
_DEPTH: Final = 4  # a refusal may quote a refusal that quotes another; a message is hostile text all the same
_LONG: Final = 4_000  # characters; nothing of ours is as long


@cache
def sentences() -> dict[str, str]:
    """English with `{}` for each gap → Chinese with `{0}`, `{1}`, … for the gaps in that order."""
    table = tomllib.loads((resources.files("ledger") / "page" / "said.zh.toml").read_text("utf-8"))
    return {**table, **{reason.en: reason.zh for reason in REASONS.values()}}


@cache
def _patterns() -> list[tuple[re.Pattern[str], str]]:
    """Whoever says most in words of its own is asked first."""
    ordered = sorted(sentences().items(), key=lambda item: -len(item[0].replace(GAP, "")))
    gaps = ((english, chinese) for english, chinese in ordered if GAP in english)
    return [(re.compile(_pattern(english), re.DOTALL), chinese) for english, chinese in gaps]


def _pattern(english: str) -> str:
    """Each gap as short as it can be; of two with nothing but a space between, the first may hold spaces."""
    return "(.*?)".join(map(re.escape, english.split(GAP))).replace("(.*?)\\ (.*?)", "(.*)\\ (.*?)")


def in_chinese(message: str, depth: int = _DEPTH) -> str:
    """The message in Chinese, and what it quotes too; as it is where it is none of the verifier's own."""
    plain = sentences().get(message)
    if plain is not None or not depth or len(message) > _LONG:
        return plain or message
    for pattern, chinese in _patterns():
        match = pattern.fullmatch(message)
        if match is not None:
            return chinese.format(*(in_chinese(gap, depth - 1) for gap in match.groups()))
    return message
