"""Lines of Chinese and Latin text: broken between any two Chinese characters, at spaces in Latin, never before a comma.

The toolkit breaks at spaces only, which tears Chinese sentences; this follows the basic rules of the Unicode line
breaking algorithm (UAX 14) that Chinese screens need. Pure: the width of a character is asked for.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Callable

NO_START = set("，。、；：？！）】》〉」』”’…—·,.;:?!)]}%％℃")  # may not begin a line
NO_END = set("（【《〈「『“‘([{￥$#")  # may not end one


def wrap(text: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    """The lines of `text` that fit `width`; a word longer than a line is cut."""
    lines: list[str] = []
    for paragraph in text.split("\n"):
        line, used = "", 0.0
        for piece in pieces(paragraph):
            for part in _fit(piece, width, width_of):
                size = sum(map(width_of, part))
                if line and used + size - _blank(part, width_of) > width:
                    lines.append(line.rstrip())
                    line, used = "", 0.0
                if line or not part.isspace():
                    line += part
                    used += size
        lines.append(line.rstrip())
    return lines


def pieces(text: str) -> list[str]:
    """`text` cut where a line may end; a space stays at the end of its piece."""
    out: list[str] = []
    for char in text:
        if out and not _may_break(out[-1], char):
            out[-1] += char
        else:
            out.append(char)
    return out


def _may_break(before: str, after: str) -> bool:
    last = before[-1]
    if after == " " or after in NO_START or last in NO_END or unicodedata.combining(after):
        return False
    return last == " " or _ideograph(last) or _ideograph(after)


def _ideograph(char: str) -> bool:
    return unicodedata.east_asian_width(char) in "WF"


def _blank(part: str, width_of: Callable[[str], float]) -> float:
    """Spaces at the end may hang over the edge."""
    return sum(map(width_of, part[len(part.rstrip()) :]))


def _fit(piece: str, width: float, width_of: Callable[[str], float]) -> list[str]:
    if sum(map(width_of, piece.rstrip())) <= width:
        return [piece]
    parts, used = [""], 0.0
    for char in piece:
        size = width_of(char)
        if parts[-1] and used + size > width:
            parts.append("")
            used = 0.0
        parts[-1] += char
        used += size
    return parts
