"""Foreign text made safe: whatever a program calls itself, it cannot break a line, a log or a screen."""

from __future__ import annotations

import unicodedata

MAX_SHOWN = 200  # characters of foreign text that a message or an evidence field holds
_ELLIPSIS = "…"


def clean(text: str, limit: int = MAX_SHOWN) -> str:
    """Return `text` in one line of at most `limit` characters, controls and direction marks shown as `\\u…` escapes."""
    shown = "".join(_visible(char) for char in text[: limit + 1])
    return shown if len(shown) <= limit else shown[: limit - 1] + _ELLIPSIS


def _visible(char: str) -> str:
    # controls, direction marks (bidi spoofing of names), half surrogates, further line ends, unassigned code points:
    # none may reach a screen; the blanks of all scripts become the plain one
    if char.isprintable():
        return char
    return " " if unicodedata.category(char) == "Zs" else f"\\u{ord(char):04x}"


def program(text: str) -> str:
    """The form in which program names are compared: no directory, case folded, without `.exe`."""
    name = text.replace("\\", "/").rsplit("/", 1)[-1]
    return name.strip().casefold().removesuffix(".exe")
