"""What is printed on a terminal: words of a server, a course or a file, without what a terminal obeys."""

from __future__ import annotations

import unicodedata
from typing import Final

# separators of lines, and what turns the order of letters
_TURNS: Final = frozenset("\u2028\u2029\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")
_GONE: Final = "\ufffd"


def printed(said: str) -> str:
    """`said` as it may be printed: its own line ends stay, control characters and turned directions do not."""
    return said if said.isprintable() else "".join(map(_visible, said))


def _visible(char: str) -> str:
    obeyed = char in _TURNS or unicodedata.category(char) in ("Cc", "Cs")
    return _GONE if obeyed and char not in "\n\t" else char
