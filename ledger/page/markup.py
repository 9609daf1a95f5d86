"""HTML by construction: whatever is not markup already is escaped, so nothing of an archive becomes markup."""

from __future__ import annotations

import re
from html import escape
from typing import Final

_TURNS: Final = re.compile("[\x00-\x08\x0e-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069\ud800-\udfff]")
_ALONE: Final = frozenset({"meta", "br"})


class Html(str):
    """Text that is markup already."""

    __slots__ = ()


def join(*children: object) -> Html:
    """The children one after the other; a str is escaped, None is nothing."""
    return Html("".join(c if isinstance(c, Html) else _text(str(c)) for c in children if c is not None))


def _text(said: str) -> str:
    """Escaped, without controls, half characters and what turns the order of letters: a file may be called anything."""
    return escape(_TURNS.sub("\ufffd", said))


def tag(name: str, /, *children: object, **attributes: str | None) -> Html:
    """One element. `class_` is `class`; an attribute that is None is left out."""
    given = ((key.rstrip("_").replace("_", "-"), value) for key, value in attributes.items() if value is not None)
    head = name + "".join(f' {key}="{_text(value)}"' for key, value in given)
    return Html(f"<{head}>" if name in _ALONE else f"<{head}>{join(*children)}</{name}>")


def row(*cells: object, of: str = "td") -> Html:
    """One line of a table."""
    return tag("tr", *(tag(of, cell) for cell in cells))


def table(head: tuple[str, ...], *rows: Html, class_: str | None = None) -> Html:
    """A table under a line of headings."""
    return tag("table", tag("thead", row(*head, of="th")), tag("tbody", *rows), class_=class_)
